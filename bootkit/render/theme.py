"""The look of the graphical menu: GRUB's theme file and the few pictures that it names, all made here.

GRUB puts a box together out of nine pictures: its corners, its edges, which are stretched, and its middle.

Source: GRUB manual, "Theme file format"; grub 2.06, grub-core/gfxmenu (a box is drawn without the pictures that it
lacks; a theme without a picture for the background leaves an error behind, which is told at the next entry).
"""

from collections.abc import Callable, Collection, Mapping
from functools import cache

from bootkit.model.catalog import DARK, LIGHT, PLAIN
from bootkit.model.menufont import TEXT, text_font
from bootkit.model.places import THEME_FOLDER
from bootkit.render.grub import render
from bootkit.render.icons import ICON
from bootkit.render.png import Pixel, png
from bootkit.render.texts import translations
from bootkit.values import dataclass

_SAMPLES = 4
"""Points along one side of a pixel by which a curve's share of it is found."""
PICTURE = ".png"
_LOGO = 36
_ROUND = 5
"""Radius of the corners of a line's box."""
_NOTHING: Pixel = (0, 0, 0, 0)
_SLICES = ("nw", "n", "ne", "w", "c", "e", "sw", "s", "se")
_PICTURES = (
    "background", "logo", "icons/marked", "icons/erases", "icons/installs",
    *(f"{box}_{place}" for box in ("panel", "select", "bar") for place in _SLICES),
    *(f"item_{side}" for side in "nswe"),
)  # fmt: skip
"""What :func:`_pictures` draws."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Palette:
    """Colours as in HTML: ``#rrggbb``."""

    background: str
    panel: str
    border: str
    text: str
    quiet: str
    title: str
    selected: str
    selected_text: str
    bar: str
    """How much time has gone."""
    bar_text: str
    mark: str
    """Of what does not start here, and of what erases disks."""
    caution: str
    """Of what installs."""


PALETTES: Mapping[str, Palette] = {
    DARK: Palette(
        background="#11161d",
        panel="#181f29",
        border="#273140",
        text="#c6cfda",
        quiet="#8290a3",
        title="#f2f5f8",
        selected="#2765ad",
        selected_text="#ffffff",
        bar="#2d4566",
        bar_text="#dfe6ee",
        mark="#e0564a",
        caution="#e0a13a",
    ),
    LIGHT: Palette(
        background="#e9edf2",
        panel="#fafbfd",
        border="#cdd5df",
        text="#27313d",
        quiet="#5a6778",
        title="#111820",
        selected="#1f6fc4",
        selected_text="#ffffff",
        bar="#c3d9f2",
        bar_text="#27313d",
        mark="#c3362b",
        caution="#b57200",
    ),
}


def is_our_theme(name: str) -> bool:
    return name in PALETTES


def theme_path(name: str, language: str = "en") -> str:
    """The path of the theme's ``theme.txt`` on the stick; empty for GRUB's own look."""
    if not is_our_theme(name):
        return "" if name == PLAIN else name
    return f"{THEME_FOLDER}/theme.txt" if language == "en" else f"{THEME_FOLDER}/theme-{language}.txt"


def theme_background(name: str) -> str:
    """Colour behind the texts of GRUB's terminal; empty for a theme that is not ours."""
    return PALETTES[name].background if is_our_theme(name) else ""


def picture_path(name: str) -> str:
    return f"{THEME_FOLDER}/{name}{PICTURE}"


def theme_files(
    name: str, language: str = "en", *, searches: bool = False, large: bool = False, drawn: Collection[str] = ()
) -> dict[str, bytes]:
    """The files of a theme of ours by their path on the stick; none for any other. Those that are ``drawn`` may be left out."""
    if not is_our_theme(name):
        return {}
    palette = PALETTES[name]
    files: dict[str, bytes] = {}
    if not all(picture_path(picture) in drawn for picture in _PICTURES):
        files = {picture_path(picture): content for picture, content in _pictures(palette).items()}
    for spoken in ("en", language):
        files[theme_path(name, spoken)] = _theme_text(palette, spoken, searches=searches, large=large)
    return files


@cache
def _pictures(palette: Palette) -> Mapping[str, bytes]:
    """The pictures of a theme, drawn once: a front end asks at every key what would be written."""
    return {
        "background": png([[_rgba(palette.background)]]),
        "logo": png(_logo(palette)),
        "icons/marked": png(_mark(palette)),
        "icons/erases": png(_warning(palette, palette.mark)),
        "icons/installs": png(_warning(palette, palette.caution)),
        **_box("panel", _ROUND, palette.panel, palette.border),
        **_box("select", _ROUND, palette.selected, palette.selected),
        **_box("bar", _ROUND, palette.bar, palette.bar),
        # nothing to see, but as wide as the box of the selected line: else the lines would jump
        **{f"item_{side}": png([[_NOTHING]] * _ROUND) for side in "ns"},
        **{f"item_{side}": png([[_NOTHING] * _ROUND]) for side in "we"},
    }


def _theme_text(palette: Palette, language: str, *, searches: bool, large: bool) -> bytes:
    texts = translations(language)

    def in_language(text: str) -> str:
        return f'"{texts.get(text, text)}"'

    font = text_font(large=large)
    return render(
        "theme.txt.j2",
        palette=palette,
        font=font.name,
        keys_font=TEXT.name,  # of large letters half the keys would fit a narrow screen
        margin=4 if large else 10,
        line=font.size * 5 // 4,
        icon=ICON * font.size // TEXT.size,
        searches=searches,
        _=in_language,
    ).encode()


def _box(name: str, radius: int, fill: str, border: str) -> dict[str, bytes]:
    """The nine pictures of a box with round corners and a border of one pixel."""
    size = 2 * radius + 1
    inner, outer = _rounded(size, radius, 1), _rounded(size, radius, 0)
    whole = _draw(size, lambda x, y: _rgba(fill) if inner(x, y) else _rgba(border) if outer(x, y) else _NOTHING)
    parts = (slice(0, radius), slice(radius, radius + 1), slice(radius + 1, size))
    pieces = ([row[across] for row in whole[down]] for down in parts for across in parts)
    return {f"{name}_{place}": png(piece) for place, piece in zip(_SLICES, pieces, strict=True)}


def _logo(palette: Palette) -> list[list[Pixel]]:
    """A key to press: a round square with a triangle in it that points to the right."""
    square = _rounded(_LOGO, _LOGO / 4, 0)

    def colour(x: float, y: float) -> Pixel:
        across, down = x / _LOGO, abs(y / _LOGO - 0.5)
        if across >= 0.36 and down <= 0.24 * (0.74 - across) / 0.38:
            return _rgba(palette.selected_text)
        return _rgba(palette.selected) if square(x, y) else _NOTHING

    return _draw(_LOGO, colour)


def _mark(palette: Palette) -> list[list[Pixel]]:
    """A disc with a bar across."""
    disc = _rounded(ICON, ICON / 2, 0)

    def colour(x: float, y: float) -> Pixel:
        if abs(y / ICON - 0.5) <= 0.1 and abs(x / ICON - 0.5) <= 0.3:
            return _rgba(palette.panel)
        return _rgba(palette.mark) if disc(x, y) else _NOTHING

    return _draw(ICON, colour)


def _warning(palette: Palette, colour: str) -> list[list[Pixel]]:
    """A triangle with a sign of exclamation in it."""

    def pixel(x: float, y: float) -> Pixel:
        aside, down = abs(x / ICON - 0.5), y / ICON
        if aside <= 0.07 and (0.34 <= down <= 0.66 or 0.73 <= down <= 0.86):
            return _rgba(palette.panel)
        return _rgba(colour) if 0.04 <= down <= 0.96 and aside <= down / 2 else _NOTHING

    return _draw(ICON, pixel)


def _rounded(size: int, radius: float, inset: float) -> Callable[[float, float], bool]:
    """Whether a point lies in a square with round corners, ``inset`` pixels from the edge of the picture."""

    def inside(x: float, y: float) -> bool:
        away = [max(radius - at, at - (size - radius), 0.0) for at in (x, y)]
        if not all(inset <= at <= size - inset for at in (x, y)):
            return False
        return away[0] ** 2 + away[1] ** 2 <= (radius - inset) ** 2

    return inside


def _draw(size: int, colour: Callable[[float, float], Pixel]) -> list[list[Pixel]]:
    """A square picture of what ``colour`` says of each point, smoothed where its parts meet."""
    steps = [(index + 0.5) / _SAMPLES for index in range(_SAMPLES)]
    ends = (steps[0], steps[-1])

    def pixel(x: int, y: int) -> Pixel:
        corners = {colour(x + across, y + down) for down in ends for across in ends}
        if len(corners) == 1:  # it is all of one part: none is so small that it lies between the corners of a pixel
            return corners.pop()
        return _mixed([colour(x + across, y + down) for down in steps for across in steps])

    return [[pixel(x, y) for x in range(size)] for y in range(size)]


def _mixed(points: list[Pixel]) -> Pixel:
    alpha = sum(point[3] for point in points)
    if not alpha:
        return _NOTHING
    red, green, blue = (round(sum(point[part] * point[3] for point in points) / alpha) for part in range(3))
    return red, green, blue, round(alpha / len(points))


@cache  # asked for at each point of a picture
def _rgba(colour: str) -> Pixel:
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return red, green, blue, 255
