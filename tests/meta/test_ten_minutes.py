"""A stranger adds a distribution as CONTRIBUTING.md tells it, command by command, in a copy of the tree."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from bootkit.errors import FormatError
from tests.app.conftest import small_iso
from tests.records import read_record

ROOT = Path(__file__).parents[2]
SECTION = re.compile(r"^## Add a distribution in ten minutes\n(.*?)^## ", re.MULTILINE | re.DOTALL)
STEP = re.compile(r"^### \d\. .*\n", re.MULTILINE)
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```\n", re.MULTILINE | re.DOTALL)
PLACE = re.compile(r"^`(detectors/\w+\.py)`, the whole of it:$", re.MULTILINE)
LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "boots", "tui")
IMAGE: Mapping[str, str] = {
    ".disk/info": "Ember 1.2 amd64\n",
    "ember/vmlinuz": "kernel",
    "ember/initrd.img": "initrd",
    "ember/root.sfs": "root",
    "boot/grub/grub.cfg": (
        'menuentry "Ember" {\n linux /ember/vmlinuz ember.root=1 quiet\n initrd /ember/initrd.img\n}\n'
        'menuentry "Ember in English" {\n linux /ember/vmlinuz ember.root=1 lang=en\n initrd /ember/initrd.img\n}\n'
    ),
}


def steps() -> list[list[tuple[str, str]]]:
    """What is to be done before the first step and in each: blocks with the language that they are in; none for a shell."""
    (section,) = SECTION.findall((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))
    return [BLOCK.findall(part) for part in STEP.split(section)]


def only(step: list[tuple[str, str]], language: str) -> str:
    (text,) = [text for written, text in step if written == language]
    return text


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """The checkout without what nobody needs for a detector, and with the image beside it."""
    tree = shutil.copytree(ROOT, tmp_path / "tree", symlinks=True, ignore=LEFT_OUT)
    small_iso(tree, "some.iso", IMAGE)
    return tree


def typed(tree: Path, text: str) -> subprocess.CompletedProcess[str]:
    """What a shell does with ``text`` where ``bootkit`` and ``pytest`` are those of the copy."""
    programs = tree.parent / "bin"
    programs.mkdir(exist_ok=True)
    for name in ("bootkit", "pytest"):
        (programs / name).write_text(f'#!/bin/sh\nexec {sys.executable} -m {name} "$@"\n')
        (programs / name).chmod(0o755)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environment = {**inherited, "PATH": f"{programs}:{os.environ['PATH']}", "PYTHONPATH": str(tree)}
    return subprocess.run(
        ["sh", "-e", "-c", text], cwd=tree, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.wheel
def test_the_four_steps_add_a_distribution(tree: Path) -> None:
    before, record, _find_out, write, look = steps()
    explained = typed(tree, only(before, ""))
    assert "untested guess" in explained.stdout, explained.stderr
    done = typed(tree, only(record, ""))
    assert done.returncode == 0, done.stderr
    (printed,) = (tree / "tests/detectors/ember").iterdir()
    made_up = printed.with_name("ember-1.3.facts.json")
    made_up.write_text(printed.read_text().replace("{\n", "{\n" + only(record, "json"), 1))
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (tree / PLACE.findall(text)[0]).write_text(only(write, "python"))
    done = typed(tree, only(look, ""))
    assert done.returncode == 0, done.stdout[-4000:]
    ran = re.search(r"(\d+) passed", done.stdout)
    assert ran is not None
    assert int(ran[1]) > 30
    assert "Ember 1.2 (x86_64)\n  stack      ember-boot\n" in done.stdout
    assert "[default] Ember\n" in done.stdout
    assert "words      ember.root=1 quiet ember.iso={iso_path}\n" in done.stdout
    assert "ember.iso=" in (tree / "tests/detectors/ember/ember-1.2.cfg").read_text()
    assert "| ember-boot | Ember |" in (tree / "docs/systems.md").read_text()
    assert '"recognition"' not in printed.read_text()
    assert read_record(printed)[1] == {"recorded_from": "some.iso"}
    assert read_record(made_up)[1] == {"shaped_after": "ember-boot 3.2"}
    assert read_record(printed)[0] == read_record(made_up)[0]


@pytest.mark.parametrize("text", ["", "[]", '{"name": "x.iso"}', '{"name": "x.iso", "size": 1, "colour": "red"}'])
def test_a_record_that_is_none_is_refused_by_the_name_of_its_file(text: str, tmp_path: Path) -> None:
    path = tmp_path / "ember" / "ember-1.2.facts.json"
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(FormatError, match=r"^ember/ember-1\.2\.facts\.json: "):
        read_record(path)
