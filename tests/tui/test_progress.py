"""Figures and drawings of long work."""

import pytest

from bootkit.tui.graph import bar, graph
from bootkit.tui.progress import Job
from bootkit.tui.widgets.image_table import widths

MIB = 1 << 20


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_total_counts_writing_and_checking_of_all_files() -> None:
    clock = Clock()
    job = Job(clock=clock)
    watcher = job.watcher()
    watcher.begin("comparing", "/a.iso", 7 * MIB)
    watcher.progress(7 * MIB)
    job.expect([2 * MIB, 2 * MIB])
    for phase, path in (("copying", "/a.iso"), ("checking", "/a.iso"), ("copying", "/b.iso")):
        watcher.begin(phase, path, 2 * MIB)
        clock.now += 1
        watcher.progress(2 * MIB)
    assert job.total_line() == "file 2 of 2"
    assert job.total_figures() == "6.0 MiB of 8.0 MiB   2.0 MiB/s   0:01 left"
    assert job.total_done == 6 * MIB


def test_a_single_file_has_no_total() -> None:
    job = Job()
    job.expect([MIB])
    assert (job.total_line(), job.total_figures()) == ("", "")


def test_the_speed_is_measured_over_half_seconds() -> None:
    clock = Clock()
    job = Job(clock=clock)
    watcher = job.watcher()
    job.measure()
    watcher.begin("copying", "/a.iso", 10 * MIB)
    for done in (1, 2, 4):
        clock.now += 0.5
        watcher.progress(done * MIB)
        job.measure()
        clock.now += 0.1
        job.measure()
    assert [round(speed / MIB, 1) for speed in job.speeds] == [2.0, 1.7, 3.3]


def test_a_graph_is_drawn_in_halves_of_a_line() -> None:
    assert graph((1, 2, 4), width=3, height=2) == "  █\n▄██"
    assert graph(()) == graph((0, 0)) == ""


def test_a_graph_shows_the_last_values_and_only_characters_of_a_console() -> None:
    drawn = graph(range(1, 100), width=10, height=3)
    assert [len(line) for line in drawn.splitlines()] == [10, 10, 10]
    assert drawn.encode("cp437").decode("cp437") == drawn


def test_a_bar_never_runs_over() -> None:
    assert bar(15, 10, width=4) == "[####] 100 %"
    assert bar(0, 0) == ""


ROW: dict[str, str | tuple[str, ...]] = {
    "Image": "x" * 30,
    "Size": "1.0 GiB",
    "Starts": "yes",
    "With": ("home anna", "2 ext"),
    "Kind": "live-boot",
}


@pytest.mark.parametrize(
    ("room", "columns"),
    [
        (120, {"Size": 7, "Starts": 6, "With": 16, "Kind": 9, "Image": 72}),
        (72, {"Size": 7, "Starts": 6, "With": 16, "Image": 35}),
        (64, {"Size": 7, "Starts": 6, "With": 13, "Image": 30}),
        (50, {"Size": 7, "Starts": 6, "With": 8, "Image": 21}),
    ],
)
def test_names_are_cut_last(room: int, columns: dict[str, int]) -> None:
    assert widths([ROW], room) == columns
