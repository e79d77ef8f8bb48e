"""Whether an initrd finds its ISO file again, by file system. Pure.

The initrd's own drivers decide where they can; what is known of the boot stack decides where they cannot.
"""

from collections.abc import Collection, Iterable
from dataclasses import replace

from bootkit.detect.registry import stack_of, stacks
from bootkit.model.boot import STICK_UUID, BootEntry, Detection
from bootkit.model.check import Basis, FileAnswer
from bootkit.model.filesystem import blkid_name, file_system, filesystem_title
from bootkit.model.initrd import FileSystemSupport, InitrdFacts
from bootkit.model.iso import IsoFacts
from bootkit.plan.check_drivers import kernels_of, lacks

LOOP = "loop"
ANOTHER_IMAGE = "take another image of it: this one starts from no stick"


def finds_file(entry: BootEntry) -> bool:
    """Whether the entry tells something behind GRUB where the ISO file is."""
    words = (*entry.cmdline, *(word for module in entry.modules for word in module.cmdline))
    return entry.needs_path or any(STICK_UUID in word for word in words)


def file_answer(
    detection: Detection,
    entry: BootEntry,
    initrds: Iterable[InitrdFacts],
    filesystem: str,
    *,
    builtin: Collection[str] = (),
    facts: IsoFacts | None = None,
) -> FileAnswer:
    """Whether the entry's initrd finds its ISO file on ``filesystem`` and can read it, and on what the answer rests.

    ``builtin`` is what the image's root file system knows to be built into the kernel. Without ``facts`` nothing is said of
    what comes after the file is found.
    """
    if not detection.wants_disk and not finds_file(entry):
        reason = "GRUB loads all of it, and nothing looks for the file again."
        return FileAnswer(filesystem=filesystem, readable=True, basis=Basis.GRUB, reason=reason)
    if file_system(filesystem) is None:
        reason = "Nobody knows which file system the stick has."
        return FileAnswer(filesystem=filesystem, readable=None, basis=Basis.NONE, reason=reason)
    if detection.wants_disk:
        reason = (
            "It looks for its root on a disk, and opens no file."
            if detection.is_written
            else f"{detection.stack[:1].upper()}{detection.stack[1:]} looks for a disk and opens no ISO file."
        )
        return FileAnswer(filesystem=filesystem, readable=False, basis=Basis.DETECTOR, reason=reason)
    for initrd in initrds:
        if _has_drivers(initrd) and (answer := _by_initrd(initrd, detection, filesystem, builtin)):
            return _with_system(answer, initrd, detection, entry, facts, builtin)
    return _by_table(detection, filesystem)


def _with_system(
    answer: FileAnswer,
    initrd: InitrdFacts,
    detection: Detection,
    entry: BootEntry,
    facts: IsoFacts | None,
    builtin: Collection[str],
) -> FileAnswer:
    """``answer``, unless the initrd sees no stick whatever is on it, or does nothing with the file that it finds."""
    lack = None if facts is None else next(lacks(initrd, detection, entry, facts, builtin), None)
    if lack is None:
        return answer
    return replace(answer, readable=False, basis=Basis.INITRD, reason=lack.reason, instead=ANOTHER_IMAGE)


def builtin_drivers(facts: IsoFacts, initrds: Collection[InitrdFacts]) -> frozenset[str]:
    """What the image's root file systems know of the kernels that the initrds are for."""
    kernels = (kernel for initrd in initrds for kernel in kernels_of(facts, initrd))
    return frozenset(name for kernel in kernels for name in kernel.builtin or ())


def _has_drivers(initrd: InitrdFacts) -> bool:
    """Whether an initrd holds drivers: processor microcode and a vendor's additions do not."""
    return bool(initrd.maker or initrd.markers or initrd.drivers.modules)


def _by_initrd(
    initrd: InitrdFacts, detection: Detection, filesystem: str, builtin: Collection[str]
) -> FileAnswer | None:
    """The answer that follows from what the initrd holds; ``None`` where that alone does not tell."""
    finder = stack_of(detection.stack).finder
    if finder is not None and not initrd.warnings and (reason := finder.why_not(initrd.markers)):
        return replace(_answer(filesystem, reason, readable=False), instead=ANOTHER_IMAGE)
    if lacks_loop(initrd, builtin):
        return _answer(filesystem, "Its initrd has no loop device, so it opens no ISO file.", readable=False)
    support = initrd.support(filesystem, builtin=builtin)
    name = filesystem_title(filesystem)
    if not support.is_readable:
        reason = _why_not(initrd, support, name)
        return _answer(filesystem, reason, readable=False) if reason else None
    if _is_vague(initrd, support):
        return None
    if initrd.allowed is None and not _mounts_anything(initrd) and filesystem not in detection.filesystems:
        reason = f"Its initrd could read {name}, but {detection.stack} is not known to look for the file there."
        return FileAnswer(filesystem=filesystem, readable=False, basis=Basis.DETECTOR, reason=reason)
    what = "program" if support.by == "helper" else "driver"
    where = (
        f"Its kernel has the {what} for {name} built in"
        if support.by == "builtin"
        else f"Its initrd has a {what} for {name}"
    )
    called = "" if support.driver in (name.lower(), filesystem) else f": {support.driver}"
    return _answer(filesystem, f"{where}{called}.", readable=True)


def lacks_loop(initrd: InitrdFacts, builtin: Collection[str]) -> bool:
    """Whether it is sure that no file can be opened as a disc."""
    known = initrd.drivers.builtin is not None or bool(builtin)
    if not known or not initrd.drivers.modules or initrd.warnings:
        return False
    return LOOP not in builtin and initrd.drivers.has(LOOP) in ("no", "unknown")


def _mounts_anything(initrd: InitrdFacts) -> bool:
    """Whether an initrd mounts any file system that it has a driver for, by what it holds, whatever its stack is taken for."""
    finders = (stack.finder for stack in stacks().values() if stack.finder and stack.finder.mounts_anything)
    return any(marker in initrd.markers for finder in finders for marker in finder.markers)


def _is_vague(initrd: InitrdFacts, support: FileSystemSupport) -> bool:
    """Whether a driver answers to the name cannot be seen without ``modules.alias``."""
    known = file_system(support.name)
    has_twin = known is not None and known.has_named_twin
    return has_twin and support.by in ("builtin", "module") and not initrd.drivers.aliases


def _why_not(initrd: InitrdFacts, support: FileSystemSupport, name: str) -> str:
    """The reason why a file system is not read, in one sentence; empty where that is not sure."""
    if initrd.allowed is not None and support.name not in initrd.allowed:
        names = ", ".join(filesystem_title(allowed) for allowed in initrd.allowed if blkid_name(allowed) == allowed)
        return f"Its initrd looks for the file on {names or 'other file systems'} only."
    if initrd.wants_helper(support.name):
        return f"Its initrd mounts {name} by the program ntfs-3g alone, and does not hold it."
    if support.lacks == (f"fs-{support.name}",):
        return (
            f"Its initrd holds {support.driver}, which does not answer to the name {support.name} by which it would be "
            "mounted."
        )
    if support.lacks:
        return f"Its initrd holds {support.driver}, but not {' and '.join(support.lacks)}, without which {name} is not mounted."
    if support.by == "no" and not initrd.warnings:
        return f"Its initrd has no driver for {name}."
    return ""


def _by_table(detection: Detection, filesystem: str) -> FileAnswer:
    name = filesystem_title(filesystem)
    if detection.untested or not detection.filesystems:
        reason = f"Nobody knows whether it finds its file on {name}."
        return FileAnswer(filesystem=filesystem, readable=None, basis=Basis.NONE, reason=reason)
    readable = filesystem in detection.filesystems
    reason = f"{detection.stack} of this image is not known to find its file on {name}."
    if readable:
        reason = f"{detection.stack} of this image is known to find its file on {name}."
    return FileAnswer(filesystem=filesystem, readable=readable, basis=Basis.DETECTOR, reason=reason)


def _answer(filesystem: str, reason: str, *, readable: bool) -> FileAnswer:
    return FileAnswer(filesystem=filesystem, readable=readable, basis=Basis.INITRD, reason=reason)
