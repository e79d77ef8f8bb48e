"""What an interpreter has loaded after it did one thing: commands stay quick, and the layers stay apart."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
HEAVY = frozenset({"backports", "jinja2", "lz4", "psutil", "pyudev", "qemu", "textual", "tomlkit"})
"""Libraries of single commands."""


def modules_after(code: str) -> set[str]:
    """The names in ``sys.modules`` of a fresh interpreter that ran ``code``."""
    shown = f"import sys\n{code}\nprint(*sys.modules, sep='\\n', file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", shown], cwd=ROOT, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return set(done.stderr.split())


def test_the_version_is_told_without_any_library() -> None:
    loaded = modules_after("from bootkit.cli.program import run\ntry: run(['--version'])\nexcept SystemExit: pass")
    assert not loaded & (HEAVY | {"dataclasses", "json", "logging", "pathlib", "subprocess"})
    assert not [name for name in loaded if name.startswith(("bootkit.app", "bootkit.model", "bootkit.system"))]


def test_all_commands_are_described_without_the_libraries_of_single_commands() -> None:
    loaded = modules_after("from bootkit.cli.program import run\ntry: run(['--help'])\nexcept SystemExit: pass")
    assert "bootkit.cli.stick" in loaded
    assert not loaded & HEAVY


def test_looking_into_an_image_needs_no_library() -> None:
    assert not modules_after("import bootkit.app.verbs.inspect") & HEAVY


def test_detectors_reach_nothing_that_touches_the_machine() -> None:
    loaded = modules_after("from bootkit.detect.registry import builtin\nassert tuple(builtin())")
    assert "bootkit.detectors.casper" in loaded
    layers = {name.split(".")[1] for name in loaded if name.startswith("bootkit.")}
    assert layers == {"bootcfg", "detect", "detectors", "errors", "model"}
    assert not loaded & (HEAVY | {"subprocess", "tempfile"})


def test_detectors_cannot_be_imported_from_the_top_level_folder() -> None:
    code = "import detectors"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False, capture_output=True, text=True)
    assert "ImportError" in done.stderr
    assert "bootkit.detectors" in done.stderr


def test_only_the_applier_of_plans_changes_a_stick() -> None:
    changing = re.compile(r"\bvolume\.(write|copy_in|rename|remove)\(")
    found = {path.relative_to(ROOT) for path in (ROOT / "bootkit").rglob("*.py") if changing.search(path.read_text())}
    assert {str(path) for path in found} == {"bootkit/system/changes.py"}
