"""The user's choices in the words of what boots."""

import re
from dataclasses import replace

import pytest

from bootkit.detect import QuickRule
from bootkit.detect.registry import stacks
from bootkit.model.boot import BootEntry, Detection, EntryKind, Module, Recognition
from bootkit.model.catalog import ImageItem
from bootkit.model.options import OPTIONS, STICK, Choices, Value, image_place, option, stack_place
from bootkit.plan.choices import TRANSLATED, chosen_item, chosen_rule, menu_settings, reason_against, unheard
from bootkit.plan.password import grub_digest
from bootkit.system.run import run, which

PATH = "/boot/iso/x.iso"
ALL: dict[str, Value] = {
    "language": "de_DE.UTF-8",
    "keyboard": "de(nodeadkeys)",
    "timezone": "Europe/Berlin",
    "user": "tux",
    "host": "box",
}


def image(stack: str, *words: str, **entry: object) -> ImageItem:
    entries = (BootEntry(**{"title": "Live", "kernel": "/k", "cmdline": words, **entry}),)  # type: ignore[arg-type]
    recognition = Recognition(detection=Detection(stack=stack, distro="D", entries=entries))
    return ImageItem(path=PATH, size=1, mtime_ns=1, recognition=recognition)


def entry_of(item: ImageItem) -> BootEntry:
    assert item.recognition is not None
    assert item.recognition.detection is not None
    return item.recognition.detection.entries[0]


def words_of(item: ImageItem, choices: Choices) -> tuple[str, ...]:
    return entry_of(chosen_item(item, choices)).cmdline


def stick(**values: Value) -> Choices:
    return Choices(values={STICK: values})


@pytest.mark.parametrize(
    ("stack", "before", "after"),
    [
        (
            "casper",
            "boot=casper locale=fr_FR.UTF-8 --- quiet",
            (
                "boot=casper locale=de_DE.UTF-8 console-setup/layoutcode=de console-setup/variantcode=nodeadkeys "
                "keyboard-configuration/layoutcode=de keyboard-configuration/variantcode=nodeadkeys username=tux hostname=box "
                "--- quiet"
            ),
        ),
        (
            "live-boot",
            "boot=live username=user components locales= keyboard-layouts=",
            (
                "boot=live components locales=de_DE.UTF-8 keyboard-layouts=de keyboard-variants=nodeadkeys "
                "timezone=Europe/Berlin username=tux hostname=box"
            ),
        ),
        ("live-boot", "boot=live nomce", "boot=live nomce"),
        (
            "dmsquash-live",
            "root=live:x",
            "root=live:x locale.LANG=de_DE.UTF-8 vconsole.keymap=de-nodeadkeys systemd.hostname=box",
        ),
        ("linuxrc", "splash=silent", "splash=silent lang=de_DE keytable=de-nodeadkeys hostname=box"),
        ("knoppix", "lang=en", "lang=de keyboard=de-nodeadkeys xkeyboard=de tz=Europe/Berlin hostname=box"),
        ("mboot", "x", "x"),
    ],
)
def test_choices_become_the_words_of_the_stack(stack: str, before: str, after: str) -> None:
    assert " ".join(words_of(image(stack, *before.split()), stick(**ALL))) == after


def test_a_word_whose_slot_stays_empty_is_left_out() -> None:
    words = words_of(image("live-boot", "components"), stick(keyboard="us"))
    assert words == ("components", "keyboard-layouts=us")


def test_the_console_calls_some_keyboards_otherwise() -> None:
    assert words_of(image("dmsquash-live"), stick(keyboard="gb")) == ("vconsole.keymap=uk",)


def test_every_row_is_for_options_and_slots_that_there_are() -> None:
    for name, stack in stacks().items():
        words = stack.words.by_option
        assert set(words) == set(TRANSLATED) <= {spec.key for spec in OPTIONS}, name
        slots = {slot for templates in words.values() for word in templates for slot in re.findall(r"{(\w+)}", word)}
        assert slots <= {"value", "locale", "lang", "language", "layout", "variant", "keymap"}, name


def test_extra_words_take_the_place_of_those_of_their_name() -> None:
    choices = stick(extra_words=("splash=no", "mitigations=off"))
    assert words_of(image("x", "quiet", "splash=yes", "---", "splash=yes"), choices) == (
        "quiet",
        "splash=no",
        "mitigations=off",
        "---",
        "splash=yes",
    )


def test_an_image_of_its_own_mind_is_not_asked_at_the_menu() -> None:
    ram = image("x", "q", to_ram=("toram",), safe_graphics=("nomodeset",))
    assert words_of(ram, stick(to_ram=True)) == ("q",)
    assert menu_settings(stick(to_ram=True), (ram,)).to_ram
    assert words_of(ram, Choices(values={image_place(PATH): {"to_ram": True}})) == ("q", "toram")
    never = chosen_item(ram, Choices(values={stack_place("x"): {"to_ram": False, "safe_graphics": True}}))
    assert entry_of(never).to_ram == ()
    assert entry_of(never).cmdline == ("q", "nomodeset")


def test_xen_gets_the_words_for_the_linux_among_its_modules() -> None:
    modules = (Module(path="/vmlinuz", cmdline=("a", "b=1")), Module(path="/initrd"))
    item = image("anaconda on Xen", "console=none", kind=EntryKind.MULTIBOOT2, modules=modules)
    chosen = entry_of(chosen_item(item, stick(extra_words=("b=2",))))
    assert chosen.cmdline == ("console=none",)
    assert [module.cmdline for module in chosen.modules] == [("a", "b=2"), ()]


def test_an_image_that_came_after_generate_gets_the_words_too() -> None:
    rule = QuickRule(requires=(), kernel=("/k",), initrd=(), cmdline=("boot=casper", "---"))
    words = chosen_rule("casper", rule, stick(host="box", extra_words=("quiet",))).cmdline
    assert words == ("boot=casper", "hostname=box", "quiet", "---")


@pytest.mark.parametrize(
    ("item", "key", "reason"),
    [
        (image("puppy"), "timezone", "puppy has no kernel word for the time zone."),
        (image("puppy"), "home", "Nothing is added to puppy"),
        (image("puppy"), "own_disks", "Nothing is added to puppy"),
        (image("Alpine initrd"), "own_disks", ""),
        (image("Alpine initrd"), "guard_stick", "Nothing is added to Alpine initrd"),
        (image("live-boot", "boot=live"), "host", ""),
        (image("mboot", kind=EntryKind.CONFIGFILE), "extra_words", "a kernel line that words"),
        (image("live-boot", "boot=live"), "own_things", "It is no installed system in a file"),
        (image("archiso"), "to_ram", "cannot copy this image to RAM"),
        (ImageItem(path=PATH, size=1, mtime_ns=1), "language", "does not start"),
        (ImageItem(path=PATH, size=1, mtime_ns=1), "alias", ""),
        (image("casper"), "language", ""),
    ],
)
def test_says_why_an_image_cannot_honour_a_choice(item: ImageItem, key: str, reason: str) -> None:
    told = reason_against(item, option(key))
    assert reason in told
    assert bool(told) == bool(reason)


def test_warns_once_for_each_choice_that_is_not_heeded() -> None:
    items = tuple(replace(image("puppy"), path=f"/boot/iso/{n}.iso") for n in range(6))
    (warning,) = unheard((*items, image("live-boot", "components")), stick(timezone="UTC"))
    assert warning.startswith("time zone has no effect on 0.iso, 1.iso, 2.iso, 3.iso and 2 more")


def test_warns_of_images_whose_disks_cannot_be_kept_closed() -> None:
    items = (image("puppy"), image("Alpine initrd"), image("casper"))
    assert unheard(items, Choices()) == ()
    (warning,) = unheard(items, stick(own_disks="closed"))
    assert warning == f"other disks has no effect on {items[0].name}; why: bootkit options list --image"


def test_every_option_has_a_default_that_is_one() -> None:
    for spec in OPTIONS:
        assert Choices().chosen(spec.key).value == spec.default
        assert spec.help.endswith((".", "RAM")), spec.key


@pytest.mark.skipif(which("grub-mkpasswd-pbkdf2") is None, reason="grub-mkpasswd-pbkdf2 is not installed")
def test_a_password_is_digested_as_grubs_own_program_does_it() -> None:
    said = run(["grub-mkpasswd-pbkdf2"], stdin=b"correct horse\ncorrect horse\n").decode()
    match = re.search(r"grub\.pbkdf2\.sha512\.(\d+)\.([0-9A-F]+)\.[0-9A-F]+", said)
    assert match is not None
    assert grub_digest("correct horse", bytes.fromhex(match[2]), int(match[1])) == match[0]
