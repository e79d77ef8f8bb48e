"""A menu is never stale: whatever part of the program changes, ``generate`` writes it anew."""

import os
import shutil
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

import bootkit
from bootkit.app.menu.freshness import is_up_to_date
from bootkit.app.verbs.generate import plan_generation
from bootkit.system import fingerprint
from bootkit.system.changes import apply_changes
from bootkit.system.volume import Volume

PACKAGE = Path(bootkit.__file__).parent
FOLDERS = sorted(path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__")
KINDS = sorted(
    {path.suffix for folder in FOLDERS for path in (PACKAGE / folder).rglob("*") if path.is_file()} - {".pyc"}
)


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the program's files, which the fingerprint is taken of."""
    copy = tmp_path / "program" / "bootkit"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))

    def files(_package: str) -> Path:
        return copy

    monkeypatch.setattr(fingerprint, "files", files)
    _start_anew()
    yield copy
    _start_anew()


def _start_anew() -> None:
    """As if another process began."""
    fingerprint.program_fingerprint.cache_clear()
    fingerprint.own_fingerprint.cache_clear()


def _change(file: Path) -> None:
    """Another byte in a file of the same size and the same time."""
    content, status = file.read_bytes(), file.stat()
    file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]) if content else b" ")
    if content:
        os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))


def test_the_program_has_the_packages_that_are_changed_here() -> None:
    assert {"app", "plan", "overlay", "render", "detectors", "grub_templates", "initrd_overlays"} <= set(FOLDERS)
    assert {".py", ".j2", ".toml", ".sh", ".json"} <= set(KINDS)


def test_a_change_in_any_package_and_in_any_kind_of_file_makes_the_menu_stale(program: Path, volume: Volume) -> None:
    apply_changes(plan_generation(volume).plan, volume)
    files = {
        folder: next(path for path in sorted((program / folder).rglob("*.*")) if path.is_file()) for folder in FOLDERS
    }
    files |= {kind: sorted(program.rglob(f"*{kind}"))[-1] for kind in KINDS if kind}
    for changed in (program / "__init__.py", *files.values()):
        assert is_up_to_date(volume)
        _change(changed)
        _start_anew()
        assert not is_up_to_date(volume), changed
        plan = plan_generation(volume).plan
        assert plan.steps, changed
        apply_changes(plan, volume)


def test_a_new_file_and_one_that_is_gone_make_the_menu_stale(program: Path, volume: Volume) -> None:
    apply_changes(plan_generation(volume).plan, volume)
    new = program / "detectors" / "ember.py"
    for change in (new.touch, new.unlink):
        change()
        _start_anew()
        assert not is_up_to_date(volume)
        apply_changes(plan_generation(volume).plan, volume)


def test_a_plug_in_counts_with_its_version_and_its_files(
    tmp_path: Path, volume: Volume, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "bootkit_ember.py"
    source.write_text("DETECTOR = None\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    seen = [fingerprint.program_fingerprint.__wrapped__()]
    monkeypatch.setattr(
        fingerprint,
        "plugin_points",
        lambda: (EntryPoint(name="ember", value="bootkit_ember:DETECTOR", group="bootkit.detectors.v1"),),
    )
    seen.append(fingerprint.program_fingerprint.__wrapped__())
    source.write_text("DETECTOR = 1\n")
    seen.append(fingerprint.program_fingerprint.__wrapped__())
    assert len(set(seen)) == 3


def test_what_python_compiled_does_not_count(program: Path) -> None:
    before = fingerprint.program_fingerprint()
    (program / "plan" / "__pycache__").mkdir()
    (program / "plan" / "__pycache__" / "choices.cpython-311.pyc").write_bytes(b"\0")
    _start_anew()
    assert fingerprint.program_fingerprint() == before


def test_the_files_are_read_once_in_a_process(volume: Volume, monkeypatch: pytest.MonkeyPatch) -> None:
    apply_changes(plan_generation(volume).plan, volume)

    def again(_: object) -> object:
        raise AssertionError("the program was read again")

    monkeypatch.setattr(fingerprint, "files", again)
    assert is_up_to_date(volume)
