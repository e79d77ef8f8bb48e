"""Entries that erase disks without a question: told by the answer file that their kernel line names, by a word, or by title.

From a stick they erase the stick as well, if it is the first disk or all are meant. Such an entry is never what an image
starts by itself: another takes its place, or the same installer without its answers.

Source: subiquity's autoinstall reference (the word ``autoinstall`` stands for the user's yes); coreos-installer 0.21
(coreos.inst.install_dev); DBAN and ShredOS (autonuke); kiwi 10 (rd.kiwi.oem.installdevice); Clonezilla 3.1 (ocs_live_run
with restoredisk); Harvester (harvester.install.automatic); newinstaller of Android-x86 (AUTO_INSTALL=force); Proxmox 8.2
(auto-installer); FAI 6 (FAI_ACTION); XenServer's installer (answerfile); Agama's documentation of unattended installations
(inst.auto); debian-installer's preseed/initrd (a /preseed.cfg in the initrd counts without a word).
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from bootkit.bootcfg.cmdline import has_word, without, word_value
from bootkit.detect.answer_files import (
    A_DISK,
    ALL_DISKS,
    BY_ANSWERS,
    BY_INITRD,
    BY_TITLE,
    NETWORK,
    UNATTENDED,
    autoinstall,
    autoyast,
    kickstart,
    preseed,
    unattend,
    with_includes,
)
from bootkit.model.boot import BootEntry, Detection, EntryKind, Role
from bootkit.model.iso import IsoView

BY_HAND = "by hand"
PRESEEDED = "preseed"
"""The marker of an initrd with such a file."""

_KICKSTART = ("inst.ks", "ks")
_PRESEED = ("preseed/file", "file", "preseed/url", "url")
_AUTOYAST = ("autoyast", "autoyast2")
_AGAMA = ("inst.auto", "agama.auto")
_ANSWERS = (
    *(*_KICKSTART, *_PRESEED, *_AUTOYAST, *_AGAMA),
    *("autoinstall", "ds", "auto", "auto-install/enable", "priority", "coreos.inst.*", "harvester.install.*"),
    *("proxmox-start-auto-installer", "proxmox-auto-installer", "answerfile", "answerfile_device", "ocs_live_batch"),
    *("AUTO_INSTALL", "subiquity.autoinstallpath"),
)
"""Words without which an installer asks."""
_GOES_AHEAD = (
    (re.compile(r"(?<==)--autonuke\s*|\s*--autonuke\b"), ""),
    (re.compile(r"^ocs_live_run=.*"), "ocs_live_run=ocs-live-general"),
    (re.compile(r"^FAI_ACTION=install$"), "FAI_ACTION=sysinfo"),
)
"""Parts of words by which a program goes ahead, and what makes it ask instead."""
_RESTORES = re.compile(r"(?:ocs_live_run=|ocs-sr ).*(?:restore(?:disk|parts)|ocs-restore-mdisks|ocs-onthefly)")
_PLACE = re.compile(r"^(?:[a-z]+://[^/]*|[a-z]+:(?:[^:/]*:)?)?(/.*)")
"""The path in ``cdrom:/ks.cfg``, ``hd:LABEL=X:/ks.cfg``, ``file:///cdrom/x``, ``device://sr0/x`` and ``/x``."""
_MOUNTED = (
    "/cdrom", "/run/install/repo", "/run/install/isodir", "/mnt/install/repo", "/mnt/source", "/isodevice", "/media/cdrom",
    "/run/initramfs/live",
)  # fmt: skip
"""Where the image's files are while an installer runs."""
_ERASES = re.compile(
    r"\b(?:eras(?:es?|ing)|wip(?:es?|ing)|destroy(?:s|ing)?|overwrit(?:es?|ing)|nukes?)\b.*"
    r"\b(?:all|everything|data|(?:hard ?)?(?:disks?|drives?)|partitions?|storage|computer|machine|system)\b",
    re.IGNORECASE,
)
_ERASES_NOT = re.compile(
    r"\b(?:without|no|not|never|don'?t|non)\b[\w -]{0,12}?(?:eras|wip|destr|overwr|nuk)", re.IGNORECASE
)
_UNATTEND = ("/autounattend.xml", "/Autounattend.xml", "/AutoUnattend.xml")
_AUTOINSTALL = ("/autoinstall.yaml", "/nocloud/user-data", "/user-data", "/cdrom/user-data")


def with_warnings_of_wiping(iso: IsoView, detection: Detection) -> Detection:
    """The answer with ``wipes`` on its entries, and with another entry in front if the first erases something."""
    entries = tuple(
        entry if entry.wipes or not (why := _wipes(iso, entry)) else replace(entry, wipes=why)
        for entry in detection.entries
    )
    if entries and entries[0].wipes:
        entries = _harmless_first(entries)
    return replace(detection, entries=entries)


def _harmless_first(entries: tuple[BootEntry, ...]) -> tuple[BootEntry, ...]:
    first = entries[0]
    other = next((entry for entry in entries if not entry.wipes and entry.role in (Role.INSTALL, Role.OTHER)), None)
    asking = _asking(first)
    if other is None and asking != first:
        other = replace(asking, title=f"{first.title}, {BY_HAND}", wipes="")
    if other is None:
        return entries
    rest = (replace(first, role=Role.INSTALL), *(entry for entry in entries[1:] if entry is not other))
    return (replace(other, role=Role.DEFAULT), *rest)


def _asking(entry: BootEntry) -> BootEntry:
    """The entry without the words by which it goes ahead."""
    modules = tuple(replace(module, cmdline=_without_answers(module.cmdline)) for module in entry.modules)
    return replace(entry, cmdline=_without_answers(entry.cmdline), modules=modules)


def _without_answers(words: tuple[str, ...]) -> tuple[str, ...]:
    kept = list(without(words, *_ANSWERS))
    for pattern, instead in _GOES_AHEAD:
        kept = [pattern.sub(instead, word) for word in kept]
    return tuple(kept)


def _wipes(iso: IsoView, entry: BootEntry) -> str:
    """What an entry destroys, in a sentence; empty if nothing is known that it destroys."""
    title = BY_TITLE if _ERASES.search(entry.title) and not _ERASES_NOT.search(entry.title) else ""
    return _by_what_it_starts(iso, entry) or title


def _by_what_it_starts(iso: IsoView, entry: BootEntry) -> str:
    if entry.kind in (EntryKind.WIMBOOT, EntryKind.CHAINLOADER):
        return _by_unattend(iso)
    if entry.kind not in (EntryKind.LINUX, EntryKind.LINUX16, EntryKind.MULTIBOOT2):
        return ""
    words = (*entry.cmdline, *(word for module in entry.modules for word in module.cmdline))
    said = next((said for judge in _JUDGES if (said := judge(iso, words))), "")
    return said or (BY_INITRD if _answers_itself(iso, entry) else "")


def _answers_itself(iso: IsoView, entry: BootEntry) -> bool:
    """Whether an initrd that somebody has looked into holds the answers where debian-installer takes them without a word."""
    looked_into = iso.facts.initrds
    return any(PRESEEDED in looked_into[path].markers for path in entry.initrds if path in looked_into)


def _by_word(iso: IsoView, words: tuple[str, ...]) -> str:
    """What a program whose only purpose is to erase will destroy, when its words tell it to go ahead; else empty."""
    text = " ".join(words)
    if "autonuke" in text:
        return ALL_DISKS
    if _RESTORES.search(text) or word_value(words, "FAI_ACTION") == "install" or has_word(words, "answerfile"):
        return A_DISK
    for name in ("coreos.inst.install_dev", "rd.kiwi.oem.installdevice"):
        if has_word(words, name):
            return f"It erases {word_value(words, name)} without a question."
    if word_value(words, "harvester.install.automatic") == "true" or word_value(words, "AUTO_INSTALL") == "force":
        return A_DISK
    starts_alone = has_word(words, "proxmox-start-auto-installer") or has_word(words, "proxmox-auto-installer")
    return A_DISK if starts_alone and iso.is_file("/auto-installer-mode.toml") else ""


def _by_kickstart(iso: IsoView, words: tuple[str, ...]) -> str:
    return _by_file(
        iso, words, _KICKSTART, lambda text: kickstart(with_includes(text, lambda path: iso.text(_on_image(path))))
    )


def _by_preseed(iso: IsoView, words: tuple[str, ...]) -> str:
    return _by_file(iso, words, _PRESEED, preseed)


def _by_autoyast(iso: IsoView, words: tuple[str, ...]) -> str:
    return _by_file(iso, words, _AUTOYAST, autoyast)


def _by_autoinstall(iso: IsoView, words: tuple[str, ...]) -> str:
    if not has_word(words, "autoinstall"):
        return ""
    source = word_value(words, "ds")
    folder = _on_image(source.partition("s=")[2]).rstrip("/")
    named = _on_image(word_value(words, "subiquity.autoinstallpath"))
    places = (*filter(None, (named,)), f"{folder}/user-data", *_AUTOINSTALL)
    text = next((text for path in places if (text := iso.text(path))), "")
    if not text:
        return UNATTENDED if NETWORK.search(word_value(words, "ds")) else ""
    return autoinstall(text)


def _by_unattend(iso: IsoView) -> str:
    return next((said for path in _UNATTEND if (said := unattend(iso.text(path)))), "")


def wiped_by(kind: str, text: str) -> str:
    """What an installer destroys that is given an answer file of ``kind`` (``AnswerFile.kind``), in a sentence.

    Empty only where nothing is installed without a question: what else a file answers, nobody can tell.
    """
    judge = _ANSWERED.get(kind)
    return (judge(text) or BY_ANSWERS) if judge else ""


_ANSWERED: Mapping[str, Callable[[str], str]] = {
    "kickstart": kickstart,
    "preseed": preseed,
    "autoyast": autoyast,
    "autoinstall": autoinstall,
}


def _by_agama(_: IsoView, words: tuple[str, ...]) -> str:
    value = next((value for name in _AGAMA if (value := word_value(words, name))), "")
    return "" if not value else UNATTENDED if NETWORK.match(value) else A_DISK


_JUDGES: tuple[Callable[[IsoView, tuple[str, ...]], str], ...] = (
    _by_word,
    _by_kickstart,
    _by_preseed,
    _by_autoyast,
    _by_autoinstall,
    _by_agama,
)


def _by_file(iso: IsoView, words: tuple[str, ...], names: Iterable[str], judge: Callable[[str], str]) -> str:
    """What the answer file does that one of ``names`` leads to."""
    value = next((value for name in names if (value := word_value(words, name))), "")
    if NETWORK.match(value):
        return UNATTENDED
    place = _on_image(value)
    if place and _is_in_initrd(value) and not iso.is_file(place):
        return BY_INITRD
    return judge(iso.text(place)) if place else ""


def _is_in_initrd(value: str) -> bool:
    """Whether a word means a file of the system that the installer runs from, not one of a medium."""
    return value.startswith(("file:", "/")) and not any(f"{start}/" in value for start in _MOUNTED)


def _on_image(value: str) -> str:
    """The path in the image that the value of a word means; empty if it is none."""
    match = _PLACE.match(value)
    path = match[1] if match is not None else ""
    start = next((start for start in _MOUNTED if path.startswith(f"{start}/")), "")
    return path.removeprefix(start).replace("//", "/")
