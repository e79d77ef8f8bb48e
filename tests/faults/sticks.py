"""Small sticks of every file system with something of the user's on them, and what can be told of such a stick."""

import hashlib
import io
import itertools
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import NamedTemporaryFile

import pytest

from bootkit.cli.guard import guarded
from bootkit.cli.program import run
from bootkit.errors import BootkitError
from bootkit.formats.partitions import read_partitions
from bootkit.model.filesystem import DataFs
from bootkit.model.places import HOME_FOLDER, MENU, STATE_FOLDER
from bootkit.system.sticks import open_stick
from bootkit.system.volume import FileStat, Volume, chunks_of, sha256_of
from bootkit.system.volumes.raw import RawVolume

MIB = 1 << 20
FILE_SYSTEMS = (DataFs.EXT4, DataFs.FAT32, DataFs.EXFAT)
_CHECKERS: Mapping[DataFs, tuple[str, ...]] = {
    DataFs.EXT4: ("e2fsck", "-f", "-n"),
    DataFs.FAT32: ("fsck.fat", "-n"),
    DataFs.EXFAT: ("fsck.exfat", "-n"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    status: int
    text: str


@dataclass(slots=True)
class Stick:
    """What a stick is made to say."""

    files: dict[str, str] = field(default_factory=dict[str, str])
    """SHA-256 by path, hidden files too."""
    problem: str = ""
    """Why it could not be read."""


def bootkit(*words: str | Path) -> Said:
    """The command line in this process, without a terminal; homes may be small, as each of them is read at every point."""
    stdin, sys.stdin = sys.stdin, io.StringIO()
    said = io.StringIO()
    try:
        with redirect_stdout(said), redirect_stderr(said), pytest.MonkeyPatch.context() as patch:
            patch.setattr("bootkit.app.verbs.home.SMALLEST", 8 * MIB)
            status = guarded(lambda: run([os.fspath(word) for word in words]))
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    finally:
        sys.stdin = stdin
    return Said(status=status, text=said.getvalue())


def read_stick(image: Path) -> Stick:
    try:
        with open_stick(image) as stick:
            return Stick(files=dict(_files(stick.volume, "")))
    except BootkitError as error:
        return Stick(problem=error.message)


def file_system_problem(image: Path, data_fs: DataFs, work: Path) -> str:
    """What the file system's own checker finds; empty if nothing."""
    part = work / "partition"
    with image.open("rb") as fh:
        partition = min(read_partitions(fh).partitions, key=lambda row: row.number)
    copy_data(image, partition.start, partition.size, part)
    done = subprocess.run([*_CHECKERS[data_fs], part], capture_output=True, text=True, check=False, timeout=60)
    return "" if done.returncode == 0 else (done.stdout + done.stderr).strip()


def menu_problem(image: Path, work: Path) -> str:
    """What GRUB's own parser finds in the menu; empty if nothing."""
    with open_stick(image) as stick:
        if stick.volume.stat(MENU) is None:
            return "there is no menu"
        with stick.volume.open(MENU) as file:
            (work / "grub.cfg").write_bytes(file.read())
    done = subprocess.run(["grub-script-check", work / "grub.cfg"], capture_output=True, text=True, check=False)
    return done.stderr.strip() if done.returncode else ""


def grub_problem(image: Path, known: Mapping[str, set[str]]) -> str:
    """What GRUB does not find by its own drivers on the stick as it is: neither the old content of a file nor the new one."""
    with image.open("rb") as fh:
        number = min(row.number for row in read_partitions(fh).partitions)
    for path, allowed in known.items():
        if path.startswith((HOME_FOLDER, STATE_FOLDER)):
            continue  # the boot menu reads none of these
        argv: list[str | Path] = ["grub-fstest", image, "cat", f"(loop0,gpt{number}){path}"]
        done = subprocess.run(argv, capture_output=True, check=False, timeout=60)
        found = hashlib.sha256(done.stdout).hexdigest() if done.returncode == 0 else ""
        if found not in allowed:
            return f"{path}: {done.stderr.decode(errors='replace').strip() or 'another content'}"
    return ""


def fill(image: Path) -> None:
    """Until not one file more has room, as a program does that leaves no reserve."""
    with (
        open_stick(image, writing=True) as stick,
        NamedTemporaryFile() as filler,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(RawVolume, "free", _boundless)
        for size in (1 << power for power in range(27, 11, -1)):
            filler.truncate(size)
            with suppress(BootkitError):
                for number in itertools.count():
                    stick.volume.copy_in(Path(filler.name), f"/filler/{size}-{number}", lambda _: None)


def _boundless(_: object) -> int:
    return 1 << 60


def copy_data(source: Path, offset: int, size: int, target: Path) -> None:
    """Part of a file with holes, as a file with holes."""
    target.unlink(missing_ok=True)
    with source.open("rb") as reader, target.open("wb") as writer:
        os.truncate(writer.fileno(), size)
        at = offset
        while at < offset + size:
            try:
                start = os.lseek(reader.fileno(), at, os.SEEK_DATA)
            except OSError:
                return
            at = min(os.lseek(reader.fileno(), start, os.SEEK_HOLE), offset + size)
            while start < at:
                chunk = os.pread(reader.fileno(), min(MIB, at - start), start)
                start += os.pwrite(writer.fileno(), chunk, start - offset)


def _files(volume: Volume, folder: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    members: tuple[FileStat, ...] = volume.listdir(folder or "/")
    for member in members:
        path = f"{folder}/{member.name}"
        if member.is_dir:
            found += _files(volume, path) if member.name != "lost+found" else []
        else:
            with volume.open(path) as file:
                found.append((path, sha256_of(chunks_of(file, lambda _: None))))
    return found
