"""LUKS2 around the root of an installed system in the image of its disk, without root: nothing is mounted, no device mapper.

Kernels and initrds stay outside of it, on a partition for ``/boot``, which the system mounts and upgrades as one that was
installed so. What it has to know of all that stands in files of its own: fstab, crypttab, its menu's words.
"""

import os
import re
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, cast

from bootkit.errors import BootkitError
from bootkit.formats.ext4 import Ext4, read_superblock
from bootkit.formats.partitions import PartitionEntry, read_partitions
from bootkit.i18n import tr
from bootkit.system.changes import Watcher
from bootkit.system.diskimage import edit_table, end_table, mend_ext4, put_back, take_partition
from bootkit.system.fsimage import make_ext4, resize_ext4
from bootkit.system.luks import LUKS_HEADER, encrypt
from bootkit.system.run import LONG, run
from bootkit.units import MIB
from bootkit.values import dataclass

_BLOCK = 4096
_BOOT_SPARE, _BOOT_STEP = 64 * MIB, 4 * MIB
_BOOT_KERNELS = 3
"""So many times what is in ``/boot`` now finds room on its partition."""
_TEXT_LIMIT = 1 << 20
_MENUS = ("/grub/grub.cfg", "/grub2/grub.cfg")
_LINUX_LINE = re.compile(r"^([ \t]*linux(?:16|efi)?[ \t].*\S)[ \t]*$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Encryption:
    """What is encrypted, and how the system gets to know."""

    root: int
    """Number of the partition, which is an ext4."""
    boot: int = 0
    """Number of the one that is ``/boot``, an ext4, too; 0 where it has none of its own, and gets one."""
    words: Sequence[str]
    """Kernel words that have it opened, with the slot ``{luks_uuid}``."""
    menu: str
    """A menu for GRUB where the system has none: what its kernel is called by, without those words."""
    passphrase: bytes


def encrypt_disk(disk: Path, wanted: Encryption, work: Path, watcher: Watcher) -> None:
    """Encrypt the root on ``disk``, in place; the disk grows by the partition for ``/boot``.

    Raises:
        BootkitError: its root is damaged, or has no room for the header of LUKS.
    """
    luks_uuid = str(uuid.uuid4())
    words = " ".join(word.format(luks_uuid=luks_uuid) for word in wanted.words)
    row = _partition(disk, wanted.root)
    root, boot = work / "root.ext4", work / "boot.ext4"
    watcher.begin("encrypting", disk.name, row.size)
    take_partition(disk, row, root)
    mend_ext4(root)
    boot_row = _partition(disk, wanted.boot) if wanted.boot else None
    if boot_row is not None:
        take_partition(disk, boot_row, boot)
        mend_ext4(boot)
    else:
        _make_boot(root, boot, work / "boot")
    _tell_menu(boot, wanted.menu, words, work)
    _tell_system(root, boot if boot_row is None else None, luks_uuid, words, work)
    _wrap(root, row.size, luks_uuid, wanted.passphrase)
    put_back(root, disk, row.start)
    if boot_row is not None:
        put_back(boot, disk, boot_row.start)
    else:
        _append(disk, boot)
    root.unlink()
    boot.unlink()
    watcher.end()


def _partition(disk: Path, number: int) -> PartitionEntry:
    with disk.open("rb") as fh:
        rows = read_partitions(cast("BinaryIO", fh)).partitions
    return next(row for row in rows if row.number == number)


def _wrap(root: Path, size: int, luks_uuid: str, passphrase: bytes) -> None:
    """Encrypt the file system in ``root``, which ends as a file of ``size`` bytes of which no byte is a hole."""
    try:
        resize_ext4(root, (size - LUKS_HEADER) // _BLOCK * _BLOCK)
    except BootkitError as error:
        raise BootkitError(
            tr("its root has no room for the header of LUKS: {message}", message=error.message),
            hint=tr("make it larger first: bootkit disk grow"),
        ) from error
    encrypt(root, passphrase, label="root")
    run(["cryptsetup", "--batch-mode", "--disable-locks", "luksUUID", "--uuid", luks_uuid, root])
    with root.open("ab") as fh:
        fh.write(bytes(size - fh.tell()))  # what lay there was not encrypted


def _make_boot(root: Path, boot: Path, tree: Path) -> None:
    """An ext4 in the new file ``boot`` with what is in the folder ``/boot`` of ``root``."""
    tree.mkdir()
    run(["debugfs", "-R", f"rdump {_word('/boot')} {_word(tree)}", root], timeout=LONG)
    content = tree / "boot"
    paths = sorted(content.rglob("*"))
    size = sum(path.lstat().st_size for path in paths)
    size = (size * _BOOT_KERNELS + _BOOT_SPARE) // _BOOT_STEP * _BOOT_STEP
    make_ext4(boot, size, label="boot", content=content)
    names = [_word(f"/{path.relative_to(content)}") for path in paths]
    # whoever runs this owns the copies
    _debugfs(boot, [f"sif {name} {field} 0" for name in names for field in ("uid", "gid")], tree.with_name("script"))


def _tell_menu(boot: Path, menu: str, words: str, work: Path) -> None:
    found = {path: text for path in _MENUS if (text := _text(boot, path)) is not None}
    if not found:
        _debugfs(boot, ["mkdir grub"], work / "script")
        found = {_MENUS[0]: menu}
    texts = {path: _LINUX_LINE.sub(lambda line: f"{line[1]} {words}", text) for path, text in found.items()}
    _write(boot, texts, work)


def _tell_system(root: Path, boot: Path | None, luks_uuid: str, words: str, work: Path) -> None:
    """Where its root is now, for what it makes anew by itself: initrds, its menu, mounts."""
    name = f"luks-{luks_uuid}"
    texts = {"/etc/crypttab": f"{_text(root, '/etc/crypttab') or ''}{name} UUID={luks_uuid} none luks\n"}
    if boot is not None:
        with boot.open("rb") as fh:
            line = f"UUID={read_superblock(fh).uuid} /boot ext4 defaults 0 2\n"
        texts["/etc/fstab"] = (_text(root, "/etc/fstab") or "") + line
    defaults = _text(root, "/etc/default/grub")
    if defaults is not None:
        texts["/etc/default/grub"] = f'{defaults}\nGRUB_CMDLINE_LINUX="$GRUB_CMDLINE_LINUX {words}"\n'
    _write(root, texts, work)


def _text(image: Path, path: str) -> str | None:
    with image.open("rb") as fh:
        tree = Ext4(cast("BinaryIO", fh))
        entry = tree.find(path)
        return None if entry is None else tree.read(path, _TEXT_LIMIT).decode("utf-8", "surrogateescape")


def _write(image: Path, texts: Mapping[str, str], work: Path) -> None:
    """Put texts in the place of files of an ext4, whose folders are there; they are root's, for everybody to read.

    Raises:
        BootkitError: one was not written, for want of room.
    """
    source = work / "text"
    for path, text in texts.items():
        source.write_bytes(text.encode("utf-8", "surrogateescape"))
        source.chmod(0o644)
        _debugfs(image, [f"rm {_word(path)}", f"write {_word(source)} {_word(path)}"], work / "script")
        if _text(image, path) != text:  # debugfs never fails
            raise BootkitError(
                tr("its {path} cannot be written", path=path), hint=tr("its file system is full: bootkit disk grow")
            )
    source.unlink()


def _debugfs(image: Path, commands: Sequence[str], script: Path) -> None:
    script.write_text("".join(f"{command}\n" for command in commands))
    run(["debugfs", "-w", "-f", script, image], timeout=LONG)
    script.unlink()


def _word(path: str | Path) -> str:
    """``path`` as debugfs takes it, which knows double quotes only."""
    if re.search(r"[\"\n]", str(path)):
        raise BootkitError(
            tr("{path} has a name that debugfs cannot be told", path=path), hint=tr("TMPDIR names another folder")
        )
    return f'"{path}"'


def _append(disk: Path, boot: Path) -> None:
    """The file system in ``boot`` as one more partition, at the end of the disk."""
    size = boot.stat().st_size
    os.truncate(disk, -(-disk.stat().st_size // MIB) * MIB + size + 2 * MIB)
    end_table(disk)
    edit_table(disk, "--append", script=f"size={size // 512}, type=L\n")
    with disk.open("rb") as fh:
        new = max(read_partitions(cast("BinaryIO", fh)).partitions, key=lambda row: row.start)
    put_back(boot, disk, new.start)
