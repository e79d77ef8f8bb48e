"""What to type where other rights are needed."""

import os
import pty
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest

from bootkit.cli import guard
from bootkit.errors import RightsMissing

ROOT = Path(__file__).parents[2]


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
    monkeypatch.setattr("shutil.which", found)
    guard.tell(RightsMissing("/dev/sdX: Permission denied", hint="mount it"))
    told = answer.replace("{}", f"bootkit {words}")
    assert capsys.readouterr().err.splitlines() == [
        "bootkit: /dev/sdX: Permission denied",
        f"  it takes another user's rights: {told}; or mount it",
    ]


@pytest.mark.parametrize(("answer", "is_done"), [("y", True), ("n", False), ("", False)])
def test_at_a_terminal_the_same_is_done_again_as_root_where_that_is_wanted(answer: str, is_done: bool) -> None:
    """With a sudo that says what it would do; the terminal is a real one."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:  # where another user can go, too
        folder = Path(name)
        folder.chmod(0o755)
        stick, sudo = folder / "stick.img", folder / "sudo"
        stick.touch(mode=0o000)
        sudo.write_text('#!/bin/sh\necho "as root: $*"\n')
        sudo.chmod(0o755)
        argv = ["-m", "bootkit", "list", "--stick", str(stick)]
        nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.geteuid() == 0 else []
        environment = {"PATH": f"{folder}:/usr/bin:/bin", "PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8", "HOME": name}
        shown, status = _at_a_terminal([*nobody, sys.executable, *argv], environment, answer)
    assert "Permission denied" in shown
    assert "Do it again as root, by sudo? [y/N]" in shown
    assert (f"as root: -- {sys.executable} {' '.join(argv)}" in shown) is is_done
    assert status == (0 if is_done else 1)


def _at_a_terminal(argv: list[str], environment: dict[str, str], answer: str) -> tuple[str, int]:
    """What a program shows that is answered once, and its exit status."""
    child, terminal = pty.fork()
    if child == 0:
        os.execvpe(argv[0], argv, environment)
    shown, is_answered = b"", False
    with os.fdopen(terminal, "r+b", buffering=0) as file, suppress(OSError):  # Linux ends a terminal by EIO
        while piece := file.read(4096):
            shown += piece
            if not is_answered and b"[y/N]" in shown:
                is_answered = file.write(f"{answer}\n".encode()) > 0
    return " ".join(shown.decode().split()), os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
