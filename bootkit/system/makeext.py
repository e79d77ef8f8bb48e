"""Make an extension: one tar archive out of all sources, and a squashfs out of that.

The archive keeps what a folder of an ordinary user cannot: owners, setuid, capabilities. Nothing that comes out of a package
or an AppImage is started. Needs squashfs-tools 4.5 (2021), which reads archives.
"""

import os
import posixpath
import re
import stat
import tarfile
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, cast

from bootkit.errors import BootkitError, CommandFailed
from bootkit.formats.elf import elf_size
from bootkit.i18n import tr
from bootkit.plan.extension import Placed, placed
from bootkit.system.run import feed, run, which
from bootkit.system.volumes.raw import scratch

COMPRESSIONS = ("gzip", "xz", "zstd")
_CHUNK = 1 << 20
_SCRIPT_NEEDED = re.compile(rb"^\s*(?:adduser|addgroup|useradd|update-alternatives|dpkg-divert|setcap)\b", re.MULTILINE)


@dataclass(slots=True, kw_only=True)
class Collected:
    """What is being put together; the first of several files of one name stays."""

    archive: tarfile.TarFile
    seen: dict[str, bytes] = field(default_factory=dict[str, bytes])
    """Type of each member by its path."""
    warnings: list[str] = field(default_factory=list[str])

    def add(self, info: tarfile.TarInfo, path: str, content: BinaryIO | None) -> None:
        known = self.seen.get(path)
        if known is not None:
            if not (known == info.type == tarfile.DIRTYPE):
                self.warn(f"/{path} is there more than once: the first one is taken")
            return
        self._add_parents(path)
        info.name = path
        info.mtime = 0
        info.uname = info.gname = ""
        info.pax_headers = {key: value for key, value in info.pax_headers.items() if key.startswith("SCHILY.xattr.")}
        self.seen[path] = info.type
        self.archive.addfile(info, content)

    def add_text(self, path: str, text: str, *, mode: int = 0o644) -> None:
        info = tarfile.TarInfo()
        content = text.encode()
        info.size, info.mode = len(content), mode
        self.add(info, path, BytesIO(content))

    def warn(self, text: str) -> None:
        if text not in self.warnings:
            self.warnings.append(text)

    def _add_parents(self, path: str) -> None:
        parent = posixpath.dirname(path)
        if not parent or self.seen.get(parent) == tarfile.DIRTYPE:
            return
        if parent in self.seen:
            raise BootkitError(
                tr("/{parent} is a file in one source and a folder in another", parent=parent),
                hint=tr("make two extensions of them"),
            )
        info = tarfile.TarInfo()
        info.type, info.mode = tarfile.DIRTYPE, 0o755
        self.add(info, parent, None)


def make_extension(
    sources: Sequence[Path], output: Path, *, name: str, release: tuple[str, str] | None, compression: str
) -> tuple[str, ...]:
    """Write the squashfs ``output``; returns warnings.

    ``release`` is path and text of its extension-release, if it has to be written; else a source brings it.

    Raises:
        BootkitError: a source is nothing that an extension can be made of.
    """
    with scratch() as work:
        archive = work / "all.tar"
        with tarfile.open(archive, "w", format=tarfile.PAX_FORMAT) as tar:
            collected = Collected(archive=tar)
            if release is not None:
                collected.add_text(*release)
            for number, source in enumerate(sources):
                folder = work / str(number)
                folder.mkdir()
                _collect(source, collected, folder, name)
        if not any(kind != tarfile.DIRTYPE and path != (release or ("",))[0] for path, kind in collected.seen.items()):
            raise BootkitError(
                tr("there is no file in {sources} that an extension could carry", sources=", ".join(map(str, sources)))
            )
        part = output.with_name(f".{output.name}.part")
        try:
            _squash(archive, part, compression)
            part.replace(output)
        finally:
            part.unlink(missing_ok=True)
    return tuple(collected.warnings)


def is_appimage(head: bytes) -> bool:
    """Whether a file that begins so is an AppImage of type 2, as the AppImage specification marks it."""
    return head[:4] == b"\x7fELF" and head[8:11] == b"AI\x02"


def _squash(archive: Path, output: Path, compression: str) -> None:
    argv: list[str | Path] = [
        *_as_root(),
        "mksquashfs", "-", output, "-tar", "-quiet", "-no-progress", "-noappend",
        "-comp", compression, "-b", "131072",
        "-mkfs-time", "0", "-all-time", "0",
        "-root-mode", "0755", "-root-uid", "0", "-root-gid", "0",
    ]  # fmt: skip
    with archive.open("rb") as fh:
        feed(argv, iter(lambda: fh.read(_CHUNK), b""))


def _as_root() -> tuple[str, ...]:
    """Words that make a program believe it is root, where the kernel allows it.

    mksquashfs 4.5.1 gives the root of an archive to whoever calls it, whatever ``-root-uid`` says. That does no harm to an
    extension, but the same sources would not give the same bytes to everybody.
    """
    if os.geteuid() == 0 or which("unshare") is None:
        return ()
    try:
        run(["unshare", "-r", "true"])
    except CommandFailed:
        return ()
    return ("unshare", "-r")


def _collect(source: Path, collected: Collected, work: Path, name: str) -> None:
    if source.is_dir():
        _from_folder(source, collected)
        return
    try:
        with source.open("rb") as fh:
            head = fh.read(64)
    except OSError as error:
        raise BootkitError(f"{source}: {error.strerror}") from error
    if head.startswith(b"!<arch>\n"):
        _from_package(source, collected, work)
    elif is_appimage(head):
        _from_appimage(source, collected, work, name)
    else:
        _from_tarball(source, collected, work)


def _from_folder(folder: Path, collected: Collected, *, below: str = "") -> None:
    """Collect the members of a folder, all of them as root's: a user's number means nobody on a live system."""
    for path in _files_of(folder):
        status = path.lstat()
        inner = posixpath.join(below, path.relative_to(folder).as_posix())
        link = os.fspath(path.readlink()) if path.is_symlink() else ""
        place = _place(inner, link, collected)
        if not place.path:
            continue
        info = tarfile.TarInfo()
        info.mode = stat.S_IMODE(status.st_mode)
        if link:
            info.type, info.linkname, info.mode = tarfile.SYMTYPE, place.target, 0o777
            collected.add(info, place.path, None)
        elif stat.S_ISDIR(status.st_mode):
            info.type = tarfile.DIRTYPE
            collected.add(info, place.path, None)
        elif stat.S_ISREG(status.st_mode):
            info.size = status.st_size
            with path.open("rb") as fh:
                collected.add(info, place.path, fh)
        else:
            collected.warn(f"/{inner} is neither file, folder nor link: it is left out")


def _files_of(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        yield path
        if path.is_dir() and not path.is_symlink():
            yield from _files_of(path)


def _from_package(source: Path, collected: Collected, work: Path) -> None:
    tar = work / "data.tar"
    with tar.open("wb") as out:
        feed(["dpkg-deb", "--fsys-tarfile", source], (), stdout=out)
    _from_archive(tar, collected)
    run(["dpkg-deb", "--control", source, work / "control"])
    for script in ("preinst", "postinst"):
        path = work / "control" / script
        if path.is_file() and (found := _SCRIPT_NEEDED.search(path.read_bytes())):
            word = found[0].strip().decode()
            collected.warn(f"{source.name}: its {script} runs {word}, which nobody does on the live system")


def _from_tarball(source: Path, collected: Collected, work: Path) -> None:
    with source.open("rb") as fh:
        is_zstd = fh.read(4) == b"\x28\xb5\x2f\xfd"
    if is_zstd:
        with (work / "tar").open("wb") as out:
            feed(["zstd", "-dcq", source], (), stdout=out)
        source = work / "tar"
    _from_archive(source, collected)


def _from_archive(source: Path, collected: Collected) -> None:
    with _errors_of(source), tarfile.open(source, "r:*") as tar:
        for member in tar:
            place = _place(member.name, member.linkname if member.issym() else "", collected)
            if not place.path:
                continue
            if member.issym():
                member.linkname = place.target
            elif member.islnk():
                member.linkname = placed(member.linkname).path
                if member.linkname not in collected.seen:
                    collected.warn(f"/{place.path} is a hard link to what is not there: it is left out")
                    continue
            elif not (member.isdir() or member.isfile()):
                collected.warn(f"/{place.path} is a device or a pipe: it is left out")
                continue
            collected.add(
                member, place.path, cast("BinaryIO | None", tar.extractfile(member) if member.isfile() else None)
            )


@contextmanager
def _errors_of(source: Path) -> Generator[None]:
    try:
        yield
    except (tarfile.TarError, EOFError, OSError) as error:
        hint = tr("an extension is made of a folder, a tar archive, .deb packages or an AppImage")
        raise BootkitError(f"{source.name}: {error}", hint=hint) from error


def _place(path: str, link: str, collected: Collected) -> Placed:
    place = placed(path, link=link)
    top = path.removeprefix("./").strip("/").partition("/")
    if not place.path and top[1] and top[0] != "usr":
        collected.warn(f"/{top[0]} is of the running system: what is in it is left out")
    return place


def _from_appimage(source: Path, collected: Collected, work: Path, name: str) -> None:
    """The tree of the AppImage below /usr/lib, a starter in /usr/bin, and its entry for the desktop's menu."""
    tree = work / "tree"
    with source.open("rb") as fh:
        offset = elf_size(fh)
    run(["unsquashfs", "-quiet", "-no-progress", "-no-xattrs", "-offset", str(offset), "-dest", tree, source])
    home = f"usr/lib/appimages/{name}"
    if not (tree / "AppRun").exists():
        raise BootkitError(tr("{source} has no AppRun: it is no AppImage that can be started", source=source.name))
    _from_folder(tree, collected, below=home)
    collected.add_text(f"usr/bin/{name}", f'#!/bin/sh\nexec /{home}/AppRun "$@"\n', mode=0o755)
    entry = next(iter(sorted(tree.glob("*.desktop"))), None)
    if entry is not None and entry.resolve().is_relative_to(tree.resolve()):
        text = entry.read_text(errors="replace")
        lines = [
            f"Exec={name} %U" if line.startswith("Exec=") else line
            for line in text.splitlines()
            if not line.startswith("TryExec=")
        ]
        icon = next((line.partition("=")[2].strip() for line in lines if line.startswith("Icon=")), "")
        collected.add_text(f"usr/share/applications/{name}.desktop", "\n".join(lines) + "\n")
        _add_icon(tree, icon, collected)


def _add_icon(tree: Path, icon: str, collected: Collected) -> None:
    for suffix in (".svg", ".png", ".xpm"):
        path = tree / f"{Path(icon).name}{suffix}"
        if icon and path.is_file() and path.resolve().is_relative_to(tree.resolve()):
            info = tarfile.TarInfo()
            info.size, info.mode = path.stat().st_size, 0o644
            with path.open("rb") as fh:
                collected.add(info, f"usr/share/pixmaps/{path.name}", fh)
