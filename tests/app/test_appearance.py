"""The files that give the menu its look: written once, and only what can be shown."""

import struct
from pathlib import Path

import pytest

from bootkit.app.menu import fonts
from bootkit.app.verbs.generate import plan_generation
from bootkit.errors import FormatError
from bootkit.formats.pf2 import characters
from bootkit.model.menufont import TEXT, Face, MenuFont, fonts_of
from bootkit.model.places import MENU, MENU_FONT, STICK_FILE, THEME_FOLDER
from bootkit.model.plan import WriteFile
from bootkit.render import theme
from bootkit.render.texts import translations
from bootkit.system.changes import apply_changes
from bootkit.system.menufont import make_menu_font
from bootkit.system.run import run, which
from bootkit.system.volume import Volume

HOST_FONT = Path("/usr/share/grub/unicode.pf2")


def _generate(volume: Volume, stick: Path, settings: str, font: bytes = b"") -> tuple[set[str], tuple[str, ...]]:
    """Names of the files that were written, and the warnings."""
    for path, content in ((STICK_FILE, settings.encode()), (MENU_FONT, font)):
        target = stick / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    if not font:
        (stick / MENU_FONT.lstrip("/")).unlink()
    plan = plan_generation(volume).plan
    apply_changes(plan, volume)
    return {step.path.rpartition("/")[2] for step in plan.steps if isinstance(step, WriteFile)}, plan.warnings


def _font(letters: str) -> bytes:
    index = b"".join(struct.pack(">IBI", ord(letter), 0, 0) for letter in sorted(letters))
    return b"FILE\0\0\0\4PFF2NAME\0\0\0\2x\0CHIX" + struct.pack(">I", len(index)) + index + b"DATA\xff\xff\xff\xff"


def test_what_is_there_already_is_not_written_again(volume: Volume, stick: Path) -> None:
    written, _ = _generate(volume, stick, "")
    assert {"grub.cfg", "theme.txt", "logo.png", "select_c.png"} <= written
    assert "de.mo" not in written
    german, _ = _generate(volume, stick, '[menu]\nmenu_language = "de"\n')
    assert german == {"grub.cfg", "generated.json", "de.mo", "theme-de.txt"}
    assert _generate(volume, stick, '[menu]\nmenu_language = "de"\n')[0] == set()
    assert _generate(volume, stick, '[menu]\ntheme = "plain"\n')[0] == {"grub.cfg", "generated.json"}


def test_a_picture_that_is_not_as_it_was_drawn_is_drawn_again(volume: Volume, stick: Path) -> None:
    _generate(volume, stick, "")
    folder = stick / THEME_FOLDER.lstrip("/")
    content = {path: path.read_bytes() for path in folder.rglob("*.png")}
    (folder / "logo.png").write_bytes(b"cut")
    (folder / "select_c.png").unlink()
    assert _generate(volume, stick, "# new\n")[0] == {"logo.png", "select_c.png", "generated.json"}
    assert {path: path.read_bytes() for path in folder.rglob("*.png")} == content


def test_pictures_are_not_drawn_to_be_compared(volume: Volume, stick: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _generate(volume, stick, "")

    def never(_: object) -> bytes:
        raise AssertionError

    monkeypatch.setattr(theme, "png", never)
    theme._pictures.cache_clear()  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    assert _generate(volume, stick, "# new\n")[0] == {"generated.json"}


@pytest.mark.parametrize(
    ("settings", "language"),
    [
        ('[options]\nlanguage = "zh_CN.UTF-8"\n', "zh"),
        ('[options]\nlanguage = "it_IT.UTF-8"\n', ""),
        ('[menu]\nmenu_language = "en"\n[options]\nlanguage = "fr_FR.UTF-8"\n', ""),
    ],
)
def test_the_menu_speaks_the_language_of_the_systems_where_it_can(
    volume: Volume, stick: Path, settings: str, language: str
) -> None:
    written, warnings = _generate(volume, stick, settings)
    assert {name for name in written if name.endswith(".mo")} == ({f"{language}.mo"} if language else set())
    assert warnings == ()


def test_a_language_that_the_font_cannot_show_is_not_spoken(volume: Volume, stick: Path) -> None:
    settings = '[menu]\nmenu_language = "zh"\n'
    written, warnings = _generate(volume, stick, settings, _font("abc"))
    assert "zh.mo" not in written
    assert "the menu stays in English" in warnings[0]
    assert b"lang=zh" not in (stick / MENU.lstrip("/")).read_bytes()
    letters = {letter for text in translations("zh").values() for letter in text}
    assert "zh.mo" in _generate(volume, stick, settings, _font("".join(letters)))[0]


def test_a_theme_that_is_gone_is_told(volume: Volume, stick: Path) -> None:
    _, warnings = _generate(volume, stick, '[menu]\ntheme = "/themes/gone/theme.txt"\n')
    assert "there is no /themes/gone/theme.txt on the stick" in warnings[0]


@pytest.mark.skipif(not HOST_FONT.exists(), reason="grub-common is not installed")
def test_the_font_of_grub_shows_every_language() -> None:
    known = characters(HOST_FONT.read_bytes())
    for language in ("de", "es", "fr", "zh"):
        assert {letter for text in translations(language).values() for letter in text} <= known


@pytest.mark.parametrize("font", [b"", b"x" * 100, _font("abc")[:30], b"FILE\0\0\0\4PFF2CHIX\xff\xff\xff\xff"])
def test_what_is_no_font_is_told(font: bytes) -> None:
    with pytest.raises(FormatError):
        characters(font)


SANS = Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf")
CHINESE = Path("/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf")
MADE = {"sans-20.pf2"}
needs_fonts = pytest.mark.skipif(
    not (SANS.exists() and CHINESE.exists() and which("grub-mkfont")), reason="needs grub-mkfont, DejaVu and Droid"
)


@needs_fonts
@pytest.mark.parametrize("language", ["de", "zh"])
def test_the_menu_gets_clean_fonts_of_this_computer_and_keeps_them(language: str, volume: Volume, stick: Path) -> None:
    settings = f'[menu]\nmenu_language = "{language}"\n'
    needed = {letter for text in translations(language).values() for letter in text if letter.isprintable()}
    made = MADE | ({"chinese-20.pf2"} if language == "zh" else set[str]())
    grubs_own = _font("".join(needed))
    assert {name for name in _generate(volume, stick, settings, grubs_own)[0] if name.endswith(".pf2")} == made
    assert b"sans-20.pf2" in (stick / MENU.lstrip("/")).read_bytes()
    loaded = fonts_of(language)
    contents = [(stick / font.path.lstrip("/")).read_bytes() for font in loaded]
    assert needed <= frozenset[str]().union(*map(characters, contents))
    for font, content in zip(loaded, contents, strict=True):
        assert content[20:].startswith(font.name.encode())
        assert len(content) < 40_000
    again = _generate(volume, stick, f"{settings}timeout = 9\n", grubs_own)[0]
    assert ("grub.cfg" in again, made & again) == (True, set())


def test_without_a_font_of_this_computer_the_menu_has_grubs_own(
    volume: Volume, stick: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(*_: object) -> None:
        return

    monkeypatch.setattr(fonts, "make_menu_font", none)
    written, warnings = _generate(volume, stick, "")
    assert (written & MADE, warnings) == (set(), ())
    assert b"sans-20.pf2" not in (stick / MENU.lstrip("/")).read_bytes()


@needs_fonts
def test_grub_takes_a_font_that_was_made(tmp_path: Path) -> None:
    (tmp_path / SANS.name).symlink_to(SANS)
    made = make_menu_font(TEXT, "aäß↑ ", tmp_path)
    assert made is not None
    assert characters(made) == frozenset("aäß↑ ")
    assert make_menu_font(MenuFont(face=Face.CHINESE, size=20), "系", tmp_path) is None
    (tmp_path / "font.pf2").write_bytes(made)
    (tmp_path / "grub.cfg").write_text(f"loadfont (host){tmp_path}/font.pf2\nlsfonts\nexit\n")
    argv = ["grub-emu", "--root", "host", "--directory", str(tmp_path)]
    shown = run(argv, stdin=b"", env={"TERM": "dumb"}, timeout=30).decode()
    assert TEXT.name in shown
    assert "error" not in shown
