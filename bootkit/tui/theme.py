"""One accent colour on calm greys; amber and red are for what needs a look. Words and signs say the same."""

from typing import ClassVar

from textual.scrollbar import ScrollBarRender
from textual.theme import Theme

WIDE = 110
"""Columns of the terminal from which on two things stand side by side."""

_VARIABLES = {
    "footer-background": "#1d2126",
    "footer-item-background": "#1d2126",
    "footer-key-foreground": "#5fb8ad",
    "footer-description-foreground": "#b9c0c7",
    "block-cursor-foreground": "#0f1214",
    "block-cursor-background": "#5fb8ad",
    "block-cursor-text-style": "bold",
    "input-cursor-background": "#d9dee3",
    "input-selection-background": "#5fb8ad 35%",
    "scrollbar": "#39414a",
    "scrollbar-background": "#15181b",
    "scrollbar-hover": "#5fb8ad",
    "scrollbar-active": "#5fb8ad",
    "scrollbar-corner-color": "#15181b",
    "border-blurred": "#39414a",
}

THEME = Theme(
    name="bootkit",
    primary="#5fb8ad",
    secondary="#5fb8ad",
    accent="#5fb8ad",
    warning="#d8a657",
    error="#e06c60",
    success="#5fb8ad",
    foreground="#d9dee3",
    background="#15181b",
    surface="#15181b",
    panel="#1d2126",
    boost="#20252b",
    dark=True,
    variables=_VARIABLES,
)


LIGHT = Theme(
    name="bootkit-light",
    primary="#0b6b62",
    secondary="#0b6b62",
    accent="#0b6b62",
    warning="#8a5a00",
    error="#b3261e",
    success="#0b6b62",
    foreground="#1d2126",
    background="#fafbfc",
    surface="#fafbfc",
    panel="#e9edf0",
    boost="#dde3e8",
    dark=False,
    variables={
        "footer-background": "#e9edf0",
        "footer-item-background": "#e9edf0",
        "footer-key-foreground": "#0b6b62",
        "footer-description-foreground": "#39414a",
        "block-cursor-foreground": "#ffffff",
        "block-cursor-background": "#0b6b62",
        "block-cursor-text-style": "bold",
        "input-selection-background": "#0b6b62 25%",
        "scrollbar": "#b9c0c7",
        "scrollbar-background": "#fafbfc",
        "scrollbar-hover": "#0b6b62",
        "scrollbar-active": "#0b6b62",
        "scrollbar-corner-color": "#fafbfc",
        "border-blurred": "#b9c0c7",
    },
)

CONTRAST = Theme(
    name="bootkit-contrast",
    primary="#ffff00",
    secondary="#ffff00",
    accent="#ffff00",
    warning="#ffff00",
    error="#ff8080",
    success="#ffff00",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#000000",
    boost="#262626",
    dark=True,
    variables={
        "footer-background": "#000000",
        "footer-item-background": "#000000",
        "footer-key-foreground": "#ffff00",
        "footer-description-foreground": "#ffffff",
        "block-cursor-foreground": "#000000",
        "block-cursor-background": "#ffff00",
        "block-cursor-text-style": "bold",
        "scrollbar": "#ffffff",
        "scrollbar-background": "#000000",
        "border-blurred": "#ffffff",
        "text-muted": "#ffffff",
    },
)

OUR_THEMES = (THEME, LIGHT, CONTRAST)


class PlainScrollBar(ScrollBarRender):
    """Whole cells only: the Linux console has no eighths of a block."""

    VERTICAL_BARS: ClassVar[list[str]] = [" "]
    HORIZONTAL_BARS: ClassVar[list[str]] = [" "]
