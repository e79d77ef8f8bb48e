"""The command line in this process, as a script would call it."""

import io
import os
import signal
import struct
import subprocess
import sys
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pytest

from bootkit.cli.guard import guarded
from bootkit.cli.program import run
from tests.app.conftest import make_iso
from tests.documents import check_document

__all__ = ["make_iso"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


class Bootkit(Protocol):
    def __call__(self, *words: str | Path) -> Done: ...


@pytest.fixture
def bootkit(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> Generator[Bootkit]:
    """The command line in this process, without a terminal."""
    monkeypatch.setenv("XDG_STATE_HOME", os.fspath(tmp_path_factory.mktemp("state")))
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def call(*words: str | Path) -> Done:
        try:
            status = guarded(lambda: run([os.fspath(word) for word in words]))
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else 1
        said = capsys.readouterr()
        check_document([os.fspath(word) for word in words], said.out)
        return Done(returncode=status, stdout=said.out, stderr=said.err)

    yield call
    for number, handler in handlers.items():
        signal.signal(number, handler)


def make_appimage(folder: Path, tree: Path) -> Path:
    """An ELF header of 64 bytes with one section header behind it, the mark of type 2, and a squashfs behind that."""
    squashfs = folder / "app.squashfs"
    subprocess.run(["mksquashfs", tree, squashfs, "-quiet", "-all-root", "-noappend"], check=True, capture_output=True)
    head = b"\x7fELF\x02\x01\x01\x00AI\x02".ljust(16, b"\0")
    head += struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, 0, 0, 64, 0, 64, 0, 0, 64, 1, 0)
    appimage = folder / "Viewer-x86_64.AppImage"
    appimage.write_bytes(head + bytes(64) + squashfs.read_bytes())
    return appimage
