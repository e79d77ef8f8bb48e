"""Copies of the fixtures that somebody shuffled, renamed, relabelled or cut off: never another distribution's answer."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from bootkit.detect import Detection
from bootkit.detect.registry import detectors, recognise
from bootkit.errors import FormatError
from bootkit.model.iso import IsoFacts, Node
from bootkit.probe.image import PADDING, open_image
from tests.detectors.test_fixtures import SparseIso, detection_of
from tests.records import CLAIMED, read_record, record_id

EXTRA = ("holiday.txt", "zz-notes", "System Volume Information")
SAID_SO = ("menu could not be read", "kind is not known")
"""Notes of an answer that had less to go by than it would like."""
REAL = (
    "casper/ubuntu-24.04-desktop", "live_boot/debian-12-gnome", "dmsquash_live/fedora-42-kde", "archiso/arch-2024.07.01",
    "antix/mx-23.4-xfce", "anaconda/rocky-9.4-dvd",
)  # fmt: skip
CUTS = (0.2, 0.4, 0.6, 0.8, 0.95)

each_claimed = pytest.mark.parametrize("path", CLAIMED, ids=record_id)


@cache
def asked() -> tuple[object, ...]:
    return detectors()


@cache
def names() -> frozenset[str]:
    found: set[str] = set()
    for path in CLAIMED:
        with suppress(FormatError, AssertionError):  # whose own tests fail
            found.add(detection_of(path).distro)
    return frozenset(found)


def answer_to(facts: IsoFacts) -> Detection | None:
    return recognise(SparseIso(facts)).detection


def is_fair(found: Detection | None, own: Detection) -> bool:
    """Nobody knows it, or it is a guess, or the same, or an answer that says how little it had to go by."""
    if found is None or found.untested:
        return True
    if found.distro != own.distro and found.distro in names():
        return False
    return found.stack == own.stack or any(words in note for note in found.notes for words in SAID_SO)


@each_claimed
def test_the_order_of_files_and_files_that_do_not_belong_there_change_nothing(path: Path) -> None:
    facts = read_record(path)[0]
    extra = tuple(Node(name=name, size=7) for name in EXTRA)
    dirs = {name: (*reversed(nodes), *(extra if name == "/" else ())) for name, nodes in reversed(facts.dirs.items())}
    found = answer_to(replace(facts, dirs=dirs, texts=dict(reversed(facts.texts.items()))))
    own = detection_of(path)
    assert found is not None
    assert (found.title, found.stack, set(found.entries)) == (own.title, own.stack, set(own.entries))


@each_claimed
def test_another_name_or_label_never_makes_it_another_distribution(path: Path) -> None:
    facts = read_record(path)[0]
    own = detection_of(path)
    renamed = replace(facts, name=f"image{Path(facts.name).suffix}")
    relabelled = replace(facts, volume_id="STICK", joliet_volume_id="")
    for copy in (renamed, relabelled, replace(relabelled, name=renamed.name)):
        found = answer_to(copy)
        assert is_fair(found, own), (copy.name, copy.volume_id, found)
    same = answer_to(renamed)
    assert same is not None
    assert same.stack == own.stack


def damaged(facts: IsoFacts) -> Iterator[tuple[str, IsoFacts]]:
    """Copies as a download leaves them that broke off: without texts, with half of one, without a folder."""
    yield "all texts", replace(facts, texts={})
    for path, text in facts.texts.items():
        yield path, replace(facts, texts={name: kept for name, kept in facts.texts.items() if name != path})
        yield f"half of {path}", replace(facts, texts={**facts.texts, path: text[: len(text) // 2]})
    for path in facts.dirs:
        if path != "/":
            kept = {
                name: nodes for name, nodes in facts.dirs.items() if name != path and not name.startswith(f"{path}/")
            }
            yield path, replace(facts, dirs=kept)


@each_claimed
def test_what_is_cut_off_never_makes_it_another_distribution(path: Path) -> None:
    own = detection_of(path)
    for what, facts in damaged(read_record(path)[0]):
        found = answer_to(facts)
        assert is_fair(found, own), (what, found)


def real_iso(path: Path, folder: Path) -> Path:
    """An ISO file with the fixture's files, each at most 64 KiB, and its texts."""
    facts = read_record(path)[0]
    tree = folder / "tree"
    for name, nodes in facts.dirs.items():
        for node in nodes:
            place = tree / f"{name}/{node.name}".lstrip("/")
            if node.is_dir:
                place.mkdir(parents=True, exist_ok=True)
            else:
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(bytes(min(node.size or 0, 1 << 16)))
    for name, text in facts.texts.items():
        (tree / name.lstrip("/")).write_text(text, encoding="utf-8")
    iso = folder / facts.name
    argv: list[str | Path] = [
        "xorriso",
        "-as",
        "mkisofs",
        "-quiet",
        "-R",
        "-J",
        "-joliet-long",
        "-V",
        facts.volume_id,
        "-o",
        iso,
        tree,
    ]
    subprocess.run(argv, check=True, capture_output=True)
    return iso


def told(iso: Path) -> Detection | str | None:
    """The answer to an incomplete image, or the reason why there is none."""
    try:
        with open_image(iso) as image:
            found = recognise(image).detection
            assert image.missing <= PADDING or "not complete" in " ".join(image.facts.warnings)
            return found
    except FormatError as error:
        return error.message


@pytest.mark.parametrize("name", REAL)
def test_a_file_that_breaks_off_gets_the_same_answer_or_a_reason(name: str, tmp_path: Path) -> None:
    path = next(path for path in CLAIMED if record_id(path) == name)
    own = detection_of(path)
    iso = real_iso(path, tmp_path)
    with open_image(iso) as image:
        whole = recognise(image).detection
    assert whole is not None
    assert (whole.distro, whole.stack) == (own.distro, own.stack)
    size = iso.stat().st_size
    for part in CUTS:
        with iso.open("r+b") as file:
            file.truncate(int(size * part))
        found = told(iso)
        if isinstance(found, str):
            assert re.search(r"ends|cut off|not an ISO image|outside", found), found
        else:
            assert is_fair(found, own), (part, found)
        with iso.open("r+b") as file:
            file.truncate(size)
