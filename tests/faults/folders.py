"""Commands on a stick that is mounted, whose kernel fails at one call, or which are killed there.

The kernel keeps the order of what it writes, so that only what the commands do about its answers is at stake: a plain folder
stands for the mount.
"""

import errno
import io
import os
import shutil
import subprocess
import traceback
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bootkit.model.places import HOME_FOLDER, IMAGE_FOLDER, STATE_FOLDER
from bootkit.system.sticks import open_stick
from bootkit.system.volume import chunks_of, walk
from bootkit.system.volumes import folder as folder_volume
from tests.faults.cases import Case, Outcome, is_done, known_files, wrong
from tests.faults.sticks import Said, bootkit, menu_problem, read_stick

KINDS = {"killed": 0, "EIO": errno.EIO, "ENOSPC": errno.ENOSPC, "EROFS": errno.EROFS}
_GROWING = ("open", "write", "mkdir", "posix_fallocate")
"""What fails where there is no room."""


class KilledError(BaseException):
    """The process is no more: none of its calls does anything."""


@dataclass(slots=True, kw_only=True)
class Fault:
    """The call of that number fails, and those behind it as the kind demands."""

    folder: Path
    kind: str = ""
    number: int = -1
    calls: int = 0

    def met(self, name: str) -> None:
        self.calls += 1
        if not self.kind or self.calls <= self.number:
            return
        match self.kind:
            case "killed":
                raise KilledError
            case "EIO" if self.calls > self.number + 1:
                return
            case "ENOSPC" if name not in _GROWING:
                return
            case _:
                number = KINDS[self.kind]
                raise OSError(number, os.strerror(number))

    def concerns(self, place: int | None) -> bool:
        """Whether a descriptor is one of the stick's."""
        return place is not None and Path(f"/proc/self/fd/{place}").readlink().is_relative_to(self.folder)


@contextmanager
def failing(fault: Fault) -> Generator[None]:
    """Let this process meet the fault when it changes the stick."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("rename", "unlink", "mkdir"):
            patch.setattr(os, name, _watched(fault, name, _folder_of))
        for name in ("write", "fsync", "ftruncate", "posix_fallocate"):
            patch.setattr(os, name, _watched(fault, name, _descriptor))
        patch.setattr(os, "open", _watched(fault, "open", _folder_of_new))
        patch.setattr(folder_volume, "open", partial(_Writer, fault), raising=False)
        yield


class _Writer(io.FileIO):
    """What :func:`open` gives, which writes by no function of :mod:`os`."""

    def __init__(self, fault: Fault, descriptor: int, mode: str) -> None:
        super().__init__(descriptor, mode)
        self._fault = fault

    def write(self, data: Any, /) -> int:
        if self._fault.concerns(self.fileno()):
            self._fault.met("write")
        return super().write(data)


def _watched(fault: Fault, name: str, place: Callable[..., int | None]) -> Callable[..., Any]:
    real: Callable[..., Any] = getattr(os, name)

    def called(*words: Any, **more: Any) -> Any:
        if fault.concerns(place(*words, **more)):
            fault.met(name)
        return real(*words, **more)

    return called


def _descriptor(descriptor: int, *_: object) -> int:
    return descriptor


def _folder_of(*_: object, dir_fd: int | None = None, src_dir_fd: int | None = None, **_more: object) -> int | None:
    return src_dir_fd if dir_fd is None else dir_fd


def _folder_of_new(_path: object, flags: int, *_: object, dir_fd: int | None = None, **_more: object) -> int | None:
    return dir_fd if flags & os.O_CREAT else None


def make_folder(image: Path, folder: Path) -> Path:
    """The files of a stick in a folder."""
    with open_stick(image) as stick:
        for path, _ in walk(stick.volume, "/", hidden=True):
            target = folder / path.lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            with stick.volume.open(path) as reader, target.open("wb") as writer:
                for chunk in chunks_of(reader, lambda _: None):
                    writer.write(chunk)
    return folder


def interrupt_folder(case: Case, stick: Path, things: Path, work: Path, *, each: int) -> Outcome:
    """Try ``each`` calls of every kind of fault, at most."""
    before, after, now = work / "before", work / "after", work / "now"
    _copy(stick, before)
    case.before(before, things)
    _copy(before, after)
    count = Fault(folder=after)
    with failing(count):
        said = bootkit(*case.words(after, things))
    assert said.status == 0, said.text
    outcome = Outcome(case=case.name, file_system="mounted")
    known = {path: found for path, found in known_files(before, after).items() if not path.startswith(STATE_FOLDER)}
    images = {path: digest for path, digest in read_stick(after).files.items() if path.startswith(IMAGE_FOLDER)}
    for kind in KINDS:
        for number in sorted({round(step * (count.calls - 1) / each) for step in range(each + 1)}):
            _copy(before, now)
            outcome.points += 1
            fault = Fault(folder=now, kind=kind, number=number)
            _examine(case, fault, outcome, known, images, things, work)
    return outcome


def _examine(
    case: Case,
    fault: Fault,
    outcome: Outcome,
    known: dict[str, set[str]],
    wanted: dict[str, str],
    things: Path,
    work: Path,
) -> None:
    name, now = f"mounted {case.name} {fault.kind}{fault.number}", fault.folder
    said = Said(status=1, text="killed")
    try:
        with failing(fault):
            said = bootkit(*case.words(now, things))
    except KilledError:
        pass
    except Exception:
        outcome.stuck.append(f"{name}: {traceback.format_exc(limit=-3)}")
    files = {path: digest for path, digest in read_stick(now).files.items() if not path.startswith(STATE_FOLDER)}
    outcome.lost += [f"{name}: {path}" for path in wrong(_without_new_homes(files, known, now), known)]
    if said.status == 0 and any(files.get(path) != digest for path, digest in wanted.items()):
        outcome.lost.append(f"{name}: it says that all is well: {said.text}")
    if problem := menu_problem(now, work):
        outcome.menus.append(f"{name}: {problem}")
    again = bootkit(*case.words(now, things))
    if again.status and not is_done(again.text):
        outcome.stuck.append(f"{name}: again: {again.text}")
    done = bootkit("generate", "--stick", now)
    if done.status or menu_problem(now, work):
        outcome.stuck.append(f"{name}: generate: {done.text}")
    outcome.left += [f"{name}: {path}" for path in read_stick(now).files if path.endswith(".part")]


def _without_new_homes(files: dict[str, str], known: dict[str, set[str]], folder: Path) -> dict[str, str]:
    """The files, with a home that was made or changed taken for a known one where it is whole: no two are the same."""
    told = dict(files)
    for path, digest in files.items():
        if path.startswith(f"{HOME_FOLDER}/") and path.endswith(".home") and digest not in known.get(path, ()):
            done = subprocess.run(["e2fsck", "-fn", folder / path.lstrip("/")], capture_output=True, check=False)
            if done.returncode == 0:
                told[path] = max(known.get(path, {""}))
    return told


def _copy(stick: Path, folder: Path) -> None:
    """The same files with the same times: a record says of which time its image is."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(stick, folder)
