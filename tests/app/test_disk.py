"""Installed systems as files of the stick: which there are, what is refused, and what is copied."""

import subprocess
from pathlib import Path

import pytest

from bootkit.app.stick.catalog import read_catalog
from bootkit.app.verbs.disk import choose_for_disk, disk_name, disk_path, find_disks, grown_disk, is_disk, planned_disk
from bootkit.app.verbs.generate import plan_generation
from bootkit.app.verbs.images import add_images
from bootkit.app.verbs.prepare import prepare_image
from bootkit.app.verbs.verify import UNKNOWN, verify_images
from bootkit.errors import BootkitError
from bootkit.formats.ext4 import Ext4
from bootkit.formats.partitions import read_partitions
from bootkit.formats.reader import Window
from bootkit.model.filesystem import DataFs
from bootkit.model.iso import FileKind
from bootkit.model.places import MENU
from bootkit.probe.image import open_image
from bootkit.system.changes import Watcher, apply_changes
from bootkit.system.sticks import open_stick
from bootkit.units import MIB
from tests.app.conftest import record_on
from tests.app.installed import UUID, VERSIONS, DiskMaker


@pytest.fixture(params=[DataFs.EXT4, DataFs.FAT32])
def stick(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    image = tmp_path / "stick.img"
    prepare_image(image, 500 * MIB, data_fs=request.param)
    return image


def add(stick: Path, source: Path, *, live_only: bool = False, **words: object) -> str:
    with open_stick(stick, writing=True) as opened:
        with planned_disk(opened, source, Watcher(), **words) as plan:  # type: ignore[arg-type]  # what the tests name
            add_images(opened.volume, (plan.addition,))
        if live_only:
            choose_for_disk(opened.volume, plan.addition.step.path, {"persistence": False})
        apply_changes(plan_generation(opened.volume).plan, opened.volume)
    return plan.addition.step.path


def test_a_disk_is_known_by_what_is_in_it(make_disk: DiskMaker) -> None:
    disk = make_disk()
    with open_image(disk) as view:
        facts = view.facts
        assert (facts.kind, facts.uuid, facts.mounts) == (FileKind.SYSTEM, UUID, {"/": 2})
        assert [row.filesystem for row in facts.partitions] == ["", "ext4"]
        assert facts.on_partition("/boot/vmlinuz-6") == ("gpt2", "/boot/vmlinuz-6")
        assert view.is_file(f"/boot/vmlinuz-{VERSIONS[0]}")


def test_the_newest_kernel_is_looked_for_by_the_menu(stick: Path, make_disk: DiskMaker) -> None:
    assert add(stick, make_disk()) == "/boot/disk/debian.raw"
    with open_stick(stick) as opened:
        (item,) = read_catalog(opened.volume, find_disks(opened.volume)).items
        assert item.detection is not None
        kept, live = item.detection.entries
        assert kept.kernel == f"/boot/vmlinuz-{VERSIONS[1]}"  # 10 is more than 9
        assert kept.cmdline == (f"root=UUID={UUID}", "ro", "quiet", "bootkit.disk=keep")
        assert live.cmdline[-1] == "bootkit.disk=live"
        assert item.sha256 == ""
        menu = b"".join(
            opened.volume.open(f"/boot/grub/{one.name}").read()
            for one in opened.volume.listdir("/boot/grub")
            if one.name.endswith(".cfg")
        )
        assert menu.count(b"newest_kernel ,gpt2 /boot/\n") == 3  # both entries, and the list of older kernels
        assert opened.volume.stat(MENU) is not None
        with opened.volume.open("/boot/disk/debian.raw") as fh:
            assert read_partitions(fh).warnings == ()


def test_a_disk_that_only_runs_live_has_no_entry_that_writes_to_it(stick: Path, make_disk: DiskMaker) -> None:
    add(stick, make_disk(), live_only=True)
    with open_stick(stick) as opened:
        menus = [one for one in opened.volume.listdir("/boot/grub") if one.name.endswith(".cfg")]
        menu = b"".join(opened.volume.open(f"/boot/grub/{one.name}").read() for one in menus)
    assert b"bootkit.disk=live" in menu
    assert b"bootkit.disk=keep" not in menu


@pytest.mark.parametrize("unified", [False, True], ids=["kernels", "unified"])
def test_only_a_disk_whose_kernels_the_menu_cannot_find_is_looked_into_again(
    unified: bool, stick: Path, make_disk: DiskMaker
) -> None:
    path = add(stick, make_disk(unified_image=unified))
    with open_stick(stick) as opened:
        catalog = read_catalog(opened.volume, find_disks(opened.volume))
    assert catalog.looked_at == ({path} if unified else set())


def test_no_checksum_is_kept_of_a_disk_that_its_system_writes_to(stick: Path, make_disk: DiskMaker) -> None:
    add(stick, make_disk())
    with open_stick(stick, writing=True) as opened:
        (found,) = verify_images(opened.volume, [])
        (item,) = read_catalog(opened.volume, find_disks(opened.volume)).items
    assert (found.verdict, item.sha256) == (UNKNOWN, "")


@pytest.mark.parametrize("program", ["gzip", "xz", "zstd", "bzip2"])
def test_what_is_packed_is_unpacked_while_it_is_copied(program: str, tmp_path: Path, make_disk: DiskMaker) -> None:
    stick = tmp_path / "stick.img"
    prepare_image(stick, 500 * MIB)
    disk = make_disk()
    packed = tmp_path / f"debian.raw.{ {'gzip': 'gz', 'zstd': 'zst', 'bzip2': 'bz2'}.get(program, program) }"
    packed.write_bytes(subprocess.run([program, "-c", disk], stdout=subprocess.PIPE, check=True).stdout)
    assert is_disk(packed)
    path = add(stick, packed)
    with open_stick(stick) as opened, opened.volume.open(path) as fh:
        assert fh.read() == disk.read_bytes()


@pytest.mark.parametrize("kind", ["qcow2", "vdi", "vmdk", "vhdx", "vpc"])
def test_disks_of_virtual_machines_are_made_raw(kind: str, tmp_path: Path, make_disk: DiskMaker) -> None:
    stick, disk, other = tmp_path / "stick.img", make_disk(), tmp_path / f"machine.{kind}"
    prepare_image(stick, 500 * MIB)
    subprocess.run(["qemu-img", "convert", "-f", "raw", "-O", kind, disk, other], check=True)
    assert is_disk(other)
    path = add(stick, other, name="machine")
    assert path == "/boot/disk/machine.raw"
    with open_stick(stick) as opened, opened.volume.open(path) as fh:
        # a VHD is rounded up to whole cylinders, and the backup of the table is moved to the new end
        assert read_partitions(fh).warnings == ()
        fh.seek(2 * MIB)
        original = disk.read_bytes()
        assert fh.read(12 * MIB) == original[2 * MIB : 14 * MIB]


def test_a_disk_grows_with_its_partition_and_its_file_system(tmp_path: Path, make_disk: DiskMaker) -> None:
    stick, disk = tmp_path / "stick.img", make_disk()
    prepare_image(stick, 500 * MIB)
    path = add(stick, disk, size=40 * MIB)
    assert disk.stat().st_size == 16 * MIB  # the user's own file stays as it is
    with open_stick(stick, writing=True) as opened:
        with grown_disk(opened.volume, "debian", 80 * MIB, Watcher()) as addition:
            add_images(opened.volume, (addition,))
        with opened.volume.open(path) as fh:
            _, root = read_partitions(fh).partitions
            assert root.start + root.size > 78 * MIB
            tree = Ext4(Window(fh, root.start, root.size))
            assert tree.superblock.size > 76 * MIB
            assert tree.read("/etc/fstab", 5) == b"UUID="
    with (
        open_stick(stick, writing=True) as opened,
        pytest.raises(BootkitError, match=r"has 80\.0 MiB already"),
        grown_disk(opened.volume, "debian", 80 * MIB, Watcher()),
    ):
        pass


@pytest.mark.parametrize(
    ("words", "reason"),
    [({"usb": False}, "no driver for USB sticks"), ({"root": False}, "no kernel with an initrd")],
    ids=["cloud", "no kernel"],
)
def test_what_cannot_start_is_refused_with_the_reason(
    words: dict[str, bool], reason: str, tmp_path: Path, make_disk: DiskMaker
) -> None:
    stick = tmp_path / "stick.img"
    prepare_image(stick, 500 * MIB)
    with pytest.raises(BootkitError, match=reason):
        add(stick, make_disk(**words))
    with open_stick(stick) as opened:
        assert find_disks(opened.volume) == ()


def test_a_qcow2_that_reads_another_file_is_refused(tmp_path: Path, make_disk: DiskMaker) -> None:
    stick, disk, other = tmp_path / "stick.img", make_disk(), tmp_path / "other.qcow2"
    prepare_image(stick, 500 * MIB)
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-b", disk, "-F", "raw", other], check=True)
    with pytest.raises(BootkitError, match="takes a part of its bytes from another file"):
        add(stick, other)


def test_names_on_the_stick_leave_out_what_packed_them() -> None:
    names = ("debian-12.raw.xz", "Kicksecure.qcow2", "disk.img", "a.b.raw", "box.VDI")
    assert [disk_name(Path(name)) for name in names] == ["debian-12", "Kicksecure", "disk", "a.b", "box"]


def test_a_disk_is_named_with_its_suffix_or_without(tmp_path: Path, make_disk: DiskMaker) -> None:
    stick = tmp_path / "stick.img"
    prepare_image(stick, 500 * MIB)
    path = add(stick, make_disk(), name="mine")
    with open_stick(stick) as opened:
        assert {disk_path(opened.volume, name) for name in ("mine", "mine.raw", path)} == {path}
        with pytest.raises(BootkitError, match="no disk on the stick is called yours"):
            disk_path(opened.volume, "yours")
        assert record_on(opened.volume, path)["detection"]["is_written"] is True
