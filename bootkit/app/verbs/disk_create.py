"""``disk create``: what was a live system yesterday is an installed one in a file today."""

import re
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bootkit.app.stick.recognition import answered, with_insides
from bootkit.bootcfg.osrelease import parse_os_release
from bootkit.errors import BootkitError, UsageError
from bootkit.i18n import tr
from bootkit.model.catalog import ImageItem
from bootkit.model.filesystem import EXT4
from bootkit.model.initrd import RootFacts
from bootkit.model.iso import IsoFacts
from bootkit.plan.root_layers import root_layers
from bootkit.probe.image import ImageView, open_image
from bootkit.system.changes import Watcher
from bootkit.system.makedisk import NewSystem, make_disk, root_of
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
_FEDORA = {"fedora", "rhel", "centos"}
"""Systems whose kernels have loader entries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskWish:
    """What the user asked for."""

    name: str
    iso: Path
    size: int
    user: str
    password: Callable[[], bytes]
    """Asked for when all else is known to be possible."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sources:
    """What is taken out of an image."""

    layers: tuple[str, ...]
    """Paths of the images of its root, the lowest first."""
    inner: str
    """As :func:`bootkit.system.makedisk.root_of` takes it."""
    version: str
    """Of the kernel."""
    words: tuple[str, ...]
    has_entries: bool


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
        sources = _sources(item, view, wish.iso.name)
        assert item.detection is not None  # or there were no sources
        digest = _digest(wish.password())
        first = item.detection.entries[0]
        images: list[Path] = []
        for path in sources.layers:
            images.append(work / f"layer-{len(images)}")
            watcher.begin("taking the root out", path, view.file_size(path))
            _copy(view, (path,), images[-1], watcher)
        kernel, initrd = work / "kernel", work / "initrd"
        _copy(view, (first.kernel,), kernel, Watcher())
        _copy(view, first.initrds, initrd, Watcher())
        watcher.begin("making a disk of it", wish.name, wish.size)
        new = NewSystem(
            host=wish.name,
            user=wish.user,
            digest=digest,
            version=sources.version,
            kernel=kernel,
            initrd=initrd,
            words=sources.words,
            size=wish.size,
            has_entries=sources.has_entries,
        )
        disk = make_disk(root_of(images, sources.inner, work), new, work)
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


def _sources(item: ImageItem, view: ImageView, name: str) -> _Sources:
    """What is taken out of the image.

    Raises:
        BootkitError: it is not to be had.
    """
    detection, facts = item.detection, item.facts
    if detection is None or facts is None or not detection.entries or not detection.entries[0].initrds:
        raise BootkitError(tr("{name} is no live system that is known", name=name), hint=f"bootkit explain {name}")
    maker, versions = _initrd_of(facts, detection.entries[0].initrds)
    if maker not in _LOCAL:
        raise BootkitError(
            tr("the initrd of {name} is made by {maker}", name=name, maker=maker or tr("nobody known")),
            hint=tr("only those of initramfs-tools and dracut find a root on a disk: install it as usual"),
        )
    layers = root_layers(view, detection, facts.roots, versions)
    known = [facts.roots[path] for path in layers if path in facts.roots]
    _require_known(known, name, is_layered=len(layers) > 1)
    version = next((one for one in versions if any(one in root.kernels for root in known)), "")
    if not version:
        raise BootkitError(
            tr("the root of {name} has no modules for its kernel", name=name), hint=tr("install it as usual")
        )
    said = parse_os_release(next((root.os_release for root in reversed(known) if root.os_release), ""))
    return _Sources(
        layers=layers,
        inner="/" if known[0].filesystem == EXT4.name else known[0].inner,
        version=version,
        words=_LOCAL[maker],
        has_entries=not _FEDORA.isdisjoint((said.id, *said.id_like)),
    )


def _require_known(roots: Sequence[RootFacts], name: str, *, is_layered: bool) -> None:
    """Refuse a root of another kind than those that can be unpacked, and layers of which one holds an ext4."""
    kinds = {
        root.inner or root.filesystem for root in roots if is_layered and (root.inner or root.filesystem == EXT4.name)
    }
    kinds |= {tr("of no known kind") for root in roots if not root.filesystem}
    if not roots or kinds:
        what = ", ".join(sorted(kinds)) or tr("of no known kind")
        raise BootkitError(
            tr("the root of {name} is {what}: it cannot be taken", name=name, what=what), hint=tr("install it as usual")
        )


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
