"""``bootkit --help`` is answered from a constant, because typer alone takes longer than the answer may."""

import os
import subprocess
import sys
from pathlib import Path

from bootkit import __version__

ROOT = Path(__file__).parents[2]
MODULE = ROOT / "bootkit" / "cli" / "help.py"
HEAD = '''\
"""What ``bootkit --help`` prints: typer's own text, kept. Written by pytest tests/meta --update-golden."""

HELP = """\\
'''


def said_by(*argv: str) -> str:
    """What a Python program prints on a screen of 80 columns without colours."""
    plain = {"COLUMNS": "80", "NO_COLOR": "1", "TERM": "dumb", "PYTHONUTF8": "1", "PATH": os.environ["PATH"]}
    done = subprocess.run([sys.executable, *argv], cwd=ROOT, env=plain, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return "".join(f"{line.rstrip()}\n" for line in done.stdout.splitlines())


def test_the_kept_help_is_what_typer_prints(update_golden: bool) -> None:
    current = said_by("-c", "import sys; from bootkit.cli.program import run; sys.exit(run(['--help']))")
    assert "\\" not in current
    assert '"""' not in current
    if update_golden:
        MODULE.write_text(f'{HEAD}{current}"""\n', encoding="utf-8")
    assert said_by("-m", "bootkit", "--help") == current


def test_help_and_version_answer_from_a_checkout() -> None:
    assert "Usage: bootkit" in said_by("-m", "bootkit", "--help")
    assert said_by("-m", "bootkit", "--version") == f"bootkit {__version__}\n"
