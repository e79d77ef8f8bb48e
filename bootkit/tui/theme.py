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


class PlainScrollBar(ScrollBarRender):
    """Whole cells only: the Linux console has no eighths of a block."""

    VERTICAL_BARS: ClassVar[list[str]] = [" "]
    HORIZONTAL_BARS: ClassVar[list[str]] = [" "]
