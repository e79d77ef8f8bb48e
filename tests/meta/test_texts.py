"""What people read: marked for gettext where it is said, and translated into every language."""

import ast
import os
import re
import string
import subprocess
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import cast

import pytest
from babel.messages.catalog import Catalog

from bootkit import errors
from bootkit.i18n import LANGUAGES, Spoken, language
from bootkit.model.options import OPTIONS
from bootkit.render.prose import columns
from bootkit.said import Sentences
from po.catalogues import catalogue, compile_all, languages, renamed, texts, translation
from po.sentences import called, sentences
from tests.app.conftest import LIVE_BOOT, small_iso
from tests.meta.parsed import parsed

ROOT = Path(__file__).parents[2]
FRONT_ENDS = ("cli", "tui")
HOW = "run ./dev strings, and fill in what is empty in po/*.po"
QUIET = frozenset(
    {
        "add_class", "debug", "endswith", "from_meta", "getLogger", "get_cell_size", "info", "query", "query_one",
        "run_action", "set_class", "split", "spoken", "startswith", "styled", "stylize", "tr", "trn", "yields",
    }
)  # fmt: skip
"""Calls that are given words which nobody reads."""
QUIET_NAMES = frozenset(
    {"classes", "default", "display", "env", "flags", "id", "metavar", "name", "style", "twin", "wanted"}
)
"""Arguments of the same kind."""
FAULTS = frozenset(name for name, kind in vars(errors).items() if isinstance(kind, type))


def test_there_is_a_catalogue_for_each_language() -> None:
    assert tuple(languages()) == LANGUAGES


@pytest.mark.parametrize("name", LANGUAGES)
def test_every_text_has_a_translation(name: str) -> None:
    known = _catalogue(name)
    missing = [text for text in texts() if not _is_whole(translation(known, text))]
    assert not missing, f"po/{name}.po: {HOW}"
    found = {text if isinstance(text, str) else text[0] for text in texts()}
    gone = [message.id for message in known if message.id and _first(message.id) not in found]
    assert not gone, f"po/{name}.po has texts that are said no more: {HOW}"


@pytest.mark.parametrize("name", LANGUAGES)
def test_a_translation_keeps_what_is_filled_in(name: str) -> None:
    known = _catalogue(name)
    for text in texts():
        said = translation(known, text)
        forms = {len(said)} if isinstance(said, tuple) else set[int]()
        assert forms <= {known.num_plurals}
        for form in [said] if isinstance(said, str) else said:
            assert _slots(form) == _slots(_first(text)), text
            assert form[:1].isspace() == _first(text)[:1].isspace() or name == "zh", text


@pytest.mark.parametrize("name", LANGUAGES)
def test_what_stands_before_a_value_or_above_a_section_fits_eighty_columns(name: str) -> None:
    known = _catalogue(name)
    room = {option.title: 19 for option in OPTIONS} | dict.fromkeys(_labels(), 13) | dict.fromkeys(_headings(), 78)
    assert len(room) > len(OPTIONS) + 10
    said = [(text, shown) for text in room for shown in (text, str(translation(known, text)))]
    assert {shown for text, shown in said if columns(shown) > room[text]} == set()


def test_each_text_is_given_the_parts_that_it_names() -> None:
    for path, node in _calls():
        if isinstance(node.func, ast.Name) and node.func.id in ("tr", "trn"):
            said = [one.value for one in node.args if isinstance(one, ast.Constant)]
            given = {keyword.arg for keyword in node.keywords}
            for text in said:
                assert _slots(str(text)) - {"n"} == given, f"{path.relative_to(ROOT)}:{node.lineno}"


def test_what_people_read_is_marked() -> None:
    """In the front ends every sentence, and everywhere what is wrong and the way out."""
    plain = [f"{where}: {text}" for where, text in (*_of_front_ends(), *_of_errors())]
    assert not plain, f"say it as tr('...', name=...); then {HOW}"


@pytest.mark.parametrize(
    ("environment", "spoken"),
    [
        ({}, "en"),
        ({"LANG": "de_DE.UTF-8"}, "de"),
        ({"LANG": "de_DE.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "fr_FR.UTF-8", "LANGUAGE": "it:es:de"}, "es"),
        ({"LANG": "C", "LANGUAGE": "de"}, "en"),
        ({"LANG": "it_IT.UTF-8"}, "en"),
        ({"LC_MESSAGES": "zh_CN.UTF-8", "LANG": "de_DE.UTF-8"}, "zh"),
    ],
)
def test_the_language_is_the_locales(environment: dict[str, str], spoken: str) -> None:
    assert language(environment) == spoken


@pytest.fixture(scope="module", autouse=True)
def compiled() -> None:
    """The catalogues, as ``./dev setup`` compiles them."""
    compile_all(ROOT / "bootkit")


def test_a_terminal_without_letters_gets_them_spelled_out() -> None:
    german = {"LANG": "de_DE.UTF-8"}
    assert Spoken(german).text("Page up") == "Seite hoch"
    assert Spoken(german).text("SIZE") == "GRÖSSE"
    assert Spoken(german | {"TERM": "vt220"}).text("SIZE") == "GROESSE"
    assert Spoken({"LANG": "de_DE"}).text("Close") == "Schliessen"
    assert Spoken({"LANG": "zh_CN.UTF-8", "TERM": "linux"}).text("Close") == "Close"
    assert Spoken({"LANG": "es_ES.UTF-8", "TERM": "vt102"}).text("Which image?") == "Que imagen?"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("cannot boot", "startet nicht"),
        ("Its initrd has no driver for exFAT.", "Sein initrd hat keinen Treiber für exFAT."),
        (
            "boots only from ext4, FAT32: Its initrd has no driver for exFAT.",
            "startet nur von ext4, FAT32: Sein initrd hat keinen Treiber für exFAT.",
        ),
        ("Its name is too long.", "Sein Name ist zu lang."),
        (
            "take a newer release of it; or switch Secure Boot off in the firmware's set-up",
            "nehmen Sie eine neuere Ausgabe davon; oder schalten Sie Secure Boot in der Firmware aus",
        ),
        ("bootkit explain boots.iso", "bootkit explain boots.iso"),
        ("this and that.iso", "this and that.iso"),
    ],
)
def test_an_answer_made_in_english_is_known_again(answer: str, said: str) -> None:
    assert Spoken({"LANG": "de_DE.UTF-8"}).answer(answer) == said
    assert Spoken({}).answer(answer) == answer


def test_a_verdict_is_not_taken_for_the_beginning_of_its_reason() -> None:
    verdict = "boots: live-boot of this image is known to find its file on ext4."
    chinese = Spoken({"LANG": "zh_CN.UTF-8"})
    assert chinese.answer(verdict) == "\uff1a".join(map(chinese.answer, verdict.split(": ")))
    assert chinese.answer("boots") != "boots"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            "/a.img: the initrd cannot be read to its end: there is neither an archive nor anything compressed (at byte 0)",
            "/a.img: das initrd kann nicht bis zu seinem Ende gelesen werden: da ist weder ein Archiv noch etwas Komprimiertes",
        ),
        (
            "the lzo data are damaged: a block is too long (at byte 7)",
            "die lzo-Daten sind beschädigt: ein Block ist zu lang",
        ),
        ("/boot/iso/a.iso and /boot/iso/b.iso", "/boot/iso/a.iso und /boot/iso/b.iso"),
    ],
)
def test_what_readers_say_is_known_again_in_what_is_said_of_it(answer: str, said: str) -> None:
    assert Spoken({"LANG": "de_DE.UTF-8"}).answer(answer).startswith(said)


def test_of_texts_that_fit_the_one_that_says_most_counts() -> None:
    known = Sentences(["it has {what}", "it has no {what}", "{name} is there"])
    assert known.find("it has no loop") == ("it has no {what}", {"what": "loop"})
    assert known.find("nothing of it") is None


def test_a_name_that_changes_in_the_source_keeps_its_translation() -> None:
    known = Catalog(locale="de")
    known.add("{images} of {kind}", "{kind}: {images}")
    assert renamed(known, "{first} of {stack}") == "{stack}: {first}"
    assert renamed(known, "{first} or {stack}") == ""


def test_a_word_that_is_filled_in_stays_as_it_is() -> None:
    german = Spoken({"LANG": "de_DE.UTF-8"})
    assert german.parts({"name": "yes", "reason": "its name is too long"}) == {
        "name": "yes",
        "reason": "sein Name ist zu lang",
    }


def test_a_number_takes_the_form_of_its_language() -> None:
    one, many = "{n} image", "{n} images"
    assert Spoken({"LANG": "fr_FR.UTF-8"}).number(one, many, 0) == "{n} image"
    assert Spoken({"LANG": "de_DE.UTF-8"}).number(one, many, 2) == "{n} Abbilder"
    assert Spoken({"LANG": "zh_CN.UTF-8"}).number(one, many, 1) == "{n} 个镜像"


def test_a_command_speaks_the_language_and_a_text_without_translation_is_english(tmp_path: Path) -> None:
    argv = [sys.executable, "-c", "from bootkit.cli import main; main()", "list", "--stick", str(tmp_path)]
    environment = {key: value for key, value in os.environ.items() if key != "LC_ALL"}
    done = subprocess.run(
        argv, cwd=ROOT, env=environment | {"LANG": "de_DE.UTF-8"}, check=False, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "legen Sie erst einen an: bootkit prepare TARGET" in done.stderr
    assert Spoken({"LANG": "de_DE.UTF-8"}).text("never said") == "never said"


def test_what_is_said_of_a_broken_image_is_not_english(tmp_path: Path) -> None:
    """What readers say is made in English, because records keep it."""
    whole = small_iso(tmp_path, "whole.iso", LIVE_BOOT).read_bytes()
    cut, empty = tmp_path / "cut.iso", tmp_path / "empty.iso"
    cut.write_bytes(whole[: len(whole) // 2])
    empty.write_bytes(bytes(1 << 16))
    commands = (["inspect", str(cut)], ["explain", "--why", str(cut)], ["inspect", str(empty)])
    code = "from bootkit.cli.guard import guarded\nfrom bootkit.cli.program import run\n"
    done = subprocess.run(
        [sys.executable, "-c", code + "\n".join(f"guarded(lambda: run({words!r}))" for words in commands)],
        cwd=ROOT,
        env={key: value for key, value in os.environ.items() if key != "LC_ALL"} | {"LANG": "de_DE.UTF-8"},
        check=False,
        capture_output=True,
        text=True,
    )
    said = [line for line in (done.stdout + done.stderr).splitlines() if not line.startswith("  /")]
    assert "Warnung      die Datei hat" in done.stdout
    assert "es ist kein Programm" in done.stdout
    assert "sie ist leer: der Download ging schief" in done.stderr
    english = re.compile(r"\b(and|are|cannot|from|has|is|it|no|not|of|the|there|with)\b")
    assert not [line for line in said if english.search(line)]


@cache
def _catalogue(name: str) -> Catalog:
    return catalogue(name)


def _first(text: object) -> str:
    if isinstance(text, str):
        return text
    assert isinstance(text, tuple | list)
    return str(cast("Sequence[object]", text)[0])


def _is_whole(said: str | tuple[str, ...]) -> bool:
    return bool(said) and all(said)


def _slots(text: str) -> set[str]:
    """``{name}`` as we write it, ``%s`` and ``%(name)s`` as argparse does."""
    if "%" in text:
        return set(re.findall(r"%(?:\(\w+\))?\w", text))
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@cache
def _modules() -> dict[Path, ast.Module]:
    return {path: parsed(path) for path in sorted((ROOT / "bootkit").rglob("*.py"))}


@cache
def _calls() -> list[tuple[Path, ast.Call]]:
    return [(path, node) for path, tree in _modules().items() for node in ast.walk(tree) if isinstance(node, ast.Call)]


def _labels() -> Iterator[str]:
    """What stands before the fields of a form."""
    for _, node in _calls():
        match node:
            case ast.Call(func=ast.Name(id="Field"), args=[ast.Call(args=[ast.Constant(value=str(text))]), *_]):
                yield text
            case _:
                pass


def _headings() -> Iterator[str]:
    """What the sections of the text interface are called."""
    for tree in _modules().values():
        for node in ast.walk(tree):
            match node:
                case ast.AnnAssign(target=ast.Name(id="WHAT"), value=ast.Call(args=[ast.Constant(value=str(text))])):
                    yield text
                case _:
                    pass


def _of_front_ends() -> Iterator[tuple[str, str]]:
    for path, tree in _modules().items():
        if path.relative_to(ROOT / "bootkit").parts[0] in FRONT_ENDS:
            for node, text in _sentences(tree):
                yield f"{path.relative_to(ROOT)}:{node.lineno}", text


def _of_errors() -> Iterator[tuple[str, str]]:
    for path, call in _calls():
        if "formats" in path.parts or called(call) not in FAULTS:
            continue
        hints = [keyword.value for keyword in call.keywords if keyword.arg == "hint"]
        for given in (*call.args, *hints):
            for node, text in _sentences(given):
                yield f"{path.relative_to(ROOT)}:{node.lineno}", text


def _sentences(tree: ast.AST) -> Iterator[tuple[ast.expr, str]]:
    """Texts of several words that are not marked, with the expressions that hold them."""
    return sentences(tree, quiet=QUIET, quiet_names=QUIET_NAMES)
