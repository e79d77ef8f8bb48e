"""What ``explain`` says of recorded images before anyone asks why."""

from collections.abc import Iterator

import pytest

from bootkit.detect.registry import recognise
from bootkit.model.boot import Recognition
from bootkit.model.catalog import ImageItem
from bootkit.model.check import StickFacts
from bootkit.model.iso import IsoFacts, NotRecorded, RecordedIso
from bootkit.plan.check import predict
from bootkit.render.brief import brief
from bootkit.render.explain import explain
from tests.records import CLAIMED, read_record

LINES = 12
"""With the two that the command adds: most images take ten, those with two long notes some more."""


def recorded() -> Iterator[tuple[IsoFacts, Recognition]]:
    for path in CLAIMED[::5]:  # all of them would take some seconds
        facts, _ = read_record(path)
        try:
            yield facts, recognise(RecordedIso(facts))
        except NotRecorded:  # some records hold no more than what their own detector asks for
            continue


@pytest.mark.parametrize("filesystem", ["", "vfat"], ids=["file", "stick"])
def test_the_short_answer_is_short_and_says_what_it_is(filesystem: str) -> None:
    lengths: list[tuple[int, str]] = []
    for facts, recognition in recorded():
        item = ImageItem(path="/boot/iso/x.iso", size=1, mtime_ns=0, facts=facts, recognition=recognition)
        prediction = predict(item, StickFacts(filesystem=filesystem))
        said = brief(facts, recognition, prediction, on_stick=bool(filesystem), width=100)
        assert recognition.detection is not None
        assert recognition.detection.title in " ".join(said.split())
        lengths.append((said.count("\n") + 3, said))
        narrow = brief(facts, recognition, prediction, on_stick=bool(filesystem), width=70)
        assert max(map(len, narrow.splitlines())) <= 70
        assert narrow.split() == said.split()
    assert len(lengths) > 20
    assert max(lengths)[0] <= LINES, max(lengths)[1]


def test_the_long_answer_says_the_same_on_a_narrow_terminal() -> None:
    for facts, recognition in recorded():
        wide, narrow = (explain(facts, recognition, width=width) for width in (1000, 60))
        assert narrow.split() == wide.split()
        assert all(len(line) <= 60 or len(line.split()) <= 3 for line in narrow.splitlines())
        indents = {len(line) - len(line.lstrip()) for line in narrow.splitlines()}
        assert indents <= {0, 2, 4, 12}
