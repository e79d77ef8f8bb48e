"""What to type where other rights are needed."""

import sys
from pathlib import Path

import pytest

from bootkit.cli import guard
from bootkit.errors import RightsMissing


@pytest.mark.parametrize(
    ("there", "program", "words", "answer"),
    [
        ("sudo pkexec", "bootkit", "list --stick /dev/sdX", "sudo {} (or: pkexec {})"),
        ("", "bootkit", "list", "sudo {} (or: pkexec {})"),
        ("pkexec", "/usr/bin/bootkit", "list", "pkexec {}"),
        ("pkexec", "bootkit", "add live.iso", "pkexec --keep-cwd {}"),
        ("run0", "bootkit", "add live.iso", "run0 {}"),
        (
            "sudo",
            "/home/me/.local/bin/bootkit",
            "list",
            "sudo /home/me/.local/bin/{} (or: pkexec /home/me/.local/bin/{})",
        ),
    ],
)
def test_the_whole_command_is_told(
    there: str,
    program: str,
    words: str,
    answer: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def found(name: str) -> str | None:
        return name if name in there.split() else None

    (tmp_path / "live.iso").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [program, *words.split()])
    monkeypatch.setattr(guard, "which", found)
    guard.tell(RightsMissing("/dev/sdX: Permission denied", hint="mount it"))
    told = answer.replace("{}", f"bootkit {words}")
    assert capsys.readouterr().err.splitlines() == [
        "bootkit: /dev/sdX: Permission denied",
        f"  it takes another user's rights: {told}; or mount it",
    ]
