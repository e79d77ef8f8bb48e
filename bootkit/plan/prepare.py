"""Plans for ``prepare``, ``upgrade``, ``restore`` and ``disk take-out``.

The order of the steps is the safety of the user's data: whatever can fail without the disk is done before the disk is
touched, and what makes it start comes last.
"""

from collections.abc import Sequence
from typing import assert_never

from bootkit.errors import DeviceRefused, UsageError
from bootkit.i18n import tr
from bootkit.model.filesystem import EXCHANGE, DataFs, UuidForm
from bootkit.model.places import (
    APP_FOLDER,
    BOOT_FOLDER,
    BOOTKIT_FOLDER,
    CUSTOMIZE_FOLDER,
    EXTENSION_FOLDER,
    GRUB_FOLDER,
    HOME_FOLDER,
    IMAGE_FOLDER,
    LOG_FOLDER,
    OVERLAY_FOLDER,
    PERSISTENCE_FOLDER,
    SEED_FOLDER,
    STATE_FOLDER,
)
from bootkit.model.plan import WriteFile
from bootkit.model.prepare import (
    DATA_LABEL,
    ESP_LABEL,
    EXCHANGE_LABEL,
    SECTOR,
    Action,
    CheckWritten,
    CreateFile,
    EndTable,
    ExchangeLoaders,
    Finish,
    FreshIds,
    HostLoaders,
    Layout,
    MakeFilesystem,
    PartitionTable,
    PreparePlan,
    PrepareStep,
    Purpose,
    PutBack,
    RecordLoaders,
    ReplaceLoaders,
    SaveOld,
    TablePartition,
    Target,
    WipeOld,
    Wish,
    WriteBootSector,
    WriteCore,
    WriteDisk,
    WriteFilesystem,
    WriteTable,
)
from bootkit.plan.layout import GAP_LIMIT, plain_table, table_for
from bootkit.plan.loaders import LoaderPlan, choose_loaders
from bootkit.units import MIB, format_size

FOLDERS = (
    APP_FOLDER,
    BOOT_FOLDER,
    BOOTKIT_FOLDER,
    LOG_FOLDER,
    OVERLAY_FOLDER,
    STATE_FOLDER,
    CUSTOMIZE_FOLDER,
    EXTENSION_FOLDER,
    GRUB_FOLDER,
    HOME_FOLDER,
    IMAGE_FOLDER,
    PERSISTENCE_FOLDER,
    SEED_FOLDER,
)
"""Of the data partition, parents first."""

EXCHANGE_MINIMUM = 64 * MIB
"""Bytes; below it FAT32 has too few clusters to be one."""
_SAVED = MIB
MARKS = (WriteFile(path="/etc/shredos/shredos_exclude_disc", content=b""),)
"""By which programs that erase disks leave the stick alone; on FAT. Source: PartialVolume/shredos.x86_64 (a34dc495)
fsoverlay/usr/bin/find_shredos_boot_disc.sh."""


def plan_prepare(
    target: Target, wish: Wish, *, host: HostLoaders, ids: FreshIds, stub: bytes, files: tuple[WriteFile, ...]
) -> PreparePlan:
    """A stick in place of whatever the target holds.

    ``stub`` is the configuration that finds the data partition of ``ids``, ``files`` what the data partition begins with.

    Raises:
        DeviceRefused: too small, too large, or sectors we cannot use.
        UsageError: wishes that exclude each other.
        ToolMissing: the host has no boot loader.
    """
    _check_sectors(target)
    if wish.layout is Layout.SINGLE and wish.data_fs is not DataFs.FAT32:
        raise UsageError(
            tr("--layout single is FAT32, not {data_fs}", data_fs=wish.data_fs),
            hint=tr("leave --data-fs out, or take --layout split"),
        )
    _check_exchange(wish)
    table = table_for(wish.layout, target.size, wish.data_fs, ids, exchange=wish.exchange)
    loaders = choose_loaders(host, wish.data_fs, wish.loader, stub)
    systems = _filesystems(table, wish, ids, loaders, files)
    return PreparePlan(
        action=Action.PREPARE,
        target=target,
        steps=(
            *loaders.steps,
            *systems,
            *_clear(target, table),
            *(WriteFilesystem(partition=made.partition, offset=made.offset, size=made.size) for made in systems),
            WriteTable(table=table),
            *_bios_start(table, has_bios=loaders.has_bios),
            Finish(),
        ),
        notes=(wish.data_fs.system.cost, *loaders.notes),
        warnings=loaders.warnings,
        destroys_data=target.exists,
    )


def plan_upgrade(
    target: Target,
    wish: Wish,
    *,
    host: HostLoaders,
    stub: bytes,
    boot: tuple[int, int],
    data: tuple[int, int],
    core: tuple[int, int] | None,
    files: tuple[WriteFile, ...] = (),
) -> PreparePlan:
    """The loaders of a stick renewed, nothing else.

    ``files`` come beside the loaders, where a stick that somebody else has made becomes ours. ``boot`` and ``data`` are offset and size of the file systems with the loaders and with the user's data, ``core``
    first sector and number of sectors that the BIOS core image may take.
    """
    _check_sectors(target)
    loaders = choose_loaders(host, wish.data_fs, wish.loader, stub)
    start: tuple[PrepareStep, ...] = (CheckWritten(),)
    if core is not None and loaders.has_bios:
        start = (WriteCore(sector=core[0], limit=core[1]), CheckWritten(), WriteBootSector(core_sector=core[0]))
    return PreparePlan(
        action=Action.UPGRADE,
        target=target,
        steps=(
            *loaders.steps,
            SaveOld(ranges=((0, _SAVED),)),
            ReplaceLoaders(offset=boot[0], size=boot[1], files=(*loaders.stubs, *MARKS, *files)),
            RecordLoaders(offset=data[0], size=data[1]),
            *start,
            Finish(),
        ),
        notes=loaders.notes,
        warnings=loaders.warnings,
    )


def plan_back(
    target: Target, *, boot: tuple[int, int], data: tuple[int, int], core: tuple[int, int] | None
) -> PreparePlan:
    """The loaders of a stick as they were before the last upgrade; the parameters are those of :func:`plan_upgrade`."""
    _check_sectors(target)
    step = ExchangeLoaders(boot=boot, data=data, core=core)
    return PreparePlan(action=Action.UPGRADE, target=target, steps=(SaveOld(ranges=((0, _SAVED),)), step, Finish()))


def plan_restore(target: Target, *, data_fs: DataFs, label: str, ids: FreshIds, owner: tuple[int, int]) -> PreparePlan:
    """The stick as one plain, empty partition."""
    _check_sectors(target)
    table = plain_table(target.size, data_fs, ids)
    part = table.partitions[0]
    made = MakeFilesystem(
        partition=1,
        purpose=Purpose.DATA,
        kind=data_fs,
        label=label,
        uuid=_uuid(data_fs, ids),
        offset=part.offset,
        size=part.size,
        owner=owner,
    )
    return PreparePlan(
        action=Action.RESTORE,
        target=target,
        steps=(
            made,
            *_clear(target, table),
            WriteFilesystem(partition=1, offset=part.offset, size=part.size),
            WriteTable(table=table),
            CheckWritten(),
            Finish(),
        ),
        destroys_data=target.exists,
    )


def plan_put_back(target: Target, parts: Sequence[tuple[int, int, str]]) -> PreparePlan:
    """Both ends of a disk as they were kept; ``parts`` are offset, size and the file on the host."""
    ordered = sorted(parts, reverse=True)  # with the start of the disk, its old table counts
    return PreparePlan(
        action=Action.RESTORE,
        target=target,
        steps=(
            SaveOld(ranges=tuple((offset, size) for offset, size, _ in ordered)),
            PutBack(parts=tuple((offset, path) for offset, _, path in ordered)),
            Finish(),
        ),
        warnings=("the old partition table comes back; files that were written over since do not",),
        destroys_data=target.exists,
    )


def plan_take_out(target: Target, *, path: str, size: int, has_gpt: bool, notes: tuple[str, ...] = ()) -> PreparePlan:
    """The disk in the file ``path`` of a stick, ``size`` bytes, in place of whatever the target holds.

    Raises:
        DeviceRefused: too small, or sectors that it was not made for.
    """
    _check_sectors(target)
    if target.size < size:
        raise DeviceRefused(
            tr(
                "{path} is too small: {size}, and {minimum} are needed",
                path=target.path,
                size=format_size(target.size),
                minimum=format_size(size),
            )
        )
    return PreparePlan(
        action=Action.TAKE_OUT,
        target=target,
        steps=(
            *_clear_ends(target),
            WriteDisk(path=path, size=size),
            *((EndTable(),) if has_gpt and target.size > size else ()),
            Finish(),
        ),
        notes=notes,
        destroys_data=target.exists,
    )


def data_uuid(layout: Layout, data_fs: DataFs, ids: FreshIds) -> str:
    """The UUID that the data file system will have, as udev and GRUB spell it (GRUB compares without case)."""
    return _uuid(DataFs.FAT32 if layout is Layout.SINGLE else data_fs, ids)


def _check_sectors(target: Target) -> None:
    if target.sector_size != SECTOR:
        raise DeviceRefused(
            tr("{path} has sectors of {sector_size} bytes", path=target.path, sector_size=target.sector_size),
            hint=tr("neither BIOS boot code nor images made for sticks fit it; take a stick with sectors of 512 bytes"),
        )


def _check_exchange(wish: Wish) -> None:
    if not wish.exchange:
        return
    if wish.layout is Layout.SINGLE:
        raise UsageError(tr("--layout single has one partition for everything"), hint=tr("leave --exchange out"))
    if wish.exchange_fs not in EXCHANGE:
        raise UsageError(
            tr(
                "--exchange-fs is {exchange}, not {exchange_fs}",
                exchange=" or ".join(EXCHANGE),
                exchange_fs=wish.exchange_fs,
            )
        )
    if wish.exchange < EXCHANGE_MINIMUM:
        raise UsageError(
            tr("--exchange needs at least {exchange_minimum}", exchange_minimum=format_size(EXCHANGE_MINIMUM))
        )


def _uuid(data_fs: DataFs, ids: FreshIds) -> str:
    form = data_fs.system.uuid_form
    match form:
        case UuidForm.SHORT_SERIAL:
            return _dashed(ids.fat_data)
        case UuidForm.LONG_SERIAL:
            return ids.ntfs.upper()
        case UuidForm.UUID:
            return ids.filesystem
        case _:
            assert_never(form)


def _dashed(serial: str) -> str:
    return f"{serial[:4]}-{serial[4:]}".upper()


def _filesystems(
    table: PartitionTable, wish: Wish, ids: FreshIds, loaders: LoaderPlan, files: tuple[WriteFile, ...]
) -> tuple[MakeFilesystem, ...]:
    esp = table.of(Purpose.ESP)
    data = table.of(Purpose.DATA)
    assert data is not None
    filled = MakeFilesystem(
        partition=data.number,
        purpose=Purpose.DATA,
        kind=wish.data_fs,
        label=DATA_LABEL,
        uuid=_uuid(wish.data_fs, ids),
        offset=data.offset,
        size=data.size,
        owner=wish.owner,
        folders=FOLDERS,
        files=files if esp is not None else (*files, *loaders.stubs, *MARKS),
        takes_loaders=esp is None,
        records_loaders=True,
    )
    beside = table.of(Purpose.EXCHANGE)
    exchange = () if beside is None else (_exchange(beside, wish.exchange_fs, ids),)
    return (filled,) if esp is None else (_esp(esp, ids, loaders), filled, *exchange)


def _exchange(part: TablePartition, kind: DataFs, ids: FreshIds) -> MakeFilesystem:
    return MakeFilesystem(
        partition=part.number,
        purpose=Purpose.EXCHANGE,
        kind=kind,
        label=EXCHANGE_LABEL,
        uuid=_dashed(ids.exchange),
        offset=part.offset,
        size=part.size,
    )


def _esp(esp: TablePartition, ids: FreshIds, loaders: LoaderPlan) -> MakeFilesystem:
    return MakeFilesystem(
        partition=esp.number,
        purpose=Purpose.ESP,
        kind=DataFs.FAT32,
        label=ESP_LABEL,
        uuid=_dashed(ids.fat_esp),
        offset=esp.offset,
        size=esp.size,
        files=(*loaders.stubs, *MARKS),
        takes_loaders=True,
    )


def _clear(target: Target, table: PartitionTable) -> tuple[PrepareStep, ...]:
    return _clear_ends(target, tuple(area for part in table.partitions for area in _signature_areas(part)))


def _clear_ends(target: Target, areas: tuple[tuple[int, int], ...] = ()) -> tuple[PrepareStep, ...]:
    if not target.is_device:
        return (CreateFile(size=target.size),)
    ends = ((0, _SAVED), (target.size - _SAVED, _SAVED))
    return (SaveOld(ranges=ends), WipeOld(ranges=tuple(dict.fromkeys((*ends, *areas)))))


def _signature_areas(part: TablePartition) -> tuple[tuple[int, int], ...]:
    """Both ends of a new partition: btrfs, ZFS and md leave their marks up to 512 KiB from either end."""
    size = min(MIB, part.size)
    return ((part.offset, size), (part.offset + part.size - size, size))


def _bios_start(table: PartitionTable, *, has_bios: bool) -> tuple[PrepareStep, ...]:
    if not has_bios:
        return (CheckWritten(),)
    boot = table.of(Purpose.BIOS_BOOT)
    sector, limit = (boot.start_sector, boot.sectors) if boot is not None else (1, GAP_LIMIT)
    return (WriteCore(sector=sector, limit=limit), CheckWritten(), WriteBootSector(core_sector=sector))
