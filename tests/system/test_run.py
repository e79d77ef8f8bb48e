import logging
import os
import time
from pathlib import Path

import pytest

from bootkit.errors import CommandFailed, ToolMissing
from bootkit.system.run import feed, popen, run, which


def test_returns_what_the_program_printed() -> None:
    assert run(["printf", "%s", "two words"]) == b"two words"


def test_gives_bytes_to_stdin_and_nothing_otherwise() -> None:
    assert run(["cat"], stdin=b"a\0b") == b"a\0b"
    assert run(["cat"]) == b""


def test_child_sees_a_small_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    monkeypatch.setenv("LS_COLORS", "x")
    seen = dict(line.split("=", 1) for line in run(["env"], env={"EXTRA": "1"}).decode().splitlines())
    assert seen["LANG"] == "C.UTF-8"
    assert seen["EXTRA"] == "1"
    assert {"/usr/sbin", "/sbin"} <= set(seen["PATH"].split(":"))
    assert not {"LC_ALL", "LS_COLORS"} & set(seen)


def test_failure_carries_status_and_stderr() -> None:
    with pytest.raises(CommandFailed, match="no space") as caught:
        run(["sh", "-c", "echo no space >&2; exit 3"])
    assert (caught.value.argv[0], caught.value.returncode) == ("sh", 3)


def test_accepts_the_statuses_that_count_as_success() -> None:
    assert run(["sh", "-c", "echo corrected; exit 1"], ok=(0, 1)) == b"corrected\n"


def test_names_a_program_that_is_not_installed() -> None:
    assert which("bootkit-no-such-program") is None
    with pytest.raises(ToolMissing, match="bootkit-no-such-program is not installed") as caught:
        run(["bootkit-no-such-program"])
    assert caught.value.hint


def test_time_limit_ends_the_program_and_its_children(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    started = time.monotonic()
    with pytest.raises(CommandFailed, match="within"):
        run(["sh", "-c", f"sleep 60 & echo $! > {pid_file}; wait"], timeout=0.5)
    assert time.monotonic() - started < 5
    assert not _alive(int(pid_file.read_text()))


def test_child_is_gone_when_the_block_ends_by_an_exception() -> None:
    with pytest.raises(RuntimeError, match="stop"), popen(["sleep", "60"]) as process:
        raise RuntimeError("stop")
    assert process.poll() is not None


def test_feeds_chunks_into_a_file(tmp_path: Path) -> None:
    with (tmp_path / "out").open("wb") as out:
        feed(["cat"], (bytes([n]) * 100_000 for n in range(5)), stdout=out)
    assert (tmp_path / "out").stat().st_size == 500_000


def test_feed_survives_a_reader_that_has_enough_but_reports_its_failure() -> None:
    feed(["head", "-c", "1"], (bytes(1 << 16) for _ in range(64)))
    with pytest.raises(CommandFailed, match="broken"):
        feed(["sh", "-c", "echo broken >&2; exit 1"], (bytes(1 << 16) for _ in range(64)))


def test_command_line_goes_to_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        run(["true", "a b"])
    assert "+ true 'a b'" in caplog.messages


def _alive(pid: int) -> bool:
    deadline = time.monotonic() + 2
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return False
        if state == "Z":
            return False
        time.sleep(0.02)
    os.kill(pid, 9)
    return True
