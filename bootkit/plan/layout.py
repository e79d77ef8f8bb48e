"""Where partitions begin and end, in sectors of 512 bytes.

Sources: UEFI specification 2.10, 5.2 (MBR) and 5.3 (GPT) for the tables and the ESP's type; GRUB manual 2.06, "BIOS
installation" for the BIOS boot partition and the gap behind the MBR; Microsoft FAT32 File System Specification 1.03,
"FAT Type Determination" for the cluster count and its table of cluster sizes.
"""

from bootkit.errors import DeviceRefused
from bootkit.i18n import tr
from bootkit.model.filesystem import VFAT, DataFs
from bootkit.model.places import TYPE_BASIC_DATA, TYPE_BIOS_BOOT, TYPE_ESP, TYPE_LINUX
from bootkit.model.prepare import SECTOR, FreshIds, Layout, PartitionTable, Purpose, TablePartition
from bootkit.units import MIB, format_size

ALIGNMENT = MIB // SECTOR
GPT_SECTORS = 33
"""Backup GPT at the end: 32 sectors of entries and one header."""
GAP_LIMIT = ALIGNMENT - 1
"""Sectors between MBR and first partition."""
MBR_LIMIT = 1 << 32
"""Sectors an MBR can count."""


SMALL_TARGET = 2048 * MIB
ESP_SIZE = 256 * MIB
SMALL_ESP_SIZE = 64 * MIB

FAT32_MINIMUM_CLUSTERS = 65525
FAT_RESERVED_SECTORS = 32


def minimum_size(layout: Layout, data_fs: DataFs, *, exchange: int = 0) -> int:
    """Bytes that a target must have; ``exchange`` is what a partition for exchange takes of it."""
    if layout is Layout.SINGLE:
        return data_fs.system.minimum + MIB
    return data_fs.system.minimum + SMALL_ESP_SIZE + 3 * MIB + exchange


def table_for(layout: Layout, size: int, data_fs: DataFs, ids: FreshIds, *, exchange: int = 0) -> PartitionTable:
    """The partition table of a stick of ``size`` bytes, ``exchange`` of which are for a partition beside the data.

    Raises:
        DeviceRefused: too small, or too large for an MBR.
    """
    if size < (least := minimum_size(layout, data_fs, exchange=exchange)):
        raise DeviceRefused(
            tr(
                "{size} are too small: {layout} with {data_fs} needs {least}",
                size=format_size(size),
                layout=layout,
                data_fs=data_fs,
                least=format_size(least),
            ),
            hint=tr("take a larger stick, or --layout single --data-fs fat32, which needs least"),
        )
    return _split(size, data_fs, ids, exchange) if layout is Layout.SPLIT else _single(size, ids)


def plain_table(size: int, data_fs: DataFs, ids: FreshIds) -> PartitionTable:
    """One partition over the whole disk, in an MBR as sticks are sold; GPT where an MBR cannot count that far."""
    sectors = size // SECTOR
    if sectors <= MBR_LIMIT:
        part = _partition(1, Purpose.DATA, ALIGNMENT, _end(sectors), data_fs.system.mbr_type)
        return PartitionTable(scheme="mbr", disk_id=ids.disk[:8], sectors=sectors, partitions=(part,))
    part = _partition(
        1, Purpose.DATA, ALIGNMENT, _end(sectors - GPT_SECTORS), _gpt_data_type(data_fs), ids.partitions[0]
    )
    return PartitionTable(scheme="gpt", disk_id=ids.disk, sectors=sectors, partitions=(part,))


def fat32_cluster_sectors(size: int) -> int:
    """Sectors to a cluster for a FAT32 file system of ``size`` bytes: Microsoft's table, never below 65525 clusters.

    mtools and several firmwares go by the cluster count and read a FAT32 with fewer as FAT16.
    """
    sectors = size // SECTOR
    table = ((260 * MIB, 1), (8192 * MIB, 8), (16384 * MIB, 16), (32768 * MIB, 32))
    cluster = next((cluster for limit, cluster in table if size <= limit), 64)
    while cluster > 1 and fat32_clusters(sectors, cluster) < FAT32_MINIMUM_CLUSTERS:
        cluster //= 2
    return cluster


def fat32_clusters(sectors: int, cluster_sectors: int) -> int:
    """Clusters that remain beside two FATs; a little too low rather than too high."""
    fat_sectors = -(-(sectors // cluster_sectors + 2) * 4 // SECTOR)
    # both the FATs and the reserved area are rounded up to whole clusters
    overhead = FAT_RESERVED_SECTORS + 2 * fat_sectors + 3 * cluster_sectors
    return max(0, (sectors - overhead) // cluster_sectors)


def partition_name(purpose: Purpose) -> str:
    """The name in the GPT, which udev shows as /dev/disk/by-partlabel."""
    return {
        Purpose.DATA: "bootkit-data",
        Purpose.ESP: "bootkit-esp",
        Purpose.BIOS_BOOT: "bootkit-bios",
        Purpose.EXCHANGE: "bootkit-exchange",
    }[purpose]


def _split(size: int, data_fs: DataFs, ids: FreshIds, exchange: int) -> PartitionTable:
    sectors = size // SECTOR
    esp_sectors = (ESP_SIZE if size >= SMALL_TARGET else SMALL_ESP_SIZE) // SECTOR
    esp_start = 2 * ALIGNMENT
    data_start = esp_start + esp_sectors
    data, esp, bios_boot = ids.partitions
    end = _end(sectors - GPT_SECTORS)
    data_end = _end(end - exchange // SECTOR)
    beside = _partition(4, Purpose.EXCHANGE, data_end, end, TYPE_BASIC_DATA, ids.exchange_partition)
    return PartitionTable(
        scheme="gpt",
        disk_id=ids.disk,
        sectors=sectors,
        partitions=(
            _partition(1, Purpose.DATA, data_start, data_end, _gpt_data_type(data_fs), data),
            _partition(2, Purpose.ESP, esp_start, data_start, TYPE_ESP, esp),
            _partition(3, Purpose.BIOS_BOOT, ALIGNMENT, esp_start, TYPE_BIOS_BOOT, bios_boot),
            *((beside,) if exchange else ()),
        ),
    )


def _single(size: int, ids: FreshIds) -> PartitionTable:
    sectors = size // SECTOR
    if sectors > MBR_LIMIT:
        raise DeviceRefused(
            tr("{size} are too large for --layout single", size=format_size(size)), hint=tr("take --layout split")
        )
    part = TablePartition(
        number=1,
        purpose=Purpose.DATA,
        start_sector=ALIGNMENT,
        sectors=_end(sectors) - ALIGNMENT,
        type=VFAT.mbr_type,
        active=True,
    )
    return PartitionTable(scheme="mbr", disk_id=ids.disk[:8], sectors=sectors, partitions=(part,))


def _end(sectors: int) -> int:
    return sectors // ALIGNMENT * ALIGNMENT


def _partition(number: int, purpose: Purpose, start: int, end: int, kind: str, guid: str = "") -> TablePartition:
    return TablePartition(number=number, purpose=purpose, start_sector=start, sectors=end - start, type=kind, guid=guid)


def _gpt_data_type(data_fs: DataFs) -> str:
    return TYPE_LINUX if data_fs.system.is_unix else TYPE_BASIC_DATA
