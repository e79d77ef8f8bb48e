"""Titles and names out of images, made harmless for the terminal that the screens are drawn on."""

from collections.abc import Callable

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter


class HarmlessLines(LineFilter):
    """A filter that takes out of every line what moves the cursor, changes the terminal or turns the line around.

    Such characters have no width, so what is beside them stays in its place.
    """

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002  # the signature is textual's
        return [
            segment
            if segment.text.isprintable()
            else Segment("".join(filter(_IS_SHOWN, segment.text)), segment.style, segment.control)
            for segment in segments
        ]


_IS_SHOWN: Callable[[str], bool] = str.isprintable
HARMLESS = HarmlessLines()
