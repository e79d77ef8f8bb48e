"""The root of an installed system in LUKS2: what is encrypted, what stays outside, what is refused before anything is done."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bootkit.app.stick.user_files import take_out
from bootkit.app.verbs.disk import find_disks
from bootkit.app.verbs.disk_encrypt import encrypted_disk, require_encryptable
from bootkit.app.verbs.images import add_images
from bootkit.app.verbs.prepare import prepare_image
from bootkit.errors import BootkitError
from bootkit.formats.ext4 import Ext4
from bootkit.formats.partitions import DiskPartitions, read_partitions
from bootkit.formats.reader import Window
from bootkit.probe.image import open_image
from bootkit.system import diskcrypt, diskimage, fsimage
from bootkit.system.changes import Watcher
from bootkit.system.diskimage import take_partition
from bootkit.system.luks import decrypt
from bootkit.system.sticks import open_stick
from bootkit.units import MIB
from tests.app.installed import MAKES, UUID, VERSIONS, DiskMaker
from tests.app.test_disk import add

PASSPHRASE = b"correct horse"
_STEPS_LIMIT = 100
"""Programs that are called, at most."""


pytestmark = pytest.mark.usefixtures("light_keys")


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    image = tmp_path / "stick.img"
    prepare_image(image, 500 * MIB)
    return image


def table_of(disk: Path) -> DiskPartitions:
    with disk.open("rb") as fh:
        return read_partitions(fh)


def encrypted(stick: Path, folder: Path) -> Path:
    """The disk on the stick, encrypted and taken out again."""
    with open_stick(stick, writing=True) as opened:
        item = require_encryptable(opened.volume, "debian")
        with encrypted_disk(opened.volume, item, PASSPHRASE, Watcher()) as addition:
            add_images(opened.volume, (addition,))
        take_out(opened.volume, item.path, folder / "out.raw")
    return folder / "out.raw"


def test_kernels_stay_outside_and_the_system_knows_where_its_root_is(
    stick: Path, tmp_path: Path, make_disk: DiskMaker
) -> None:
    disk = make_disk(asks=True, mib=40)
    add(stick, disk)
    out = encrypted(stick, tmp_path)
    table = table_of(out)
    assert table.warnings == ()
    _, root, boot = table.partitions
    subprocess.run(["sfdisk", "--quiet", "--verify", out], check=True)
    with out.open("rb") as fh:
        tree = Ext4(Window(fh, boot.start, boot.size))
        menu = tree.read("/grub/grub.cfg", 1 << 16).decode()
        assert tree.find(f"/vmlinuz-{VERSIONS[1]}") is not None
        assert b"vmlinuz" not in (fh.seek(root.start), fh.read(root.size))[1]
    word = re.search(r"root=UUID=\S+ ro quiet cryptopts=target=(luks-(\S+)),source=UUID=\2\n", menu)
    assert word is not None
    part = tmp_path / "part"
    take_partition(out, root, part)
    assert word[2] in subprocess.run(["blkid", "-p", part], stdout=subprocess.PIPE, text=True, check=True).stdout
    decrypt(part, PASSPHRASE, tmp_path / "header")
    subprocess.run(["e2fsck", "-f", "-n", part], check=True)
    with part.open("rb") as fh:
        tree = Ext4(fh)
        assert tree.superblock.uuid == UUID
        assert tree.read("/etc/crypttab", 999) == f"{word[1]} UUID={word[2]} none luks\n".encode()
        assert b" /boot ext4 " in tree.read("/etc/fstab", 999)
    with open_image(out) as view:
        assert view.facts.mounts == {"/boot": boot.number}


def test_what_is_encrypted_once_is_not_encrypted_twice(stick: Path, tmp_path: Path, make_disk: DiskMaker) -> None:
    add(stick, make_disk(asks=True, mib=40))
    encrypted(stick, tmp_path)
    with open_stick(stick) as opened, pytest.raises(BootkitError, match="debian is encrypted already"):
        require_encryptable(opened.volume, "debian")


@pytest.mark.parametrize("maker", MAKES)
def test_an_initrd_that_can_ask_is_let_pass(maker: str, stick: Path, make_disk: DiskMaker) -> None:
    add(stick, make_disk(asks=True, maker=maker))
    with open_stick(stick) as opened:
        assert require_encryptable(opened.volume, "debian").stack == f"{maker.split()[0]} on a disk"


@pytest.mark.parametrize(
    ("maker", "lacks", "install"),
    [
        ("initramfs-tools", "cryptsetup, cryptsetup-askpass", "install cryptsetup-initramfs"),
        ("dracut", "systemd-cryptsetup", "install cryptsetup (and systemd-cryptsetup"),
        ("dracut without systemd", "cryptroot-ask, cryptsetup", "call dracut --force --no-hostonly"),
    ],
)
def test_an_initrd_that_cannot_ask_is_refused_before(
    maker: str, lacks: str, install: str, stick: Path, make_disk: DiskMaker
) -> None:
    add(stick, make_disk(maker=maker))
    with open_stick(stick) as opened, pytest.raises(BootkitError, match=f"passphrase: it has no {lacks}$") as caught:
        require_encryptable(opened.volume, "debian")
    assert install in (caught.value.hint or "")


def test_an_initrd_that_cannot_be_read_is_not_said_to_lack_anything(stick: Path, make_disk: DiskMaker) -> None:
    add(stick, make_disk(asks=True, is_cut=True))
    with open_stick(stick) as opened, pytest.raises(BootkitError, match="cannot be seen"):
        require_encryptable(opened.volume, "debian")


def test_a_root_without_room_for_the_header_stays_as_it_is(stick: Path, make_disk: DiskMaker) -> None:
    disk = make_disk(asks=True, mib=8)
    add(stick, disk)
    with open_stick(stick, writing=True) as opened:
        item = require_encryptable(opened.volume, "debian")
        with (
            pytest.raises(BootkitError, match="no room for the header of LUKS"),
            encrypted_disk(opened.volume, item, PASSPHRASE, Watcher()),
        ):
            pass
        ((path, _),) = find_disks(opened.volume)
        with opened.volume.open(path) as fh:
            assert fh.read() == disk.read_bytes()


class Interrupted(BaseException):
    pass


def test_wherever_it_is_interrupted_the_disk_is_as_it_was(
    stick: Path, make_disk: DiskMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = make_disk(asks=True, mib=40)
    add(stick, disk)
    left = 0

    def cut(run: Callable[..., bytes]) -> Callable[..., bytes]:
        def cut_run(*words: Any, **options: Any) -> bytes:
            nonlocal left
            left -= 1
            if left < 0:
                raise Interrupted
            return run(*words, **options)

        return cut_run

    for module in (diskcrypt, diskimage, fsimage):
        monkeypatch.setattr(module, "run", cut(module.run))
    steps = 0
    for steps in range(0, _STEPS_LIMIT, 3):
        left = steps
        with open_stick(stick, writing=True) as opened:
            item = require_encryptable(opened.volume, "debian")
            try:
                with encrypted_disk(opened.volume, item, PASSPHRASE, Watcher()) as addition:
                    add_images(opened.volume, (addition,))
            except Interrupted:
                with opened.volume.open(item.path) as fh:
                    assert fh.read() == disk.read_bytes()
            else:
                break
    assert steps > len(("dd", "e2fsck", "debugfs", "mke2fs", "resize2fs", "cryptsetup", "sfdisk"))
    with open_stick(stick) as opened, pytest.raises(BootkitError, match="encrypted already"):
        require_encryptable(opened.volume, "debian")
