"""ext4 in a file, encrypted or not, for homes and persistence: made, checked, and changed in size without root.

cryptsetup encrypts and decrypts a file in place with its own cipher code: no device mapper, no loop device. Seen with
cryptsetup 2.6.1 (2023): as an ordinary user it needs ``--disable-locks``, and for a file ``--force-offline-reencrypt``.
"""

import os
import re
from collections.abc import Sequence
from pathlib import Path

from bootkit.errors import BootkitError, CommandFailed
from bootkit.formats.ext4 import read_superblock
from bootkit.i18n import tr
from bootkit.system.makefs import EXT4_FEATURES
from bootkit.system.run import LONG, run
from bootkit.units import MIB, format_size

LUKS_MAGIC = b"LUKS\xba\xbe"
LUKS_HEADER = 8 * MIB
"""What cryptsetup puts before the data when it encrypts in place: half of ``--reduce-device-size``."""
_ARGON2 = ("--pbkdf-memory", "131072", "--pbkdf-parallel", "4", "--pbkdf-force-iterations", "4")
"""Twice what RFC 9106 recommends where memory is scarce. cryptsetup would measure this computer and take up to 1 GiB, and a
small one has to open it in its initrd."""
_WRONG_PASSPHRASE = 2
_MENDED, _DAMAGED = 1, 4
_MINIMUM = re.compile(r"smaller than minimum \((\d+)\)")


def make_ext4(
    path: Path,
    size: int,
    *,
    label: str,
    owner: tuple[int, int] = (0, 0),
    content: Path | None = None,
    folders: Sequence[str] = (),
) -> None:
    """An ext4 of ``size`` bytes in a new file with holes.

    ``content`` is a folder whose files go in, ``folders`` are names of empty ones in its top that belong to root.
    """
    with path.open("xb") as fh:
        fh.truncate(size)
    argv: list[str | Path] = [
        "mke2fs", "-q", "-F", "-t", "ext4", "-m", "0",
        "-O", EXT4_FEATURES,
        "-L", label[:16],
        "-E", f"root_owner={owner[0]}:{owner[1]},lazy_itable_init=0,lazy_journal_init=0,nodiscard",
    ]  # fmt: skip
    if content is not None:
        argv += ["-d", content]
    run([*argv, path], timeout=LONG)
    for folder in folders:
        run(["debugfs", "-w", "-R", f"mkdir {folder}", path])


def is_encrypted(head: bytes) -> bool:
    return head.startswith(LUKS_MAGIC)


def encrypt(path: Path, passphrase: bytes, *, label: str) -> None:
    """Put LUKS2 around a file system, in place; the file grows by :data:`LUKS_HEADER`."""
    size = path.stat().st_size
    os.truncate(path, size + 2 * LUKS_HEADER)
    argv = [
        "cryptsetup", "reencrypt", "--encrypt", "--type", "luks2", "--batch-mode",
        "--disable-locks", "--force-offline-reencrypt",
        "--reduce-device-size", str(2 * LUKS_HEADER),
        "--cipher", "aes-xts-plain64", "--key-size", "512",
        "--pbkdf", "argon2id", *_ARGON2,
        "--label", label[:48],
        "--key-file", "-",
    ]  # fmt: skip
    run([*argv, path], stdin=passphrase, timeout=LONG)
    os.truncate(path, size + LUKS_HEADER)


def decrypt(path: Path, passphrase: bytes, header: Path) -> None:
    """Take LUKS2 away, in place; ``header`` is a new file for what was the header.

    Raises:
        BootkitError: the passphrase is another one.
    """
    argv = ["cryptsetup", "reencrypt", "--decrypt", "--batch-mode", "--disable-locks", "--force-offline-reencrypt"]
    try:
        run([*argv, "--header", header, "--key-file", "-", path], stdin=passphrase, timeout=LONG)
    except CommandFailed as error:
        if error.returncode == _WRONG_PASSPHRASE:
            raise BootkitError(tr("the passphrase does not open it")) from error
        raise
    header.unlink(missing_ok=True)
    with path.open("rb") as fh:
        size = read_superblock(fh).size
    os.truncate(path, size)


def check_ext4(path: Path, *, repair: bool) -> tuple[bool, str]:
    """Whether it is sound (now, with ``repair``), and what e2fsck said.

    Raises:
        BootkitError: it is beyond repair.
    """
    statuses = range(_DAMAGED + 1) if not repair else range(_DAMAGED)
    try:
        said = (
            run(["e2fsck", "-f", "-y" if repair else "-n", path], ok=statuses, timeout=LONG)
            .decode(errors="replace")
            .strip()
        )
    except CommandFailed as error:
        raise BootkitError(
            tr("e2fsck cannot mend it: {message}", message=error.message),
            hint=tr("a backup helps: bootkit home restore"),
        ) from error
    try:
        run(["e2fsck", "-f", "-n", path], timeout=LONG)
    except CommandFailed:
        return False, said
    return True, said


def _needed(path: Path, error: CommandFailed) -> str:
    """What resize2fs said, its blocks as bytes."""
    last = (error.stderr.strip().splitlines() or [error.message])[-1]
    blocks = _MINIMUM.search(last)
    if blocks is None:
        return last
    with path.open("rb") as fh:
        return f"the least that resize2fs makes of it is {format_size(int(blocks[1]) * read_superblock(fh).block_size)}"


def resize_ext4(path: Path, size: int) -> None:
    """Make file system and file larger or smaller; what is in it stays.

    Raises:
        BootkitError: it is damaged, or what is in it needs more.
    """
    sound, _ = check_ext4(path, repair=False)
    if not sound:
        raise BootkitError(tr("its file system is damaged"), hint=tr("mend it first: bootkit home check NAME --repair"))
    if size > path.stat().st_size:
        os.truncate(path, size)
    try:
        run(["resize2fs", path, f"{size // 1024}K"], timeout=LONG)
    except CommandFailed as error:
        raise BootkitError(tr("it cannot be made that small: {needed}", needed=_needed(path, error))) from error
    os.truncate(path, size)
