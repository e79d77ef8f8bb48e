"""Whether an initrd sees a stick at all, and reads the image once it has it: drivers beside that of the stick's file system. Pure.

Nothing is said of an initrd that does not hold its kernel's whole list of what is built in, as far as no root has it either:
an installer may fetch its drivers from elsewhere, and a small system have them all inside.
"""

from collections.abc import Collection, Iterator
from dataclasses import replace
from functools import reduce

from bootkit.detect.registry import markers, stack_of, stacks
from bootkit.detect.roots import matches
from bootkit.model.boot import BootEntry, Detection
from bootkit.model.filesystem import ISO9660, UDF
from bootkit.model.initrd import (
    DECOMPRESSORS,
    OLD_USB_HOSTS,
    SD_CARDS,
    USB_DISKS,
    USB_HOSTS,
    InitrdFacts,
    KernelModules,
    RootFacts,
)
from bootkit.model.iso import FileKind, IsoFacts
from bootkit.values import dataclass

_OF_EROFS = {"lzma": "xz", "deflate": "gzip"}
"""How squashfs calls what EROFS calls otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lack:
    """What is missing in an initrd, and what follows."""

    reason: str
    """One sentence."""
    modules: tuple[str, ...] = ()
    """What would have to be inserted; of a tuple in front of it, all that is not there. Empty where no module helps."""


def kernels_of(facts: IsoFacts, initrd: InitrdFacts) -> tuple[KernelModules, ...]:
    """What the image's root file systems know of the kernels that an initrd is for."""
    roots = facts.roots.values()
    return tuple(kernel for root in roots for name, kernel in root.kernels.items() if name in initrd.kernels)


def with_kernel(initrd: InitrdFacts, facts: IsoFacts) -> InitrdFacts:
    """An initrd with what the roots know of its modules and it does not: what they depend on and ask for."""
    drivers, kernels = initrd.drivers, kernels_of(facts, initrd)
    if not kernels:
        return initrd
    for kernel in kernels:
        drivers = replace(
            drivers,
            depends={**kernel.depends, **drivers.depends},
            softdeps={**kernel.softdeps, **drivers.softdeps},
            charsets={**kernel.charsets, **drivers.charsets},
            unpacks={**kernel.unpacks, **drivers.unpacks},
            displays=drivers.displays if drivers.is_whole else kernel.displays,
        )
    return replace(initrd, drivers=drivers)


def loaded(entry: BootEntry, facts: IsoFacts) -> tuple[InitrdFacts, ...]:
    """The initrds of an entry as one, which the kernel makes of them, :func:`with_kernel`; none where none was read."""
    read = [with_kernel(facts.initrds[path], facts) for path in entry.initrds if path in facts.initrds]
    return (reduce(_together, read),) if read else ()


def _together(first: InitrdFacts, second: InitrdFacts) -> InitrdFacts:
    """An initrd with another unpacked over it."""
    return replace(
        first,
        size=first.size + second.size,
        unpacked=first.unpacked + second.unpacked,
        segments=(*first.segments, *second.segments),
        maker=first.maker or second.maker,
        maker_version=first.maker_version or second.maker_version,
        markers=_union(first.markers, second.markers),
        kernels=_union(first.kernels, second.kernels),
        drivers=_drivers_together(first.drivers, second.drivers),
        programs=_union(first.programs, second.programs),
        allowed=first.allowed if second.allowed is None else second.allowed,
        links={**first.links, **second.links},
        warnings=(*first.warnings, *second.warnings),
    )


def _drivers_together(first: KernelModules, second: KernelModules) -> KernelModules:
    return KernelModules(
        modules=_union(first.modules, second.modules),
        builtin=_known_union(first.builtin, second.builtin),
        depends={**first.depends, **second.depends},
        aliases={**first.aliases, **second.aliases},
        charsets={**first.charsets, **second.charsets},
        unpacks={**first.unpacks, **second.unpacks},
        softdeps={**first.softdeps, **second.softdeps},
        displays=_known_union(first.displays, second.displays),
        paths={**first.paths, **second.paths},
    )


def _union(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted({*first, *second}))


def _known_union(first: tuple[str, ...] | None, second: tuple[str, ...] | None) -> tuple[str, ...] | None:
    return second if first is None else first if second is None else _union(first, second)


def lacks(
    initrd: InitrdFacts, detection: Detection, entry: BootEntry, facts: IsoFacts, builtin: Collection[str]
) -> Iterator[Lack]:
    """What is missing, the first thing that goes wrong first; ``initrd`` is one :func:`with_kernel`."""
    if _is_of_no_stack(initrd, detection):
        yield Lack(reason=f"Its initrd was made without {detection.stack}: it looks for no image.")
    if not initrd.drivers.is_whole or not initrd.drivers.modules or initrd.warnings:
        return
    has = _Modules(initrd.drivers, builtin)
    yield from _of_the_stick(has)
    yield from has.one_of(("loop",), "Its initrd opens no ISO file: it has no loop")
    disc = UDF if facts.filesystem == UDF.name else ISO9660
    if facts.kind is FileKind.ISO:
        yield from has.one_of(disc.drivers, f"Its initrd cannot mount the image itself: it has no {disc.drivers[0]}")
    for path, root in _roots(detection, entry, facts):
        yield from _of_a_root(has, path, root)
    layers = stack_of(detection.stack).layers
    yield from has.one_of(layers, f"Its initrd cannot make the root writable: it has no {' or '.join(layers[:2])}")


def _is_of_no_stack(initrd: InitrdFacts, detection: Detection) -> bool:
    """Whether an initrd, of which all was seen, has no file by which any stack is known: one made for an installed system."""
    finder = stack_of(detection.stack).finder
    is_whole = bool(initrd.maker and initrd.drivers.modules and not initrd.warnings)
    if not is_whole or finder is None or finder.maker != initrd.maker:
        return False
    lists = {has for stack in stacks().values() if stack.finder for has, _part in stack.finder.parts}
    return not (markers().keys() - lists) & set(initrd.markers)


def slow_or_unseen(initrd: InitrdFacts, builtin: Collection[str]) -> Iterator[str]:
    """Sticks that an initrd does not see although it sees the usual ones; sentences."""
    has = _Modules(initrd.drivers, builtin)
    if not initrd.drivers.is_whole or not initrd.drivers.modules or initrd.warnings:
        return
    if not has.has("uas"):
        yield "A fast USB disk that speaks UAS is not seen: its initrd has no uas."
    if missing := [name for name in SD_CARDS if not has.has(name)]:
        yield f"A stick in an SD card slot is not seen: its initrd has no {' and no '.join(missing)}."


def _of_the_stick(has: "_Modules") -> Iterator[Lack]:
    old = " (it has one for the ports of before 2015)" if any(map(has.has, OLD_USB_HOSTS)) else ""
    yield from has.one_of(
        USB_HOSTS, f"Its initrd sees no USB stick: it has no driver for USB ports, {USB_HOSTS[0]}{old}"
    )
    for module in USB_DISKS:
        yield from has.one_of((module,), f"Its initrd sees no USB stick: it has no {module}")


def _roots(detection: Detection, entry: BootEntry, facts: IsoFacts) -> Iterator[tuple[str, RootFacts]]:
    """The root images that the stack itself mounts."""
    patterns = stack_of(detection.stack).roots
    yield from ((path, root) for path, root in facts.roots.items() if matches(path, patterns, entry.cmdline))


def _of_a_root(has: "_Modules", path: str, root: RootFacts) -> Iterator[Lack]:
    if not root.filesystem or root.warnings:
        return
    reason = f"Its initrd cannot open {path}: it has no {root.filesystem}"
    yield from has.one_of((root.filesystem,), reason)
    if root.inner:
        yield from has.one_of(("ext4",), f"Its initrd cannot open {root.inner} in {path}: it has no ext4")
    for name in filter(None, root.compression.split("+")):
        compression = _OF_EROFS.get(name, name)
        if compression in DECOMPRESSORS:
            yield from has.unpacks(root.filesystem, compression, f"Its initrd cannot open {path}: {root.filesystem}")


class _Modules:
    """What an initrd has of modules, with what is part of its kernel."""

    def __init__(self, drivers: KernelModules, builtin: Collection[str]) -> None:
        self._drivers = drivers
        self._builtin = {*builtin, *(drivers.builtin or ())}

    def has(self, module: str) -> bool:
        return module in self._builtin or module in self._drivers.modules

    def one_of(self, modules: tuple[str, ...], without: str) -> Iterator[Lack]:
        """Nothing if one of ``modules`` is there with all that it depends on; ``without`` is a sentence without its full stop."""
        if not modules or any(module in self._builtin for module in modules):
            return
        there = [module for module in modules if module in self._drivers.modules]
        missing = [tuple(name for name in self._drivers.depends.get(one, ()) if not self.has(name)) for one in there]
        if not there:
            yield Lack(reason=f"{without}.", modules=modules[:1])
        elif all(missing):
            names = " and no ".join(missing[0])
            yield Lack(reason=f"{without} that works: {there[0]} wants {names}.", modules=(*missing[0], there[0]))

    def unpacks(self, driver: str, compression: str, who: str) -> Iterator[Lack]:
        """Nothing if ``driver``, where it is there, can unpack ``compression``, as far as that can be told."""
        module = DECOMPRESSORS[compression]
        if driver in self._builtin:
            if module not in self._builtin:
                yield Lack(reason=f"{who} of its kernel does not unpack {compression}.")
        elif driver in self._drivers.unpacks and compression not in self._drivers.unpacks[driver]:
            yield Lack(reason=f"{who} of its kernel does not unpack {compression}.")
        elif driver in self._drivers.unpacks and not self.has(module):
            yield Lack(reason=f"{who} wants {module} to unpack {compression}, which is not there.", modules=(module,))
