"""What no tracked file may hold."""

import ast
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
REGISTRIES = ("pypi.org", "pythonhosted.org", "deb.debian.org", "archive.ubuntu.com", "registry.npmjs.org")
LEFTOVERS = re.compile(r"\b(?:TODO|FIXME|XXX)\b|^<{7} |^>{7} ", re.MULTILINE)
SUSPECT = re.compile(r"\bshell\s*=|\b(?:system|popen)\s*\(")
"""What is worth being parsed; the formatter lets nothing stand between a name and its bracket."""
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")


@cache
def tracked() -> dict[Path, str]:
    """Each tracked text file but this one."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a Git checkout")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    files = [ROOT / name for name in listed.split("\0") if name]
    return {path: _text(path) for path in files if path.is_file() and not path.is_symlink() and path != Path(__file__)}


def _text(path: Path) -> str:
    content = path.read_bytes()
    return "" if b"\0" in content else content.decode()


def holding(pattern: str | re.Pattern[str]) -> list[str]:
    return [str(path.relative_to(ROOT)) for path, text in tracked().items() if re.search(pattern, text)]


def test_no_file_knows_where_it_was_written() -> None:
    places = {str(ROOT), sys.prefix} - {"/", "/usr", "/usr/local"}
    assert not [name for place in places for name in holding(re.escape(place) + r"\b")]


def test_no_file_names_a_package_registry() -> None:
    assert not [name for host in REGISTRIES for name in holding(re.escape(host))]


def test_only_what_belongs_there_lies_at_the_top() -> None:
    documents = {"README.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE"}
    folders = {
        ".ci",
        ".github",
        "benchmarks",
        "bootkit",
        "detectors",
        "docs",
        "grub_templates",
        "initrd_overlays",
        "packaging",
        "po",
        "tests",
    }
    top = {path.relative_to(ROOT).parts[0] for path in tracked()}
    assert top == {*documents, *folders, ".gitignore", "dev", "pyproject.toml"}


def test_nothing_was_left_for_later() -> None:
    assert not holding(LEFTOVERS)


def test_no_program_is_started_through_a_shell() -> None:
    suspect = {path: text for path, text in tracked().items() if SUSPECT.search(text)}
    assert suspect
    for path, text in suspect.items():
        if path.suffix == ".py" or text.startswith("#!/usr/bin/env python3"):
            calls = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
            assert not [call.lineno for call in calls for word in call.keywords if word.arg == "shell"], path
            assert not [call.lineno for call in calls if ast.unparse(call.func) in {"os.system", "os.popen"}], path


def test_links_between_documents_lead_somewhere() -> None:
    pages = {path: text for path, text in tracked().items() if path.suffix == ".md"}
    dead = [
        (page.name, link)
        for page, text in pages.items()
        for link in LINK.findall(text)
        if not (page.parent / link).exists()
    ]
    assert not dead
