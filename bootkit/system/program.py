"""The running program as one file, for sticks that carry it: an archive that any Python 3.11 or newer starts.

It is made of what is installed here, whichever way that came: bootkit's own files, and those of its libraries that are
Python and nothing else. What is compiled fits one version of Python and one kind of machine, and stays behind: a system
that has Python's module or the library itself reads Zstandard and lz4 all the same. The one on a stick has the byte code of
this Python beside the sources, which halves a start; another Python passes over it.

Source: PEP 441 for the form.
"""

import io
import marshal
import zipfile
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.machinery import SourceFileLoader
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from importlib.resources import files
from importlib.util import MAGIC_NUMBER, find_spec
from pathlib import Path
from types import CodeType
from zipimport import zipimporter

import bootkit
from bootkit.system.fingerprint import STORED, members, own_fingerprint

LIBRARIES = {
    "jinja2": "jinja2",
    "linkify-it-py": "linkify_it",
    "markdown-it-py": "markdown_it",
    "markupsafe": "markupsafe",
    "mdit-py-plugins": "mdit_py_plugins",
    "mdurl": "mdurl",
    "platformdirs": "platformdirs",
    "pygments": "pygments",
    "pyudev": "pyudev",
    "qemu.qmp": "qemu.qmp",
    "rich": "rich",
    "textual": "textual",
    "tomlkit": "tomlkit",
    "typing-extensions": "typing_extensions",
    "uc-micro-py": "uc_micro",
}
"""What bootkit and its libraries need, by the names under which it is installed, and those under which it is imported."""
COMPILED = ("backports.zstd", "lz4")
"""What stays behind."""
SIZE_LIMIT = 10 << 20
"""Bytes of the archive at most."""

_SPED_UP = ("bootkit", "jinja2", "markupsafe", "rich", "textual", "tomlkit")
"""What most commands import. With the byte code of all others an archive would be larger than it may be."""
_UNCHECKED = (1).to_bytes(4, "little") + bytes(8)
"""What follows the magic number in byte code that nobody compares with its source. Source: PEP 552."""
_LEFT_OUT = (".c", ".pyc", ".pyi", ".so")
_TIME = (1980, 1, 1, 0, 0, 0)
"""The first that the format knows: the same files give the same archive."""


@cache
def program_archive() -> bytes:
    """The archive; a program that runs out of one gives that one back. It takes a second, once in a process."""
    loader = getattr(bootkit, "__loader__", None)
    if isinstance(loader, zipimporter):
        return Path(loader.archive).read_bytes()
    return _packed(dict(_contents()))


@cache
def carried_archive() -> bytes:
    """The archive for a stick, with byte code. Where the program is installed, that lies ready, else it takes seconds."""
    if isinstance(getattr(bootkit, "__loader__", None), zipimporter):
        return program_archive()
    contents = dict(_contents())
    code = {
        f"{path}c": _byte_code(path, source)
        for path, source in contents.items()
        if path.endswith(".py") and path.partition("/")[0] in _SPED_UP
    }
    return _packed({**contents, **code})


def _byte_code(path: str, source: bytes) -> bytes:
    """A compiled module, under its path in the archive instead of that on this computer."""
    package = find_spec(path.partition("/")[0])
    file = Path(package.origin or "").parents[1] / path if package is not None else Path()
    if file.is_file() and file.read_bytes() == source:
        code = SourceFileLoader(path, str(file)).get_code(path)
        assert code is not None  # it has a source
        code = _moved(code, path)
    else:
        code = compile(source, path, "exec", dont_inherit=True)
    # version 2 has no references between equal things, which are others in each process
    return MAGIC_NUMBER + _UNCHECKED + marshal.dumps(code, 2)


def _moved(code: CodeType, path: str) -> CodeType:
    parts = tuple(_moved(one, path) if isinstance(one, CodeType) else one for one in code.co_consts)
    return code.replace(co_filename=path, co_consts=parts)


def _packed(contents: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO(b"#!/usr/bin/env python3\n")
    buffer.seek(0, io.SEEK_END)
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, content in sorted(contents.items()):
            info = zipfile.ZipInfo(path, _TIME)
            info.external_attr = 0o644 << 16
            archive.writestr(info, content, zipfile.ZIP_DEFLATED, compresslevel=6)
    return buffer.getvalue()


def start_script(name: str) -> bytes:
    """A script of :mod:`bootkit.carried`."""
    return files("bootkit.carried").joinpath(name).read_bytes()


def _contents() -> Iterator[tuple[str, bytes]]:
    yield "__main__.py", start_script("main.py")
    for path, content in members(files("bootkit")):
        yield f"bootkit{path}", content
    yield STORED, own_fingerprint().encode()
    yield from _papers("bootkit")
    for project, module in LIBRARIES.items():
        yield from _library(module)
        yield from _papers(project)


def _library(module: str) -> Iterator[tuple[str, bytes]]:
    """The files of a library; none where it is not installed, as what only some versions of another want."""
    spec = find_spec(module)
    if spec is None:
        return
    name = module.replace(".", "/")
    if not spec.submodule_search_locations:
        assert spec.origin is not None  # it is a file
        yield f"{name}.py", Path(spec.origin).read_bytes()
    for folder in spec.submodule_search_locations or ():
        for path, content in members(Path(folder)):
            if not path.endswith(_LEFT_OUT):
                yield f"{name}{path}", content


def _papers(project: str) -> Iterator[tuple[str, bytes]]:
    """Name, version and licences of a project, as far as they are installed."""
    try:
        found = distribution(project)
    except PackageNotFoundError:
        return
    folder = f"{project.replace('-', '_').replace('.', '_')}-{found.version}.dist-info"
    yield f"{folder}/METADATA", (found.read_text("METADATA") or found.read_text("PKG-INFO") or "").encode()
    yield from _licences(found, folder)


def _licences(found: Distribution, folder: str) -> Iterator[tuple[str, bytes]]:
    for file in found.files or ():
        inside = ".dist-info" in file.parts[0] and file.name.upper().startswith(
            ("LICEN", "COPYING", "AUTHORS", "NOTICE")
        )
        if inside and (path := Path(str(file.locate()))).is_file():
            yield f"{folder}/{'/'.join(file.parts[1:])}", path.read_bytes()
