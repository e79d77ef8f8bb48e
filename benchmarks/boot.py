"""What bootkit costs in a boot: its overlay in the booted system, and its watching in ``bootkit test``.

QEMU counts instructions, two nanoseconds each, until a target that waits for all that is ours: a machine's clock would run on while
a busy host reads a disk. A bare boot is the same machine, watched by nobody but for two lines on its serial line.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.append(os.fspath(Path(__file__).resolve().parents[1]))  # the tests build the live system

from measure import BOOTKIT, goal, run, seconds, table
from monitor import Monitor, monitor_at

from bootkit.app.verbs.test import choose_targets
from bootkit.model.testboot import TestFirmware
from bootkit.render.entries import WITHOUT_ADDITIONS
from bootkit.render.names import entry_id
from bootkit.system.qemu import ACCELERATOR_VARIABLE, Accelerator, VirtualMachine, qemu_argv
from bootkit.system.sticks import open_stick
from bootkit.system.witness import make_test_disk
from tests.boots.live_iso import cached_iso, host_suite

ADDED = 1.0
"""Virtual seconds."""
WATCHED = 1.05
WAITS, AT_ONCE = b"set timeout=-1\n", b"set timeout=0 \n"
STARTED = re.compile(rb"bootkit-witness: userspace ")
COMPLETE = re.compile(rb"systemd\[1\]: Reached target .*[Mm]ulti-[Uu]ser")
PATIENCE = 600
RUNS = 2
"""The least counts: what a machine does while its disk is slow is not its own."""
POLL = 0.2
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True, kw_only=True)
class Booted:
    cpu: float
    """Seconds that QEMU took on processors until the system's basic target."""
    virtual: float
    """Seconds of its instructions until all is there that comes before a login."""


def measure(folder: Path) -> None:
    os.environ[ACCELERATOR_VARIABLE] = Accelerator.TCG.value
    image = cached_iso(host_suite())
    stick = folder / "stick.img"
    run([BOOTKIT, "prepare", stick, "--size", "600M", "--yes"])
    run([BOOTKIT, "add", "--stick", stick, image])
    with open_stick(stick) as opened:
        (target,) = choose_targets(opened.volume, [], every=False)
    plain = f"{target.id_path.rpartition('>')[0]}>{entry_id(WITHOUT_ADDITIONS, set())}"
    found = [(bare(stick, target.id_path), bare(stick, plain)) for _ in range(RUNS)]
    ours, alone = (min(boots, key=lambda one: one.virtual) for boots in zip(*found, strict=True))
    watched = run([BOOTKIT, "test", "--stick", stick, "--firmware", TestFirmware.BIOS.value])
    rows = [
        ["with what is added", f"{ours.virtual:.2f} s", seconds(ours.cpu)],
        ["without", f"{alone.virtual:.2f} s", seconds(alone.cpu)],
        ["`bootkit test`", "", seconds(watched.cpu)],
    ]
    headers = ["", "until all is there before a login, virtual", "CPU until its basic target"]
    table("boot: Debian's live-boot from ext4, BIOS, emulated", headers, rows)
    added = ours.virtual - alone.virtual
    goal(
        "what the overlay adds to a boot",
        f"{added:.2f} s virtual",
        f"under {ADDED} s",
        met=added < ADDED,
        peer=f"without it {alone.virtual:.2f} s",
    )
    ratio = watched.cpu / ours.cpu
    goal(
        "bootkit test, above the bare boot",
        seconds(watched.cpu),
        f"at most {WATCHED} times",
        met=ratio <= WATCHED,
        peer=f"QEMU alone {seconds(ours.cpu)}",
        ratio=ratio,
    )


def bare(stick: Path, entry: str) -> Booted:
    """Boot an entry with the least that tells how far it came: the disk of a test, whose menu does not wait."""
    with tempfile.TemporaryDirectory(prefix="bootkit-bench-") as name:
        machine = VirtualMachine(
            stick=stick,
            test_disk=Path(name, "test.img"),
            folder=Path(name),
            firmware=TestFirmware.BIOS,
            accelerator=Accelerator.TCG,
        )
        words = (*Accelerator.TCG.kernel_words, "systemd.log_target=kmsg")
        make_test_disk(machine.test_disk, entry, words=words)
        disk = machine.test_disk.read_bytes()
        if disk.count(WAITS) != 1 or len(WAITS) != len(AT_ONCE):
            sys.exit("the menu of a test no longer says how long it waits")
        machine.test_disk.write_bytes(disk.replace(WAITS, AT_ONCE))
        with subprocess.Popen(qemu_argv(machine)) as process:
            try:
                with monitor_at(machine.monitor, PATIENCE) as asked:
                    return _watched(process, machine.serial_log, asked)
            finally:
                process.kill()


def _watched(process: "subprocess.Popen[bytes]", serial: Path, asked: Monitor) -> Booted:
    began, cpu = time.monotonic(), 0.0
    while time.monotonic() - began < PATIENCE and process.poll() is None:
        said = serial.read_bytes() if serial.exists() else b""
        if not cpu and STARTED.search(said):
            cpu = _cpu_of(process.pid)
        if cpu and COMPLETE.search(said):
            return Booted(cpu=cpu, virtual=asked.virtual_seconds())
        time.sleep(POLL)
    sys.exit(f"the live system did not start within {time.monotonic() - began:.0f} s")


def _cpu_of(pid: int) -> float:
    """Seconds on processors of a process that runs. Source: proc(5), /proc/PID/stat, fields 14 and 15."""
    fields: Sequence[str] = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS
