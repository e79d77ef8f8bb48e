"""``bootkit tui`` where there is no terminal, and ``bootkit log``."""

import json
import os
from pathlib import Path

from tests.cli.conftest import Bootkit


def test_without_a_terminal_it_says_what_to_do_instead(bootkit: Bootkit) -> None:
    done = bootkit("tui")
    assert (done.returncode, done.stdout) == (2, "")
    assert "this is no terminal" in done.stderr
    assert "bootkit add" in done.stderr
    assert "\x1b" not in done.stderr


def test_the_logs_come_newest_first(bootkit: Bootkit, tmp_path: Path) -> None:
    (tmp_path / "boot/bootkit/log").mkdir(parents=True)
    (tmp_path / "boot/bootkit/stick.toml").write_text("")
    assert "No boot has left a log" in bootkit("log", "--stick", tmp_path).stderr
    for name in ("1.log", "2.log"):
        (tmp_path / "boot/bootkit/log" / name).write_text(f"boot {name}\n")
    os.utime(tmp_path / "boot/bootkit/log/2.log", (1, 1))
    assert bootkit("log", "--stick", tmp_path).stdout == "== 1.log\nboot 1.log\n\n== 2.log\nboot 2.log\n\n"
    listed = json.loads(bootkit("log", "--stick", tmp_path, "--json").stdout)["logs"]
    assert [one["name"] for one in listed] == ["1.log", "2.log"]
