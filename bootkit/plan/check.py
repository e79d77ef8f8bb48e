"""What will happen when an image of a stick is booted. Pure."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

from bootkit.detect.registry import stack_of
from bootkit.model.boot import IMAGE_FILE, ISO_PATH, STICK_UUID, BootEntry, Detection, EntryKind
from bootkit.model.catalog import ImageItem
from bootkit.model.check import (
    Answer,
    Cure,
    FileAnswer,
    FirmwareAnswer,
    Memory,
    Prediction,
    Problem,
    StickFacts,
    VendorShim,
)
from bootkit.model.efi import EfiFacts
from bootkit.model.filesystem import DataFs, file_system
from bootkit.model.initrd import UEFI_DISPLAYS
from bootkit.model.iso import IsoFacts
from bootkit.model.options import Value
from bootkit.model.prepare import DATA_LABEL, ESP_LABEL
from bootkit.model.testboot import TestFirmware
from bootkit.plan.check_disks import own_disks_note
from bootkit.plan.check_drivers import loaded, slow_or_unseen
from bootkit.plan.check_file import builtin_drivers, file_answer, finds_file
from bootkit.plan.check_firmware import firmware_answers
from bootkit.plan.check_installer import installer_note
from bootkit.plan.cures import cure_for
from bootkit.plan.microsoft import MicrosoftCa, signed_by_microsoft
from bootkit.plan.names import bad_folder, better_folder, better_name, better_path, name_problem
from bootkit.plan.trust import refused_here
from bootkit.units import format_size, round_up

_RECOMMENDED = tuple(kind.system.name for kind in DataFs)
_CMDLINE_LIMIT = 2047
"""Characters that x86 kernels read; also those whose header does not tell. Source: Linux 6.1, COMMAND_LINE_SIZE."""
_UUID = "00000000-0000-0000-0000-000000000000"
_LONG_LOOP = "(loop_1000)"
DARK = (
    "On UEFI the screen stays dark until the driver of the graphics card is loaded: its kernel has none for the screen that "
    "UEFI has set up (simpledrm, efifb)."
)
ASKED = ("own_disks", "guard_stick")
"""The options that predictions ask for, and no others."""
_RANK = (Answer.CANNOT, Answer.ELSEWHERE, Answer.UNKNOWN)
"""Of problems, the worst first."""


def predict(
    item: ImageItem, stick: StickFacts, *, memory: int = 0, firmwares: Collection[TestFirmware] = ()
) -> Prediction:
    """What is known beforehand of one image.

    ``memory`` is what the machine has, in bytes, if it is to be compared. On each of ``firmwares`` the image has to
    boot; without any, one on which it boots is enough.
    """
    detection = item.recognition.detection if item.recognition else None
    if item.error or item.facts is None:
        cure = "copy it again, with bootkit add --replace"
        return _only(item, Answer.CANNOT, f"It cannot be read: {item.error or 'nobody looked at it'}.", cure)
    if detection is None:
        return _only(item, Answer.UNKNOWN, "No detector knows it.", f"bootkit explain {item.name}")
    if not detection.entries:
        obstacle = detection.obstacle or "It has no entry that boots from a file."
        return _only(item, Answer.CANNOT, obstacle, detection.instead)
    entry = _judged(detection)
    files = _file_answers(item.facts, detection, entry, (stick.filesystem, *_RECOMMENDED))
    filesystems = tuple(
        answer.filesystem
        for answer in sorted(files, key=lambda answer: _preference(answer.filesystem))
        if answer.readable and _fits(item, answer.filesystem)
    )
    firmware = firmware_answers(detection, item.facts.kernels, stick)
    needed = _memory(item, entry)
    found = (
        *_incomplete(item),
        *_name_problems(item, detection, entry),
        *_file_problems(item, files[0], filesystems),
        *_grub_problems(item, entry, needed),
        *_memory_problems(needed, memory),
        *_medium_problems(item.facts, detection, entry, stick),
        *_firmware_problems(firmware, firmwares),
    )
    problems = tuple(sorted(found, key=lambda problem: _RANK.index(problem.answer)))
    own_disks, guard_stick = (_chosen(stick, item, key) for key in ASKED)
    if detection.untested:
        guess = Problem(answer=Answer.UNKNOWN, reason="Nobody knows it: its entries are a guess.", cure="bootkit test")
        problems = (*problems, guess)
    return Prediction(
        path=item.path,
        answer=problems[0].answer if problems else Answer.BOOTS,
        basis=files[0].basis,
        filesystems=filesystems,
        problems=problems,
        files=files,
        firmware=firmware,
        memory=needed,
        own_disks=own_disks_note(detection, entry, left_open=own_disks == "open"),
        installer=installer_note(detection, entry, guarded=bool(guard_stick)),
        notes=tuple(_notes(item, detection, entry, stick, needed, memory)),
    )


def _chosen(stick: StickFacts, item: ImageItem, key: str) -> Value:
    return stick.choices.chosen(key, stack=item.stack, image=item.path).value


def stick_notes(stick: StickFacts) -> tuple[str, ...]:
    """What holds for the stick as a whole; sentences."""
    notes = [
        f"{' and '.join(paths)} have the same label, {label}: no harm on one stick, because only the file that was chosen is "
        "opened; but pull out other disks and discs with that label."
        for label, paths in sorted(stick.labels.items())
        if label and len(paths) > 1
    ]
    if stick.old_iso:
        notes.append(
            "The disk still has the signature of an ISO image that was once written to it, which some installers take for "
            "the whole of it. To remove it, unmounted: sudo wipefs --all --types iso9660 DEVICE"
        )
    notes += _shim_notes(stick)
    return tuple(notes)


def _shim_notes(stick: StickFacts) -> Iterator[str]:
    """On which machines the firmware itself refuses what starts the stick, with Secure Boot on."""
    for loader in stick.loaders or ():
        if loader.shim is None:
            continue
        name = f"The shim for {loader.firmware.label}"
        signed = signed_by_microsoft(loader.shim)
        if len(signed) == 1:
            other = next(ca for ca in MicrosoftCa if ca not in signed)
            yield (
                f"{name} is signed by Microsoft's authority of {signed[0]} alone: computers that trust only that of {other} do not "
                "start it with Secure Boot on."
            )
        if stick.machine is not None and (refused := refused_here(loader.shim, stick.machine)):
            yield f"{name} does not start on this computer with Secure Boot on: {refused}. To renew it: bootkit upgrade TARGET"
        if stick.takes_hops:
            yield from _hop_notes(loader.shim, [shim for shim in stick.shims if shim.firmware is loader.firmware])


def _hop_notes(own: EfiFacts, shims: Iterable[VendorShim]) -> Iterator[str]:
    """The same of the vendors' shims, which the menu starts for their certificates."""
    for shim in shims:
        signed = signed_by_microsoft(shim.efi)
        if shim.efi.digest != own.digest and len(signed) == 1:
            other = next(ca for ca in MicrosoftCa if ca not in signed)
            yield (
                f"The vendor's shim in {shim.image} is signed by Microsoft's authority of {signed[0]} alone: with Secure Boot on, "
                f"kernels that only it vouches for do not start on computers that trust only that of {other}."
            )


def _only(item: ImageItem, answer: Answer, reason: str, cure: str) -> Prediction:
    return Prediction(path=item.path, answer=answer, problems=(Problem(answer=answer, reason=reason, cure=cure),))


def _judged(detection: Detection) -> BootEntry:
    """The entry that speaks for the image: the one that starts by itself."""
    return detection.entries[0]


def cure_on(item: ImageItem, filesystem: str) -> Cure | None:
    """What the image needs to find its file on ``filesystem``; ``None`` if nothing, or nothing helps."""
    detection = item.detection
    if item.error or item.facts is None or detection is None or not detection.entries:
        return None
    return _file_answers(item.facts, detection, _judged(detection), (filesystem,))[0].cure


def _file_answers(
    facts: IsoFacts, detection: Detection, entry: BootEntry, filesystems: Iterable[str]
) -> tuple[FileAnswer, ...]:
    initrds = loaded(entry, facts)
    builtin = builtin_drivers(facts, initrds)
    names = dict.fromkeys(filesystems)
    answers = (file_answer(detection, entry, initrds, name, builtin=builtin, facts=facts) for name in names)
    return tuple(_with_cure(answer, facts, detection, entry) for answer in answers)


def _with_cure(answer: FileAnswer, facts: IsoFacts, detection: Detection, entry: BootEntry) -> FileAnswer:
    if answer.readable or file_system(answer.filesystem) is None:
        return answer
    cure = cure_for(detection, entry, facts, answer.filesystem)
    return answer if cure is None else replace(answer, readable=True, reason=cure.reason, cure=cure)


def _preference(filesystem: str) -> int:
    return _RECOMMENDED.index(filesystem) if filesystem in _RECOMMENDED else len(_RECOMMENDED)


def _fits(item: ImageItem, filesystem: str) -> bool:
    known = file_system(filesystem)
    return known is None or known.holds(item.size)


def _incomplete(item: ImageItem) -> Iterator[Problem]:
    if item.facts is not None and item.facts.missing:
        reason = f"The file is not complete: {format_size(item.facts.missing)} are missing at its end."
        cure = "download it again, and copy it with bootkit add --replace"
        yield Problem(answer=Answer.CANNOT, reason=reason, cure=cure)


def _name_problems(item: ImageItem, detection: Detection, entry: BootEntry) -> Iterator[Problem]:
    if not entry.needs_path or (problem := name_problem(item.path)) is None:
        return
    is_only_the_suffix = name_problem(_with_small_suffix(item.path)) is None
    if is_only_the_suffix and not stack_of(detection.stack).wants_iso_suffix:
        return
    folder = item.path.rpartition("/")[0]
    better, renamed = better_path(item.path)
    if renamed > 1:
        cure = f"rename it and its folders on the stick so that its path is {better}, then: bootkit generate"
    elif name_problem(f"/{item.name}") is None and (bad := bad_folder(folder)):
        problem = problem.replace("its path", f"its folder {bad.rpartition('/')[2]!r}", 1)
        cure = (
            f"rename the folder {bad} on the stick to {better_folder(bad.rpartition('/')[2])}, then: bootkit generate"
        )
    else:
        cure = f"rename it on the stick to {better_name(item.name)}, then: bootkit generate"
    yield Problem(answer=Answer.CANNOT, reason=_sentence(problem), cure=cure)


def _with_small_suffix(path: str) -> str:
    return path[:-4] + path[-4:].lower()


def _file_problems(item: ImageItem, here: FileAnswer, others: tuple[str, ...]) -> Iterator[Problem]:
    known = file_system(here.filesystem)
    if known is not None and not known.holds(item.size):
        yield _elsewhere(f"It has {format_size(item.size)}, and {known.limit_clause}.", others)
    elif known is not None and item.size == known.largest_file:
        reason = f"It ends where {known.title} ends: the copy was cut off at {known.shown_limit}."
        yield _elsewhere(reason, tuple(name for name in others if name != known.name))
    if here.readable is False and here.instead:
        yield Problem(answer=Answer.CANNOT, reason=here.reason, cure=here.instead)
    elif here.readable is False:
        yield _elsewhere(here.reason, others)
    elif here.readable is None:
        yield Problem(answer=Answer.UNKNOWN, reason=here.reason, cure="bootkit test")


def _elsewhere(reason: str, others: tuple[str, ...]) -> Problem:
    if not others:
        cure = "write it to a stick of its own"
        return Problem(answer=Answer.CANNOT, reason=reason, cure=cure)
    best = file_system(others[0])
    assert best is not None  # all that is asked for is known
    cure = f"copy it to a stick with {best.title}: bootkit prepare TARGET --data-fs {best.data_fs}"
    return Problem(answer=Answer.ELSEWHERE, reason=reason, cure=cure)


def _grub_problems(item: ImageItem, entry: BootEntry, needed: Memory | None) -> Iterator[Problem]:
    """Limits of GRUB and of the kernel that an entry does not keep.

    Source: GRUB 2.06, grub-core/loader/i386/linux.c: the initrd lies above the kernel, and below its initrd_addr_max.
    """
    assert item.facts is not None  # asked for before
    kernel = item.facts.kernels.get(entry.kernel)
    if entry.kind is EntryKind.LINUX:
        words = " ".join((f"BOOT_IMAGE={_LONG_LOOP}{entry.kernel}", *entry.cmdline))
        length = len(words.replace(ISO_PATH, item.path).replace(STICK_UUID, _UUID))
        limit = (kernel.cmdline_limit if kernel else 0) or _CMDLINE_LIMIT
        if length > limit:
            reason = f"Its kernel line has {length} characters, of which its kernel reads {limit}."
            yield Problem(answer=Answer.CANNOT, reason=reason, cure="move it to a folder with a shorter path")
    if needed and kernel and kernel.initrd_limit and kernel.run_size + needed.initrds > kernel.initrd_limit:
        reason = (
            f"Its initrd of {format_size(needed.initrds)} does not fit below {format_size(kernel.initrd_limit)}, where GRUB "
            "has to put it."
        )
        yield Problem(answer=Answer.CANNOT, reason=reason, cure="write it to a stick of its own")


def _memory(item: ImageItem, entry: BootEntry) -> Memory | None:
    """The memory that starting an entry takes; ``None`` where the initrds were not read.

    The packed and the unpacked initrd are in RAM together for a moment. Without ``root=`` the kernel unpacks to a tmpfs,
    which takes half of the RAM at most. Source: Linux 6.1, init/initramfs.c and init/do_mounts.c (init_rootfs).
    """
    facts = item.facts
    assert facts is not None  # asked for before
    if entry.kind in (EntryKind.MEMDISK, EntryKind.WIMBOOT):
        return _held(item.size) if entry.kernel == IMAGE_FILE else None
    kernel = facts.kernels.get(entry.kernel)
    if kernel is None or any(path not in facts.initrds for path in entry.initrds):
        return None
    image = item.size if entry.image_as else 0
    initrds = image + sum(facts.initrds[path].size for path in entry.initrds)
    unpacked = image + sum(facts.initrds[path].unpacked for path in entry.initrds)
    size = max(kernel.run_size, kernel.size)
    start = size + initrds + unpacked
    if entry.kind is EntryKind.LINUX and not any(word.startswith("root=") for word in entry.cmdline):
        start = max(start, 2 * unpacked)
    to_ram = start + item.size if entry.to_ram else 0
    return Memory(
        kernel=size, initrds=initrds, unpacked=unpacked, start=round_up(start), to_ram=round_up(to_ram) if to_ram else 0
    )


def _held(size: int) -> Memory:
    return Memory(kernel=size, initrds=0, unpacked=0, start=round_up(size))


def _memory_problems(needed: Memory | None, memory: int) -> Iterator[Problem]:
    if needed is not None and 0 < memory < needed.start:
        reason = f"Its kernel and initrd alone take {format_size(needed.start)} of memory."
        yield Problem(
            answer=Answer.CANNOT, reason=reason, cure=f"use a machine with {format_size(needed.start)} or more"
        )


def _medium_problems(facts: IsoFacts, detection: Detection, entry: BootEntry, stick: StickFacts) -> Iterator[Problem]:
    """Labels and signatures on the stick by which an image takes it for another medium.

    Source: dracut 059 and 112, booted with two media of one label: the first one wins; anaconda 45.21, diskroot.
    """
    if facts.volume_id in (DATA_LABEL, ESP_LABEL) and _by_label(entry, facts.volume_id):
        reason = f"It looks for the label {facts.volume_id}, which is the stick's own."
        yield Problem(answer=Answer.CANNOT, reason=reason, cure="write it to a stick of its own")
    if stick.old_iso and stack_of(detection.stack).skips_former_iso:
        reason = "Its installer skips disks that have the signature of an ISO image that was written to them."
        cure = "unmount the stick, then: sudo wipefs --all --types iso9660 DEVICE"
        yield Problem(answer=Answer.CANNOT, reason=reason, cure=cure)


def _by_label(entry: BootEntry, label: str) -> bool:
    """Whether an entry looks for its medium by ``label``: ``root=live:CDLABEL=``, ``archisolabel=``, and what others call it."""
    return any("label=" in word.lower() and label in word for word in entry.cmdline)


def _firmware_problems(answers: tuple[FirmwareAnswer, ...], wanted: Collection[TestFirmware]) -> Iterator[Problem]:
    for answer in answers:
        if answer.firmware in wanted and answer.answer is not Answer.BOOTS:
            yield Problem(answer=answer.answer, reason=answer.reason, cure=answer.cure)
    if not wanted and all(answer.answer is Answer.CANNOT for answer in answers):
        # an image for ARM64 is not refused for what a PC cannot do
        first = next((answer for answer in answers if not answer.reason.startswith("Its kernel is for")), answers[0])
        yield Problem(answer=Answer.CANNOT, reason=first.reason, cure=first.cure)


def _notes(
    item: ImageItem, detection: Detection, entry: BootEntry, stick: StickFacts, needed: Memory | None, memory: int
) -> Iterator[str]:
    assert item.facts is not None  # asked for before
    if detection.obstacle:
        yield f"{detection.obstacle} {detection.instead}".strip()
    if needed is not None and 0 < memory < needed.to_ram:
        yield "It starts, but does not fit in RAM: leave 'to RAM' off."
    for path in entry.stick_files:
        yield f"It needs {path} on the stick."
    yield from (f"{one.title!r}: {one.wipes}" for one in detection.entries if one.wipes)
    if _stays_dark(item.facts, entry):
        yield DARK
    yield from _unseen_sticks(item.facts, detection, entry)
    seen = {path: item.facts.initrds[path] for path in entry.initrds if path in item.facts.initrds} | item.facts.roots
    yield from (f"{path}: {warning}" for path, facts in seen.items() for warning in facts.warnings)
    label = item.facts.volume_id
    if any(path != item.path for path in stick.labels.get(label, ())) and _by_label(entry, label):
        # the same words for all of them, so that they are said once; the note on the stick has their names
        yield f"Others on the stick have its label, {label}: that is no harm here, but on a second disk it is."


def _unseen_sticks(facts: IsoFacts, detection: Detection, entry: BootEntry) -> Iterator[str]:
    if detection.wants_disk or finds_file(entry):
        initrds = loaded(entry, facts)
        builtin = builtin_drivers(facts, initrds)
        yield from dict.fromkeys(note for initrd in initrds for note in slow_or_unseen(initrd, builtin))


def _stays_dark(facts: IsoFacts, entry: BootEntry) -> bool:
    """Whether its kernel, as far as all of it is known, has no driver for the screen that UEFI has set up."""
    initrds = [facts.initrds[path] for path in entry.initrds if path in facts.initrds]
    versions = {version for initrd in initrds for version in initrd.kernels}
    kernels = [kernel for root in facts.roots.values() for name, kernel in root.kernels.items() if name in versions]
    known = [
        modules.displays for modules in (*(one.drivers for one in initrds), *kernels) if modules.displays is not None
    ]
    brought = any(UEFI_DISPLAYS.intersection(initrd.drivers.modules) for initrd in initrds)
    return bool(known) and not any(known) and not brought and entry.kind is EntryKind.LINUX


def _sentence(clause: str) -> str:
    return f"{clause[:1].upper()}{clause[1:]}."
