"""The pictures of the distributions."""

import string
import struct
import zlib
from dataclasses import replace

import pytest

from bootkit.model.catalog import PLAIN, MenuSettings
from bootkit.model.places import THEME_FOLDER
from bootkit.render.appearance import appearance_files
from bootkit.render.icons import ICON, icon
from tests.render.conftest import CATALOG, DEBIAN, RULES, menu_text


def pixels(picture: bytes) -> list[list[bytes]]:
    """The lines of a picture of ours, as bytes of red, green, blue, alpha."""
    width, height = struct.unpack(">II", picture[16:24])
    start = picture.index(b"IDAT") + 4
    lines = zlib.decompress(picture[start : picture.index(b"IEND") - 8])
    size = 4 * width + 1
    return [[lines[y * size + 1 + 4 * x :][:4] for x in range(width)] for y in range(height)]


@pytest.mark.parametrize("letter", string.ascii_lowercase + string.digits)
def test_every_initial_can_be_drawn_and_read(letter: str) -> None:
    drawn = pixels(icon(f"{letter}-linux"))
    assert len(drawn) == len(drawn[0]) == ICON
    white = sum(pixel == b"\xff\xff\xff\xff" for line in drawn for pixel in line)
    assert 30 < white < 120
    assert drawn[0][0][3] == 0, "round corners"
    tile = drawn[ICON // 2][1]
    assert max(tile[:3]) < 200, "white is seen on it"


def test_two_of_one_initial_differ_in_colour() -> None:
    assert pixels(icon("debian"))[10][1] != pixels(icon("devuan"))[10][1]
    assert icon("debian") == icon("debian")


def test_the_menu_names_the_pictures_that_the_theme_has() -> None:
    menu = menu_text(CATALOG, MenuSettings(), RULES).decode()
    assert "--class debian" in menu
    files = appearance_files(MenuSettings(), classes=["debian"])
    assert files[f"{THEME_FOLDER}/icons/debian.png"] == icon("debian")
    assert f"{THEME_FOLDER}/icons/marked.png" in files
    assert appearance_files(MenuSettings(theme=PLAIN), classes=["debian"]) == {}


def test_what_does_not_start_has_the_picture_that_says_so() -> None:
    menu = menu_text([replace(DEBIAN, recognition=None)], MenuSettings(), RULES).decode()
    assert "--class marked" in menu
    assert "--class marked" not in menu_text([DEBIAN], MenuSettings(), RULES).decode()
