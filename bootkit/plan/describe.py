"""A step in one sentence, and a plan as JSON: for the command line, the text interface and the log alike."""

from dataclasses import fields, is_dataclass
from enum import Enum
from typing import TypeAlias, assert_never, cast

from bootkit.model.boot import Firmware
from bootkit.model.prepare import (
    BuildLoader,
    CheckWritten,
    CreateFile,
    ExchangeLoaders,
    Finish,
    MakeFilesystem,
    PreparePlan,
    PrepareStep,
    PutBack,
    RecordLoaders,
    ReplaceLoaders,
    SaveOld,
    TakeLoader,
    WipeOld,
    WriteBootSector,
    WriteCore,
    WriteFilesystem,
    WriteTable,
)
from bootkit.units import format_size

Json: TypeAlias = "bool | int | str | list[Json] | dict[str, Json] | None"


def describe(step: PrepareStep) -> str:  # noqa: C901  # one sentence a kind, and the type checker counts them
    """One sentence without a full stop, beginning with what is done."""
    match step:
        case CreateFile(size=size):
            return f"make a sparse file of {format_size(size)}"
        case TakeLoader():
            origin = f"{step.source} ({step.package})" if step.package else step.source
            return f"take {origin} as {step.path}"
        case BuildLoader():
            what = step.path or "the BIOS core image"
            if step.firmware is Firmware.BIOS:
                what = "the BIOS core image"
            return f"build {what} from {len(step.modules)} modules in {step.directory}"
        case MakeFilesystem():
            return (
                f"make partition {step.partition}, {step.purpose}: {format_size(step.size)} {step.kind}, "
                f"label {step.label}, UUID {step.uuid}"
            )
        case SaveOld(ranges=ranges):
            return f"keep {_areas(ranges)} of the old disk in a file on this computer"
        case PutBack(parts=kept):
            return f"put back what was kept of the disk: at {', at '.join(format_size(offset) for offset, _ in kept)}"
        case WipeOld(ranges=ranges):
            return f"write zeros over old tables and file systems: {_areas(ranges)}"
        case WriteFilesystem():
            return f"write partition {step.partition} at {format_size(step.offset)}"
        case WriteTable(table=table):
            parts = ", ".join(
                f"{part.number} {part.purpose} (sectors {part.start_sector} to {part.start_sector + part.sectors - 1})"
                for part in table.partitions
            )
            return f"write the partition table, {table.scheme.upper()} {table.disk_id}: {parts}"
        case WriteCore(sector=sector):
            return f"write the BIOS core image at sector {sector}"
        case ReplaceLoaders():
            return "replace the boot loaders; no other file is touched"
        case RecordLoaders():
            return "write the list of boot loaders to the data partition"
        case ExchangeLoaders():
            return "put the boot loaders back that the last upgrade replaced, and keep those that are there now"
        case CheckWritten():
            return "read everything back from the medium and compare it"
        case WriteBootSector():
            return "write the boot sector; from here on the stick starts a computer"
        case Finish():
            return "flush, and let the system see the new partitions"
        case _:
            assert_never(step)


def plan_to_json(plan: PreparePlan) -> dict[str, Json]:
    """A value for ``json.dumps``: every step with its kind, its sentence and all its values."""
    return {
        "action": str(plan.action),
        "target": _json(plan.target),
        "destroys_data": plan.destroys_data,
        "adopts": plan.adopts,
        "notes": list(plan.notes),
        "warnings": list(plan.warnings),
        "steps": [_step(step) for step in plan.steps],
    }


def _step(step: PrepareStep) -> dict[str, Json]:
    values = _json(step)
    assert isinstance(values, dict)
    return {"step": type(step).__name__, "sentence": describe(step), **values}


def _areas(ranges: tuple[tuple[int, int], ...]) -> str:
    return ", ".join(f"{format_size(size)} at {format_size(offset)}" for offset, size in ranges)


def _json(value: object) -> Json:
    if isinstance(value, Enum):
        return str(value.value)
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _json(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple):
        return [_json(part) for part in cast("tuple[object, ...]", value)]
    if isinstance(value, bytes):
        # all contents of a plan are texts that we wrote ourselves
        return value.decode(errors="replace")
    assert value is None or isinstance(value, bool | int | str)
    return value
