"""Why an image is taken for what it is, and how it boots from a file, as a person would tell it."""

from collections.abc import Mapping, Sequence

from bootkit.detect.linux import ON_A_DISK
from bootkit.i18n import spoken, tr, trn
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
from bootkit.render.prose import columns, padded, wrapped
from bootkit.units import format_size

_NAMES = 8
"""Columns for what a line about an entry is about."""
_Line = tuple[str, str]
"""What it begins with, and a text that may take several lines, which stand below one another."""
_EMPTY: _Line = ("", "")
_MARKS = {
    Answer.BOOTS: tr("yes"),
    Answer.CANNOT: tr("no"),
    Answer.ELSEWHERE: tr("no"),
    Answer.UNKNOWN: tr("unknown"),
}


def explain(
    facts: IsoFacts,
    recognition: Recognition,
    *,
    iso_path: str = "",
    stick_uuid: str = "",
    prediction: Prediction | None = None,
    width: int,
) -> str:
    """The whole answer, ``width`` columns wide; ``iso_path`` and ``stick_uuid`` fill the slots where the image is on a stick."""
    slots = {ISO_PATH: iso_path or f"{IMAGE_FOLDER}/{facts.name}", STICK_UUID: stick_uuid or tr("<UUID of the stick>")}
    lines = _lines(facts, recognition, slots, prediction, on_stick=bool(iso_path))
    return "\n".join(line for first, text in lines for line in _folded(first, text, width))


def _folded(first: str, text: str, width: int) -> list[str]:
    return wrapped(text, width, first=first, then=" " * columns(first)) or [""]


def _lines(
    facts: IsoFacts,
    recognition: Recognition,
    slots: Mapping[str, str],
    prediction: Prediction | None,
    *,
    on_stick: bool,
) -> list[_Line]:
    detection = recognition.detection
    if detection is None:
        unknown = tr("Nobody knows {name}.", name=facts.name)
        return [("", unknown), ("", seen(facts)), _EMPTY, *_others(recognition, tr("Asked"))]
    lines = [
        ("", headline(facts, detection, prediction)),
        ("", tr("Its kind is {kind}.", kind=detection.stack)),
        _EMPTY,
        ("", tr("Why")),
        *(_item(spoken(clause)) for clause in detection.evidence or (tr("the detector gives no reason"),)),
        _EMPTY,
        *_how(detection, slots, predicted=prediction is not None),
    ]
    for entry in detection.entries:
        lines += _entry(entry, slots)
    if prediction is not None and prediction.files:
        lines += _will_it_boot(prediction, on_stick=on_stick)
    # what would help to boot is no help where nothing does
    notes = [note for note in detection.notes if not (note == ON_A_DISK and why_never(prediction))]
    if notes or facts.oddities:
        lines += [_EMPTY, ("", tr("Good to know")), *(_item(spoken(note)) for note in (*notes, *facts.oddities))]
    return [*lines, _EMPTY, *_others(recognition, tr("Not taken for"))]


def headline(facts: IsoFacts, detection: Detection, prediction: Prediction | None) -> str:
    """What it is, and whether it boots."""
    name, title = facts.name, detection.title
    if detection.entries and (reason := why_never(prediction)):
        return tr("{name} is {title}. It cannot boot as it is: {reason}", name=name, title=title, reason=reason)
    if detection.untested:
        return tr(
            "{name} calls itself {title}. Nobody knows it: how it boots is an untested guess.", name=name, title=title
        )
    if detection.entries:
        return tr("{name} is {title}; it boots from a file.", name=name, title=title)
    return tr("{name} is {title}. It cannot boot from a file.", name=name, title=title)


def why_never(prediction: Prediction | None) -> str:
    """Why it boots from no file system of any stick; empty if it does, or if nobody knows."""
    if prediction is None:
        return ""
    if prediction.answer is Answer.CANNOT:
        return prediction.reason
    known = [answer for answer in prediction.files if answer.filesystem]
    return known[0].reason if known and all(answer.readable is False for answer in known) else ""


def _how(detection: Detection, slots: Mapping[str, str], *, predicted: bool) -> list[_Line]:
    if not detection.entries:
        obstacle = spoken(detection.obstacle) or tr("it has no entry that boots from a file")
        lines = [("", tr("What stands in the way")), _item(obstacle)]
        instead = [_EMPTY, ("", tr("What to do instead")), _item(spoken(detection.instead))]
        return [*lines, *instead] if detection.instead else lines
    story = _filled(_story(detection), slots)
    lines = [("", tr("How it boots from a file")), ("  ", story)]
    if detection.filesystems and detection.entries[0].needs_path and not predicted:
        names = ", ".join(map(filesystem_title, detection.filesystems))
        lines.append(("  ", tr("Its initrd finds the file on {names}.", names=names)))
    if detection.obstacle:
        lines.append(_item(f"{spoken(detection.obstacle)} {spoken(detection.instead)}".strip()))
    return lines


def _will_it_boot(prediction: Prediction, *, on_stick: bool) -> list[_Line]:
    lines = [_EMPTY, ("", tr("Will it boot?"))]
    if on_stick:
        lines.append(_item(tr("from this stick: {verdict}", verdict=spoken(prediction.line))))
        lines += [_item(tr("to do: {cure}", cure=prediction.cure))] if prediction.cure else []
    marks = {True: tr("yes"), False: tr("no"), None: tr("unknown")}
    lines += [
        _item(
            tr(
                "from {filesystem}: {mark}. {reason}",
                filesystem=filesystem_title(answer.filesystem),
                mark=marks[answer.readable],
                reason=answer.reason,
            )
        )
        for answer in prediction.files
        if answer.filesystem
    ]
    lines += [
        _item(
            tr(
                "by {firmware}: {mark}. {reason}",
                firmware=answer.firmware.label,
                mark=_MARKS[answer.answer],
                reason=answer.reason,
            ).rstrip()
        )
        for answer in prediction.firmware
    ]
    if needed := prediction.memory:
        start, to_ram = format_size(needed.start), format_size(needed.to_ram)
        alone = tr("It takes {start} of memory to start.", start=start)
        both = tr(
            "It takes {start} of memory to start, and {to_ram} to hold all of it in RAM.", start=start, to_ram=to_ram
        )
        lines.append(_item(both if needed.to_ram else alone))
    return lines


_STORIES = {
    EntryKind.LINUX16: tr("GRUB loads the program out of the file; it runs by itself."),
    EntryKind.CONFIGFILE: tr(
        "GRUB opens the file and hands over to the image's own menu, which passes on where the file is."
    ),
    EntryKind.CHAINLOADER: tr("GRUB starts the EFI application, which needs no other file."),
    EntryKind.KOPENBSD: tr("GRUB loads the kernel, which brings its root along."),
    EntryKind.KNETBSD: tr("GRUB loads the kernel and its root out of the file."),
    EntryKind.MEMDISK: tr("GRUB starts memdisk, which holds the image in RAM and lends it to the BIOS as a drive."),
    EntryKind.WIMBOOT: tr("GRUB starts wimboot, which holds the Windows image in RAM and starts it there."),
}


_LOADED = {
    EntryKind.LINUX16: tr("program"),
    EntryKind.CHAINLOADER: tr("program"),
    EntryKind.MEMDISK: tr("image"),
    EntryKind.WIMBOOT: tr("image"),
}


def _story(detection: Detection) -> str:
    """How the first entry starts, and how what it starts gets at its files."""
    entry = detection.entries[0]
    if entry.kind in _STORIES:
        return _STORIES[entry.kind]
    story = tr("GRUB opens the file and loads the kernel and its initrd out of it.")
    if entry.kind is not EntryKind.LINUX:
        story = tr("GRUB opens the file and loads the kernel and its modules out of it.")
    if not entry.initrds and not entry.modules:
        return tr("GRUB loads the program out of the file; it runs by itself.")
    if any(path.startswith(ON_STICK) for path in entry.initrds):
        story = tr("GRUB opens the file and loads the kernel out of it, and the initrd from the stick.")
    if entry.image_as:
        along = tr(
            "The whole image goes along as the file /{name} of the initrd, so all of it is in RAM.", name=entry.image_as
        )
        return f"{story} {along}"
    if detection.wants_disk:
        disk = tr(
            "Then the initrd looks for a disk with the label or UUID of the image: an overlay, started before it, makes one of "
            "the file."
        )
        return f"{story} {disk}"
    if words := _finding_words(entry):
        by = trn(
            "Then the initrd looks for the file once more: {words} tells it where.",
            "Then the initrd looks for the file once more: {words} tell it where.",
            len(words),
            words=_listed(words),
        )
        return f"{story} {by}"
    return f"{story} {tr('Nothing else is needed: all of the system is in the initrd.')}"


def _finding_words(entry: BootEntry) -> list[str]:
    words = (*entry.cmdline, *(word for module in entry.modules for word in module.cmdline))
    return [word for word in words if ISO_PATH in word]


def _listed(words: Sequence[str]) -> str:
    return tr(" and ").join(filter(None, (", ".join(words[:-1]), words[-1])))


def _entry(entry: BootEntry, slots: Mapping[str, str]) -> list[_Line]:
    role = "" if entry.role is Role.OTHER else f" ({entry.role.value})"
    lines = [_EMPTY, ("  ", f"{entry.title}{role}")]
    if entry.kind is EntryKind.CONFIGFILE:
        return [*lines, _row(tr("menu"), entry.kernel)]
    rows = [
        (_LOADED.get(entry.kind, tr("kernel")), entry.kernel),
        *((tr("initrd"), initrd) for initrd in entry.initrds),
    ]
    rows += [(tr("image"), tr("as /{name} of the initrd", name=entry.image_as))] if entry.image_as else []
    said = [(name, _where(path, slots)) for name, path in rows]
    said.append((tr("words"), _filled(" ".join(entry.cmdline), slots)))
    for module in entry.modules:
        said += [(tr("module"), _where(module.path, slots)), (tr("words"), _filled(" ".join(module.cmdline), slots))]
    said += [(tr("needs"), tr("{path} on the stick", path=path)) for path in entry.stick_files]
    said += [(tr("warning"), spoken(entry.wipes)), (tr("to RAM"), " ".join(entry.to_ram))]
    if len(entry.firmware) < len(Firmware):
        said.append((tr("only on"), _listed([one.label for one in Firmware if one in entry.firmware])))
    return [*lines, *(_row(name, text) for name, text in said if text)]


def _filled(text: str, slots: Mapping[str, str]) -> str:
    for slot, value in slots.items():
        text = text.replace(slot, value)
    return text


def _row(name: str, text: str) -> _Line:
    return f"    {padded(name, _NAMES)}", text


def _item(text: str) -> _Line:
    return "  - ", text


def _where(path: str, slots: Mapping[str, str]) -> str:
    if path == IMAGE_FILE:
        return slots[ISO_PATH]
    for prefix, place in ((ON_STICK, tr("on the stick")), (IN_EFI, tr("in the image's part for UEFI"))):
        if path.startswith(prefix):
            return f"{path.removeprefix(prefix)} ({place})"
    return path


def seen(facts: IsoFacts) -> str:
    """What there is to see of an image that nobody knows."""
    root = facts.dirs.get("/", ())
    names = ", ".join(f"{node.name}/" if node.is_dir else node.name for node in root[:20])
    label = tr("Its label is {label}.", label=repr(facts.volume_id)) if facts.volume_id else tr("It has no label.")
    return f"{label} {tr('At its top are: {names}.', names=names or tr('no files'))}"


def _others(recognition: Recognition, heading: str) -> list[_Line]:
    return (
        [("", heading), *(_item(f"{name}: {spoken(reason)}") for name, reason in recognition.rejections)]
        if recognition.rejections
        else []
    )
