"""A short look at what ``./dev test fuzz`` does at length: always the same damage, in every reader."""

import gzip
from pathlib import Path

import pytest

from bootkit.errors import BootkitError
from bootkit.model.iso import NotRecorded
from tests.fuzz.run import damaged, fuzzed
from tests.fuzz.targets import CASES, FuzzTarget, image_seen, targets

INPUTS = 60
"""For each reader, of which the first are sound; a few seconds in all."""


@pytest.fixture(scope="module")
def readers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, FuzzTarget]:
    return {target.name: target for target in targets(tmp_path_factory.mktemp("fuzz"))}


@pytest.mark.parametrize("part", range(3))
def test_damaged_inputs_give_an_answer_or_one_of_our_errors(readers: dict[str, FuzzTarget], part: int) -> None:
    assert len(readers) > 25
    for name in sorted(readers)[part::3]:
        tally = fuzzed(readers[name], inputs=INPUTS)
        assert [(harm.what, harm.trace) for harm in tally.harms] == [], name
        assert tally.inputs == INPUTS


def test_sound_inputs_are_read(readers: dict[str, FuzzTarget]) -> None:
    """Or the fuzzing would look at nothing but refusals."""
    refused: list[str] = []
    for target in readers.values():
        for number, seed in enumerate(target.seeds):
            try:
                target.read(seed)
            except NotRecorded:
                continue  # a detector asks for more than an older one had recorded
            except BootkitError as error:
                refused.append(f"{target.name} {number}: {error.message}")
    known = ("extension-cycle", "several ways lead", "lone", "that can be read")
    assert [line for line in refused if not any(word in line for word in known)] == []


def test_the_same_number_is_the_same_damage(readers: dict[str, FuzzTarget]) -> None:
    target = readers["partitions"]
    assert damaged(target, 40) == damaged(target, 40)
    assert len({damaged(target, number) for number in range(40)}) > 20


@pytest.mark.parametrize("case", sorted(CASES.glob("*.iso.gz")), ids=lambda path: path.stem)
def test_an_image_that_did_harm_once_does_none(case: Path) -> None:
    image_seen(gzip.decompress(case.read_bytes()))
