"""The user's choices in the form in which kernel words have them: the slots of :class:`bootkit.model.stack.ChoiceWords`."""

from collections.abc import Mapping

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
