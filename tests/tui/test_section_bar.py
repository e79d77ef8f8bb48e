"""The line of sections, in every language."""

import pytest

from bootkit.i18n import LANGUAGES
from bootkit.tui.widgets import section_bar
from bootkit.tui.widgets.section_bar import SECTIONS, Section, SectionBar
from po.catalogues import catalogue, translation


@pytest.mark.parametrize("language", ["en", *LANGUAGES])
@pytest.mark.parametrize("width", [80, 140])
def test_all_sections_are_in_sight(language: str, width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    titles = [section.title for section in SECTIONS]
    if language != "en":
        titles = [str(translation(catalogue(language), title)) for title in titles]
    sections = [Section(one.digit, title) for one, title in zip(SECTIONS, titles, strict=True)]
    monkeypatch.setattr(section_bar, "SECTIONS", sections)
    lines = list(SectionBar("7")._lines(width))  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
    assert len(lines) <= (2 if width == 80 else 1)
    assert max(line.cell_length for line in lines) <= width
    text = " ".join(line.plain for line in lines)
    places = [text.find(f"{one.digit} {one.title}") for one in sections]
    assert places == sorted(places)
    assert -1 not in places
