"""Several file systems of one disk as one tree."""

import subprocess
from pathlib import Path

import pytest

from bootkit.errors import FormatError
from bootkit.formats.ext4 import Ext4
from bootkit.formats.mounts import MountedTree, TreeMount
from bootkit.formats.reader import Window
from bootkit.units import MIB


def ext4_with(tmp_path: Path, name: str, files: dict[str, str]) -> bytes:
    tree, image = tmp_path / name, tmp_path / f"{name}.img"
    for path, text in files.items():
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        (tree / path).write_text(text)
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-d", tree, image, "2M"], check=True, capture_output=True)
    return image.read_bytes()


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    """A root at 1 MiB, with an empty /boot, and what belongs there at 3 MiB."""
    root = ext4_with(tmp_path, "root", {"etc/fstab": "table", "boot/hidden": "below the mount"})
    boot = ext4_with(tmp_path, "boot", {"vmlinuz-6.1": "a kernel", "grub/grub.cfg": "a menu"})
    path = tmp_path / "disk"
    path.write_bytes(bytes(MIB) + root + boot)
    return path


def test_a_tree_shows_what_is_mounted_and_not_what_lies_below(disk: Path) -> None:
    with disk.open("rb") as fh:
        root, boot = (TreeMount(tree=Ext4(Window(fh, at * MIB, 2 * MIB)), offset=at * MIB) for at in (1, 3))
        tree = MountedTree({"/": root, "/boot": boot})
        assert sorted(entry.name for entry in tree.listdir("/") or ()) == ["boot", "etc", "lost+found"]
        assert sorted(entry.name for entry in tree.listdir("/boot") or ()) == ["grub", "lost+found", "vmlinuz-6.1"]
        assert tree.read("/etc/fstab", 9) == b"table"
        assert tree.read("/boot/grub/grub.cfg", 9) == b"a menu"
        ((start, length),) = tree.extents("/boot/vmlinuz-6.1")
        assert start is not None
        fh.seek(start)
        assert fh.read(length) == b"a kernel"
        with pytest.raises(FormatError, match="there is no file"):
            tree.read("/boot/hidden", 1)


def test_a_root_that_cannot_be_read_shows_the_way_to_what_can(disk: Path) -> None:
    with disk.open("rb") as fh:
        tree = MountedTree({"/boot": TreeMount(tree=Ext4(Window(fh, 3 * MIB, 2 * MIB)), offset=3 * MIB)})
        assert [(entry.name, entry.is_dir) for entry in tree.listdir("/") or ()] == [("boot", True)]
        assert tree.listdir("/etc") is None
        assert tree.read("/boot/vmlinuz-6.1", 9) == b"a kernel"
