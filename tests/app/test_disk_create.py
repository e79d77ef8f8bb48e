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
SHARED = ("opaque", "merged", "link")
HAS_JOURNAL = 0x4
MakeLive = Callable[..., Path]


@pytest.fixture
def make_live(tmp_path: Path) -> MakeLive:
    """Makes an ISO of live-boot or of dmsquash-live whose root has little more than what is changed in it."""

    def make(*, layout: str = "plain", evil: bool = False) -> Path:
        root = tmp_path / "root"
        write_root(root)
        if evil:
            (root / "etc").rename(tmp_path / "outside")
            (root / "etc").symlink_to(tmp_path / "outside")
        if layout in ("nested", "erofs"):
            return fedora_iso(tmp_path, root, layout)
        return live_boot_iso(tmp_path, root, is_layered=layout == "layers")

    return make


def write_root(root: Path) -> None:
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


def squash(tree: Path, target: Path, *options: str) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    argv: list[str | Path] = ["mksquashfs", tree, target, "-quiet", "-no-progress", *options]
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)


def live_boot_iso(work: Path, root: Path, *, is_layered: bool) -> Path:
    tree = work / "iso"
    squash(root, tree / "live/z-base.squashfs")
    if is_layered:
        squash(upper_layer(work), tree / "live/a-upper.squashfs", "-p", "usr/share/gone c 644 0 0 0 0")
        (tree / "live/filesystem.module").write_text("z-base.squashfs\na-upper.squashfs\n")
    menu = 'menuentry "Live system" {\nlinux /live/vmlinuz boot=live components quiet findiso=${iso_path}\ninitrd /live/initrd.img\n}\n'
    return finished_iso(work, "live", "initramfs-tools", menu)


def upper_layer(work: Path) -> Path:
    """A layer over a root that gets things to be covered for it: a folder in its place, a link, a file for a folder."""
    root, upper = work / "root", work / "upper"
    for name in ("usr/share/gone", "usr/share/opaque", "usr/share/merged", "usr/share/folder"):
        (root / name).mkdir(parents=True)
        (root / name / "old").write_text("old")
    (root / "usr/share/link").symlink_to(work)
    # once more, with those in it
    squash(root, work / "iso/live/z-base.squashfs", "-noappend")
    for name in ("opaque", "merged", "link"):
        (upper / "usr/share" / name).mkdir(parents=True)
        (upper / "usr/share" / name / "new").write_text("new")
    os.setxattr(upper / "usr/share/opaque", "user.overlay.opaque", b"y")
    (upper / "usr/share/folder").write_text("a file")
    return upper


def fedora_iso(work: Path, root: Path, layout: str) -> Path:
    target = work / "iso/LiveOS/squashfs.img"
    (root / "etc/selinux").mkdir()
    (root / "etc/selinux/config").write_text("SELINUX=enforcing\n")
    (root / "boot/loader/entries").mkdir(parents=True)
    (root / "boot/loader/entries/0123-6.1.conf").write_text("title old\n")
    (root / "etc/hostname").unlink()
    (root / "etc/hostname").symlink_to("/nowhere")
    (root / "usr/lib/os-release").write_text('NAME="Fedora Linux"\nVERSION_ID="41"\nID=fedora\n')
    if layout == "erofs":
        target.parent.mkdir(parents=True)
        subprocess.run(["mkfs.erofs", "--quiet", target, root], check=True, stdout=subprocess.DEVNULL)
    else:
        inner = work / "nested/LiveOS/rootfs.img"
        inner.parent.mkdir(parents=True)
        subprocess.run(["mke2fs", "-q", "-t", "ext4", "-O", "^has_journal", "-d", root, inner, "24M"], check=True)
        squash(work / "nested", target)
    menu = "menuentry 'Start Fedora' {\nlinux /live/vmlinuz root=live:CDLABEL=LIVE rd.live.image quiet\ninitrd /live/initrd.img\n}\n"
    return finished_iso(work, "live", "dracut", menu)


def finished_iso(work: Path, folder: str, maker: str, menu: str) -> Path:
    tree, iso = work / "iso", work / "live.iso"
    (tree / folder).mkdir(exist_ok=True)
    (tree / "boot/grub").mkdir(parents=True)
    (tree / folder / "vmlinuz").write_bytes(kernel())
    (tree / folder / "initrd.img").write_bytes(initrd_of(VERSION, usb=True, asks=False, maker=maker))
    (tree / "boot/grub/grub.cfg").write_text(menu)
    subprocess.run(["xorriso", "-as", "mkisofs", "-quiet", "-R", "-V", "LIVE", "-o", iso, tree], check=True)
    return iso


def wish(iso: Path, *, name: str = "made", user: str = "anna", size: int = 80 * MIB) -> DiskWish:
    return DiskWish(name=name, iso=iso, size=size, user=user, password=lambda: b"correct horse")


@pytest.mark.parametrize("is_root", [True, False], ids=["root", "fakeroot"])
def test_the_root_of_a_live_system_becomes_an_installed_one(
    is_root: bool, make_live: MakeLive, monkeypatch: pytest.MonkeyPatch
) -> None:
    iso = make_live()
    if not is_root:
        monkeypatch.setattr("bootkit.system.roottree.os.geteuid", lambda: 1000)
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


@pytest.mark.parametrize("is_root", [True, False], ids=["root", "fakeroot"])
def test_layers_are_laid_one_over_the_other(
    is_root: bool, make_live: MakeLive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    iso = make_live(layout="layers")
    if not is_root:
        monkeypatch.setattr("bootkit.system.roottree.os.geteuid", lambda: 1000)
    with created_disk(wish(iso), Watcher()) as disk, disk.open("rb") as fh:
        (row,) = read_partitions(fh).partitions
        tree = Ext4(Window(fh, row.start, row.size))
        shared = {path: sorted(one.name for one in tree.listdir(f"/usr/share/{path}") or ()) for path in SHARED}
        assert shared == {"opaque": ["new"], "merged": ["new", "old"], "link": ["new"]}
        assert tree.find("/usr/share/gone") is None
        assert tree.read("/usr/share/folder", 99) == b"a file"
        assert owner_of(disk, row.start, "/usr/bin/sudo") == ("04755", "0", "0")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(("layout", "is_root"), [("nested", True), ("erofs", False)], ids=["nested", "erofs"])
def test_fedoras_roots_are_taken_and_get_a_loader_entry(
    layout: str, is_root: bool, make_live: MakeLive, monkeypatch: pytest.MonkeyPatch
) -> None:
    iso = make_live(layout=layout)
    if not is_root:
        monkeypatch.setattr("bootkit.system.roottree.os.geteuid", lambda: 1000)
    with created_disk(wish(iso), Watcher()) as disk, disk.open("rb") as fh:
        (row,) = read_partitions(fh).partitions
        tree = Ext4(Window(fh, row.start, row.size))
        assert tree.superblock.size == 78 * MIB
        assert tree.superblock.compat & HAS_JOURNAL
        words = f"root=UUID={tree.superblock.uuid} ro quiet"
        assert tree.read("/etc/fstab", 999).startswith(f"UUID={tree.superblock.uuid} / ext4 ".encode())
        assert [one.name for one in tree.listdir("/boot/loader/entries") or ()] == [f"made-{VERSION}.conf"]
        assert f"options {words}\n" in tree.read(f"/boot/loader/entries/made-{VERSION}.conf", 999).decode()
        assert tree.read("/etc/hostname", 99) == b"made\n"
        assert tree.find("/.autorelabel") is not None
        assert tree.read("/etc/group", 999) == b"root:x:0:\nsudo:x:27:anna\naudio:x:29:pulse,anna\nanna:x:1000:\n"
        assert tree.read(f"/boot/vmlinuz-{VERSION}", MIB).startswith(kernel())
        assert owner_of(disk, row.start, "/etc/shadow") == ("0640", "0", "42")
        assert owner_of(disk, row.start, "/home/anna")[1:] == ("1000", "1000")
        assert owner_of(disk, row.start, "/home/anna/.profile") == ("0644", "1000", "1000")
        with open_image(disk) as view:
            assert view.text("/etc/kernel/cmdline") == f"{words}\n"
        subprocess.run(["e2fsck", "-fn", f"{disk}?offset={row.start}"], check=True, capture_output=True)


def test_a_root_that_is_larger_than_its_disk_is_refused(make_live: MakeLive) -> None:
    iso = make_live(layout="nested")
    inner = iso.parent / "nested/LiveOS/rootfs.img"
    inner.unlink()
    (iso.parent / "root/much").write_bytes(b"much" * (20 * MIB))
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-d", iso.parent / "root", inner, "120M"], check=True)
    squash(inner.parent.parent, iso.parent / "iso/LiveOS/squashfs.img", "-noappend", "-noD")
    subprocess.run(
        ["xorriso", "-as", "mkisofs", "-quiet", "-R", "-V", "LIVE", "-o", iso, iso.parent / "iso"], check=True
    )
    with (
        pytest.raises(BootkitError, match="what the live system holds does not fit"),
        created_disk(wish(iso), Watcher()),
    ):
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
