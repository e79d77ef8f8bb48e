"""Names that this computer knows: locales, keyboards, time zones. Every list may be empty; none is complete."""

import re
import zoneinfo
from functools import cache
from pathlib import Path

LOCALES = Path("/usr/share/i18n/SUPPORTED")
KEYBOARDS = Path("/usr/share/X11/xkb/rules/base.lst")


@cache
def locales() -> tuple[str, ...]:
    """UTF-8 locales, from glibc's own list: ``de_DE.UTF-8``."""
    rows = re.findall(r"^([a-z]{2,3}_[A-Z]{2})(?:\.UTF-8)?(@[a-z]+)?[ /]UTF-8", _text(LOCALES), re.MULTILINE)
    return tuple(sorted({f"{name}.UTF-8{modifier}" for name, modifier in rows}))


@cache
def keyboards() -> tuple[str, ...]:
    """XKB layouts and their variants: ``de``, ``de(nodeadkeys)``."""
    text = _text(KEYBOARDS)
    layouts = re.findall(r"^ {2}([a-z]{2,8}) +\S", text.partition("! layout")[2].partition("\n!")[0], re.MULTILINE)
    variants = re.findall(
        r"^ {2}([\w-]+) +([a-z]{2,8}): ", text.partition("! variant")[2].partition("\n!")[0], re.MULTILINE
    )
    return tuple(sorted({*layouts, *(f"{layout}({variant})" for variant, layout in variants)}))


@cache
def time_zones() -> tuple[str, ...]:
    """Names of the time zone database: ``Europe/Berlin``."""
    return tuple(sorted(name for name in zoneinfo.available_timezones() if "/" in name or name == "UTC"))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
