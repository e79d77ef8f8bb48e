"""Why an image is taken for what it is, and how it boots from a file, as a person would tell it."""

import textwrap
from collections.abc import Mapping

from bootkit.detect.linux import ON_A_DISK
from bootkit.model.boot import (
    IMAGE_FILE,
    IN_EFI,
    ISO_PATH,
    ON_STICK,
    STICK_UUID,
    BootEntry,
    Detection,
    EntryKind,
    Firmware,
    Recognition,
    Role,
)
from bootkit.model.check import Answer, Prediction
from bootkit.model.filesystem import filesystem_title
from bootkit.model.iso import IsoFacts
from bootkit.model.places import IMAGE_FOLDER
from bootkit.units import format_size

_WIDTH = 100
_MARKS = {Answer.BOOTS: "yes", Answer.CANNOT: "no", Answer.ELSEWHERE: "no", Answer.UNKNOWN: "unknown"}


def explain(
    facts: IsoFacts,
    recognition: Recognition,
    *,
    iso_path: str = "",
    stick_uuid: str = "",
    prediction: Prediction | None = None,
) -> str:
    """The whole answer; ``iso_path`` and ``stick_uuid`` fill the slots where the image is on a stick already."""
    detection = recognition.detection
    if detection is None:
        return "\n".join([_paragraph(f"Nobody knows {facts.name}."), *seen(facts), "", *_others(recognition, "Asked")])
    slots = {ISO_PATH: iso_path or f"{IMAGE_FOLDER}/{facts.name}", STICK_UUID: stick_uuid or "<UUID of the stick>"}
    lines = [
        _paragraph(headline(facts, detection, prediction)),
        f"Its kind is {detection.stack}.",
        "",
        "Why",
        *(_item(sentence) for sentence in detection.evidence or ("the detector gives no reason",)),
        "",
        *_how(detection, slots, predicted=prediction is not None),
    ]
    for entry in detection.entries:
        lines += _entry(entry, slots)
    if prediction is not None and prediction.files:
        lines += _will_it_boot(prediction, on_stick=bool(iso_path))
    # what would help to boot is no help where nothing does
    notes = [note for note in detection.notes if not (note == ON_A_DISK and why_never(prediction))]
    if notes or facts.oddities:
        lines += ["", "Good to know", *(_item(note) for note in (*notes, *facts.oddities))]
    return "\n".join([*lines, "", *_others(recognition, "Not taken for")])


def headline(facts: IsoFacts, detection: Detection, prediction: Prediction | None) -> str:
    """What it is, and whether it boots."""
    known = f"{facts.name} is {detection.title}"
    if detection.entries and (reason := why_never(prediction)):
        return f"{known}. It cannot boot as it is: {reason}"
    if detection.untested:
        return f"{facts.name} calls itself {detection.title}. Nobody knows it: how it boots is an untested guess."
    return f"{known}; it boots from a file." if detection.entries else f"{known}. It cannot boot from a file."


def why_never(prediction: Prediction | None) -> str:
    """Why it boots from no file system of any stick; empty if it does, or if nobody knows."""
    if prediction is None:
        return ""
    if prediction.answer is Answer.CANNOT:
        return prediction.reason
    known = [answer for answer in prediction.files if answer.filesystem]
    return known[0].reason if known and all(answer.readable is False for answer in known) else ""


def _how(detection: Detection, slots: Mapping[str, str], *, predicted: bool) -> list[str]:
    if not detection.entries:
        obstacle = detection.obstacle or "it has no entry that boots from a file"
        lines = ["What stands in the way", _item(obstacle)]
        return [*lines, "", "What to do instead", _item(detection.instead)] if detection.instead else lines
    story = _filled(_story(detection), slots)
    lines = ["How it boots from a file", _paragraph(story, indent="  ")]
    if detection.filesystems and detection.entries[0].needs_path and not predicted:
        names = ", ".join(map(filesystem_title, detection.filesystems))
        lines.append(_paragraph(f"Its initrd finds the file on {names}.", indent="  "))
    if detection.obstacle:
        lines.append(_item(f"{detection.obstacle} {detection.instead}".strip()))
    return lines


def _will_it_boot(prediction: Prediction, *, on_stick: bool) -> list[str]:
    lines = ["", "Will it boot?"]
    if on_stick:
        lines.append(_item(f"from this stick: {prediction.line}"))
        lines += [_item(f"to do: {prediction.cure}")] if prediction.cure else []
    marks = {True: "yes", False: "no", None: "unknown"}
    lines += [
        _item(f"from {filesystem_title(answer.filesystem)}: {marks[answer.readable]}. {answer.reason}")
        for answer in prediction.files
        if answer.filesystem
    ]
    lines += [
        _item(f"by {answer.firmware.label}: {_MARKS[answer.answer]}. {answer.reason}".rstrip())
        for answer in prediction.firmware
    ]
    if needed := prediction.memory:
        ram = f", and {format_size(needed.to_ram)} to hold all of it in RAM" if needed.to_ram else ""
        lines.append(_item(f"It takes {format_size(needed.start)} of memory to start{ram}."))
    return lines


_STORIES = {
    EntryKind.LINUX16: "GRUB loads the program out of the file; it runs by itself.",
    EntryKind.CONFIGFILE: "GRUB opens the file and hands over to the image's own menu, which passes on where the file is.",
    EntryKind.CHAINLOADER: "GRUB starts the EFI application, which needs no other file.",
    EntryKind.KOPENBSD: "GRUB loads the kernel, which brings its root along.",
    EntryKind.KNETBSD: "GRUB loads the kernel and its root out of the file.",
    EntryKind.MEMDISK: "GRUB starts memdisk, which holds the image in RAM and lends it to the BIOS as a drive.",
    EntryKind.WIMBOOT: "GRUB starts wimboot, which holds the Windows image in RAM and starts it there.",
}


_LOADED = {
    EntryKind.LINUX16: "program",
    EntryKind.CHAINLOADER: "program",
    EntryKind.MEMDISK: "image",
    EntryKind.WIMBOOT: "image",
}


def _story(detection: Detection) -> str:
    """How the first entry starts, and how what it starts gets at its files."""
    entry = detection.entries[0]
    if entry.kind in _STORIES:
        return _STORIES[entry.kind]
    story = "GRUB opens the file and loads the kernel and its initrd out of it."
    if entry.kind is not EntryKind.LINUX:
        story = "GRUB opens the file and loads the kernel and its modules out of it."
    if not entry.initrds and not entry.modules:
        return "GRUB loads the program out of the file; it runs by itself."
    if any(path.startswith(ON_STICK) for path in entry.initrds):
        story = "GRUB opens the file and loads the kernel out of it, and the initrd from the stick."
    if entry.image_as:
        return (
            f"{story} The whole image goes along as the file /{entry.image_as} of the initrd, so all of it is in RAM."
        )
    if detection.wants_disk:
        return (
            f"{story} Then the initrd looks for a disk with the label or UUID of the image: an overlay, started before it, "
            "makes one of the file."
        )
    if words := _finding_words(entry):
        told = f"{words[0]} tells" if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]} tell"
        return f"{story} Then the initrd looks for the file once more: {told} it where."
    return f"{story} Nothing else is needed: all of the system is in the initrd."


def _finding_words(entry: BootEntry) -> list[str]:
    words = (*entry.cmdline, *(word for module in entry.modules for word in module.cmdline))
    return [word for word in words if ISO_PATH in word]


def _entry(entry: BootEntry, slots: Mapping[str, str]) -> list[str]:
    role = "" if entry.role is Role.OTHER else f" ({entry.role.value})"
    lines = ["", f"  {entry.title}{role}"]
    if entry.kind is EntryKind.CONFIGFILE:
        return [*lines, f"    menu    {entry.kernel}"]
    rows = [(_LOADED.get(entry.kind, "kernel"), entry.kernel), *(("initrd", initrd) for initrd in entry.initrds)]
    rows += [("image", f"as /{entry.image_as} of the initrd")] if entry.image_as else []
    lines += [f"    {name:<7} {_where(path, slots)}" for name, path in rows]
    lines += _words(entry.cmdline, slots)
    for module in entry.modules:
        lines += [f"    module  {_where(module.path, slots)}", *_words(module.cmdline, slots)]
    lines += [f"    needs   {path} on the stick" for path in entry.stick_files]
    if entry.wipes:
        lines.append(f"    warning {entry.wipes}")
    if entry.to_ram:
        lines.append(f"    to RAM  {' '.join(entry.to_ram)}")
    if len(entry.firmware) < len(Firmware):
        names = [one.label for one in Firmware if one in entry.firmware]
        lines.append(f"    only on {' and '.join(names)}")
    return lines


def _filled(text: str, slots: Mapping[str, str]) -> str:
    for slot, value in slots.items():
        text = text.replace(slot, value)
    return text


def _words(words: tuple[str, ...], slots: Mapping[str, str]) -> list[str]:
    return textwrap.wrap(
        _filled(" ".join(words), slots),
        _WIDTH,
        initial_indent="    words   ",
        subsequent_indent="            ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _where(path: str, slots: Mapping[str, str]) -> str:
    if path == IMAGE_FILE:
        return slots[ISO_PATH]
    for prefix, place in ((ON_STICK, "on the stick"), (IN_EFI, "in the image's part for UEFI")):
        if path.startswith(prefix):
            return f"{path.removeprefix(prefix)} ({place})"
    return path


def seen(facts: IsoFacts) -> list[str]:
    """What there is to see of an image that nobody knows."""
    root = facts.dirs.get("/", ())
    names = ", ".join(f"{node.name}/" if node.is_dir else node.name for node in root[:20])
    label = f"Its label is {facts.volume_id!r}." if facts.volume_id else "It has no label."
    return [_paragraph(f"{label} At its top are: {names or 'no files'}.")]


def _others(recognition: Recognition, heading: str) -> list[str]:
    return (
        [heading, *(_item(f"{name}: {reason}") for name, reason in recognition.rejections)]
        if recognition.rejections
        else []
    )


def _paragraph(text: str, indent: str = "") -> str:
    return textwrap.fill(
        text, _WIDTH, initial_indent=indent, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def _item(text: str) -> str:
    return textwrap.fill(
        text, _WIDTH, initial_indent="  - ", subsequent_indent="    ", break_long_words=False, break_on_hyphens=False
    )
