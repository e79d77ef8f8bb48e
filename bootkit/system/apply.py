"""Carry out a plan of ``prepare``, ``upgrade``, ``restore`` or ``disk take-out``: the only module that writes to disks.

There is no dry run in here: a plan that is not applied is one.
"""

import hashlib
import io
import tarfile
import tempfile
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, assert_never, cast

from bootkit.errors import BootkitError, Interrupted
from bootkit.formats.partitions import read_partitions
from bootkit.formats.reader import read_at
from bootkit.i18n import tr
from bootkit.model.boot import Firmware
from bootkit.model.places import GRUB_FOLDER, LOADERS_FILE, STICK_RECORD
from bootkit.model.plan import StickPlan, WriteFile
from bootkit.model.prepare import (
    SECTOR,
    Action,
    BuildLoader,
    CheckWritten,
    CreateFile,
    EndTable,
    ExchangeLoaders,
    Finish,
    MakeFilesystem,
    PartitionTable,
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
    WriteDisk,
    WriteFilesystem,
    WriteTable,
)
from bootkit.plan.layout import partition_name
from bootkit.system import interrupted
from bootkit.system.bootcode import boot_sector, core_halves, core_image, is_core_at, loads_from, with_core
from bootkit.system.changes import apply_changes
from bootkit.system.generations import go_back, renew
from bootkit.system.loaderlist import MadeLoader, loaders_record
from bootkit.system.loaders import mkimage_program
from bootkit.system.makefs import make_filesystem
from bootkit.system.run import run
from bootkit.system.target import CHUNK, Moved, OpenTarget, open_target
from bootkit.system.volume import is_zeros, read_file
from bootkit.system.volumes.fat import FatVolume
from bootkit.system.volumes.unmounted import raw_volume

_LOADER_LIMIT = 32 << 20
Told = Callable[[PrepareStep], None]
"""Called with each step before it is taken."""


@dataclass(slots=True, kw_only=True)
class _Made:
    """What the steps so far have made."""

    plan: PreparePlan
    target: OpenTarget
    work: Path
    moved: Moved
    content: BinaryIO | None
    """What a disk is taken out of."""
    loaders: list[MadeLoader] = field(default_factory=list[MadeLoader])
    images: dict[int, Path] = field(default_factory=dict[int, Path])
    placed: list[tuple[int, Path]] = field(default_factory=list[tuple[int, Path]])
    """Offset on the target, and the file that was copied there."""
    table: PartitionTable | None = None
    core: tuple[int, bytes] | None = None
    before: bytes | None = None
    """The list of the loaders that an upgrade has found."""


def apply_plan(
    plan: PreparePlan,
    *,
    told: Told = lambda _: None,
    moved: Moved = lambda _done, _size: None,
    content: BinaryIO | None = None,
) -> None:
    """Take the steps in order, on the disk that the plan names and no other.

    ``moved`` hears how far a partition is written or read back. Either may raise Interrupted. ``content`` is the file of the
    stick that a plan for ``disk take-out`` names.

    Raises:
        DeviceRefused: the disk is in use or not the one of the plan; nothing was written.
        BootkitError: a program failed, or the medium; what was begun is remembered, and ``prepare`` says so next time.
    """
    with (
        tempfile.TemporaryDirectory(prefix="bootkit-") as work,
        open_target(plan.target) as target,
        interrupted.remembered(plan) as begin,
    ):
        state = _Made(plan=plan, target=target, work=Path(work), moved=moved, content=content)
        begun = False
        for step in plan.steps:
            try:
                told(step)
                if isinstance(step, CreateFile | WipeOld | ReplaceLoaders | ExchangeLoaders | PutBack):
                    begin()
                    begun = True
                _take(step, state)
            except Interrupted as stop:
                state_of_it = tr("is half written: run the same command again") if begun else tr("was not touched")
                raise Interrupted(
                    tr("interrupted; {path} {state_of_it}", path=plan.target.path, state_of_it=state_of_it)
                ) from stop


def _put_back(offset: int, content: bytes, target: OpenTarget) -> None:
    target.write(offset, content)
    target.flush()
    if target.read(offset, len(content)) != content:
        raise BootkitError(
            tr("the disk does not give back what was written to it"), hint=tr("it may be worn out, or a fake")
        )


def _take(step: PrepareStep, state: _Made) -> None:  # noqa: C901  # one line a kind, and the type checker counts them
    target = state.target
    match step:
        case TakeLoader():
            state.loaders.append(MadeLoader(step=step, content=_host_file(step.source)))
        case BuildLoader():
            state.loaders.append(MadeLoader(step=step, content=_build(step, state.work)))
        case MakeFilesystem():
            _make(step, state)
        case CreateFile():
            target.resize(step.size)
        case SaveOld():
            interrupted.save_old(state.plan, [(offset, target.read(offset, size)) for offset, size in step.ranges])
        case PutBack():
            for offset, path in step.parts:
                _put_back(offset, _host_file(path), target)
        case WipeOld():
            for offset, size in step.ranges:
                for at in range(0, size, CHUNK):
                    target.write(offset + at, bytes(min(CHUNK, size - at)))
        case WriteFilesystem():
            target.put(state.images[step.partition], step.offset, state.moved)
            state.placed.append((step.offset, state.images[step.partition]))
        case WriteDisk():
            _write_disk(step, state)
        case EndTable():
            _end_table(target)
        case WriteTable():
            _write_table(step.table, target)
            state.table = step.table
        case WriteCore():
            _write_core(step, state)
        case ReplaceLoaders():
            _replace_loaders(step, state)
        case RecordLoaders():
            _record_loaders(step, state)
        case ExchangeLoaders():
            _exchange_loaders(step, state)
        case CheckWritten():
            _check_written(state)
        case WriteBootSector():
            _write_boot_sector(state)
        case Finish():
            target.flush()
            target.show_partitions()
        case _:
            assert_never(step)


def _host_file(source: str) -> bytes:
    try:
        return Path(source).read_bytes()
    except OSError as error:
        raise BootkitError(
            f"{source}: {error.strerror}", hint=tr("bootkit doctor shows where loaders are looked for")
        ) from error


def _build(step: BuildLoader, work: Path) -> bytes:
    memdisk, image = work / "memdisk.tar", work / f"{step.platform}.img"
    memdisk.write_bytes(_stub_archive(step.stub))
    run([
        mkimage_program(),
        "-O", step.platform,
        "-d", step.directory,
        "-p", f"(memdisk){GRUB_FOLDER}",
        "-m", memdisk,
        "-o", image,
        *step.modules,
    ])  # fmt: skip
    return image.read_bytes()


def _stub_archive(stub: bytes) -> bytes:
    """A memory disk with the stub: a script there may have conditions, an embedded configuration may not.

    grub-mkimage sets the prefix to /boot/grub of a memory disk, whatever it is told.
    """
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        info = tarfile.TarInfo("boot/grub/grub.cfg")
        info.size = len(stub)
        archive.addfile(info, io.BytesIO(stub))
    return buffer.getvalue()


def _make(step: MakeFilesystem, state: _Made) -> None:
    files = list(step.files)
    if step.takes_loaders:
        files += _loader_files(state.loaders)
        files.append(WriteFile(path=STICK_RECORD, content=loaders_record(state.plan, state.loaders)))
    if step.records_loaders:
        files.append(WriteFile(path=LOADERS_FILE, content=loaders_record(state.plan, state.loaders)))
    image, stage = state.work / f"{step.partition}.fs", state.work / f"{step.partition}.tree"
    stage.mkdir()
    make_filesystem(step, files, image, stage, sparse=not state.target.is_device)
    state.images[step.partition] = image


def _loader_files(loaders: list[MadeLoader]) -> list[WriteFile]:
    return [WriteFile(path=made.step.path, content=made.content) for made in loaders if made.step.path]


def _write_disk(step: WriteDisk, state: _Made) -> None:
    target, content = state.target, state.content
    assert content is not None  # whoever applies such a plan has opened it
    start = read_at(content, 0, min(CHUNK, step.size))
    written, kept = hashlib.sha256(start), hashlib.sha256(start)
    for at in range(len(start), step.size, CHUNK):
        chunk = read_at(content, at, min(CHUNK, step.size - at))
        written.update(chunk)
        if target.is_device or not is_zeros(chunk):
            target.write(at, chunk)
        state.moved(at, 2 * step.size)
    target.flush()
    for at in range(len(start), step.size, CHUNK):
        kept.update(target.read(at, min(CHUNK, step.size - at)))
        state.moved(step.size + at, 2 * step.size)
    if kept.digest() != written.digest():
        raise _not_kept(target, len(start))
    _put_back(0, start, target)


def _end_table(target: OpenTarget) -> None:
    run(["sfdisk", "--quiet", "--no-reread", "--no-tell-kernel", "--relocate", "gpt-bak-std", target.path])
    target.flush()
    with target.path.open("rb") as fh:
        table = read_partitions(cast("BinaryIO", fh))
    if table.scheme != "gpt" or table.warnings:
        raise _not_kept(target, 0)


def _write_table(table: PartitionTable, target: OpenTarget) -> None:
    # nothing is wiped by sfdisk: that was done before, and the new file systems are in place already
    argv: list[str | Path] = [
        "sfdisk",
        "-q",
        "--no-reread",
        "--no-tell-kernel",
        "--wipe",
        "never",
        "--wipe-partitions",
        "never",
        target.path,
    ]
    run(argv, stdin=sfdisk_script(table).encode())


def sfdisk_script(table: PartitionTable) -> str:
    """The table as sfdisk(8) reads it."""
    lines = [f"label: {'gpt' if table.scheme == 'gpt' else 'dos'}", "unit: sectors"]
    if table.scheme == "gpt":
        lines += [f"label-id: {table.disk_id}", "first-lba: 34"]
    else:
        lines += [f"label-id: 0x{table.disk_id}"]
    lines.append("")
    for part in table.partitions:
        words = [f"start={part.start_sector}", f"size={part.sectors}", f"type={part.type}"]
        if part.guid:
            words += [f"uuid={part.guid}", f'name="{partition_name(part.purpose)}"']
        if part.active:
            words.append("bootable")
        lines.append(f"{part.number} : {', '.join(words)}")
    return "\n".join(lines) + "\n"


def _write_core(step: WriteCore, state: _Made) -> None:
    """Where nothing starts from; an upgrade leaves the core image that starts until the boot sector names the new one."""
    content, target = _bios(state).content, state.target
    place, limit = step.sector, step.limit
    halves = core_halves(step.sector, step.limit)
    if state.plan.action is Action.UPGRADE and len(content) <= halves[0][1] * SECTOR:
        now = loads_from(target.read(0, SECTOR))
        used, unused = halves if now == halves[0][0] else reversed(halves)
        image = core_image(content, core_sector=used[0], limit=used[1])
        is_there = now == used[0] and target.read(used[0] * SECTOR, len(image)) == image
        place, limit = used if is_there else unused
    state.core = (place * SECTOR, core_image(content, core_sector=place, limit=limit))
    target.write(*state.core)
    target.flush()


def _write_boot_sector(state: _Made) -> None:
    made = _bios(state).step
    assert isinstance(made, BuildLoader)
    assert state.core is not None
    boot_img = _host_file(f"{made.directory}/boot.img")
    core_sector = state.core[0] // SECTOR
    _put_back(0, boot_sector(boot_img, state.target.read(0, SECTOR), core_sector=core_sector), state.target)


def _bios(state: _Made) -> MadeLoader:
    return next(made for made in state.loaders if made.step.firmware is Firmware.BIOS)


def _replace_loaders(step: ReplaceLoaders, state: _Made) -> None:
    files = {file.path: file.content for file in (*_loader_files(state.loaders), *step.files)}
    with closing(_boot_volume(state.target, step.offset, step.size)) as volume:
        state.before = read_file(volume, STICK_RECORD, _LOADER_LIMIT)
        files[STICK_RECORD] = loaders_record(state.plan, state.loaders, state.before)
        renew(volume, files)
        for path, content in files.items():
            with volume.open(path) as fh:
                if fh.read() != content:
                    raise _not_kept(state.target, step.offset)


def _record_loaders(step: RecordLoaders, state: _Made) -> None:
    record = loaders_record(state.plan, state.loaders, state.before)
    _write_record(step.offset, step.size, record, state.target)


def _write_record(offset: int, size: int, record: bytes, target: OpenTarget) -> None:
    volume = raw_volume(target.path, offset, size, writing=True, held=True)
    if volume is not None:
        with closing(volume):
            apply_changes(_written({LOADERS_FILE: record}), volume)


def _exchange_loaders(step: ExchangeLoaders, state: _Made) -> None:
    target = state.target
    with closing(_boot_volume(target, *step.boot)) as volume:
        go_back(volume)
        record = read_file(volume, STICK_RECORD, _LOADER_LIMIT)
    if record is not None:
        _write_record(*step.data, record, target)
    if step.core is None:
        return
    sector = target.read(0, SECTOR)
    first, second = (place for place, _ in core_halves(*step.core))
    other = second if loads_from(sector) == first else first
    if is_core_at(target.read(other * SECTOR, SECTOR), other):
        _put_back(0, with_core(sector, other), target)


def _boot_volume(target: OpenTarget, offset: int, size: int) -> FatVolume:
    """The file system with the boot loaders, which firmware wants to be FAT."""
    volume = raw_volume(target.path, offset, size, writing=True, held=True)
    assert isinstance(volume, FatVolume)
    return volume


def _written(files: Mapping[str, bytes]) -> StickPlan:
    return StickPlan(steps=tuple(WriteFile(path=path, content=content) for path, content in files.items()))


def _check_written(state: _Made) -> None:
    target = state.target
    target.flush()
    for offset, image in state.placed:
        if (place := target.differs(image, offset, state.moved)) is not None:
            raise _not_kept(target, place)
    if state.core is not None and target.read(state.core[0], len(state.core[1])) != state.core[1]:
        raise _not_kept(target, state.core[0])
    if state.table is not None:
        with target.path.open("rb") as fh:
            found = read_partitions(cast("BinaryIO", fh))
        wanted = [(part.number, part.offset, part.size) for part in state.table.partitions]
        if found.scheme != state.table.scheme or [(p.number, p.start, p.size) for p in found.partitions] != wanted:
            raise _not_kept(target, 0)


def _not_kept(target: OpenTarget, offset: int) -> BootkitError:
    return BootkitError(
        tr("{path} gave back something else than was written at byte {offset}", path=target.path, offset=offset),
        hint=tr("take another stick: this one is worn out, or has less room than it claims"),
    )
