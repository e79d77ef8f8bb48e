"""The entries of installed systems, run by GRUB itself: which kernel they find in the disk, whatever was there at generate."""

from dataclasses import replace
from pathlib import Path

import pytest

from bootkit.model.boot import BootEntry, Detection, Recognition, Role
from bootkit.model.catalog import Additions, ImageItem, MenuSettings
from bootkit.model.iso import FileKind, IsoFacts, IsoPartition
from bootkit.render.menu import menu_targets, render_menu
from bootkit.system.grubemu import run_menu
from bootkit.system.run import run
from bootkit.units import MIB
from tests.render.conftest import StickMaker

DISK = "/boot/disk/debian.raw"
OVERLAY = "/boot/bootkit/overlays/disk.cpio"
WORDS = ("root=UUID=0b1f", "ro", "bootkit.disk=keep")
THERE = {
    "boot/vmlinuz-6.1.0-9-amd64": b"kernel",
    "boot/initrd.img-6.1.0-9-amd64": b"initrd",
    "boot/vmlinuz-6.1.0-10-amd64": b"kernel",
    "boot/initrd.img-6.1.0-10-amd64": b"initrd",
}
NEWER = {"boot/vmlinuz-6.1.0-100-amd64": b"kernel", "boot/initrd.img-6.1.0-100-amd64": b"initrd"}
UNFINISHED = {"boot/vmlinuz-6.1.0-101-amd64": b"kernel", "boot/initrd.img-6.1.0-101-amd64.dpkg-new": b"half"}
OTHERS = {
    "boot/vmlinuz-6.1.0-10-rt-amd64": b"kernel",
    "boot/initrd.img-6.1.0-10-rt-amd64": b"initrd",
    "boot/vmlinuz-0-rescue-abc99": b"kernel",
    "boot/initramfs-0-rescue-abc99.img": b"initrd",
}


def installed(scheme: str = "gpt") -> ImageItem:
    entry = BootEntry(
        title="Debian 12 (keeps its changes)",
        kernel="/boot/vmlinuz-6.1.0-10-amd64",
        initrds=("/boot/initrd.img-6.1.0-10-amd64",),
        cmdline=WORDS,
        role=Role.DEFAULT,
        newest_in="/boot",
    )
    facts = IsoFacts(
        name="debian.raw",
        size=6 * MIB,
        kind=FileKind.SYSTEM,
        partitions=(IsoPartition(number=1, scheme=scheme, type="83", start=MIB, size=4 * MIB, filesystem="ext4"),),
        mounts={"/": 1},
    )
    detection = Detection(
        stack="live-boot", distro="Debian", version="12", entries=(entry,), wants_disk=True, is_written=True
    )
    return ImageItem(path=DISK, size=facts.size, mtime_ns=1, facts=facts, recognition=Recognition(detection=detection))


def with_unified() -> ImageItem:
    """An installed system whose newest kernel is a unified kernel image on its ESP."""
    item = installed()
    assert item.facts is not None
    assert item.detection is not None
    (entry,) = item.detection.entries
    image = "/efi/EFI/Linux/debian.efi"
    entry = replace(entry, kernel=f"{image}.linux", initrds=(f"{image}.initrd",), newest_in="")
    places = {f"{image}.linux": (4096, 1234), f"{image}.initrd": (6144, 512)}
    facts = replace(item.facts, mounts={"/": 2, "/efi": 1}, sections=places)
    detection = replace(item.detection, entries=(entry,))
    return replace(item, facts=facts, recognition=Recognition(detection=detection))


def stick_with(stick: StickMaker, files: dict[str, bytes], scheme: str = "gpt", item: ImageItem | None = None) -> Path:
    tree, part, disk = (stick.folder / name for name in ("disk-tree", "part", "disk"))
    for name, content in files.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_bytes(content)
    run(["mke2fs", "-q", "-t", "ext4", "-O", "^has_journal", "-d", tree, part, "4M"])
    with disk.open("xb") as fh:
        fh.truncate(6 * MIB)
    label = {"gpt": b"gpt", "mbr": b"dos"}[scheme]
    run(["sfdisk", "--quiet", disk], stdin=b"label: " + label + b"\nstart=1MiB, size=4MiB, type=L\n")
    with disk.open("r+b") as fh:
        fh.seek(MIB)
        fh.write(part.read_bytes())
    stick.files[DISK] = disk.read_bytes()
    stick.files[OVERLAY] = b"overlay"
    item = item or installed(scheme)
    stick.put_menu(render_menu((item,), MenuSettings(), (), {DISK: Additions(initrds=(OVERLAY,))}))
    return stick.make()


ENTRY = menu_targets((installed(),))[0].id_path


@pytest.mark.parametrize(
    ("files", "version"),
    [
        (THERE, "6.1.0-10-amd64"),
        ({**THERE, **NEWER}, "6.1.0-100-amd64"),
        ({**THERE, **NEWER, **UNFINISHED}, "6.1.0-100-amd64"),
        ({**THERE, **OTHERS}, "6.1.0-10-amd64"),
    ],
    ids=["two", "upgraded inside", "in the middle of an upgrade", "of other flavours"],
)
def test_the_newest_kernel_with_an_initrd_is_loaded(stick: StickMaker, files: dict[str, bytes], version: str) -> None:
    got = run_menu(stick_with(stick, files), entry=ENTRY)
    assert got.linux is not None
    assert got.linux[0].endswith(f",gpt1)/boot/vmlinuz-{version}")
    assert got.linux[1:] == WORDS
    assert got.initrd is not None
    assert [name.partition(")")[2] for name in got.initrd] == [f"/boot/initrd.img-{version}", OVERLAY]
    assert "unrecognized number" not in got.screen


def test_parts_of_a_unified_kernel_image_are_loaded_by_their_place(stick: StickMaker) -> None:
    item = with_unified()
    entry = menu_targets((item,))[0].id_path
    got = run_menu(stick_with(stick, {"EFI/Linux/debian.efi": bytes(8192)}, item=item), entry=entry)
    assert got.linux is not None
    assert got.linux[0].endswith("_unified)8+3")
    assert got.initrd is not None
    assert [name.partition(")")[2] for name in got.initrd] == ["12+1", OVERLAY]


def test_a_unified_kernel_image_that_is_not_there_any_more_is_told(stick: StickMaker) -> None:
    item = with_unified()
    got = run_menu(stick_with(stick, THERE, item=item), entry=menu_targets((item,))[0].id_path)
    assert got.linux is None
    assert "there is no /EFI/Linux/debian.efi in it" in got.screen


def test_a_kernel_on_a_btrfs_is_found_below_its_subvolume() -> None:
    item = installed()
    assert item.facts is not None
    facts = replace(item.facts, subvolumes={"/": "@"})
    shown = render_menu((replace(item, facts=facts),), MenuSettings(), (), {DISK: Additions(initrds=(OVERLAY,))})
    assert b"newest_kernel ,gpt1 /@/boot/" in shown.text


def test_a_disk_with_an_mbr_is_opened_as_one(stick: StickMaker) -> None:
    got = run_menu(stick_with(stick, THERE, "mbr"), entry=ENTRY)
    assert got.linux is not None
    assert got.linux[0].endswith(",msdos1)/boot/vmlinuz-6.1.0-10-amd64")


def test_older_kernels_have_entries_of_their_own(stick: StickMaker) -> None:
    place = f"{ENTRY.rpartition('>')[0]}>kernel-6.1.0-9-amd64"
    got = run_menu(stick_with(stick, {**THERE, **NEWER}), entry=place)
    assert "Booting `With another kernel: 6.1.0-9-amd64'" in got.screen
    assert got.linux is not None
    assert got.linux[0].endswith("/boot/vmlinuz-6.1.0-9-amd64")
    assert got.linux[1:] == WORDS
    assert got.initrd is not None
    assert [name.partition(")")[2] for name in got.initrd] == ["/boot/initrd.img-6.1.0-9-amd64", OVERLAY]


def test_a_disk_without_a_kernel_is_told_and_nothing_is_loaded(stick: StickMaker) -> None:
    got = run_menu(stick_with(stick, {"boot/readme": b""}), entry=ENTRY)
    assert got.linux is None
    assert "there is no /boot/vmlinuz-* in it" in got.screen


def test_a_disk_is_not_started_without_what_makes_it_one(stick: StickMaker) -> None:
    stick_with(stick, THERE)
    del stick.files[OVERLAY]
    got = run_menu(stick.make(), entry=ENTRY)
    assert got.linux is None
    assert f"{OVERLAY} is not on the stick" in got.screen
