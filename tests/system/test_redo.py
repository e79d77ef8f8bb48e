"""Changes that are on the medium as a whole or not at all."""

import os
import random
from collections.abc import Generator
from contextlib import closing
from pathlib import Path

import pytest

from bootkit.system.redo import NoRoomForRedo, Piece, commit, pending, repeat
from bootkit.system.staged import SECTOR, Staged
from tests.faults.trace import Sync, recorded

OFFSET, SIZE, SPARE, ROOM = 4096, 1 << 20, 512, 512 << 10


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "image"
    content = bytearray(random.Random(5).randbytes(OFFSET + SIZE))
    content[OFFSET + SPARE : OFFSET + SPARE + SECTOR] = bytes(SECTOR)
    path.write_bytes(content)
    return path


@pytest.fixture
def descriptor(image: Path) -> Generator[int]:
    number = os.open(image, os.O_RDWR)
    yield number
    os.close(number)


def room(size: int) -> tuple[Piece, ...]:
    return ((ROOM, 1024), (ROOM + 8192, size))


def test_what_is_put_is_read_before_it_is_on_the_medium(image: Path, descriptor: int) -> None:
    before = image.read_bytes()
    with closing(Staged(descriptor, OFFSET, SIZE)) as staged:
        staged.put(10_000, b"new" * 3000)
        staged.seek(9_990)
        assert staged.read(20) == before[OFFSET + 9_990 : OFFSET + 10_000] + b"newnewnewn"
        assert staged.peek(0, SIZE)[10_000:19_000] == b"new" * 3000
        assert image.read_bytes() == before


def test_what_is_written_past_counts_beside_what_was_put(image: Path, descriptor: int) -> None:
    staged = Staged(descriptor, OFFSET, SIZE)
    staged.put(8192, b"a" * 1024)
    staged.write_past(9216, b"b" * 1024)
    commit(staged, SPARE, room)
    assert image.read_bytes()[OFFSET + 8192 : OFFSET + 10240] == b"a" * 1024 + b"b" * 1024


def test_a_commit_changes_what_was_put_and_leaves_no_mark(image: Path, descriptor: int) -> None:
    before = image.read_bytes()
    staged = Staged(descriptor, OFFSET, SIZE)
    staged.put(20_000, b"x" * 5000)
    commit(staged, SPARE, room)
    after = image.read_bytes()
    assert after[OFFSET + 20_000 : OFFSET + 25_000] == b"x" * 5000
    assert after[: OFFSET + 20_000] == before[: OFFSET + 20_000]
    assert pending(staged, SPARE) is None


def test_changes_with_a_gap_between_them_leave_alone_what_lies_there(image: Path, descriptor: int) -> None:
    expected = bytearray(image.read_bytes())
    staged = Staged(descriptor, OFFSET, SIZE)
    for at in (20_480, 22_528):
        staged.put(at, b"x" * SECTOR)
        expected[OFFSET + at : OFFSET + at + SECTOR] = b"x" * SECTOR
    commit(staged, SPARE, room)
    assert image.read_bytes()[: OFFSET + ROOM] == expected[: OFFSET + ROOM]


def test_each_stage_is_on_the_medium_before_the_next_one_begins(image: Path, descriptor: int) -> None:
    staged = Staged(descriptor, OFFSET, SIZE)
    with recorded(image) as trace:
        staged.write_past(40_960, b"content of a new file")
        staged.put(20_480, b"x" * SECTOR)
        commit(staged, SPARE, room)
    stages: list[list[int]] = [[]]
    for event in trace.events:
        if isinstance(event, Sync):
            stages.append([])
        else:
            stages[-1].append(event.offset - OFFSET)
    assert stages == [[40_960, ROOM], [SPARE], [20_480], [SPARE]]


def _begun(image: Path) -> Staged:
    """A change that is recorded, and not yet made."""
    before = image.read_bytes()
    with image.open("r+b") as file:
        staged = Staged(file.fileno(), OFFSET, SIZE)
        staged.put(20_000, b"x" * 5000)
        states: list[bytes] = []
        write_past = Staged.write_past

        def watched(self: Staged, at: int, data: bytes | memoryview) -> None:
            states.append(image.read_bytes())
            write_past(self, at, data)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Staged, "write_past", watched)
            commit(staged, SPARE, room)
    # two pieces of the records, the sector that tells of them, and then the change
    image.write_bytes(states[3])
    assert states[3][OFFSET + 20_000 : OFFSET + 25_000] == before[OFFSET + 20_000 : OFFSET + 25_000]
    return Staged(os.open(image, os.O_RDWR), OFFSET, SIZE)


def test_a_change_that_was_begun_is_completed(image: Path) -> None:
    staged = _begun(image)
    changes = pending(staged, SPARE)
    assert changes
    repeat(staged, SPARE, changes)
    assert image.read_bytes()[OFFSET + 20_000 : OFFSET + 25_000] == b"x" * 5000
    assert pending(staged, SPARE) is None


def test_a_change_that_is_half_made_is_completed(image: Path) -> None:
    staged = _begun(image)
    staged.write_past(20_480, b"x" * 1024)
    changes = pending(staged, SPARE)
    assert changes
    repeat(staged, SPARE, changes)
    assert image.read_bytes()[OFFSET + 20_000 : OFFSET + 25_000] == b"x" * 5000


@pytest.mark.parametrize("at", [SPARE + 100, ROOM + 100, ROOM + 8192, 20_480])
def test_a_change_no_longer_counts_when_others_have_written_since(at: int, image: Path) -> None:
    staged = _begun(image)
    staged.write_past(at, b"another program's")
    before = image.read_bytes()
    assert pending(staged, SPARE) == ()
    repeat(staged, SPARE, ())
    assert image.read_bytes()[OFFSET + SPARE + SECTOR :] == before[OFFSET + SPARE + SECTOR :]
    assert pending(staged, SPARE) is None


def test_nothing_is_changed_without_room_for_the_records(image: Path, descriptor: int) -> None:
    before = image.read_bytes()
    staged = Staged(descriptor, OFFSET, SIZE)
    staged.put(20_000, b"x" * 5000)
    with pytest.raises(NoRoomForRedo):
        commit(staged, SPARE, lambda _: ((ROOM, 1024),))
    assert image.read_bytes() == before
