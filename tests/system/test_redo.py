"""Changes that are on the medium as a whole or not at all."""

import os
import random
import struct
import zlib
from collections.abc import Generator
from contextlib import closing
from pathlib import Path

import pytest

from bootkit.system.redo import NoRoomForRedo, Piece, Room, commit, pending, repeat
from bootkit.system.staged import SECTOR, Staged
from tests.faults.trace import Sync, Trace, recorded

OFFSET, SIZE, SPARE, ROOM = 4096, 1 << 20, 512, 512 << 10
MAGICS = b"bootkit redo 2\r\n", b"bootkit redo 3\r\n"
NEW = random.Random(7).randbytes(5000)
"""What compression makes no shorter."""


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
    assert _stages(trace) == [[40_960, ROOM], [SPARE], [20_480], [SPARE]]


def _stages(trace: Trace) -> list[list[int]]:
    """Where something was written between one synchronisation and the next."""
    stages: list[list[int]] = [[]]
    for event in trace.events:
        if isinstance(event, Sync):
            stages.append([])
        else:
            stages[-1].append(event.offset - OFFSET)
    return stages


def test_names_come_behind_what_they_mean_and_before_what_is_let_go(image: Path, descriptor: int) -> None:
    staged = Staged(descriptor, OFFSET, SIZE)
    with recorded(image) as trace:
        with staged.naming():
            staged.put(20_480, b"name" * 128)
        staged.put(40_960, b"table" * 100)
        staged.end_step()
        staged.put(40_960, b"other" * 100)
        commit(staged, SPARE, room)
    assert _stages(trace) == [[ROOM], [SPARE], [40_960], [20_480], [40_960], [SPARE]]
    content = image.read_bytes()[OFFSET:]
    assert (content[20_480:20_484], content[40_960:40_965]) == (b"name", b"other")


@pytest.mark.parametrize("made", range(4))
def test_what_changes_in_two_steps_is_completed_after_each_of_them(made: int, image: Path, descriptor: int) -> None:
    staged = Staged(descriptor, OFFSET, SIZE)
    with recorded(image) as trace:
        staged.put(20_480, b"first" * 100)
        staged.end_step()
        staged.put(20_480, b"after" * 100)
        commit(staged, SPARE, room)
    writes = [event for event in trace.events if not isinstance(event, Sync)]
    for event in writes[: 2 + made]:
        os.pwrite(descriptor, event.data, event.offset)
    left = pending(staged, SPARE)
    if left is not None:
        repeat(staged, SPARE, left)
    assert image.read_bytes()[OFFSET + 20_480 :][:500] == b"after" * 100


def test_a_gap_has_room_for_a_few_records_again_and_again(image: Path, descriptor: int) -> None:
    gap = (8 * SECTOR, 8 * SECTOR)
    os.pwrite(descriptor, bytes(gap[1] - SECTOR), OFFSET + gap[0])
    theirs = os.pread(descriptor, SECTOR, OFFSET + gap[0] + gap[1] - SECTOR)
    staged = Staged(descriptor, OFFSET, SIZE)
    for content in (NEW[:1000], NEW[1000:2000]):
        staged.put(20_480, content)
        commit(staged, SPARE, lambda _: (), gap)
        assert image.read_bytes()[OFFSET + 20_480 :][:1000] == content
    staged.put(20_480, NEW)
    with pytest.raises(NoRoomForRedo):
        commit(staged, SPARE, lambda _: (), gap)
    assert os.pread(descriptor, SECTOR, OFFSET + gap[0] + gap[1] - SECTOR) == theirs


def test_of_many_pieces_the_largest_are_taken() -> None:
    room = Room(40_000)
    for number in range(200):
        room.add(number * 8192, 512 if number % 10 else 4096)
    assert room.is_enough
    assert sum(length for _, length in room.pieces) >= 40_000
    assert len(room.pieces) <= 30


@pytest.mark.parametrize("magic", MAGICS)
@pytest.mark.parametrize(
    "body", [zlib.compress(bytes(129 << 20), 1), b"no records", b""], ids=["bomb", "garbage", "empty"]
)
def test_records_that_somebody_made_up_do_not_count(body: bytes, magic: bytes, descriptor: int) -> None:
    staged = Staged(descriptor, OFFSET, SIZE + (8 << 20))
    staged.write_past(ROOM, body)
    staged.write_past(SPARE, _pointer(magic, body))
    assert pending(staged, SPARE) == ()


def _pointer(magic: bytes, body: bytes) -> bytes:
    head = struct.pack("<16sQII", magic, len(body), zlib.crc32(body), 1)
    head = (head + struct.pack("<QQ", ROOM, len(body))).ljust(SECTOR - 4, b"\0")
    return head + struct.pack("<I", zlib.crc32(head))


def test_a_change_that_an_older_bootkit_has_begun_is_completed(descriptor: int) -> None:
    staged = Staged(descriptor, OFFSET, SIZE)
    new = {at: NEW[at % 4096 :][:SECTOR] for at in (20_480, 20_992, 40_960)}
    records = (struct.pack(f"<QIB{SECTOR}s", at, zlib.crc32(staged.on_medium(at, SECTOR)), 0, new[at]) for at in new)
    body = zlib.compress(b"".join(records), 1)
    staged.write_past(ROOM, body)
    staged.write_past(SPARE, _pointer(MAGICS[0], body))
    changes = pending(staged, SPARE)
    assert changes
    repeat(staged, SPARE, changes)
    assert {at: staged.on_medium(at, SECTOR) for at in new} == new


def test_a_table_that_counts_up_is_recorded_in_a_tenth_of_its_size(image: Path) -> None:
    table = struct.pack("<65536I", *range(100_000, 165_536))
    asked: list[int] = []

    def room_for(size: int) -> tuple[Piece, ...]:
        asked.append(size)
        return ((ROOM, 1 << 18),)

    with image.open("r+b") as file:
        staged = Staged(file.fileno(), OFFSET, SIZE)
        staged.put(20_480, table)
        commit(staged, SPARE, room_for)
    assert max(asked) < len(table) // 10
    assert image.read_bytes()[OFFSET + 20_480 :][: len(table)] == table


def _begun(image: Path) -> Staged:
    """A change that is recorded, and not yet made."""
    before = image.read_bytes()
    with image.open("r+b") as file:
        staged = Staged(file.fileno(), OFFSET, SIZE)
        staged.put(20_000, NEW)
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
    assert image.read_bytes()[OFFSET + 20_000 : OFFSET + 25_000] == NEW
    assert pending(staged, SPARE) is None


def test_a_change_that_is_half_made_is_completed(image: Path) -> None:
    staged = _begun(image)
    staged.write_past(20_480, NEW[480:1504])
    changes = pending(staged, SPARE)
    assert changes
    repeat(staged, SPARE, changes)
    assert image.read_bytes()[OFFSET + 20_000 : OFFSET + 25_000] == NEW


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
    staged.put(20_000, NEW)
    with pytest.raises(NoRoomForRedo):
        commit(staged, SPARE, lambda _: ((ROOM, 1024),))
    assert image.read_bytes() == before
