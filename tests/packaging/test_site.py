"""The manual as a site: built without a warning, whole, and nothing in it comes from elsewhere."""

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.commands import every_command

pytest.importorskip("mkdocs", reason="pip install '.[docs]'")

ROOT = Path(__file__).parents[2]
FETCHED = {"img": "src", "script": "src", "link": "href", "source": "src", "iframe": "src"}
"""What a browser loads by itself."""
OUTSIDE = re.compile(r"(?:https?:)?//")

pytestmark = pytest.mark.wheel


class References(HTMLParser):
    """The links of a page, what it loads, and the names that others may link to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.loaded: set[str] = set()
        self.names: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.names.add(values.get("id", ""))
        if tag == "a" and "href" in values:
            self.links.add(values["href"])
        if FETCHED.get(tag) in values and values.get("rel") != "canonical":
            self.loaded.add(values[FETCHED[tag]])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    environment = {**os.environ, "PYTHON": sys.executable}
    done = subprocess.run(
        [ROOT / "packaging/site/build", folder], env=environment, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, References]:
    return {path: References(path.read_text(encoding="utf-8")) for path in site.rglob("*.html")}


def test_every_command_has_a_page_and_every_document_is_one(site: Path) -> None:
    names = {words.replace(" ", "-") for words in every_command()}
    assert {path.stem for path in (site / "commands").iterdir()} == names
    documents = {path.stem for path in (ROOT / "docs").glob("*.md")}
    assert documents | {"index", "contributing", "changes", "licence"} <= {path.stem for path in site.glob("*.html")}
    assert {path.name for path in (site / "manual").iterdir()} == {
        f"{path.stem}.html" for path in (ROOT / "bootkit/man").glob("*.md")
    }


def test_every_link_leads_to_what_is_there(pages: dict[Path, References]) -> None:
    dead: list[tuple[str, str]] = []
    for page, found in pages.items():
        for link in found.links | found.loaded:
            place, _, anchor = link.partition("#")
            if re.match(r"[a-z]+:", link) or page.name == "404.html":
                continue
            target = (page.parent / place.partition("?")[0]).resolve() if place else page
            known = pages.get(target)
            if not target.exists() or (anchor and known is not None and anchor not in known.names):
                dead.append((page.name, link))
    assert not dead


def test_nothing_is_loaded_from_elsewhere(site: Path, pages: dict[Path, References]) -> None:
    assert not [(page.name, one) for page, found in pages.items() for one in found.loaded if OUTSIDE.match(one)]
    styles = [path for path in site.rglob("*.css") if re.search(r"url\(['\"]?(?:https?:)?//", path.read_text())]
    pictures = [path for path in site.rglob("*.svg") if re.search(r"(?:url\(|href=)['\"]?https?://", path.read_text())]
    assert not styles
    assert not pictures


def test_the_table_of_systems_can_be_filtered(site: Path) -> None:
    page = (site / "systems.html").read_text(encoding="utf-8")
    assert 'src="filter.js"' in page
    assert page.count("<tbody>") == 2
    assert "systems.html" in (site / "filter.js").read_text(encoding="utf-8")
