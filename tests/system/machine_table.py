"""What is said of the disks of all recorded machines, as a table: ``./dev machines``."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bootkit.model.device import BlockDevice
from bootkit.model.host import BlockRecord, HostRecord, MountRecord
from bootkit.plan.safety import Circumstances, Refusal, safety
from bootkit.system.devices import block_devices
from bootkit.units import MIB, format_size

MACHINES = Path(__file__).parent / "machines"
NEED = Circumstances(minimum=131 * MIB)
EVERYTHING = frozenset({"fixed", "large", "foreign", "partitions", "loop"})
"""All that ``--allow`` takes."""


def names() -> tuple[str, ...]:
    return tuple(sorted(path.stem for path in MACHINES.glob("*.json")))


def machine(name: str) -> HostRecord:
    record: dict[str, Any] = json.loads((MACHINES / f"{name}.json").read_text())
    return HostRecord(
        blocks=tuple(block(row) for row in record["blocks"]),
        mounts=tuple(MountRecord(**mount) for mount in record["mounts"]),
        swaps=tuple(record["swaps"]),
    )


def block(row: dict[str, Any]) -> BlockRecord:
    values: dict[str, Any] = {**row, "holders": tuple(row.get("holders", ()))}
    return BlockRecord(**values)


def judged(name: str) -> Iterator[tuple[BlockDevice, tuple[Refusal, ...]]]:
    for device in block_devices(machine(name)):
        yield device, safety(device, NEED)


def table(name: str) -> str:
    """A line for each disk: offered, refused, or refused until ``--allow``, and every reason."""
    lines = [json.loads((MACHINES / f"{name}.json").read_text())["what"]]
    for device, refused in judged(name):
        keys = [refusal.key for refusal in refused]
        verdict = "offered" if not refused else f"--allow {' '.join(keys)}" if all(keys) else "refused"
        reasons = "; ".join(refusal.reason for refusal in refused)
        lines.append(f"  {device.node:14} {format_size(device.size):>10}  {verdict:32} {reasons}".rstrip())
    return "\n".join(lines) + "\n"


def main() -> None:
    for name in names():
        sys.stdout.write(f"{name}: {table(name)}\n")
    disks = [refused for name in names() for _, refused in judged(name)]
    kept = sum(1 for refused in disks if refused and not all(refusal.key for refusal in refused))
    free = sum(1 for refused in disks if not refused)
    rest = len(disks) - free - kept
    sys.stdout.write(
        f"{len(names())} machines, {len(disks)} disks: {free} offered, {kept} refused, {rest} only with --allow\n"
    )


if __name__ == "__main__":
    main()
