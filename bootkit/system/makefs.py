"""File systems made and filled in a file of their own, without mounting and, but for NTFS, without root.

What mkfs writes there is what has to be written on the stick: the rest of the file stays a hole. Sources: mkfs.fat(8) of
dosfstools 4.2, mke2fs(8) of e2fsprogs 1.47, mkfs.btrfs(8) of btrfs-progs 6.2, mkfs.exfat(8) of exfatprogs 1.2, mkntfs(8)
of ntfs-3g 2022.10; GRUB 2.06 grub-core/fs/ext2.c for the features it reads.
"""

import os
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, assert_never, cast

from bootkit.errors import RightsMissing
from bootkit.i18n import tr
from bootkit.model.filesystem import Access, DataFs
from bootkit.model.plan import WriteFile
from bootkit.model.prepare import SECTOR, MakeFilesystem
from bootkit.plan.layout import fat32_cluster_sectors
from bootkit.system.exfat import fill_exfat, set_serial
from bootkit.system.run import LONG, run
from bootkit.system.volume import mode_of

EXT4_FEATURES = (
    "none,has_journal,ext_attr,resize_inode,dir_index,filetype,extent,64bit,flex_bg,sparse_super,large_file,huge_file,"
    "dir_nlink,extra_isize,metadata_csum"
)
"""All of them named, so that a newer mke2fs adds none that GRUB 2.06 refuses (metadata_csum_seed, orphan_file)."""
_EXT4_BYTES_PER_INODE = 131072
"""A stick holds few and large files: mke2fs' own 16384 would spend 1 GiB of 64 on empty inodes."""
_JOURNAL = "size=32"
_JOURNAL_MINIMUM = 1 << 30
"""Below it mke2fs chooses the journal's size."""


def make_filesystem(
    step: MakeFilesystem, files: Sequence[WriteFile], image: Path, stage: Path, *, sparse: bool
) -> None:
    """Make ``image``, with the folders and files in it; ``stage`` is an empty folder to work in.

    ``sparse`` says that what stays a hole will read as zeros on the target: then nothing is left for the kernel's first
    mount to zero.
    """
    if step.kind.system.make is Access.ROOT and (step.folders or files) and os.geteuid() != 0:
        raise RightsMissing(
            tr("a data partition with {title} can only be filled by root", title=step.kind.system.title),
            hint=tr("take --data-fs exfat, which needs no root for an image file"),
        )
    with image.open("wb") as fh:
        fh.truncate(step.size)
    _fill_stage(step, files, stage)
    match step.kind:
        case DataFs.FAT32:
            _make_fat32(step, image, stage)
        case DataFs.EXT4:
            _make_ext4(step, image, stage, sparse=sparse)
        case DataFs.BTRFS:
            run(
                ["mkfs.btrfs", "-q", "-f", "-K", "-L", step.label, "-U", step.uuid, "--rootdir", stage, image],
                timeout=LONG,
            )
        case DataFs.EXFAT:
            run(["mkfs.exfat", "-L", step.label, image])
            with image.open("r+b", buffering=0) as raw:
                volume = cast("BinaryIO", raw)
                set_serial(volume, int(step.uuid.replace("-", ""), 16))
                fill_exfat(volume, step.size, step.folders, files)
        case DataFs.NTFS:
            _make_ntfs(step, image, stage)
        case _:
            assert_never(step.kind)


def _fill_stage(step: MakeFilesystem, files: Sequence[WriteFile], stage: Path) -> None:
    for folder in step.folders:
        (stage / folder.lstrip("/")).mkdir(parents=True, exist_ok=True)
    for file in files:
        path = stage / file.path.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.content)
        path.chmod(mode_of(file.path))
    for path in (stage, *stage.rglob("*")):
        if path.is_dir():
            path.chmod(0o755)
        if os.geteuid() == 0:
            os.chown(path, *step.owner)


def _make_fat32(step: MakeFilesystem, image: Path, stage: Path) -> None:
    run([
        "mkfs.fat", "-F", "32",
        "-s", str(fat32_cluster_sectors(step.size)),
        "-h", str(step.offset // SECTOR),
        "-n", step.label,
        "-i", step.uuid.replace("-", ""),
        image,
    ])  # fmt: skip
    members = sorted(stage.iterdir())
    if members:
        # an own configuration of the user must not change what mtools takes for granted
        run(["mcopy", "-s", "-Q", "-i", image, *members, "::/"], env={"MTOOLSRC": os.devnull})


def _make_ext4(step: MakeFilesystem, image: Path, stage: Path, *, sparse: bool) -> None:
    lazy = 0 if sparse else 1
    uid, gid = step.owner
    journal = ["-J", _JOURNAL] if step.size >= _JOURNAL_MINIMUM else []
    argv: list[str | Path] = [
        "mke2fs", "-F", "-q", "-t", "ext4",
        "-b", "4096",
        "-I", "256",
        "-i", str(_EXT4_BYTES_PER_INODE),
        "-m", "0",
        "-L", step.label,
        "-U", step.uuid,
        "-O", EXT4_FEATURES,
        *journal,
        "-E", f"root_owner={uid}:{gid},hash_seed={step.uuid},lazy_itable_init={lazy},lazy_journal_init=0,nodiscard",
        "-d", stage,
        image,
    ]  # fmt: skip
    # zeros that have to reach a device (the journal) are written, not punched out of the file
    run(argv, env={} if sparse else {"UNIX_IO_NOZEROOUT": "1"}, timeout=LONG)


def _make_ntfs(step: MakeFilesystem, image: Path, stage: Path) -> None:
    sectors = str(step.offset // SECTOR)
    run(
        [
            "mkfs.ntfs",
            "-Q",
            "-F",
            "-q",
            "-L",
            step.label,
            "-s",
            str(SECTOR),
            "-p",
            sectors,
            "-H",
            "255",
            "-S",
            "63",
            image,
        ]
    )
    serial = struct.pack("<Q", int(step.uuid, 16))
    with image.open("r+b") as fh:
        total = struct.unpack("<Q", _at(fh.fileno(), 0x28, 8))[0]
        # the boot sector, and its copy behind the last sector that the first one counts
        for sector in (0, total):
            os.pwrite(fh.fileno(), serial, sector * SECTOR + 0x48)
    if step.folders or any(stage.iterdir()):
        _fill_ntfs(image, stage)


def _fill_ntfs(image: Path, stage: Path) -> None:
    """Folders and files by ntfs-3g, the only program that makes them; it mounts to do so."""
    mounted = stage.with_name(stage.name + ".ntfs")
    mounted.mkdir()
    run(["ntfs-3g", image, mounted])
    try:
        run(["cp", "-r", "--", *sorted(stage.iterdir()), mounted], timeout=LONG)
    finally:
        run(["umount", mounted], timeout=LONG)


def _at(descriptor: int, offset: int, size: int) -> bytes:
    return os.pread(descriptor, size, offset)
