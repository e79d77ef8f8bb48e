import logging
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bootkit.errors import CommandFailed, ToolMissing
from bootkit.system.run import feed, popen, run, which
from tests.work import PATIENCE, wait_until


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
    os.mkfifo(told := tmp_path / "told")
    with os.fdopen(os.open(told, os.O_RDONLY | os.O_NONBLOCK), "rb") as reader:
        with pytest.raises(CommandFailed, match="within"):
            run(["sh", "-c", f"{{ sleep 60; echo survived; }} > {told} & wait"], timeout=0.5)
        os.set_blocking(reader.fileno(), True)
        # comes to its end when nobody is left who could write
        assert reader.read() == b""


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


def test_a_program_that_takes_nothing_more_is_ended() -> None:
    with pytest.raises(CommandFailed, match=r"no answer within 0\.5 seconds"):
        feed(["sleep", "60"], (bytes(1 << 16) for _ in range(64)), timeout=0.5)
    with pytest.raises(CommandFailed, match=r"no answer within 0\.5 seconds"):
        feed(["sh", "-c", "cat; exec sleep 60"], (b"x",), timeout=0.5)


def test_no_program_outlives_us(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    code = f"from bootkit.system.run import run; run(['sh', '-c', 'echo $$ > {pid_file}; exec sleep 60'])"
    us = subprocess.Popen([sys.executable, "-c", code], cwd=Path(__file__).parents[2])
    try:
        wait_until(lambda: pid_file.exists() and pid_file.read_text().endswith("\n"))
        child = int(pid_file.read_text())
        assert _runs(child)
    finally:
        us.kill()
        us.wait()
    wait_until(lambda: not _runs(child))


def test_a_terminal_that_is_closed_ends_us_and_all_programs(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    code = (
        "import signal; signal.signal(signal.SIGHUP, signal.SIG_DFL); "  # the tests may run under nohup
        "from bootkit.cli.guard import guarded; from bootkit.system.run import run; import sys; "
        f"sys.exit(guarded(lambda: run(['sh', '-c', 'sleep 60 & echo $! > {pid_file}; wait'])))"
    )
    us = subprocess.Popen([sys.executable, "-c", code], cwd=Path(__file__).parents[2], stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: pid_file.exists() and pid_file.read_text().endswith("\n"))
        us.send_signal(signal.SIGHUP)
        assert us.wait(timeout=PATIENCE) == 130
    finally:
        us.kill()
        us.wait()
    wait_until(lambda: not _runs(int(pid_file.read_text())))


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
