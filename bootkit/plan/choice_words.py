"""Which kernel words carry a choice into a live system: one row for each boot stack that has such words.

The slots: ``{locale}`` de_DE.UTF-8, ``{lang}`` de_DE, ``{language}`` de, ``{layout}`` and ``{variant}`` of the XKB
keyboard, ``{keymap}`` the console's name for both, ``{value}`` the value as it is. A word whose slot has nothing to be
filled with is left out.

Source: casper 1.498 (scripts/casper-bottom/14locales, 19keyboard; scripts/casper, parse_cmdline); live-config 11.0.3
(manual; every word needs ``components`` or its older name ``config``); debian-installer's appendix on preseeding;
systemd (kernel-command-line(7): locale.LANG, vconsole.keymap, systemd.hostname); anaconda 45 (docs/boot-options.rst);
linuxrc (file.c); antiX and MX (mx-iso-template); SystemRescue's manual; liveslak (README_initrd); the manuals of Knoppix,
Porteus, Puppy (plang, pkeys) and Tiny Core; miso and Artix from the lines of their own menus.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

Words = tuple[str, ...]

SYSTEMD: Mapping[str, Words] = {
    "language": ("locale.LANG={locale}",),
    "keyboard": ("vconsole.keymap={keymap}",),
    "host": ("systemd.hostname={value}",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceWords:
    """The words of one boot stack."""

    words: Mapping[str, Words] = field(default_factory=dict[str, Words])
    """By the option's key."""
    needs: Words = ()
    """One of these must be on the kernel line, or nobody reads the words."""


STACKS: Mapping[str, ChoiceWords] = {
    "casper": ChoiceWords(
        words={
            "language": ("locale={locale}",),
            "keyboard": (
                "console-setup/layoutcode={layout}",
                "console-setup/variantcode={variant}",
                "keyboard-configuration/layoutcode={layout}",
                "keyboard-configuration/variantcode={variant}",
            ),
            "user": ("username={value}",),
            "host": ("hostname={value}",),
        }
    ),
    "live-boot": ChoiceWords(
        needs=("components", "config"),
        words={
            "language": ("locales={locale}",),
            "keyboard": ("keyboard-layouts={layout}", "keyboard-variants={variant}"),
            "timezone": ("timezone={value}",),
            "user": ("username={value}",),
            "host": ("hostname={value}",),
        },
    ),
    "debian-installer": ChoiceWords(
        words={
            "language": ("locale={locale}",),
            "keyboard": ("keyboard-configuration/xkb-keymap={layout}",),
            "timezone": ("time/zone={value}",),
            "user": ("passwd/username={value}",),
            "host": ("netcfg/get_hostname={value}",),
        }
    ),
    "antiX": ChoiceWords(
        words={
            "language": ("lang={lang}",),
            "keyboard": ("kbd={layout}", "kbvar={variant}"),
            "timezone": ("tz={value}",),
            "host": ("hostname={value}",),
        }
    ),
    "dmsquash-live": ChoiceWords(words=SYSTEMD),
    "kiwi-live": ChoiceWords(words=SYSTEMD),
    "liveiso": ChoiceWords(words={key: SYSTEMD[key] for key in ("language", "keyboard")}),
    "agama": ChoiceWords(words={"keyboard": SYSTEMD["keyboard"]}),
    "archiso": ChoiceWords(words=SYSTEMD),
    "sysrescue": ChoiceWords(
        words={"language": SYSTEMD["language"], "keyboard": ("setkmap={keymap}",), "host": SYSTEMD["host"]}
    ),
    "anaconda": ChoiceWords(words={"language": ("inst.lang={locale}",), "keyboard": ("inst.keymap={keymap}",)}),
    "linuxrc": ChoiceWords(
        words={"language": ("lang={lang}",), "keyboard": ("keytable={keymap}",), "host": ("hostname={value}",)}
    ),
    "kiwi isoboot": ChoiceWords(words={"language": ("lang={lang}",)}),
    "miso": ChoiceWords(
        words={"language": ("lang={lang}",), "keyboard": ("keytable={keymap}",), "timezone": ("tz={value}",)}
    ),
    "artix": ChoiceWords(
        words={"language": ("lang={lang}",), "keyboard": ("keytable={keymap}",), "timezone": ("tz={value}",)}
    ),
    "genkernel": ChoiceWords(words={"keyboard": ("keymap={layout}",)}),
    "liveslak": ChoiceWords(
        words={
            "language": ("locale={locale}",),
            "keyboard": ("kbd={keymap}", "xkb={layout},{variant}"),
            "timezone": ("tz={value}",),
            "host": ("hostname={value}",),
        }
    ),
    "porteus": ChoiceWords(words={"keyboard": ("kmap={keymap}",), "timezone": ("timezone={value}",)}),
    "puppy": ChoiceWords(words={"language": ("plang={lang}",), "keyboard": ("pkeys={keymap}",)}),
    "tinycore": ChoiceWords(
        words={
            "language": ("lang={lang}",),
            "keyboard": ("kmap={keymap}",),
            "timezone": ("tz={value}",),
            "user": ("user={value}",),
            "host": ("host={value}",),
        }
    ),
    "knoppix": ChoiceWords(
        words={
            "language": ("lang={language}",),
            "keyboard": ("keyboard={keymap}", "xkeyboard={layout}"),
            "timezone": ("tz={value}",),
            "host": ("hostname={value}",),
        }
    ),
    "mdk-stage1": ChoiceWords(words={"language": ("lang={language}",), "keyboard": ("kbd={layout}",)}),
    "propagator": ChoiceWords(words={"language": ("lang={lang}",)}),
    "altboot": ChoiceWords(words={"language": ("lang={lang}",)}),
    "mklivecd": ChoiceWords(words={"language": ("lang={language}",), "keyboard": ("keyb={keymap}",)}),
}

OVERLAID = frozenset(
    {
        "Linux Live Kit", "antiX", "archiso", "artix", "casper", "chakraiso", "dmsquash-live", "genkernel", "hyperiso",
        "kdeosiso", "kiwi-live", "live-boot", "liveiso", "liveslak", "mgalive", "miso", "miso (dracut)", "nixos systemd stage-1",
        "parabolaiso", "sysrescue",
    }
)  # fmt: skip
"""The boot stacks that have an overlay in ``initrd_overlays/``: it sets in the live system what they have no words for."""

CONSOLE_KEYMAPS: Mapping[str, str] = {
    "be": "be-latin1", "br": "br-abnt2", "ca": "cf", "ch": "sg-latin1", "dk": "dk-latin1", "gb": "uk", "hr": "croat",
    "hu": "hu101", "is": "is-latin1", "jp": "jp106", "latam": "la-latin1", "pt": "pt-latin1", "se": "sv-latin1",
    "si": "slovene", "tr": "trq", "ua": "ua-utf", "bg": "bg-cp1251", "cz": "cz-lat2", "pl": "pl2",
}  # fmt: skip
"""The console's keymap where it is not called like the XKB layout. Source: systemd, src/locale/kbd-model-map."""


def fill(template: str, value: str, slots: Mapping[str, str]) -> str:
    """A word with its slots filled; empty if one of them has nothing to be filled with."""
    filled = template.replace("{value}", value)
    for name, content in slots.items():
        if f"{{{name}}}" in filled:
            if not content:
                return ""
            filled = filled.replace(f"{{{name}}}", content)
    return filled


def locale_slots(value: str) -> dict[str, str]:
    lang = value.partition(".")[0].partition("@")[0]
    return {"locale": value if "." in value else f"{value}.UTF-8", "lang": lang, "language": lang.partition("_")[0]}


def keyboard_slots(layout: str, variant: str) -> dict[str, str]:
    keymap = f"{layout}-{variant}" if variant else CONSOLE_KEYMAPS.get(layout, layout)
    return {"layout": layout, "variant": variant, "keymap": keymap}
