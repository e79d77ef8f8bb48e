"""What bootkit does itself about an initrd that does not find its ISO file on the stick's file system. Pure.

The disk of an installed system is written to. A file system without a journal is not mounted for that: what was cut off in
the middle could not be told from damage, so there the file is mapped.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

from bootkit.detect.registry import stack_of
from bootkit.model.boot import BootEntry, Detection
from bootkit.model.check import Cure
from bootkit.model.filesystem import charsets_of, drivers_of, file_system, filesystem_title
from bootkit.model.initrd import CHECKSUMS, InitrdFacts, KernelModules, RootFacts
from bootkit.model.iso import IsoFacts
from bootkit.plan.check_drivers import Lack, lacks, loaded
from bootkit.plan.check_file import LOOP, builtin_drivers, file_answer, lacks_loop

Judge = Callable[[Detection, BootEntry, IsoFacts, str], Cure | None]

MODULES, FINDER, MAP = "modules", "finder", "map"
"""The cures by name: modules of the ISO's own kernel; the stick mounted by us; the ISO mapped without its file system."""


def cure_for(detection: Detection, entry: BootEntry, facts: IsoFacts, filesystem: str) -> Cure | None:
    """What lets the initrds of ``entry`` find their file on ``filesystem`` (as blkid calls it); ``None`` if nothing does.

    To be asked only where they are not known to do so by themselves. ``generate`` puts on the stick what this answers,
    and ``check`` predicts from it, so that the two cannot disagree.
    """
    if not all(_is_served(initrd, detection) for initrd in _initrds(entry, facts)):
        return None
    answers = (judge(detection, entry, facts, filesystem) for judge in CURES)
    return next((cure for cure in answers if cure is not None), None)


def by_modules(detection: Detection, entry: BootEntry, facts: IsoFacts, filesystem: str) -> Cure | None:
    """The modules that are missing, where the stack then finds its file by itself."""
    if not stack_of(detection.stack).takes_modules:
        return None
    for initrd, root, path, version in _kernels(entry, facts):
        modules = root.kernels[version]
        builtin = modules.builtin or ()
        lacking = tuple(lacks(initrd, detection, entry, facts, builtin))
        for driver in drivers_of(filesystem):
            names = _missing(
                initrd, (*_for_the_system(lacking, modules), *_with_dependencies(modules, driver, filesystem)), modules
            )
            better = _with_modules(initrd, names, modules)
            answer = file_answer(detection, entry, [better], filesystem, builtin=builtin, facts=facts)
            is_there = driver in modules.paths or driver in builtin or driver in initrd.drivers.modules
            if names and is_there and answer.readable:
                cure = _brought(driver, names, modules, filesystem, root=path, version=version)
                return _with_reason(cure, lacking)
    return None


def _for_the_system(lacking: tuple[Lack, ...], modules: KernelModules) -> tuple[str, ...]:
    """What is missing beside the file system's driver, each module behind what it depends on."""
    wanted = [name for lack in lacking for name in lack.modules]
    ordered = (one for name in wanted for one in (*modules.depends.get(name, ()), name))
    return tuple(dict.fromkeys(name for name in ordered if name in modules.paths))


def _with_reason(cure: Cure, lacking: tuple[Lack, ...]) -> Cure:
    """``cure``, which says first what would go wrong first."""
    if not lacking:
        return cure
    brings = " and ".join(dict.fromkeys(name for lack in lacking for name in lack.modules))
    return replace(cure, reason=f"{lacking[0].reason[:-1]}; the overlay brings {brings} out of {cure.root}.")


def _missing(initrd: InitrdFacts, names: tuple[str, ...], modules: KernelModules) -> tuple[str, ...]:
    """Those of ``names`` that the initrd lacks, each behind all that it depends on: what the initrd has is not loaded yet."""
    lacking = [name for name in names if name not in initrd.drivers.modules]
    ordered = (one for name in lacking for one in (*modules.depends.get(name, ()), name))
    return tuple(dict.fromkeys(name for name in ordered if name in modules.paths))


def by_finder(detection: Detection, entry: BootEntry, facts: IsoFacts, filesystem: str) -> Cure | None:
    """The cure by a search of ours: a driver is there or can be brought, but the stack does not look on such a stick."""
    known = file_system(filesystem)
    if not _takes_devices(detection) or (detection.is_written and known is not None and not known.has_holes):
        return None
    name = filesystem_title(filesystem)
    is_known = detection.wants_disk and filesystem in detection.filesystems
    for initrd in _initrds(entry, facts):
        builtin = builtin_drivers(facts, [initrd])
        if any(lacks(initrd, detection, entry, facts, builtin)):
            continue
        for driver in drivers_of(filesystem):
            if is_known or _drives(initrd, filesystem, driver, builtin):
                reason = f"Its initrd has a driver for {name}, but does not look there; the overlay does."
                return Cure(overlay=FINDER, driver=driver, reason=reason)
    for initrd, root, path, version in _kernels(entry, facts):
        modules = root.kernels[version]
        if any(lacks(initrd, detection, entry, facts, modules.builtin or ())):
            continue
        for driver in drivers_of(filesystem):
            if driver in modules.paths:
                names = _with_dependencies(modules, driver, filesystem)
                cure = _brought(driver, names, modules, filesystem, root=path, version=version)
                reason = f"{cure.reason[:-1]}, and looks for the file itself."
                return replace(cure, overlay=FINDER, driver=driver, reason=reason)
    return None


def _drives(initrd: InitrdFacts, filesystem: str, driver: str, builtin: frozenset[str]) -> bool:
    """Whether a stick can be mounted by ``driver`` itself, whatever name it answers to and wherever its scripts look."""
    if driver not in builtin and initrd.drivers.has(driver) not in ("builtin", "module"):
        return False
    support = replace(initrd, allowed=None, markers=()).support(filesystem, builtin=builtin)
    return not frozenset(support.lacks) - {"fs-ntfs"} and not lacks_loop(initrd, builtin)


def by_map(detection: Detection, entry: BootEntry, facts: IsoFacts, filesystem: str) -> Cure | None:
    """The cure without a driver: the overlay opens the ISO by the places of its bytes on the partition."""
    known, initrds = file_system(filesystem), _initrds(entry, facts)
    if not _takes_devices(detection) or not initrds or known is None or not known.has_plain_bytes:
        return None
    if all(_cannot_open(initrd, detection, entry, facts) for initrd in initrds):
        return None
    reason = (
        f"{known.title} has no journal, so the overlay opens the file by the place of its bytes on the stick, which is not mounted."
        if detection.is_written
        else f"No driver for {known.title} can be had, so the overlay opens the ISO by the place of its bytes on the stick."
    )
    return Cure(overlay=MAP, reason=reason)


CURES: tuple[Judge, ...] = (by_modules, by_finder, by_map)
"""Every kind of cure, the one to prefer first. Each gets what :func:`cure_for` gets."""


def _cannot_open(initrd: InitrdFacts, detection: Detection, entry: BootEntry, facts: IsoFacts) -> bool:
    builtin = builtin_drivers(facts, [initrd])
    return lacks_loop(initrd, builtin) or any(lacks(initrd, detection, entry, facts, builtin))


def _takes_devices(detection: Detection) -> bool:
    return detection.wants_disk or stack_of(detection.stack).takes_device


def _initrds(entry: BootEntry, facts: IsoFacts) -> tuple[InitrdFacts, ...]:
    """The initrds that hold drivers: not processor microcode, not a vendor's additions."""
    return tuple(initrd for initrd in loaded(entry, facts) if initrd.kernels or initrd.drivers.modules)


def _is_served(initrd: InitrdFacts, detection: Detection) -> bool:
    """Whether the stack's overlay is for initrds of such a maker: casper's is for initramfs-tools, and dracut has casper, too."""
    finder = stack_of(detection.stack).finder
    return finder is None or not finder.maker or initrd.maker in ("", finder.maker)


def _kernels(entry: BootEntry, facts: IsoFacts) -> Iterator[tuple[InitrdFacts, RootFacts, str, str]]:
    """Each initrd with each root, the root's path and the version of the kernel that both are for."""
    for initrd in _initrds(entry, facts):
        for path, root in facts.roots.items():
            yield from ((initrd, root, path, version) for version in initrd.kernels if version in root.kernels)


def _with_dependencies(modules: KernelModules, driver: str, filesystem: str) -> tuple[str, ...]:
    """The driver behind all that it needs, as far as it is a module."""
    depends = modules.depends.get(driver, ())
    checksums = (CHECKSUMS[one][0] for name in (driver, *depends) for one in modules.softdeps.get(name, ()))
    needed = dict.fromkeys((LOOP, *charsets_of(filesystem), *checksums, *depends, driver))
    return tuple(name for name in needed if name in modules.paths)


def _with_modules(initrd: InitrdFacts, names: tuple[str, ...], root: KernelModules) -> InitrdFacts:
    """What the initrd is like once ``names`` have been inserted."""
    drivers = initrd.drivers
    brought = {filesystem: driver for filesystem, driver in root.aliases.items() if driver in names}
    merged = replace(
        drivers,
        modules=tuple(sorted({*drivers.modules, *names})),
        # what a running kernel answers to is its own affair: only the names of what is brought count
        aliases={**drivers.aliases, **brought} if drivers.aliases or brought else {},
        charsets={**root.charsets, **drivers.charsets},
    )
    return replace(initrd, drivers=merged)


def _brought(
    driver: str, names: tuple[str, ...], modules: KernelModules, filesystem: str, *, root: str, version: str
) -> Cure:
    name = filesystem_title(filesystem)
    lacks = f"no driver for {name}" if driver in names else f"{driver} for {name}, but not all that it takes"
    brings = driver if driver in names else " and ".join(names)
    return Cure(
        overlay=MODULES,
        reason=f"Its initrd has {lacks}; the overlay brings {brings} out of {root}.",
        root=root,
        kernel=version,
        members=tuple(modules.paths[one] for one in names),
    )
