"""The pages of the site that are no files of docs/, for mkdocs: made of documents, manual pages and the commands themselves.

Documents link to one another as files of the repository; here these links lead to the pages that the files become.
"""

import json
import posixpath
import re
import sys
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from bootkit.cli.command import parser_of, summary  # noqa: E402
from bootkit.cli.documents import DOCUMENTS  # noqa: E402
from bootkit.cli.program import ROOT as COMMANDS  # noqa: E402
from bootkit.cli.program import Group, load  # noqa: E402
from bootkit.cli.schema import schema_of  # noqa: E402

PAGES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changes.md",
    "LICENSE": "licence.md",
    "bootkit/man/bootkit.1.md": "manual/bootkit.1.md",
    "bootkit/man/stick.toml.5.md": "manual/stick.toml.5.md",
    "bootkit/man/bootkit-detector.7.md": "manual/bootkit-detector.7.md",
    **{f"docs/{path.name}": path.name for path in sorted((ROOT / "docs").glob("*.md"))},
}
"""Where the files of the repository are on the site."""
PICTURES = ("tests/tui/golden", "tests/boots/pictures")
LINK = re.compile(r"(!?)\[([^\]]*)\]\((?!https?:|#)([^)#\s]+)(#[^)]*)?\)")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the commands into the navigation, under the headings that ``bootkit --help`` has."""
    panels = [
        {title.capitalize(): [_navigation(name, member) for name, member in members.items()]}
        for title, members in COMMANDS.panels.items()
    ]
    place = next(number for number, entry in enumerate(config.nav or ()) if "Manual" in entry)
    assert config.nav is not None
    config.nav.insert(place, {"Commands": panels})
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add what is made here to the files of docs/."""
    for source, place in PAGES.items():
        if not source.startswith("docs/"):
            text = (ROOT / source).read_text(encoding="utf-8")
            files.append(File.generated(config, place, content=_document(source, text)))
    for folder in PICTURES:
        for path in sorted((ROOT / folder).iterdir()):
            files.append(
                File.generated(
                    config, f"pictures/{path.name}", abs_src_path=str(path), inclusion=InclusionLevel.NOT_IN_NAV
                )
            )
    sections = _sections((ROOT / "bootkit/man/bootkit.1.md").read_text(encoding="utf-8"))
    for words, name in COMMANDS.commands():
        files.append(File.generated(config, _place(words), content=_page(words, name, sections[words])))
        if words in DOCUMENTS:
            schema = json.dumps(schema_of(words), indent=2, ensure_ascii=False)
            files.append(File.generated(config, f"schemas/{words.replace(' ', '-')}.json", content=schema))
    return files


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """Let links lead to the pages of the site; what of the repository is no page of it is named without a link."""
    sources = {place: source for source, place in PAGES.items()}
    if (source := sources.get(page.file.src_uri)) is None:
        return markdown
    return LINK.sub(_Links(source, page.file.src_uri), markdown)


class _Links:
    """What a link of the document ``source`` becomes on the page ``place``."""

    def __init__(self, source: str, place: str) -> None:
        self._source = source
        self._place = place

    def __call__(self, link: re.Match[str]) -> str:
        mark, text, target, anchor = link.groups()
        path = posixpath.normpath(posixpath.join(posixpath.dirname(self._source), target))
        if path.startswith(PICTURES):
            place = f"pictures/{posixpath.basename(path)}"
        elif path in PAGES:
            place = PAGES[path]
        else:
            assert (ROOT / path).exists(), f"{self._source}: {target} leads nowhere"
            return f"{text} (`{path}`)" if text != path else f"`{path}`"
        return f"{mark}[{text}]({posixpath.relpath(place, posixpath.dirname(self._place) or '.')}{anchor or ''})"


def _document(source: str, text: str) -> str:
    if source == "LICENSE":
        return f"# Licence\n\n```text\n{text}```\n"
    if not source.startswith("bootkit/man/"):
        return text
    title, _, body = text.removeprefix("% ").partition("\n%\n%\n")
    parts = re.split(r"^(```.*?^```)$", body, flags=re.MULTILINE | re.DOTALL)
    parts[::2] = [re.sub(r"^#", "##", part, flags=re.MULTILINE) for part in parts[::2]]
    return f"# {title}\n{''.join(parts)}"


def _navigation(name: str, member: str | Group, before: str = "") -> dict[str, object]:
    words = f"{before} {name}".strip()
    if isinstance(member, str):
        return {words: _place(words)}
    return {words: [_navigation(one, inner, words) for one, inner in member.members().items()]}


def _place(words: str) -> str:
    return f"commands/{words.replace(' ', '-')}.md"


def _sections(manual: str) -> dict[str, str]:
    """What bootkit(1) says of each command, by its words."""
    found: dict[str, str] = {}
    for block in re.split(r"^(?=#{1,3} )", manual, flags=re.MULTILINE):
        heading, _, body = block.partition("\n")
        if match := re.match(r"### bootkit((?: [a-z][a-z-]*)+)", heading):
            found[match[1].strip()] = body
    return found


def _page(words: str, name: str, section: str) -> str:
    """The page of a command: its usage and what it says of itself, then the manual's section, then what ``--json`` prints."""
    command = load(name)
    usage = parser_of(command, f"bootkit {words}").format_usage().removeprefix("usage: ")
    parts = [f"# bootkit {words}", summary(command), f"```text\n{usage}```", section.strip()]
    if words in DOCUMENTS:
        file = f"../schemas/{words.replace(' ', '-')}.json"
        parts.append(
            f"The document of `--json` fits [this JSON Schema]({file}), as `bootkit --json-schema {words}` prints it."
        )
    return "\n\n".join(parts) + "\n"
