"""Installed systems out of a file of the stick: kept over two boots with a kernel installed in between, live, and cut off.

User Mode Linux shows what initrd and system do in all combinations; QEMU, with the menu that finds the newest kernel, one of each.

./dev test installed
"""

import base64
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest

from bootkit.app.stick.user_files import take_out
from bootkit.app.verbs.disk import choose_for_disk, planned_disk
from bootkit.app.verbs.disk_create import DiskWish, created_disk
from bootkit.app.verbs.disk_encrypt import encrypted_disk, require_encryptable
from bootkit.app.verbs.disk_take_out import plan_disk_take_out
from bootkit.app.verbs.generate import plan_generation
from bootkit.app.verbs.home import SMALLEST, create_home
from bootkit.app.verbs.images import add_images
from bootkit.app.verbs.options import plan_change
from bootkit.app.verbs.prepare import prepare_image
from bootkit.app.verbs.test import choose_targets
from bootkit.formats.partitions import read_partitions
from bootkit.model.filesystem import DataFs
from bootkit.model.options import STICK
from bootkit.plan.edit_settings import Change
from bootkit.system.apply import apply_plan
from bootkit.system.changes import Watcher, apply_changes
from bootkit.system.diskimage import put_back, take_partition
from bootkit.system.qemu import Accelerator
from bootkit.system.sticks import open_stick
from bootkit.system.volume import chunks_of, sha256_of
from bootkit.units import MIB
from tests.boots.clean import require_clean, require_clean_data
from tests.boots.disk_image import NEWER, ROOT_UUID, cached_disk_image
from tests.boots.dracut_iso import cached_dracut_iso
from tests.boots.layered_iso import layered_iso
from tests.boots.live_iso import cached_iso, host_suite
from tests.boots.machine import Session, session
from tests.boots.own_loader import LOGIN, give_loader, login
from tests.boots.uml import choose, uml_session
from tests.boots.unified_disk import unified_disk

pytestmark = pytest.mark.boots

REPORT = f"""
echo "root=$(while read -r device folder type options rest; do [ "$folder" != / ] || echo "$device $type $options"; done </proc/mounts)"
echo "kernel=$(cat /proc/cmdline)"
echo "esp=$(grep -c ' /boot/efi ' /proc/mounts)"
echo "before=$(cat /root/mark)"
echo "was here" >>/root/mark
echo "newer=$(dpkg-query -W -f '${{Status}}' linux-image-{NEWER})"
[ -e /boot/vmlinuz-{NEWER} ] || echo "installed=$(dpkg -i /root/kernel.deb 2>&1 | tail -n 1)"
sync
"""
WRITES = f"""
{REPORT}
while :; do dd if=/dev/zero of=/root/much bs=64k count=200; dpkg -i /root/kernel.deb; done
"""
CUT = "Setting up"
"""What dpkg says in the middle of that, where the power fails."""
MADE = """
echo "root=$(while read -r device folder type options rest; do [ "$folder" != / ] || echo "$device $type $options"; done </proc/mounts)"
echo "host=$(cat /etc/hostname)"
echo "groups=$(id -nG anna)"
echo "failed=$(systemctl --failed --plain --no-legend)"
echo "layers="$(cat /etc/upper && [ ! -e /etc/motd ] && echo without)
echo "before=$(/usr/bin/tried)"
echo {package} | base64 -d >/root/tried.deb
echo "installed=$(dpkg -i /root/tried.deb 2>&1 | tail -n 1)"
sync
"""
OWN = """
while read -r line; do echo "bootkit $line"; done </run/bootkit/status
echo "host=$(cat /proc/sys/kernel/hostname)"
echo "extra=$(/usr/bin/extra)"
echo "hello=$(cat /run/hello)"
echo "home=$(while read -r device folder rest; do [ "$folder" != /home/anna ] || echo "$device"; done </proc/mounts)"
# beside the extension's program
[ ! -e /run/hello ] || { echo "written=$(cat /usr/bin/written)"; echo kept >/usr/bin/written; }
"""
PASSPHRASE = b"correct horse"
KEPT, LIVE = 0, 1
"""Places of the entries in the menu."""
DISK = "/boot/disk/debian.raw"
FAMILIES = ("cryptsetup-initramfs", "dracut")
ISOS: Mapping[str, Callable[[Path], Path]] = {
    "squashfs": lambda _: cached_iso(host_suite()),
    "layers": lambda work: layered_iso(cached_iso(host_suite()), work),
    "ext4 in a squashfs": lambda _: cached_dracut_iso(host_suite(), "f41"),
}
"""Live systems, by where their root is."""
Case = tuple[str, DataFs]
CASES = [(family, data_fs) for family in FAMILIES for data_fs in (DataFs.EXT4, DataFs.FAT32)]


def prepared_stick(folder: Path, case: Case) -> Path:
    """A stick with an installed system."""
    family, data_fs = case
    image = folder / "stick.img"
    prepare_image(image, 900 * MIB, data_fs=data_fs)
    with ExitStack() as stack:
        opened = stack.enter_context(open_stick(image, writing=True))
        source = cached_disk_image(host_suite(), family)
        plan = stack.enter_context(planned_disk(opened, source, Watcher(), name="debian"))
        add_images(opened.volume, (plan.addition,))
        apply_changes(plan_generation(opened.volume).plan, opened.volume)
    return image


def boot(stick: Path, place: int, accelerator: Accelerator, script: str = REPORT) -> Session:
    """A session in QEMU."""
    return ended(menu_session(stick, place, accelerator, script))


def menu_session(stick: Path, place: int, accelerator: Accelerator, script: str, until: str = "") -> Session:
    with open_stick(stick) as opened:
        target = choose_targets(opened.volume, [], every=True)[place]
    return session(
        stick,
        entry=target.id_path,
        script=script,
        accelerator=accelerator,
        stick_driver="virtio-blk-pci",
        until=until,
    )


def quick_boot(stick: Path, place: int) -> Session:
    """A session under User Mode Linux."""
    return ended(uml_session(stick, choose(stick, DISK, place), script=REPORT))


def ended(ran: Session) -> Session:
    """The session, which must have come to its end, with nothing left mounted."""
    sys.stdout.write("\n".join(("---", *ran.report, "")))
    assert ran.ended, ran.serial[-4000:]
    assert "bootkit: at the end: nothing mounted" in ran.serial, ran.serial[-4000:]
    return ran


def require_clean_disk(stick: Path, data_fs: DataFs) -> None:
    """The stick and the root inside the disk are as a shutdown leaves them."""
    require_clean_data(stick, data_fs.system.name)
    with tempfile.TemporaryDirectory(prefix="bootkit-") as folder:
        require_clean(root_of(stick, Path(folder)), "ext4")


def root_of(stick: Path, folder: Path) -> Path:
    """The root partition of the disk on the stick, in a file of its own."""
    disk, root = folder / "disk", folder / "root"
    with open_stick(stick) as opened:
        take_out(opened.volume, DISK, disk)
    with disk.open("rb") as fh:
        row = read_partitions(fh).partitions[-1]
    dd = ["dd", f"if={disk}", f"of={root}", "bs=1M", "iflag=skip_bytes,count_bytes", "conv=sparse"]
    subprocess.run([*dd, f"skip={row.start}", f"count={row.size}"], check=True, capture_output=True)
    return root


def digest(stick: Path) -> str:
    with open_stick(stick) as opened, opened.volume.open(DISK) as fh:
        return sha256_of(chunks_of(fh, lambda _: None))


def require_live(ran: Session) -> None:
    assert ran.facts["before"] == ""
    assert "rw" in re.split("[ ,]", ran.facts["root"])


def require_first(ran: Session) -> None:
    assert ran.facts["before"] == ""
    assert ran.facts["root"].startswith("/dev/loop")
    assert ran.facts["esp"] == "1"
    assert ran.facts["installed"].startswith("Setting up")


def require_second(ran: Session) -> None:
    assert ran.facts["before"] == "was here"
    assert ran.facts["newer"] == "install ok installed"


@pytest.mark.parametrize("case", CASES, ids=[f"{family}-{data_fs}" for family, data_fs in CASES])
def test_a_live_run_leaves_the_disk_as_it_was(case: Case, work: Path) -> None:
    image = prepared_stick(work, case)
    before = digest(image)
    require_live(quick_boot(image, LIVE))
    assert digest(image) == before


@pytest.mark.parametrize("family", FAMILIES)
def test_changes_are_kept_an_installed_kernel_is_found_and_a_power_cut_mended(
    family: str, work: Path, accelerator: Accelerator
) -> None:
    image = prepared_stick(work, (family, DataFs.EXT4))
    require_first(quick_boot(image, KEPT))
    require_clean_disk(image, DataFs.EXT4)
    # nobody runs generate: the menu finds the new kernel by itself
    second = menu_session(image, KEPT, accelerator, WRITES, until=CUT)
    assert second.ended, second.serial[-4000:]
    assert f"vmlinuz-{NEWER}" in second.facts["kernel"]
    require_second(second)
    assert quick_boot(image, KEPT).facts["before"] == "was here"
    require_clean_disk(image, DataFs.EXT4)


@pytest.mark.parametrize("family", FAMILIES)
def test_changes_are_kept_where_the_disk_is_mapped(family: str, work: Path) -> None:
    image = prepared_stick(work, (family, DataFs.FAT32))
    require_first(quick_boot(image, KEPT))
    require_clean_disk(image, DataFs.FAT32)
    require_second(quick_boot(image, KEPT))
    require_clean_disk(image, DataFs.FAT32)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_passphrase_of_an_encrypted_root_is_asked_for_until_it_is_right(family: str, work: Path) -> None:
    image = prepared_stick(work, (family, DataFs.EXT4))
    with ExitStack() as stack:
        opened = stack.enter_context(open_stick(image, writing=True))
        item = require_encryptable(opened.volume, "debian")
        plan = stack.enter_context(encrypted_disk(opened.volume, item, PASSPHRASE, Watcher()))
        add_images(opened.volume, (plan,))
        apply_changes(plan_generation(opened.volume).plan, opened.volume)
    asked = "[Pp]lease (unlock disk|enter passphrase)"
    answers = ((asked, "wrong"), (f"{asked}(.|\n)*{asked}", PASSPHRASE.decode()))
    ran = ended(uml_session(image, choose(image, DISK, KEPT), script=REPORT, answers=answers))
    assert ran.facts["root"].startswith("/dev/mapper/luks-")
    assert ran.facts["installed"].startswith("Setting up")
    # the new kernel lies outside, where the menu finds it
    assert NEWER in choose(image, DISK, KEPT).kernel


@pytest.mark.long
@pytest.mark.parametrize("family", FAMILIES)
def test_own_things_are_laid_over_kept_changes_where_that_was_chosen(family: str, work: Path) -> None:
    image = prepared_stick(work, (family, DataFs.EXT4))
    with open_stick(image, writing=True) as opened:
        volume = opened.volume
        volume.copy_in(extension(work), "/boot/extensions/x86_64/extra.raw", lambda _: None)
        volume.write({"/boot/customize/hello": b"echo hello >/run/hello\n"})
        create_home(volume, "anna", SMALLEST)
        changes = [Change(key=key, value=value, place=STICK) for key, value in (("host", "ember"), ("user", "anna"))]
        apply_changes(plan_change(volume, changes).plan, volume)
    alone = ended(uml_session(image, choose(image, DISK, KEPT), script=OWN)).facts
    assert (alone["host"], alone["extra"], alone["hello"], alone["home"]) == ("installed", "", "", "")
    with open_stick(image, writing=True) as opened:
        choose_for_disk(opened.volume, DISK, {"own_things": True})
        apply_changes(plan_generation(opened.volume).plan, opened.volume)
    for written in ("", "kept"):
        ran = ended(uml_session(image, choose(image, DISK, KEPT), script=OWN)).facts
        assert (ran["host"], ran["extra"], ran["hello"]) == ("ember", "more", "hello")
        assert ran["home"].startswith("/dev/loop")
        assert ran["written"] == written
        require_clean_disk(image, DataFs.EXT4)


def extension(work: Path) -> Path:
    """An extension with one program."""
    program, made = work / "extension/usr/bin/extra", work / "extra.raw"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\necho more\n")
    program.chmod(0o755)
    subprocess.run(["mksquashfs", work / "extension", made, "-quiet", "-no-progress", "-all-root"], check=True)
    return made


@pytest.mark.long
@pytest.mark.parametrize("family", FAMILIES)
def test_the_menu_starts_the_kernel_that_was_installed_inside_on_fat(
    family: str, work: Path, accelerator: Accelerator
) -> None:
    image = prepared_stick(work, (family, DataFs.FAT32))
    require_first(boot(image, KEPT, accelerator))
    second = boot(image, KEPT, accelerator)
    require_second(second)
    assert f"vmlinuz-{NEWER}" in second.facts["kernel"]
    require_clean_disk(image, DataFs.FAT32)


@pytest.mark.long
def test_a_power_cut_is_mended_where_the_disk_is_mapped(work: Path) -> None:
    image = prepared_stick(work, ("dracut", DataFs.FAT32))
    chosen = choose(image, DISK, KEPT)
    cut = uml_session(image, chosen, script=WRITES, cut_at=f"report: {CUT}")
    assert not cut.ended
    assert ended(uml_session(image, chosen, script=REPORT)).facts["before"] == "was here"
    require_clean_disk(image, DataFs.FAT32)


@pytest.mark.long
@pytest.mark.parametrize("family", FAMILIES)
def test_a_live_run_from_the_menu_leaves_the_disk_as_it_was(family: str, work: Path, accelerator: Accelerator) -> None:
    image = prepared_stick(work, (family, DataFs.FAT32 if family == "cryptsetup-initramfs" else DataFs.EXT4))
    before = digest(image)
    require_live(boot(image, LIVE, accelerator))
    assert digest(image) == before


@pytest.mark.long
def test_a_unified_kernel_image_starts_by_its_parts_and_its_root_is_a_btrfs(
    work: Path, accelerator: Accelerator
) -> None:
    image = work / "stick.img"
    prepare_image(image, 1300 * MIB)
    source = unified_disk(work, host_suite())
    with (
        open_stick(image, writing=True) as opened,
        planned_disk(opened, source, Watcher(), name="debian") as plan,
    ):
        add_images(opened.volume, (plan.addition,))
        apply_changes(plan_generation(opened.volume).plan, opened.volume)
    first = boot(image, KEPT, accelerator).facts
    assert first["root"].startswith("/dev/loop0p2 btrfs rw")
    assert first["esp"] == "1"
    # no firmware has started it: GRUB has loaded a part by its place
    assert re.match(r"BOOT_IMAGE=\S*\d\+\d+ ", first["kernel"]), first["kernel"]
    assert boot(image, KEPT, accelerator).facts["before"] == "was here"
    require_clean_data(image, DataFs.EXT4.system.name)


@pytest.mark.long
def test_loader_entries_give_the_words_where_there_is_no_menu(work: Path) -> None:
    image, disk = work / "stick.img", work / "fedora.raw"
    prepare_image(image, 900 * MIB)
    shutil.copyfile(cached_disk_image(host_suite(), "dracut"), disk)
    words = give_loader_entry(disk, work)
    with (
        open_stick(image, writing=True) as opened,
        planned_disk(opened, disk, Watcher(), name="debian") as plan,
    ):
        add_images(opened.volume, (plan.addition,))
        apply_changes(plan_generation(opened.volume).plan, opened.volume)
    ran = quick_boot(image, KEPT)
    assert words in ran.facts["kernel"]
    require_first(ran)
    require_clean_disk(image, DataFs.EXT4)


def give_loader_entry(disk: Path, work: Path) -> str:
    """Put an entry as Fedora has them in the place of GRUB's menu; returns its words."""
    with disk.open("rb") as fh:
        row = read_partitions(fh).partitions[-1]
    part, entry, requests = work / "part", work / "entry.conf", work / "requests"
    take_partition(disk, row, part)
    listed = subprocess.run(["debugfs", "-R", "ls -p /boot", part], check=True, capture_output=True, text=True).stdout
    version = next(name for name in listed.split("/") if name.startswith("vmlinuz-")).removeprefix("vmlinuz-")
    words = f"root=UUID={ROOT_UUID} ro systemd.show_status=0"
    entry.write_text(
        f"title Fedora\nversion {version}\nlinux /boot/vmlinuz-{version}\ninitrd /boot/initrd.img-{version}\noptions {words}\n"
    )
    steps = ("rm /boot/grub/grub.cfg", "mkdir /boot/loader", "mkdir /boot/loader/entries", "cd /boot/loader/entries")
    requests.write_text("\n".join((*steps, f"write {entry} 0123-{version}.conf", "")))
    subprocess.run(["debugfs", "-w", "-f", requests, part], check=True, capture_output=True)
    put_back(part, disk, row.start)
    part.unlink()
    return words


@pytest.mark.long
def test_what_was_taken_out_starts_as_the_disk_of_a_machine(work: Path, accelerator: Accelerator) -> None:
    image, disk = work / "stick.img", work / "own.raw"
    prepare_image(image, 900 * MIB)
    shutil.copyfile(cached_disk_image(host_suite(), "initramfs-tools"), disk)
    give_loader(disk, accelerator)
    with (
        open_stick(image, writing=True) as opened,
        planned_disk(opened, disk, Watcher(), name="debian") as plan,
    ):
        add_images(opened.volume, (plan.addition,))
        apply_changes(plan_generation(opened.volume).plan, opened.volume)
    require_first(quick_boot(image, KEPT))
    target = work / "target.img"
    target.write_bytes(b"old" * MIB)
    os.truncate(target, disk.stat().st_size + 64 * MIB)
    with open_stick(image) as opened:
        take = plan_disk_take_out(opened, DISK, target)
        with opened.volume.open(DISK) as content:
            apply_plan(take, content=content)
    said = login(target, work, accelerator)
    assert LOGIN in said, said[-4000:]
    assert f"root=UUID={ROOT_UUID}" in said


@pytest.mark.long
@pytest.mark.parametrize("make_iso", ISOS.values(), ids=ISOS)
def test_a_live_system_made_an_installed_one_keeps_a_package(
    make_iso: Callable[[Path], Path], work: Path, accelerator: Accelerator
) -> None:
    image = work / "stick.img"
    prepare_image(image, 1300 * MIB)
    wish = DiskWish(name="debian", iso=make_iso(work), size=900 * MIB, user="anna", password=lambda: PASSPHRASE)
    with (
        open_stick(image, writing=True) as opened,
        created_disk(wish, Watcher()) as disk,
        planned_disk(opened, disk, Watcher(), name=wish.name) as plan,
    ):
        add_images(opened.volume, (plan.addition,))
        apply_changes(plan_generation(opened.volume).plan, opened.volume)
    script = MADE.format(package=base64.b64encode(package(work)).decode())
    first = boot(image, KEPT, accelerator, script).facts
    assert first["root"].startswith("/dev/loop0p1 ext4 rw")
    assert (first["host"], first["failed"], first["before"]) == (wish.name, "", "")
    assert {"anna", "sudo"} <= set(first["groups"].split())
    assert first["layers"] == ("upper without" if (work / "upper").exists() else "")
    assert first["installed"].startswith("Setting up tried")
    assert boot(image, KEPT, accelerator, script).facts["before"] == "it was kept"
    require_clean_disk(image, DataFs.EXT4)


def package(work: Path) -> bytes:
    """A package with one program."""
    tree, made = work / "package", work / "tried.deb"
    (tree / "DEBIAN").mkdir(parents=True)
    (tree / "DEBIAN/control").write_text(
        "Package: tried\nVersion: 1\nArchitecture: all\nMaintainer: bootkit's tests <nobody@example.org>\nDescription: a program\n"
    )
    program = tree / "usr/bin/tried"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\necho it was kept\n")
    program.chmod(0o755)
    subprocess.run(["dpkg-deb", "--root-owner-group", "--build", tree, made], stdout=subprocess.DEVNULL, check=True)
    return made.read_bytes()
