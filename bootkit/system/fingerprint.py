"""What an answer depends on besides what it is about: this program and its plug-ins."""

import hashlib
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from zipimport import zipimporter

import bootkit
from bootkit.detect.registry import plugin_points

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

STORED = "fingerprint"
"""The member of the program's archive that holds its fingerprint."""
_DERIVED = "__pycache__"


@cache
def program_fingerprint() -> str:
    """A digest of all files of the program and of its plug-ins, in hex. It is worked out once in a process.

    An answer that was kept under another fingerprint is worked out again, from the recorded facts where they suffice.
    Every file counts, whatever it is for: a list of those that matter would be wrong one day. Their content is read, not
    their times: it takes 10 ms, is the same on two computers that take turns with a stick, and differs where a package
    manager gives all files one time.
    """
    return _digest((("bootkit", own_fingerprint().encode()), *_of_plugins()))


@cache
def own_fingerprint() -> str:
    """The same of the program alone; an archive has it in a member, because to unpack all the others takes longer than most commands."""
    loader = getattr(bootkit, "__loader__", None)
    if isinstance(loader, zipimporter):
        return loader.get_data(STORED).decode()
    return _digest(members(files("bootkit")))


def _digest(contents: Iterable[tuple[str, bytes]]) -> str:
    digest = hashlib.sha256()
    for path, content in contents:
        digest.update(f"{path}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()[:32]


def members(folder: Traversable, prefix: str = "") -> Iterator[tuple[str, bytes]]:
    """All files below a folder with their paths from there, in order; also where that is a zip archive."""
    for member in sorted(folder.iterdir(), key=lambda one: one.name):
        path = f"{prefix}/{member.name}"
        if member.is_file():
            yield path, member.read_bytes()
        elif member.name != _DERIVED:
            yield from members(member, path)


def _of_plugins() -> Iterator[tuple[str, bytes]]:
    for point in plugin_points():
        version = f"{point.dist.name} {point.dist.version}" if point.dist else ""
        yield f"{point.name}={point.value} {version}", b""
        yield from _sources(point)


def _sources(point: "EntryPoint") -> Iterator[tuple[str, bytes]]:
    """The files of the top-level package that a plug-in names; of one in a zip archive, its version says it all."""
    spec = find_spec(point.module.partition(".")[0])
    if spec is None:
        return
    for place in map(Path, spec.submodule_search_locations or [spec.origin or ""]):
        if place.is_dir():
            yield from members(place, point.name)
        elif place.is_file():
            yield point.name, place.read_bytes()
