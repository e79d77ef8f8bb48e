"""What generate puts on the stick beside the images, and what it asks for."""

from pathlib import Path

from bootkit.app.menu.companions import plan_companions
from bootkit.app.verbs.generate import plan_generation
from bootkit.model.boot import IMAGE_FILE, BootEntry, Detection, EntryKind, Recognition
from bootkit.model.catalog import ImageItem
from bootkit.model.places import MEMDISK, WIMBOOT
from bootkit.model.plan import RemoveFile, StickPlan, WriteFile
from bootkit.render.entries import image_header
from bootkit.system.changes import apply_changes
from bootkit.system.run import run
from bootkit.system.volume import Volume
from bootkit.system.volumes.folder import FolderVolume


def item(entry: BootEntry, *, size: int = 4096) -> ImageItem:
    detection = Detection(stack="x", distro="X", entries=(entry,))
    return ImageItem(path="/boot/iso/x.iso", size=size, mtime_ns=1, recognition=Recognition(detection=detection))


FLOPPY = item(BootEntry(title="DOS", kernel=IMAGE_FILE, kind=EntryKind.MEMDISK))
WHOLE = BootEntry(title="Install", kernel="/linux26", initrds=("/initrd.img",), image_as="proxmox.iso")


def test_copies_memdisk_from_the_host_once(volume: Volume, tmp_path: Path) -> None:
    (tmp_path / "memdisk").write_bytes(b"memdisk")
    places = (str(tmp_path / "none"), str(tmp_path / "memdisk"))
    found = plan_companions(volume, (FLOPPY, FLOPPY), memdisk_places=places)
    assert found.steps == (WriteFile(path=MEMDISK, content=b"memdisk"),)
    apply_changes(StickPlan(steps=found.steps), volume)
    assert plan_companions(volume, (FLOPPY,), memdisk_places=places).steps == ()


def test_says_where_memdisk_comes_from(volume: Volume) -> None:
    found = plan_companions(volume, (FLOPPY,), memdisk_places=())
    assert not found.steps
    assert "syslinux" in found.missing[0]


def test_says_where_wimboot_comes_from(volume: Volume, stick: Path) -> None:
    windows = item(BootEntry(title="PE", kernel="/sources/boot.wim", kind=EntryKind.WIMBOOT))
    assert "ipxe/wimboot" in plan_companions(volume, (windows,)).missing[0]
    (stick / WIMBOOT.lstrip("/")).parent.mkdir(parents=True)
    (stick / WIMBOOT.lstrip("/")).write_bytes(b"wimboot")
    assert plan_companions(volume, (windows,)).missing == ()


def test_an_image_becomes_a_member_that_cpio_unpacks(volume: Volume, stick: Path, tmp_path: Path) -> None:
    image = bytes(range(256)) * 16
    (step,) = plan_companions(volume, (item(WHOLE, size=len(image)),)).steps
    assert isinstance(step, WriteFile)
    assert step.path == image_header("/boot/iso/x.iso")
    trailer = b"070701" + b"0" * 88 + b"0000000B" + b"0" * 8 + b"TRAILER!!!\0\0\0\0"
    unpacked = run(["cpio", "--quiet", "-i", "--to-stdout"], stdin=step.content + image + trailer)
    assert unpacked == image


def test_the_header_of_an_image_that_is_gone_goes_too(volume: Volume) -> None:
    apply_changes(StickPlan(steps=plan_companions(volume, (item(WHOLE),)).steps), volume)
    assert plan_companions(volume, (item(WHOLE),)).steps == ()
    assert plan_companions(volume, ()).steps == (RemoveFile(path=image_header("/boot/iso/x.iso")),)


def test_an_image_of_four_gib_is_no_member(volume: Volume) -> None:
    found = plan_companions(volume, (item(WHOLE, size=4 << 30),))
    assert not found.steps
    assert "4 GiB" in found.missing[0] or "too large" in found.missing[0]


def test_generate_looks_again_for_what_was_missing(volume: Volume, stick: Path) -> None:
    wim = stick / "boot/iso/pe.wim"
    wim.parent.mkdir(parents=True)
    wim.write_bytes(b"MSWIM\0\0\0" + bytes(4088))
    for _ in range(2):
        generation = plan_generation(volume)
        assert any(WIMBOOT in warning for warning in generation.plan.warnings)
        apply_changes(generation.plan, volume)
    (stick / WIMBOOT.lstrip("/")).parent.mkdir(parents=True)
    (stick / WIMBOOT.lstrip("/")).write_bytes(b"wimboot")
    apply_changes(plan_generation(volume).plan, volume)
    assert plan_generation(volume).catalog is None


def test_a_mark_is_written_once_where_it_is_looked_for(volume: FolderVolume, stick: Path) -> None:
    mark = "/etc/shredos/shredos_exclude_disc"
    detection = Detection(stack="RAM disk", distro="ShredOS", marks=(mark,))
    shredos = ImageItem(path="/boot/iso/s.iso", size=1, mtime_ns=1, recognition=Recognition(detection=detection))
    volume.filesystem = "ext4"
    assert plan_companions(volume, (shredos,)).steps == ()
    volume.filesystem = "exfat"
    (step,) = plan_companions(volume, (shredos,)).steps
    assert step == WriteFile(path=mark, content=b"")
    apply_changes(StickPlan(steps=(step,)), volume)
    assert (stick / mark.lstrip("/")).is_file()
    assert plan_companions(volume, (shredos,)).steps == ()
