"""The catalogues of what bootkit says: texts found in the source, ``po/LANGUAGE.po`` brought up to date, ``.mo`` files compiled.

``./dev strings`` does it all; the build compiles for the wheel. Source: Babel 2.12, "Working with Message Catalogs".
"""

import ast
import io
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import cast

from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from bootkit.i18n import ANSWERS, PLACE
from bootkit.said import JOINTS
from po.sentences import SLOT, called, sentences

ROOT = Path(__file__).parents[1]
COMPILED = "locale/{language}/LC_MESSAGES/bootkit.mo"
"""Below the package, as gettext lays it out."""
_ANSWERING = (
    *("bootkit/app", "bootkit/bootcfg", "bootkit/detect", "bootkit/formats", "bootkit/model"),
    *("bootkit/plan", "bootkit/probe", "bootkit/system", "detectors"),
)
"""Where answers are made, in English: they are kept so, and translated where they are shown (``bootkit.i18n.spoken``)."""
_NO_ANSWERS = frozenset(
    {
        *("bootkit/model/answers.py", "bootkit/model/iso.py", "bootkit/model/record.py"),
        *("bootkit/app/stick/images.py", "bootkit/system/apply.py", "bootkit/system/witness.py"),
        "bootkit/probe/bare.py",
    }
)
"""Which tell of records that are not as they should be (the answers of ``iso.py`` are for those who keep such records), or talk to
programs alone, or hold what is looked for in one."""
_QUIET = frozenset({"Packages", "Stack", "_debugfs", "compile", "debug", "info", "startswith", "tr", "trn", "warning"})
_QUIET_NAMES = frozenset({"arch", "debian", "default", "fedora", "id", "metavar", "opensuse"})
_NEVER = datetime(1980, 1, 1, tzinfo=UTC)
_HEADER = """\
# What bootkit says, in {name}. ./dev strings adds what is new.
# What stands in {{braces}} or after a % is filled in, and must stay.
msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"
"Plural-Forms: {plural_forms}\\n"

"""
_OF_ARGPARSE = (
    "usage: ",
    "positional arguments",
    "options",
    "argument %(argument_name)s: %(message)s",
    "the following arguments are required: %s",
    "unrecognized arguments: %s",
    "expected one argument",
    "expected at least one argument",
    "ignored explicit argument %r",
)
"""What argparse of Python 3.11 to 3.14 says where our commands use it."""

_PLURALS = {
    "de": "nplurals=2; plural=(n != 1);",
    "es": "nplurals=2; plural=(n != 1);",
    "fr": "nplurals=2; plural=(n > 1);",
    "zh": "nplurals=1; plural=0;",
}
"""As GNU gettext has them; Babel has one more form in Spanish and French, for millions."""

Text = str | tuple[str, ...]
"""One message, or its forms where it is about a number."""


@cache
def texts() -> dict[Text, set[str]]:
    """All that can be translated, and the files where it is said, in the order of the source."""
    found: dict[Text, set[str]] = {}
    for path in sorted((ROOT / "bootkit").rglob("*.py")):
        for text in _marked(_parsed(path)):
            found.setdefault(text, set()).add(path.relative_to(ROOT).as_posix())
    for where, text in answers():
        found.setdefault(text, set()).add(where)
    for text in (*JOINTS, PLACE):
        found.setdefault(text, set()).add("bootkit/said.py")
    for text in (*_descriptions(), *_OF_ARGPARSE):
        found.setdefault(text, set()).add("bootkit/cli/command.py")
    return found


def answers() -> Iterator[tuple[str, str]]:
    """What detectors and predictions answer, as text with slots, and the file that does.

    Of texts that differ in the names of their slots alone, one.
    """
    known: dict[str, str] = {}
    for room in _ANSWERING:
        for path in sorted((ROOT / room).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            if name not in _NO_ANSWERS:
                tree = _parsed(path)
                said = (text for _, text in sentences(tree, quiet=_QUIET, quiet_names=_QUIET_NAMES))
                for text in (*said, *_titles(tree), *_phases(tree)):
                    if text.endswith("\n"):  # a file that is written
                        continue
                    yield name, known.setdefault(SLOT.sub("{}", text), text)


@cache
def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def languages() -> list[str]:
    return sorted(path.stem for path in (ROOT / "po").glob("*.po"))


def catalogue(language: str) -> Catalog:
    with (ROOT / "po" / f"{language}.po").open("rb") as file:
        known = read_po(file, locale=language)
    known.creation_date = _NEVER  # else it is now, and no two builds are the same bytes
    return known


def translation(known: Catalog, text: Text) -> Text:
    """Empty where there is none; of a text about a number, one for each form that the language has."""
    message = known.get(text if isinstance(text, str) else text[0])
    said: object = message.string if message else ""
    if isinstance(said, str):
        return said
    assert isinstance(said, tuple | list)
    return tuple(map(str, cast("Sequence[object]", said)))


def update() -> dict[str, list[Text]]:
    """Bring the ``.po`` files up to date; by language, the texts that have no translation."""
    found = texts()
    missing: dict[str, list[Text]] = {}
    for language in languages():
        known = catalogue(language)
        fresh = Catalog(locale=language)
        fresh.mime_headers = [("Plural-Forms", _PLURALS[language])]
        for text, places in found.items():
            fresh.add(
                text,
                translation(known, text) or renamed(known, text),
                locations=[(place, 0) for place in sorted(places)],
            )
        header = _HEADER.format(name=Locale.parse(language).english_name, plural_forms=_PLURALS[language])
        with (ROOT / "po" / f"{language}.po").open("wb") as file:
            file.write(header.encode())
            write_po(file, fresh, width=120, omit_header=True, include_lineno=False)
        missing[language] = [text for text in found if not all(translation(known, text) or [""])]
    return missing


def renamed(known: Catalog, text: Text) -> str:
    """The translation of a text that differed in the names of its slots alone."""
    if not isinstance(text, str):
        return ""
    shape = SLOT.sub("{}", text)
    same = (message for message in known if isinstance(message.id, str) and SLOT.sub("{}", message.id) == shape)
    before = next(same, None)
    if before is None or not isinstance(before.string, str):
        return ""
    now = dict(zip(SLOT.findall(str(before.id)), SLOT.findall(text), strict=True))
    return SLOT.sub(lambda slot: now.get(slot[0], slot[0]), before.string)


def compile_all(target: Path) -> list[str]:
    """Write the catalogues below ``target``, those that have changed; returns their paths there."""
    contents = {COMPILED.format(language=language): _compiled(language) for language in languages()}
    contents[f"locale/{ANSWERS}"] = "\n".join(sorted({text for _, text in answers() if "{" in text})).encode()
    for inside, content in contents.items():
        path = target / inside
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.is_file() or path.read_bytes() != content:
            path.write_bytes(content)
    return list(contents)


def _compiled(language: str) -> bytes:
    content = io.BytesIO()
    write_mo(content, catalogue(language))
    return content.getvalue()


def _marked(tree: ast.Module) -> Iterator[Text]:
    """The texts given to ``tr`` and ``trn``."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id="tr"), args=[ast.Constant(value=str(text))]):
                yield text
            case ast.Call(func=ast.Name(id="trn"), args=[ast.Constant(value=one), ast.Constant(value=many), _]):
                yield str(one), str(many)
            case _:
                pass


def _phases(tree: ast.Module) -> Iterator[str]:
    """What a watcher is told that begins: often one word."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(attr="begin"), args=[ast.Constant(value=str(phase)), *_]):
                yield phase
            case _:
                pass


def _titles(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Call() if called(node) == "OptionSpec":
                for keyword in node.keywords:
                    if keyword.arg == "title" and isinstance(keyword.value, ast.Constant):
                        yield str(keyword.value.value)
            case _:
                pass


def _descriptions() -> Iterator[str]:
    """The paragraphs that the commands' own docstrings have."""
    from bootkit.cli.command import paragraphs
    from bootkit.cli.program import ROOT as ALL
    from bootkit.cli.program import load

    for _, name in ALL.commands():
        yield from paragraphs(load(name))


if __name__ == "__main__":
    untranslated = {} if "--compile" in sys.argv else update()
    compile_all(ROOT / "bootkit")
    for name, without in untranslated.items():
        print(f"po/{name}.po: {len(without)} of {len(texts())} texts have no translation: look for an empty msgstr")
    sys.exit(any(untranslated.values()))
