"""A step in one sentence, and a plan as JSON: for the command line, the text interface and the log alike."""

from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Annotated, TypeAlias, TypedDict, assert_never, cast

from bootkit.i18n import tr
from bootkit.model.boot import Firmware
from bootkit.model.prepare import (
    Action,
    BuildLoader,
    CheckWritten,
    CreateFile,
    EndTable,
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
    Target,
    WipeOld,
    WriteBootSector,
    WriteCore,
    WriteDisk,
    WriteFilesystem,
    WriteTable,
)
from bootkit.model.shape import Shape
from bootkit.units import format_size

Json: TypeAlias = "bool | int | str | list[Json] | dict[str, Json] | None"


def describe(step: PrepareStep) -> str:  # noqa: C901  # one sentence a kind, and the type checker counts them
    """One sentence without a full stop, beginning with what is done."""
    match step:
        case CreateFile(size=size):
            return tr("make a sparse file of {size}", size=format_size(size))
        case TakeLoader():
            origin = f"{step.source} ({step.package})" if step.package else step.source
            return tr("take {origin} as {path}", origin=origin, path=step.path)
        case BuildLoader():
            what = step.path or tr("the BIOS core image")
            if step.firmware is Firmware.BIOS:
                what = tr("the BIOS core image")
            return tr(
                "build {what} from {count} modules in {directory}",
                what=what,
                count=len(step.modules),
                directory=step.directory,
            )
        case MakeFilesystem():
            return tr(
                "make partition {partition}, {purpose}: {size} {kind}, label {label}, UUID {uuid}",
                partition=step.partition,
                purpose=step.purpose,
                size=format_size(step.size),
                kind=step.kind,
                label=step.label,
                uuid=step.uuid,
            )
        case SaveOld(ranges=ranges):
            return tr("keep {areas} of the old disk in a file on this computer", areas=_areas(ranges))
        case PutBack(parts=kept):
            return tr(
                "put back what was kept of the disk: at {kept}",
                kept=", at ".join((format_size(offset) for offset, _ in kept)),
            )
        case WipeOld(ranges=ranges):
            return tr("write zeros over old tables and file systems: {areas}", areas=_areas(ranges))
        case WriteFilesystem():
            return tr(
                "write partition {partition} at {offset}", partition=step.partition, offset=format_size(step.offset)
            )
        case WriteDisk():
            return tr(
                "write {path}, {size}, its start last, and read it back", path=step.path, size=format_size(step.size)
            )
        case EndTable():
            return tr("put the backup of the partition table at the end")
        case WriteTable(table=table):
            parts = ", ".join(
                tr(
                    "{number} {purpose} (sectors {start} to {end})",
                    number=part.number,
                    purpose=part.purpose,
                    start=part.start_sector,
                    end=part.start_sector + part.sectors - 1,
                )
                for part in table.partitions
            )
            return tr(
                "write the partition table, {scheme} {disk_id}: {parts}",
                scheme=table.scheme.upper(),
                disk_id=table.disk_id,
                parts=parts,
            )
        case WriteCore(sector=sector):
            return tr("write the BIOS core image at sector {sector}", sector=sector)
        case ReplaceLoaders():
            return tr("replace the boot loaders; no other file is touched")
        case RecordLoaders():
            return tr("write the list of boot loaders to the data partition")
        case ExchangeLoaders():
            return tr("put the boot loaders back that the last upgrade replaced, and keep those that are there now")
        case CheckWritten():
            return tr("read everything back from the medium and compare it")
        case WriteBootSector():
            return tr("write the boot sector; from here on the stick starts a computer")
        case Finish():
            return tr("flush, and let the system see the new partitions")
        case _:
            assert_never(step)


class PlanDocument(TypedDict):
    """What would be done to a disk, or is done next."""

    action: Action
    target: Target
    destroys_data: bool
    adopts: str
    """Who made the stick that becomes bootkit's; empty for one that is."""
    notes: tuple[str, ...]
    warnings: tuple[str, ...]
    steps: Annotated[list[PrepareStep], Shape.STEP]


def plan_to_json(plan: PreparePlan) -> dict[str, object]:
    """A PlanDocument for ``json.dumps``: every step with its kind, its sentence and all its values."""
    return {
        "action": plan.action,
        "target": _json(plan.target),
        "destroys_data": plan.destroys_data,
        "adopts": plan.adopts,
        "notes": plan.notes,
        "warnings": plan.warnings,
        "steps": [_step(step) for step in plan.steps],
    }


def _step(step: PrepareStep) -> dict[str, Json]:
    values = _json(step)
    assert isinstance(values, dict)
    return {"step": type(step).__name__, "sentence": describe(step), **values}


def _areas(ranges: tuple[tuple[int, int], ...]) -> str:
    return ", ".join(
        tr("{size} at {offset}", size=format_size(size), offset=format_size(offset)) for offset, size in ranges
    )


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
