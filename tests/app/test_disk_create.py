"""A live system made an installed one: what its root gets, and what no disk is made of."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from bootkit.app.verbs.disk_create import DiskWish, created_disk
from bootkit.errors import BootkitError
from bootkit.formats.ext4 import Ext4
from bootkit.formats.partitions import read_partitions
from bootkit.formats.reader import Window
from bootkit.probe.image import open_image
from bootkit.system.changes import Watcher
from bootkit.units import MIB
from tests.app.installed import VERSIONS, initrd_of, kernel

VERSION = VERSIONS[0]
PASSWD = "root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n"
MakeLive = Callable[..., Path]


@pytest.fixture
def make_live(tmp_path: Path) -> MakeLive:
    """Makes an ISO of live-boot whose root has little more than what is changed in it."""

    def make(*, roots: int = 1, evil: bool = False) -> Path:
        root, tree = tmp_path / "root", tmp_path / "iso"
        files = {
            "etc/passwd": PASSWD,
            "etc/shadow": "root:*:1:0:99999:7:::\n",
            "etc/group": "root:x:0:\nsudo:x:27:\naudio:x:29:pulse\n",
            "etc/hostname": "debian\n",
            "etc/shells": "/bin/sh\n/bin/bash\n",
            "etc/skel/.profile": "# hello\n",
            "usr/lib/os-release": 'NAME="Debian GNU/Linux"\nVERSION_ID="12"\nID=debian\n',
            f"usr/lib/modules/{VERSION}/modules.builtin": "kernel/fs/nls/nls_base.ko\n",
            "usr/bin/sudo": "sudo",
        }
        for path, text in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
        (root / "etc/shadow").chmod(0o640)
        os.chown(root / "etc/shadow", 0, 42) if os.geteuid() == 0 else None
        (root / "usr/bin/sudo").chmod(0o4755)
        (root / "home").mkdir()
        if evil:
            (root / "etc").rename(tmp_path / "outside")
            (root / "etc").symlink_to(tmp_path / "outside")
        (tree / "live").mkdir(parents=True)
        (tree / "boot/grub").mkdir(parents=True)
        (tree / "live/vmlinuz").write_bytes(kernel())
        (tree / "live/initrd.img").write_bytes(initrd_of(VERSION, usb=True, asks=False))
        (tree / "boot/grub/grub.cfg").write_text(
            'menuentry "Live system" {\nlinux /live/vmlinuz boot=live components quiet findiso=${iso_path}\n'
            "initrd /live/initrd.img\n}\n"
        )
        for number in range(roots):
            target = tree / f"live/{number}filesystem.squashfs"
            subprocess.run(
                ["mksquashfs", root, target, "-quiet", "-no-progress"], check=True, stdout=subprocess.DEVNULL
            )
        iso = tmp_path / "live.iso"
        subprocess.run(["xorriso", "-as", "mkisofs", "-quiet", "-R", "-o", iso, tree], check=True)
        return iso

    return make


def wish(iso: Path, *, name: str = "made", user: str = "anna", size: int = 80 * MIB) -> DiskWish:
    return DiskWish(name=name, iso=iso, size=size, user=user, password=lambda: b"correct horse")


@pytest.mark.parametrize("is_root", [True, False], ids=["root", "fakeroot"])
def test_the_root_of_a_live_system_becomes_an_installed_one(
    is_root: bool, make_live: MakeLive, monkeypatch: pytest.MonkeyPatch
) -> None:
    iso = make_live()
    if not is_root:
        monkeypatch.setattr("bootkit.system.makedisk.os.geteuid", lambda: 1000)
    with created_disk(wish(iso), Watcher()) as disk, disk.open("rb") as fh:
        table = read_partitions(fh)
        (row,) = table.partitions
        assert table.warnings == ()
        tree = Ext4(Window(fh, row.start, row.size))
        assert tree.read("/etc/fstab", 999).startswith(f"UUID={tree.superblock.uuid} / ext4 ".encode())
        assert tree.read("/etc/hostname", 99) == b"made\n"
        assert b"anna:x:1000:1000::/home/anna:/bin/bash\n" in tree.read("/etc/passwd", 999)
        assert tree.read("/etc/group", 999) == b"root:x:0:\nsudo:x:27:anna\naudio:x:29:pulse,anna\nanna:x:1000:\n"
        assert b"\nanna:$6$" in tree.read("/etc/shadow", 999)
        listed = {
            path: owner_of(disk, row.start, path) for path in ("/etc/shadow", "/usr/bin/sudo", "/home/anna/.profile")
        }
        assert listed == {
            "/etc/shadow": ("0640", "0", "42"),
            "/usr/bin/sudo": ("04755", "0", "0"),
            "/home/anna/.profile": ("0644", "1000", "1000"),
        }
        with open_image(disk) as view:
            words = view.text("/etc/kernel/cmdline")
        assert words == f"root=UUID={tree.superblock.uuid} ro quiet boot=local\n"
        assert tree.find(f"/boot/vmlinuz-{VERSION}") is not None


def owner_of(disk: Path, start: int, path: str) -> tuple[str, str, str]:
    """Mode, user and group of a file in the ext4 that begins there."""
    name = f"{disk}?offset={start}"
    said = subprocess.run(["debugfs", "-R", f"stat {path}", name], stdout=subprocess.PIPE, text=True, check=True).stdout
    words = said.split()
    return tuple(words[words.index(key) + 1] for key in ("Mode:", "User:", "Group:"))  # type: ignore[return-value]


def test_a_root_whose_links_lead_out_of_it_is_refused(make_live: MakeLive, tmp_path: Path) -> None:
    with pytest.raises(BootkitError, match="leads out of it"), created_disk(wish(make_live(evil=True)), Watcher()):
        pass
    assert (tmp_path / "outside/hostname").read_text() == "debian\n"


def test_a_root_in_layers_is_refused(make_live: MakeLive) -> None:
    with pytest.raises(BootkitError, match="has its root in layers"), created_disk(wish(make_live(roots=2)), Watcher()):
        pass


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"user": "root"}, "is no name for a user"),
        ({"name": "a b"}, "is no host name"),
        ({"size": MIB}, "is too small"),
    ],
    ids=["user", "name", "size"],
)
def test_what_no_system_is_called_by_is_refused(changed: dict[str, object], said: str, tmp_path: Path) -> None:
    with pytest.raises(BootkitError, match=said), created_disk(wish(tmp_path / "none.iso", **changed), Watcher()):  # type: ignore[arg-type]
        pass
