"""``disk create``: what was a live system yesterday is an installed one in a file today."""

import re
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from bootkit.app.stick.recognition import answered, with_insides
from bootkit.errors import BootkitError, UsageError
from bootkit.i18n import tr
from bootkit.model.catalog import ImageItem
from bootkit.model.iso import IsoFacts
from bootkit.plan.wanted_files import root_images
from bootkit.probe.image import ImageView, open_image
from bootkit.system.changes import Watcher
from bootkit.system.makedisk import NewSystem, make_disk
from bootkit.system.run import run
from bootkit.system.volume import chunks_of
from bootkit.system.volumes.raw import scratch
from bootkit.units import MIB, format_size
from bootkit.values import dataclass

_NAME = re.compile(r"[a-z_][a-z0-9_-]{0,30}")
_HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,62}")
_LEAST = 64 * MIB
_LOCAL = {"initramfs-tools": ("boot=local",), "dracut": ()}
"""Kernel words by which an initrd of a live system mounts a root on a disk, by who made it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskWish:
    """What the user asked for."""

    name: str
    iso: Path
    size: int
    user: str
    password: Callable[[], bytes]
    """Asked for when all else is known to be possible."""


@contextmanager
def created_disk(wish: DiskWish, watcher: Watcher) -> Generator[Path]:
    """A raw disk with what the live system of an ISO file holds, installed; gone when the block ends.

    Raises:
        BootkitError: the image is none whose root and initrd can be taken, or its root does not fit.
    """
    _require(wish)
    with open_image(wish.iso) as view, scratch() as work:
        item = ImageItem(path=f"/{wish.iso.name}", size=wish.iso.stat().st_size, mtime_ns=0)
        item = with_insides(answered(item, view), view)
        root, version, words = _sources(item, view, wish.iso.name)
        assert item.detection is not None  # or there were no sources
        digest = _digest(wish.password())
        first = item.detection.entries[0]
        squashfs = work / "root.squashfs"
        watcher.begin("taking the root out", root, view.file_size(root))
        _copy(view, (root,), squashfs, watcher)
        kernel, initrd = work / "kernel", work / "initrd"
        _copy(view, (first.kernel,), kernel, Watcher())
        _copy(view, first.initrds, initrd, Watcher())
        watcher.begin("making a disk of it", wish.name, wish.size)
        new = NewSystem(
            host=wish.name,
            user=wish.user,
            digest=digest,
            version=version,
            kernel=kernel,
            initrd=initrd,
            words=words,
            size=wish.size,
        )
        disk = make_disk(squashfs, new, work)
        watcher.end()
        yield disk


def _require(wish: DiskWish) -> None:
    if not _HOST.fullmatch(wish.name):
        raise UsageError(
            tr("{name!r} is no host name, which the system is called by, too", name=wish.name),
            hint=tr("letters, digits and -"),
        )
    if not _NAME.fullmatch(wish.user) or wish.user == "root":
        raise UsageError(tr("{user!r} is no name for a user", user=wish.user), hint="--user anna")
    if wish.size < _LEAST:
        raise UsageError(tr("{size} is too small for a system", size=format_size(wish.size)), hint="--size 20G")


def _sources(item: ImageItem, view: ImageView, name: str) -> tuple[str, str, tuple[str, ...]]:
    """Path of the root in the image, version of the kernel, and words for a root on a disk.

    Raises:
        BootkitError: they are not to be had.
    """
    detection, facts = item.detection, item.facts
    if detection is None or facts is None or not detection.entries or not detection.entries[0].initrds:
        raise BootkitError(tr("{name} is no live system that is known", name=name), hint=f"bootkit explain {name}")
    roots = root_images(view, detection)
    root = roots[0] if roots else ""
    first = facts.roots.get(root)
    if first is None or first.filesystem != "squashfs" or first.inner:
        what = (first.inner or first.filesystem) if first is not None else ""
        what = what or tr("of no known kind")
        raise BootkitError(
            tr("the root of {name} is {what}: only one in a squashfs can be taken", name=name, what=what),
            hint=tr("install it as usual"),
        )
    if len(roots) > 1:
        raise BootkitError(
            tr(
                "{name} has its root in layers ({layers})",
                name=name,
                layers=", ".join(path.rpartition("/")[2] for path in roots),
            ),
            hint=tr("only one that is whole can be taken: install it as usual"),
        )
    maker, versions = _initrd_of(facts, detection.entries[0].initrds)
    if maker not in _LOCAL:
        raise BootkitError(
            tr("the initrd of {name} is made by {maker}", name=name, maker=maker or tr("nobody known")),
            hint=tr("only initramfs-tools and dracut are known"),
        )
    version = next((one for one in versions if one in first.kernels), "")
    if not version:
        raise BootkitError(
            tr("the root of {name} has no modules for its kernel", name=name), hint=tr("install it as usual")
        )
    return root, version, _LOCAL[maker]


def _initrd_of(facts: IsoFacts, initrds: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    known = [facts.initrds[path] for path in initrds if path in facts.initrds]
    main = next((one for one in known if one.maker), None)
    return (main.maker, tuple(main.kernels)) if main is not None else ("", ())


def _copy(view: ImageView, paths: tuple[str, ...], target: Path, watcher: Watcher) -> None:
    """Files of the image one behind the other."""
    with target.open("xb") as out:
        for path in paths:
            for chunk in chunks_of(view.open(path), watcher.progress):
                out.write(chunk)
            out.write(bytes(-out.tell() % 4))


def _digest(password: bytes) -> str:
    return run(["openssl", "passwd", "-6", "-stdin"], stdin=password + b"\n").decode().strip()
