"""What the menu looks like and which language it speaks."""

import gettext
import io
import re
import shutil
import struct
import subprocess
import zlib
from dataclasses import replace
from pathlib import Path

import pytest

from bootkit.model.catalog import DARK, LIGHT, MENU_LANGUAGES, PLAIN, Additions, ImageAppearance, MenuSettings
from bootkit.model.menufont import TEXT, fonts_of
from bootkit.model.places import GRUBENV, LOCALE_FOLDER, THEME_FOLDER
from bootkit.plan.password import grub_digest
from bootkit.render.appearance import appearance_files
from bootkit.render.texts import catalogue, known_texts, translations
from bootkit.system.grubcheck import grub_script_error
from bootkit.system.grubemu import run_menu
from bootkit.system.run import which
from tests.render.conftest import CATALOG, DEBIAN, RULES, UBUNTU, StickMaker, menu_text

TRANSLATED = tuple(language for language in MENU_LANGUAGES if language != "en")
OF_GRUB = {"Press any key to continue...", "Enter username: ", "Enter password: ", "Booting `%s'"}
EMU = which("grub-emu")


def test_every_text_of_the_menu_is_in_every_language() -> None:
    additions = {DEBIAN.path: Additions(initrds=("/boot/bootkit/overlays/live.cpio",))}
    settings = MenuSettings(password=grub_digest("x", b"salt"), appearances={UBUNTU.path: ImageAppearance(tip="x")})
    menus = [menu_text(CATALOG, settings, RULES, additions), menu_text((), settings, RULES)]
    menus.append(menu_text([replace(DEBIAN, sha256="ab" * 32)], settings, RULES))
    said = {text for menu in menus for text in re.findall(r'\$"([^"]*)"', menu.decode())}
    themes = [appearance_files(MenuSettings(), searches=searches) for searches in (False, True)]
    shown = {
        text for files in themes for text in re.findall(r'text = "(.*)"', files[f"{THEME_FOLDER}/theme.txt"].decode())
    }
    rare = {
        " (untested guess)",
        " (erases disks)",
        " (installs)",
        "Start it all the same (Esc: leave it)",
        "Not for this computer",
        "Good to know",
    }
    assert said | shown - {"bootkit"} <= known_texts()
    assert known_texts() - said - shown - OF_GRUB - rare == set()
    for language in TRANSLATED:
        assert set(translations(language)) == known_texts()


@pytest.mark.parametrize(("searches", "has_it"), [(False, False), (True, True)])
def test_the_line_of_keys_names_the_search_where_there_is_one(searches: bool, has_it: bool) -> None:
    files = appearance_files(MenuSettings(), searches=searches)
    assert (b"s search" in files[f"{THEME_FOLDER}/theme.txt"]) is has_it


def test_large_letters_have_a_font_and_room_of_their_own() -> None:
    large = MenuSettings(large_letters=True, has_fonts=True)
    theme = appearance_files(large)[f"{THEME_FOLDER}/theme.txt"]
    fonts = fonts_of("en", large=True)
    assert [font.size for font in fonts] == [32, 20]
    assert all(font.path.encode() in menu_text(CATALOG, large, RULES) for font in fonts)
    usual = appearance_files(MenuSettings())[f"{THEME_FOLDER}/theme.txt"]
    assert [theme.count(f'"{font.name}"'.encode()) for font in fonts] == [usual.count(f'"{TEXT.name}"'.encode()) - 1, 1]
    assert b"item_height = 40\n" in theme
    assert b"icon_width = 32\n" in theme


def test_tones_are_played_where_they_are_wanted_and_a_machine_can() -> None:
    assert b"play " not in menu_text(CATALOG, MenuSettings(), RULES)
    menu = menu_text(CATALOG, MenuSettings(beep=True), RULES)
    assert menu.index(b'"$grub_cpu" != arm64 ]; then\n    play 480 660 1 880 2') > menu.index(b"first_time=1")
    assert grub_script_error(menu) is None


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_translation_keeps_what_is_filled_in(language: str) -> None:
    slots = re.compile(r"\$\w+|%.")
    for text, translated in translations(language).items():
        assert slots.findall(translated) == slots.findall(text)
        assert translated
        assert not set(text + translated) & set('"\\\n')


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_catalogue_is_what_gettext_reads(language: str) -> None:
    read = gettext.GNUTranslations(io.BytesIO(catalogue(language)))
    assert {text: read.gettext(text) for text in known_texts()} == translations(language)


@pytest.mark.skipif(which("grub-script-check") is None, reason="grub-script-check is not installed")
@pytest.mark.parametrize("theme", [DARK, LIGHT, PLAIN, "/boot/grub/themes/it's mine/theme.txt"])
@pytest.mark.parametrize("language", MENU_LANGUAGES)
def test_grub_takes_the_menu_in_every_look_and_language(theme: str, language: str) -> None:
    assert grub_script_error(menu_text(CATALOG, MenuSettings(theme=theme, language=language), RULES)) is None


@pytest.mark.skipif(EMU is None, reason="grub-emu is not installed")
@pytest.mark.parametrize("language", TRANSLATED)
def test_a_screen_with_graphics_shows_the_language(stick: StickMaker, language: str) -> None:
    disk = _speaking(stick, language)
    texts = translations(language)
    shown = run_menu(disk, entry="search", typed=["zz"], presets=_with_graphics()).screen
    assert texts["Nothing was found."] in shown
    assert texts["Search for: "] in shown
    refused = run_menu(disk, entry="image:ubuntu.iso>0", presets=_with_graphics()).screen
    assert "error: " + texts["$image: there is no $trouble in it."].replace("$image", "ubuntu.iso").replace(
        "$trouble", "/casper/vmlinuz"
    ) in refused.replace("\n", "")


@pytest.mark.skipif(EMU is None, reason="grub-emu is not installed")
def test_a_text_screen_and_the_serial_line_get_english(stick: StickMaker) -> None:
    disk = _speaking(stick, "de")
    assert "Nothing was found." in run_menu(disk, entry="search", typed=["zz"]).screen
    on_serial = {**_with_graphics(), "opt_serial": "1"}
    assert "Nothing was found." in run_menu(disk, entry="search", typed=["zz"], presets=on_serial).screen


@pytest.mark.skipif(EMU is None, reason="grub-emu is not installed")
def test_chinese_needs_a_font_and_every_language_its_catalogue(stick: StickMaker) -> None:
    disk = _speaking(stick, "zh")
    secure = {"lockdown": "y"}
    assert "Nothing was found." in run_menu(disk, entry="search", typed=["zz"], presets=secure).screen
    del stick.files[f"{LOCALE_FOLDER}/zh.mo"]
    disk = stick.make()
    got = run_menu(disk, entry="search", typed=["zz"], presets=_with_graphics()).screen
    assert "Nothing was found." in got
    assert "locale" not in got


def _speaking(stick: StickMaker, language: str) -> Path:
    settings = MenuSettings(language=language)
    stick.add_menu(*CATALOG, settings=settings)
    stick.files |= appearance_files(settings)
    stick.files[UBUNTU.path] = b"no image"
    stick.files.setdefault(GRUBENV, b"")
    return stick.make()


def _with_graphics() -> dict[str, str]:
    """What the menu finds out on a screen with graphics, which grub-emu does not have."""
    return {
        "menu_loaded": "1",
        "stick": "hd0",
        "screen": "console",
        "can_show": "1",
        "locale_dir": f"(hd0){LOCALE_FOLDER}",
        "patience": "0",
    }


@pytest.mark.parametrize("theme", [DARK, LIGHT])
def test_a_theme_has_all_the_files_that_it_names(theme: str) -> None:
    files = appearance_files(MenuSettings(theme=theme, language="de"))
    text = files[f"{THEME_FOLDER}/theme.txt"].decode()
    for name in re.findall(r'"(\w+)_\*\.png"', text):
        assert f"{THEME_FOLDER}/{name}_n.png" in files
    for name in re.findall(r'"(\w+\.png)"', text):
        assert f"{THEME_FOLDER}/{name}" in files
    # without it GRUB complains at each entry that is started, and waits for a key
    assert 'desktop-image: "background.png"' in text
    assert f"{THEME_FOLDER}/theme-de.txt" in files
    assert f'item_font = "{TEXT.name}"' in text
    assert sum(map(len, files.values())) < 40_000


def test_fonts_of_ours_are_loaded_where_no_signature_is_asked_for() -> None:
    with_fonts = menu_text(CATALOG, MenuSettings(has_fonts=True), RULES).decode()
    assert TEXT.path not in menu_text(CATALOG, MenuSettings(), RULES).decode()
    before = with_fonts[: with_fonts.index(TEXT.path)].splitlines()
    assert before[-2] == '    if [ "$lockdown" != y ]; then'
    assert grub_script_error(with_fonts.encode()) is None


def test_a_picture_is_a_png_of_its_size() -> None:
    picture = appearance_files(MenuSettings())[f"{THEME_FOLDER}/logo.png"]
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    width, height, depth, kind = struct.unpack_from(">IIBB", picture, 16)
    assert (width, height, depth, kind) == (36, 36, 8, 6)
    size = struct.unpack_from(">I", picture, 33)[0]
    rows = zlib.decompress(picture[41 : 41 + size])
    assert len(rows) == 36 * (1 + 36 * 4)
    assert rows[1:5] == bytes(4)  # the corner is round: nothing is there
    assert shutil.which("identify") is None or b"36x36" in _identify(picture)


def _identify(picture: bytes) -> bytes:
    return subprocess.run(["identify", "png:-"], input=picture, capture_output=True, check=True).stdout


def test_the_plain_look_needs_no_files_and_a_theme_of_the_users_own_none_of_ours() -> None:
    assert appearance_files(MenuSettings(theme=PLAIN)) == {}
    assert appearance_files(MenuSettings(theme="/themes/x/theme.txt")) == {}
    own = menu_text(CATALOG, MenuSettings(theme="/themes/x/theme.txt")).decode()
    assert 'set theme="($stick)"/themes/x/theme.txt' in own
    assert "for file in ($stick)/themes/x/*.pf2; do" in own
    assert "set theme=" not in menu_text(CATALOG, MenuSettings(theme=PLAIN)).decode()
