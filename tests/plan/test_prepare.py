"""Plans as values: what is done, in which order, with which loaders."""

import json

import pytest

from bootkit.errors import DeviceRefused, ToolMissing, UsageError
from bootkit.model.boot import Firmware
from bootkit.model.filesystem import DataFs
from bootkit.model.plan import WriteFile
from bootkit.model.prepare import (
    BuildLoader,
    CheckWritten,
    Finish,
    FreshIds,
    GrubPlatform,
    HostFile,
    HostLoaders,
    Layout,
    LoaderChoice,
    MakeFilesystem,
    PreparePlan,
    SaveOld,
    SignedLoader,
    TakeLoader,
    Target,
    WipeOld,
    Wish,
    WriteBootSector,
    WriteCore,
    WriteFilesystem,
    WriteTable,
)
from bootkit.plan.describe import describe, plan_to_json
from bootkit.plan.modules import ESSENTIAL
from bootkit.plan.prepare import plan_prepare, plan_restore, plan_upgrade
from bootkit.units import GIB, MIB

IDS = FreshIds(
    disk="11111111-2222-3333-4444-555555555555",
    partitions=("A", "B", "C"),
    filesystem="66666666-7777-8888-9999-000000000000",
    fat_data="aaaabbbb",
    fat_esp="ccccdddd",
    ntfs="0123456789abcdef",
    exchange="deadbeef",
    exchange_partition="D",
)
STICK = Target(path="/dev/sdx", size=8 * GIB, is_device=True, exists=True)
FILE = Target(path="/tmp/x.img", size=8 * GIB)


def platform(name: str) -> GrubPlatform:
    return GrubPlatform(name=name, directory=f"/usr/lib/grub/{name}", modules=ESSENTIAL)


DEBIAN = SignedLoader(
    firmware=Firmware.UEFI_X64,
    vendor="debian",
    shim=HostFile(path="/usr/lib/shim/shimx64.efi.signed", package="shim-signed 1.51"),
    grub=HostFile(path="/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed"),
    mok_manager=HostFile(path="/usr/lib/shim/mmx64.efi.signed"),
)
FULL = HostLoaders(platforms=(platform("i386-pc"), platform("x86_64-efi"), platform("i386-efi")), signed=(DEBIAN,))


def prepared(target: Target = STICK, wish: Wish | None = None, host: HostLoaders = FULL) -> PreparePlan:
    files = (WriteFile(path="/boot/bootkit/stick.toml", content=b"[stick]\n"),)
    return plan_prepare(target, wish or Wish(), host=host, ids=IDS, stub=b"stub\n", files=files)


def kinds(plan: PreparePlan) -> list[type]:
    return [type(step) for step in plan.steps]


def taken(plan: PreparePlan) -> list[str]:
    return [step.path for step in plan.steps if isinstance(step, TakeLoader)]


def test_all_that_can_fail_without_the_disk_comes_first_and_the_boot_sector_last() -> None:
    assert kinds(prepared()) == [
        *[TakeLoader] * 3,
        *[BuildLoader] * 2,
        *[MakeFilesystem] * 2,
        SaveOld,
        WipeOld,
        *[WriteFilesystem] * 2,
        WriteTable,
        WriteCore,
        CheckWritten,
        WriteBootSector,
        Finish,
    ]


def test_old_marks_are_wiped_at_both_ends_and_nowhere_twice() -> None:
    (wipe,) = [step for step in prepared().steps if isinstance(step, WipeOld)]
    assert (0, MIB) in wipe.ranges
    assert (8 * GIB - MIB, MIB) in wipe.ranges
    assert len(set(wipe.ranges)) == len(wipe.ranges)
    assert all(offset >= 0 and offset + size <= 8 * GIB for offset, size in wipe.ranges)


def test_a_new_file_loses_nothing() -> None:
    plan = prepared(FILE)
    assert not plan.destroys_data
    assert WipeOld not in kinds(plan)


def test_signed_loaders_take_the_names_of_removable_media() -> None:
    assert taken(prepared()) == ["/EFI/BOOT/BOOTX64.EFI", "/EFI/BOOT/grubx64.efi", "/EFI/BOOT/mmx64.efi"]
    esp = next(step for step in prepared().steps if isinstance(step, MakeFilesystem) and step.takes_loaders)
    assert [file.path for file in esp.files] == [
        "/EFI/BOOT/grub.cfg",
        "/EFI/debian/grub.cfg",
        "/EFI/BOOT/stop.efi",
        "/etc/shredos/shredos_exclude_disc",
    ]


@pytest.mark.parametrize("data_fs", [DataFs.EXFAT, DataFs.NTFS])
def test_what_signed_grub_cannot_read_gets_a_built_loader_and_a_note(data_fs: DataFs) -> None:
    plan = prepared(wish=Wish(data_fs=data_fs))
    assert taken(plan) == []
    assert "64-bit UEFI: built here, starts with Secure Boot off only" in plan.notes
    with pytest.raises(UsageError, match="signed GRUB images do not read"):
        prepared(wish=Wish(data_fs=data_fs, loader=LoaderChoice.SIGNED))


def test_built_means_built() -> None:
    plan = prepared(wish=Wish(loader=LoaderChoice.BUILT))
    assert [step.platform for step in plan.steps if isinstance(step, BuildLoader)] == [
        "x86_64-efi",
        "i386-efi",
        "i386-pc",
    ]


def test_a_host_without_uefi_loaders_warns() -> None:
    plan = prepared(host=HostLoaders(platforms=(platform("i386-pc"),)))
    assert plan.warnings[0].startswith("no UEFI")


def test_a_host_without_bios_modules_writes_no_boot_sector() -> None:
    plan = prepared(host=HostLoaders(signed=(DEBIAN,)))
    assert WriteBootSector not in kinds(plan)
    assert plan.warnings[0].startswith("no BIOS")


def test_a_host_without_any_grub_is_told_what_is_missing() -> None:
    with pytest.raises(ToolMissing, match="no GRUB"):
        prepared(host=HostLoaders())


def test_modules_that_are_essential_and_missing_disqualify_a_platform() -> None:
    crippled = GrubPlatform(name="x86_64-efi", directory="/x", modules=ESSENTIAL - {"search_fs_uuid"})
    plan = prepared(host=HostLoaders(platforms=(platform("i386-pc"), crippled)))
    assert plan.warnings[0].startswith("no UEFI")


def test_single_keeps_loaders_and_data_in_one_file_system() -> None:
    plan = prepared(wish=Wish(layout=Layout.SINGLE, data_fs=DataFs.FAT32))
    (made,) = [step for step in plan.steps if isinstance(step, MakeFilesystem)]
    assert made.takes_loaders
    assert made.records_loaders
    assert made.uuid == "AAAA-BBBB"
    (core,) = [step for step in plan.steps if isinstance(step, WriteCore)]
    assert (core.sector, core.limit) == (1, 2047)


def test_single_is_fat32_only() -> None:
    with pytest.raises(UsageError, match="single"):
        prepared(wish=Wish(layout=Layout.SINGLE, data_fs=DataFs.EXT4))


def test_disks_with_large_sectors_are_refused() -> None:
    with pytest.raises(DeviceRefused, match="sectors of 4096 bytes"):
        prepared(Target(path="/dev/sdx", size=8 * GIB, is_device=True, sector_size=4096))


def test_upgrade_makes_no_file_system_and_no_table() -> None:
    plan = plan_upgrade(
        STICK, Wish(), host=FULL, stub=b"stub\n", boot=(2 * MIB, 64 * MIB), data=(66 * MIB, GIB), core=(2048, 2048)
    )
    assert not {MakeFilesystem, WriteFilesystem, WriteTable, WipeOld} & set(kinds(plan))
    assert not plan.destroys_data
    assert kinds(plan)[-3:] == [CheckWritten, WriteBootSector, Finish]


def test_restore_brings_no_loader() -> None:
    plan = plan_restore(STICK, data_fs=DataFs.EXFAT, label="USB", ids=IDS, owner=(0, 0))
    assert not {TakeLoader, BuildLoader, WriteCore, WriteBootSector} & set(kinds(plan))
    assert plan.destroys_data


def test_a_plan_is_json_with_a_sentence_for_each_step() -> None:
    plan = prepared()
    document = json.loads(json.dumps(plan_to_json(plan)))
    assert [step["sentence"] for step in document["steps"]] == [describe(step) for step in plan.steps]
    assert document["steps"][0]["source"] == "/usr/lib/shim/shimx64.efi.signed"
    assert document["target"]["path"] == "/dev/sdx"
    assert len({describe(step) for step in plan.steps}) == len(plan.steps)


def test_a_partition_for_exchange_lies_behind_the_data() -> None:
    plan = prepared(wish=Wish(exchange=2 * GIB, exchange_fs=DataFs.FAT32))
    (table,) = (step.table for step in plan.steps if isinstance(step, WriteTable))
    data, _, _, exchange = table.partitions
    assert (exchange.number, exchange.size) == (4, 2 * GIB)
    assert data.offset + data.size == exchange.offset
    made = next(step for step in plan.steps if isinstance(step, MakeFilesystem) and step.partition == 4)
    assert (made.kind, made.label, made.uuid) == (DataFs.FAT32, "EXCHANGE", "DEAD-BEEF")


@pytest.mark.parametrize(
    "wish",
    [
        Wish(layout=Layout.SINGLE, data_fs=DataFs.FAT32, exchange=GIB),
        Wish(exchange=GIB, exchange_fs=DataFs.NTFS),
        Wish(exchange=MIB),
    ],
)
def test_a_partition_for_exchange_is_refused_where_it_would_not_do(wish: Wish) -> None:
    with pytest.raises(UsageError, match=r"exchange|single"):
        prepared(wish=wish)
