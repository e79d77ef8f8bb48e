"""The user's choices put into what an image boots by, and the reasons where that cannot be. Pure."""

from collections.abc import Mapping
from dataclasses import replace

from bootkit.bootcfg.cmdline import SEPARATORS, before_separator, name_of, without
from bootkit.detect import QuickRule
from bootkit.detect.registry import stack_of
from bootkit.model.boot import BootEntry, Detection, EntryKind, Role
from bootkit.model.catalog import MENU_LANGUAGES, ImageAppearance, ImageItem, MenuSettings
from bootkit.model.options import AUTO, KEYBOARD, OPTIONS, Choices, Kind, OptionSpec, Scope, option
from bootkit.model.stack import ChoiceWords, Words
from bootkit.overlay.manifest import closes_disks, lays_over
from bootkit.plan.choice_words import fill, keyboard_slots, locale_slots

TRANSLATED = tuple(ChoiceWords().by_option)
"""Options that become kernel words, where the boot stack has such words."""
ADDED = tuple(spec.key for spec in OPTIONS if spec.variable and spec.key not in TRANSLATED)
"""Options of what the overlay does."""
_OWN = (Scope.IMAGE, Scope.STACK)
_TITLES = {key: option(key).title.lower() for key in TRANSLATED}


def menu_settings(choices: Choices, items: tuple[ImageItem, ...]) -> MenuSettings:
    """What the menu itself is told."""
    return MenuSettings(
        timeout=choices.number("timeout"),
        default=choices.text("default"),
        serial=bool(choices.number("serial")),
        beep=bool(choices.number("beep")),
        large_letters=bool(choices.number("large_letters")),
        to_ram=bool(choices.number("to_ram")),
        safe_graphics=bool(choices.number("safe_graphics")),
        password=choices.text("password"),
        language=_menu_language(choices),
        theme=choices.text("theme"),
        protect_all=choices.text("protect") == "everything",
        appearances={item.path: own for item in items if (own := _appearance(choices, item)) != ImageAppearance()},
    )


def _menu_language(choices: Choices) -> str:
    chosen = choices.text("menu_language")
    language = choices.text("language").partition("_")[0] if chosen == AUTO else chosen
    return language if language in MENU_LANGUAGES else MENU_LANGUAGES[0]


def chosen_item(item: ImageItem, choices: Choices) -> ImageItem:
    """``item`` with the choices in its entries' words; as it is if nobody knows it."""
    known = item.recognition
    if known is None or known.detection is None:
        return item
    detection = known.detection
    entries = tuple(
        _entry(detection.stack, entry, choices, item.path)
        for entry in detection.entries
        if entry.role is not Role.PERSISTENT or not _only_live(item, choices)
    )
    if entries == detection.entries:
        return item
    return replace(item, recognition=replace(known, detection=replace(detection, entries=entries)))


def _only_live(item: ImageItem, choices: Choices) -> bool:
    """Whether the disk of an installed system is not to be written to, so that nothing in the menu would."""
    return item.is_written and not choices.number("persistence", stack=item.stack, image=item.path)


def chosen_rule(stack: str, rule: QuickRule, choices: Choices) -> QuickRule:
    """``rule`` with the choices in its words: the same for an image that GRUB finds out about by itself."""
    return replace(rule, cmdline=_merged(rule.cmdline, _new_words(stack, rule.cmdline, choices, "")))


def reason_against(item: ImageItem, spec: OptionSpec) -> str:
    """Why an image cannot honour an option, as a sentence; empty if it can."""
    detection = item.recognition.detection if item.recognition else None
    if detection is None or not detection.entries:
        return "" if spec.key in ("alias", "tip", "order", "hidden") else f"{item.name} does not start from the menu."
    if spec.key in ADDED:
        return _addition_problem(detection, spec.key)
    if spec.key in TRANSLATED and lays_over(detection.stack):
        return ""
    if spec.key == "persistence" and not detection.keeps_changes and not detection.is_written:
        return f"Nothing keeps its changes: bootkit persist create {item.name}"
    if spec.key == "seed" and not any(entry.answers for entry in detection.entries):
        return f"It has no answer file: bootkit seed add {item.name} FILE"
    linux = [entry for entry in detection.entries if _has_line(entry)]
    if spec.key in TRANSLATED or spec.kind is Kind.WORDS or spec.key == "safe_graphics":
        if not linux:
            return "None of its entries has a kernel line that words could be added to."
        return _translation_problem(detection, linux, spec.key) if spec.key in TRANSLATED else ""
    if spec.key == "to_ram" and not any(entry.to_ram for entry in linux):
        return f"{detection.stack} cannot copy this image to RAM."
    return ""


def _addition_problem(detection: Detection, key: str) -> str:
    if key == "own_things" and not detection.is_written:
        return "It is no installed system in a file: they are laid over it in any case."
    if lays_over(detection.stack) or (key == "own_disks" and closes_disks(detection.stack)):
        return ""
    return f"Nothing is added to {detection.stack}, which has no overlay."


def unheard(items: tuple[ImageItem, ...], choices: Choices) -> tuple[str, ...]:
    """One warning for each choice that some image was meant to honour and cannot."""
    warnings: list[str] = []
    chosen = frozenset(key for kept in choices.values.values() for key in kept)
    for key in (*TRANSLATED, "home", "extra_words", "own_disks", "guard_stick"):
        if key not in chosen:
            continue
        deaf = [item.name for item in items if _is_bootable(item) and _is_deaf(item, choices, key)]
        if deaf:
            shown = ", ".join(deaf[:4]) + (f" and {len(deaf) - 4} more" if len(deaf) > 4 else "")
            warnings.append(f"{option(key).title.lower()} has no effect on {shown}; why: bootkit options list --image")
    return tuple(warnings)


def _is_bootable(item: ImageItem) -> bool:
    return bool(item.recognition and item.recognition.detection and item.recognition.detection.entries)


def _is_deaf(item: ImageItem, choices: Choices, key: str) -> bool:
    detection = item.recognition.detection if item.recognition else None
    assert detection is not None  # only bootable ones are asked
    value = choices.chosen(key, stack=detection.stack, image=item.path).value
    return value not in ("", option(key).default) and bool(reason_against(item, option(key)))


def _appearance(choices: Choices, item: ImageItem) -> ImageAppearance:
    path = item.path
    if not choices.are_of(path):
        return ImageAppearance(entry=_default_entry(choices, item))
    return ImageAppearance(
        alias=choices.text("alias", image=path),
        tip=choices.text("tip", image=path),
        order=choices.number("order", image=path),
        hidden=bool(choices.number("hidden", image=path)),
        entry=choices.text("entry", image=path) or _default_entry(choices, item),
        locked=bool(choices.number("locked", image=path)),
    )


def _default_entry(choices: Choices, item: ImageItem) -> str:
    """The entry for the answer file that was chosen, or the one to start if that which keeps changes is not to."""
    detection = item.recognition.detection if item.recognition else None
    if detection is None or not any(entry.answers or entry.role is Role.PERSISTENT for entry in detection.entries):
        return ""
    seed = choices.text("seed", image=item.path)
    found = next((entry.title for entry in detection.entries if seed and entry.answers == seed), "")
    keeps = choices.number("persistence", stack=detection.stack, image=item.path)
    if found or keeps or not detection.keeps_changes:
        return found
    return next((entry.title for entry in detection.entries if entry.role is not Role.PERSISTENT), "")


def _translation_problem(detection: Detection, linux: list[BootEntry], key: str) -> str:
    words = stack_of(detection.stack).words
    if not words.by_option[key]:
        return f"{detection.stack} has no kernel word for the {_TITLES[key]}."
    if words.needs and not any(_has_any(_cmdline(entry), words.needs) for entry in linux):
        return f"Nothing in it reads kernel words for the {_TITLES[key]}: its lines lack {words.needs[0]!r}."
    return ""


def _entry(stack: str, entry: BootEntry, choices: Choices, path: str) -> BootEntry:
    if not _has_line(entry):
        return entry
    words = _new_words(stack, _cmdline(entry), choices, path)
    for key, extra in (("to_ram", entry.to_ram), ("safe_graphics", entry.safe_graphics)):
        chosen = choices.chosen(key, stack=stack, image=path)
        if chosen.scope not in _OWN:
            continue
        if chosen.value:
            words += extra
        else:
            entry = replace(entry, to_ram=()) if key == "to_ram" else replace(entry, safe_graphics=())
    return _with_cmdline(entry, _merged(_cmdline(entry), words)) if words else entry


def _has_line(entry: BootEntry) -> bool:
    """Whether a Linux kernel is told something by it; Xen has that kernel as its first module."""
    return entry.kind is EntryKind.LINUX or (entry.kind is EntryKind.MULTIBOOT2 and bool(entry.modules))


def _cmdline(entry: BootEntry) -> Words:
    return entry.cmdline if entry.kind is EntryKind.LINUX else entry.modules[0].cmdline


def _with_cmdline(entry: BootEntry, words: Words) -> BootEntry:
    if entry.kind is EntryKind.LINUX:
        return replace(entry, cmdline=words)
    return replace(entry, modules=(replace(entry.modules[0], cmdline=words), *entry.modules[1:]))


def _new_words(stack: str, cmdline: Words, choices: Choices, path: str) -> Words:
    known = stack_of(stack).words
    words: list[str] = []
    if not known.needs or _has_any(cmdline, known.needs):
        for key, templates in known.by_option.items():
            value = choices.text(key, stack=stack, image=path)
            slots = _slots(key, value)
            words += [word for template in templates if value and (word := fill(template, value, slots))]
    return (*words, *choices.words("extra_words", stack=stack, image=path))


def _slots(key: str, value: str) -> Mapping[str, str]:
    if key == "language":
        return locale_slots(value)
    match = KEYBOARD.fullmatch(value) if key == "keyboard" else None
    return keyboard_slots(match["layout"], match["variant"] or "") if match else {}


def _has_any(cmdline: Words, names: Words) -> bool:
    return any(name_of(word) in names for word in cmdline)


def _merged(cmdline: Words, new: Words) -> Words:
    """``new`` before the separator, in place of the image's own words of those names."""
    if not new:
        return cmdline
    place = next((index for index, word in enumerate(cmdline) if word in SEPARATORS), len(cmdline))
    kept = without(cmdline[:place], *map(name_of, new))
    return before_separator((*kept, *cmdline[place:]), *new)
