"""LUKS2 around a file system in a file, without root: no device mapper, no loop device.

cryptsetup encrypts and decrypts a file in place with its own cipher code. Seen with cryptsetup 2.6.1 (2023): as an ordinary user
it needs ``--disable-locks``, and for a file ``--force-offline-reencrypt``. It takes every byte for data: an empty home of 1 GiB
took three times as long to make as to encrypt, because all of that was read and written four times. So homes are sealed: the
header is cryptsetup's, and only what the file system uses is encrypted.
"""

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from bootkit.errors import BootkitError, CommandFailed
from bootkit.formats.ext4 import read_superblock
from bootkit.formats.reader import read_at
from bootkit.i18n import tr
from bootkit.system.fsimage import used_parts
from bootkit.system.run import LONG, run
from bootkit.system.volume import parts_in_chunks
from bootkit.system.xts import KEY_SIZE, SECTOR, Xts
from bootkit.units import MIB

LUKS_HEADER = 8 * MIB
"""What cryptsetup puts before the data when it encrypts in place: half of ``--reduce-device-size``."""
_ARGON2 = ("--pbkdf-memory", "131072", "--pbkdf-parallel", "4", "--pbkdf-force-iterations", "4")
"""Twice what RFC 9106 recommends where memory is scarce. cryptsetup would measure this computer and take up to 1 GiB, and a
small one has to open it in its initrd."""
_WRONG_PASSPHRASE = 2


def encrypt(path: Path, passphrase: bytes, *, label: str) -> None:
    """Put LUKS2 around a file system, in place and all of it; the file grows by :data:`LUKS_HEADER`."""
    size = path.stat().st_size
    os.truncate(path, size + 2 * LUKS_HEADER)
    in_place = ("--encrypt", "--force-offline-reencrypt", "--reduce-device-size", str(2 * LUKS_HEADER))
    run(["cryptsetup", "reencrypt", *in_place, *_luks(label), path], stdin=passphrase, timeout=LONG)
    os.truncate(path, size + LUKS_HEADER)


def seal(plain: Path, sealed: Path, passphrase: bytes, *, label: str) -> None:
    """LUKS2 in the empty file ``sealed`` around the ext4 in ``plain``, which is cut off meanwhile and ends empty.

    What the file system does not use is a hole, or what lay there before: nobody can read it, but it shows how much is used.
    It reads as noise, which no file system minds in a block that it has not written.
    """
    size = plain.stat().st_size
    parts = tuple(parts_in_chunks(used_parts(plain)))
    key = os.urandom(KEY_SIZE)
    os.truncate(sealed, size + LUKS_HEADER)
    with _in_memory(key) as key_file:
        made = ("--offset", str(LUKS_HEADER // SECTOR), "--sector-size", str(SECTOR), "--volume-key-file", key_file)
        run(["cryptsetup", "luksFormat", *made, *_luks(label), sealed], stdin=passphrase)
    # from the end: what is done is given back, so that both take no more room than one
    with plain.open("r+b") as source, sealed.open("r+b") as target, Xts(key) as cipher:
        for at, length in reversed(parts):
            content = read_at(source, at, length)
            os.pwrite(target.fileno(), cipher.encrypted(content, at // SECTOR), LUKS_HEADER + at)
            source.truncate(at)


def _luks(label: str) -> tuple[str, ...]:
    return (
        "--type", "luks2", "--batch-mode", "--disable-locks",
        "--cipher", "aes-xts-plain64", "--key-size", str(8 * KEY_SIZE),
        "--pbkdf", "argon2id", *_ARGON2,
        "--label", label[:48],
        "--key-file", "-",
    )  # fmt: skip


@contextmanager
def _in_memory(content: bytes) -> Generator[Path]:
    """A file in memory for a program that we start."""
    descriptor = os.memfd_create("bootkit")
    try:
        os.write(descriptor, content)
        yield Path(f"/proc/{os.getpid()}/fd/{descriptor}")
    finally:
        os.close(descriptor)


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
