"""Partition arithmetic."""

from itertools import pairwise

import pytest

from bootkit.errors import DeviceRefused
from bootkit.model.filesystem import DataFs
from bootkit.model.places import TYPE_BASIC_DATA, TYPE_LINUX
from bootkit.model.prepare import SECTOR, FreshIds, Layout, PartitionTable, Purpose
from bootkit.plan.layout import (
    FAT32_MINIMUM_CLUSTERS,
    MBR_LIMIT,
    fat32_cluster_sectors,
    fat32_clusters,
    minimum_size,
    plain_table,
    table_for,
)
from bootkit.units import GIB, MIB

IDS = FreshIds(
    disk="11111111-2222-3333-4444-555555555555",
    partitions=("A", "B", "C"),
    filesystem="66666666-7777-8888-9999-000000000000",
    fat_data="aaaabbbb",
    fat_esp="ccccdddd",
    ntfs="0123456789abcdef",
)
SIZES = [132 * MIB, 200 * MIB, 1 * GIB, 2 * GIB, 8 * GIB - 7 * SECTOR, 64 * GIB, 3000 * GIB]


def on_disk(table: PartitionTable) -> list[tuple[int, int]]:
    return sorted((part.start_sector, part.start_sector + part.sectors) for part in table.partitions)


@pytest.mark.parametrize("size", SIZES)
def test_partitions_do_not_touch_each_other_or_the_tables(size: int) -> None:
    table = table_for(Layout.SPLIT, size, DataFs.EXT4, IDS)
    places = on_disk(table)
    assert places[0][0] == 2048
    assert all(end == start for (_, end), (start, _) in pairwise(places))
    assert places[-1][1] <= size // SECTOR - 33
    assert all(start % 2048 == 0 and end % 2048 == 0 for start, end in places)


def test_number_one_is_the_data_partition_and_the_last_on_the_disk() -> None:
    table = table_for(Layout.SPLIT, 8 * GIB, DataFs.EXT4, IDS)
    assert [part.purpose for part in table.partitions] == [Purpose.DATA, Purpose.ESP, Purpose.BIOS_BOOT]
    assert table.partitions[0].start_sector == max(part.start_sector for part in table.partitions)


@pytest.mark.parametrize(("size", "esp"), [(132 * MIB, 64 * MIB), (2 * GIB - MIB, 64 * MIB), (2 * GIB, 256 * MIB)])
def test_the_esp_is_smaller_on_a_small_stick(size: int, esp: int) -> None:
    part = table_for(Layout.SPLIT, size, DataFs.EXT4, IDS).of(Purpose.ESP)
    assert part is not None
    assert part.size == esp


@pytest.mark.parametrize(
    ("data_fs", "kind"), [(DataFs.EXT4, TYPE_LINUX), (DataFs.BTRFS, TYPE_LINUX), (DataFs.EXFAT, TYPE_BASIC_DATA)]
)
def test_the_type_tells_windows_which_partitions_it_can_read(data_fs: DataFs, kind: str) -> None:
    assert table_for(Layout.SPLIT, 8 * GIB, data_fs, IDS).partitions[0].type == kind


def test_single_is_one_active_fat32_partition_behind_the_gap() -> None:
    (part,) = table_for(Layout.SINGLE, 8 * GIB, DataFs.FAT32, IDS).partitions
    assert (part.start_sector, part.type, part.active) == (2048, "0c", True)


@pytest.mark.parametrize("layout", list(Layout))
def test_one_byte_less_than_the_minimum_is_refused(layout: Layout) -> None:
    least = minimum_size(layout, DataFs.FAT32)
    assert table_for(layout, least, DataFs.FAT32, IDS).sectors == least // SECTOR
    with pytest.raises(DeviceRefused, match="too small"):
        table_for(layout, least - 1, DataFs.FAT32, IDS)


def test_an_mbr_counts_to_two_tib() -> None:
    with pytest.raises(DeviceRefused, match="too large"):
        table_for(Layout.SINGLE, (MBR_LIMIT + 1) * SECTOR, DataFs.FAT32, IDS)
    assert plain_table((MBR_LIMIT + 2048) * SECTOR, DataFs.EXT4, IDS).scheme == "gpt"
    assert plain_table(8 * GIB, DataFs.EXT4, IDS).scheme == "mbr"


@pytest.mark.parametrize("mib", [64, 65, 127, 256, 259, 260, 261, 300, 1024, 8191, 8193, 16385, 32769, 2000000])
def test_every_fat32_has_clusters_enough_to_be_one(mib: int) -> None:
    cluster = fat32_cluster_sectors(mib * MIB)
    assert cluster in (1, 2, 4, 8, 16, 32, 64)
    assert FAT32_MINIMUM_CLUSTERS <= fat32_clusters(mib * MIB // SECTOR, cluster) < 0x0FFFFFF5
