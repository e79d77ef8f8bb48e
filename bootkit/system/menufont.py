"""The menu's own fonts, made by grub-mkfont of the free fonts that this computer has.

A font that is asked for by a name that there is not gives the one that was loaded last, a letter that it lacks comes from another
one: so a theme may name ours where Secure Boot lets GRUB read only what it brings along. One font is made of one file: a letter that
two files have would be in it twice, and GRUB refuses that.

Source: grub 2.06, util/grub-mkfont.c (names, ranges) and grub-core/font/font.c (grub_font_get, load_font_index).
"""

import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from bootkit.errors import CommandFailed, ToolMissing
from bootkit.model.menufont import Face, MenuFont
from bootkit.system.run import run, which

_FOLDER = Path("/usr/share/fonts")
_PROGRAMS = ("grub-mkfont", "grub2-mkfont")
_FILES: Mapping[Face, tuple[str, ...]] = {
    Face.SANS: ("DejaVuSans.ttf", "NotoSans-Regular.ttf", "LiberationSans-Regular.ttf"),
    Face.CHINESE: ("NotoSansCJK-Regular.ttc", "DroidSansFallbackFull.ttf", "wqy-microhei.ttc", "wqy-zenhei.ttc"),
}
"""The best first."""


@cache
def make_menu_font(font: MenuFont, letters: str, folder: Path = _FOLDER) -> bytes | None:
    """The font with those of ``letters`` that the best font of its kind in ``folder`` has.

    ``None`` where this computer has no grub-mkfont or no font that will do.
    """
    program = next(filter(which, _PROGRAMS), None)
    source = _best(_FILES[font.face], folder)
    if program is None or source is None:
        return None
    wanted = ",".join(f"{ord(letter):#x}-{ord(letter):#x}" for letter in letters)
    with tempfile.TemporaryDirectory(prefix="bootkit-") as work:
        made = Path(work, "font.pf2")
        words = [f"--name={font.family}", f"--size={font.size}", f"--range={wanted}", f"--output={made}"]
        try:
            run([program, *words, source], timeout=60)
        except (CommandFailed, ToolMissing):
            return None
        return made.read_bytes()


def _best(names: tuple[str, ...], folder: Path) -> Path | None:
    there = {path.name: path for path in sorted(folder.rglob("*.tt[fc]"))}
    return next((there[name] for name in names if name in there), None)
