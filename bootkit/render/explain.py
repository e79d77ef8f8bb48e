"""Why an image is taken for what it is, and how it boots from a file, as a person would tell it."""

import textwrap

from bootkit.model.boot import ISO_PATH, STICK_UUID, BootEntry, Detection, EntryKind, Recognition, Role
from bootkit.model.iso import IsoFacts

_WIDTH = 100
_FILESYSTEM_NAMES = {"vfat": "FAT32", "exfat": "exFAT", "ntfs": "NTFS"}


def explain(facts: IsoFacts, recognition: Recognition, *, iso_path: str = "", stick_uuid: str = "") -> str:
    """The whole answer; ``iso_path`` and ``stick_uuid`` fill the slots where the image is on a stick already."""
    detection = recognition.detection
    if detection is None:
        return "\n".join([_paragraph(f"Nobody knows {facts.name}."), *_seen(facts), "", *_others(recognition, "Asked")])
    lines = [
        _paragraph(f"{facts.name} is {detection.title}; it boots by {detection.stack}."),
        "",
        "Why",
        *(_item(sentence) for sentence in detection.evidence or ("the detector gives no reason",)),
        "",
        *_how(detection),
    ]
    for entry in detection.entries:
        lines += _entry(entry, iso_path or f"/boot/iso/{facts.name}", stick_uuid)
    if detection.notes or facts.warnings:
        lines += ["", "Good to know", *(_item(note) for note in (*detection.notes, *facts.warnings))]
    return "\n".join([*lines, "", *_others(recognition, "Not taken for")])


def _how(detection: Detection) -> list[str]:
    if not detection.entries:
        obstacle = detection.obstacle or "it has no entry that boots from a file"
        lines = ["It cannot boot from a file", _item(obstacle)]
        return [*lines, _item(f"instead: {detection.instead}")] if detection.instead else lines
    words = _finding_words(detection.entries[0])
    story = "GRUB opens the file and loads the kernel and its initrd out of it."
    if detection.entries[0].kind is EntryKind.CONFIGFILE:
        story = "GRUB opens the file and hands over to the image's own menu, which passes on where the file is."
    elif words:
        story += f" Then the initrd looks for the file once more: {' '.join(words)} tells it where."
    else:
        story += " Nothing else is needed: all of the system is in the initrd."
    lines = ["How it boots from a file", _paragraph(story, indent="  ")]
    if detection.filesystems:
        names = ", ".join(_FILESYSTEM_NAMES.get(name, name) for name in detection.filesystems)
        lines.append(_paragraph(f"Its initrd finds the file on {names}.", indent="  "))
    if detection.obstacle:
        lines.append(_item(f"{detection.obstacle} {detection.instead}".strip()))
    return lines


def _finding_words(entry: BootEntry) -> list[str]:
    return [word for word in entry.cmdline if ISO_PATH in word]


def _entry(entry: BootEntry, iso_path: str, stick_uuid: str) -> list[str]:
    role = "" if entry.role is Role.OTHER else f" ({entry.role.value})"
    lines = ["", f"  {entry.title}{role}"]
    if entry.kind is EntryKind.CONFIGFILE:
        return [*lines, f"    menu    {entry.kernel}"]
    words = " ".join(entry.cmdline).replace(ISO_PATH, iso_path).replace(STICK_UUID, stick_uuid or "<UUID of the stick>")
    lines += [f"    kernel  {entry.kernel}", *(f"    initrd  {initrd}" for initrd in entry.initrds)]
    lines += textwrap.wrap(
        words,
        _WIDTH,
        initial_indent="    words   ",
        subsequent_indent="            ",
        break_long_words=False,
        break_on_hyphens=False,
    )
    if entry.to_ram:
        lines.append(f"    to RAM  {' '.join(entry.to_ram)}")
    return lines


def _seen(facts: IsoFacts) -> list[str]:
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
    return textwrap.fill(text, _WIDTH, initial_indent=indent, subsequent_indent=indent, break_long_words=False)


def _item(text: str) -> str:
    return textwrap.fill(text, _WIDTH, initial_indent="  - ", subsequent_indent="    ", break_long_words=False)
