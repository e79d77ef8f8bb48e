"""What an interpreter has loaded after it did one thing: commands stay quick, and the layers stay apart."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEAVY = frozenset({"backports", "jinja2", "lz4", "pyudev", "qemu", "textual", "tomlkit"})
"""Libraries of single commands."""


def modules_after(code: str) -> set[str]:
    """The names in ``sys.modules`` of a fresh interpreter that ran ``code``."""
    shown = f"import sys\n{code}\nprint(*sys.modules, sep='\\n', file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", shown], cwd=ROOT, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return set(done.stderr.split())


NOTHING: frozenset[str] = frozenset()
LOADS: dict[tuple[str, ...], frozenset[str]] = {
    ("--version",): NOTHING,
    ("--help",): frozenset({"model"}),
    ("list", "--help"): NOTHING,
    ("inspect", "--help"): NOTHING,
    ("home", "create", "--help"): NOTHING,
    ("prepare", "--help"): frozenset({"model"}),
}
"""What each command may load of ours, beside the command line itself; libraries of others none of them."""
ALWAYS = frozenset({"cli", "errors", "i18n", "plain", "values"})


def loaded_by(*words: str) -> set[str]:
    run = f"from bootkit.cli.program import run\ntry: run({list(words)})\nexcept SystemExit: pass"
    return modules_after(run)


@pytest.mark.parametrize("words", LOADS, ids=" ".join)
def test_a_command_loads_what_it_uses_and_nothing_else(words: tuple[str, ...]) -> None:
    loaded = loaded_by(*words)
    layers = {name.split(".")[1] for name in loaded if name.startswith("bootkit.")}
    assert layers - ALWAYS - {"units"} <= LOADS[words]
    assert not loaded & (HEAVY | {"asyncio", "rich", "ssl", "subprocess"})


def test_the_version_is_told_with_next_to_nothing() -> None:
    assert not loaded_by("--version") & {"dataclasses", "inspect", "json", "logging", "pathlib"}


def test_a_list_of_images_needs_no_library_of_other_commands(tmp_path: Path) -> None:
    settings = tmp_path / "boot/bootkit/stick.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text("")
    loaded = loaded_by("list", "--stick", str(tmp_path))
    assert "bootkit.system.volumes.folder" in loaded
    assert not loaded & {"asyncio", "jinja2", "qemu", "rich", "ssl", "textual", "tomlkit"}


def test_a_look_into_an_image_needs_no_library() -> None:
    loaded = modules_after("import bootkit.app.verbs.inspect")
    assert not loaded & (HEAVY | {"rich"})
    layers = {name.split(".")[1] for name in loaded if name.startswith("bootkit.")}
    assert not layers & {"overlay", "plan", "system"}
    assert not loaded & {"logging", "shutil", "tomllib"}


def test_detectors_reach_nothing_that_touches_the_machine() -> None:
    loaded = modules_after("from bootkit.detect.registry import builtin\nassert tuple(builtin())")
    assert "bootkit.detectors.casper" in loaded
    layers = {name.split(".")[1] for name in loaded if name.startswith("bootkit.")}
    assert layers == {"bootcfg", "detect", "detectors", "errors", "i18n", "model", "plain", "values"}
    assert not loaded & (HEAVY | {"subprocess", "tempfile"})


def test_detectors_cannot_be_imported_from_the_top_level_folder() -> None:
    code = "import detectors"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False, capture_output=True, text=True)
    assert "ImportError" in done.stderr
    assert "bootkit.detectors" in done.stderr


def test_only_the_applier_of_plans_changes_a_stick() -> None:
    changing = re.compile(r"\bvolume\.(write|copy_in|incoming|rename|remove)\(")
    found = {path.relative_to(ROOT) for path in (ROOT / "bootkit").rglob("*.py") if changing.search(path.read_text())}
    assert {str(path) for path in found} == {"bootkit/system/changes.py"}
