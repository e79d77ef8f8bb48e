"""The pictures of the distributions."""

import re
import string
import struct
import zlib
from dataclasses import replace

import pytest

from bootkit.model.boot import BootEntry, Role
from bootkit.model.catalog import DARK, LIGHT, PLAIN, MenuSettings
from bootkit.model.places import THEME_FOLDER
from bootkit.render.appearance import appearance_files
from bootkit.render.icons import ICON, icon
from bootkit.render.theme import theme_files
from tests.render.conftest import CATALOG, DEBIAN, RULES, item, menu_text


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


def test_what_changes_a_disk_has_a_picture_in_the_colour_of_danger() -> None:
    asks = BootEntry(title="Set up", kernel="/vmlinuz", role=Role.INSTALL)
    wipes = BootEntry(title="At once", kernel="/vmlinuz", wipes="It erases sda.")
    menu = menu_text([item("/boot/iso/ember.iso", asks, wipes)], MenuSettings(), RULES).decode()
    assert re.findall(r"^ *(menuentry|submenu) ('.*').* --class (erases|installs) ", menu, re.M) == [
        ("menuentry", "'Set up'", "installs"),
        ("submenu", "'At once'", "erases"),
    ]
    for theme in (DARK, LIGHT):
        files = theme_files(theme)
        red, amber = (
            pixels(files[f"{THEME_FOLDER}/icons/{name}.png"])[ICON - 4][ICON // 4] for name in ("erases", "installs")
        )
        assert red[0] > 2 * max(red[1:3]), "red"
        assert amber[0] > amber[1] > 2 * amber[2], "amber"
