"""What the tests of the formats share."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bootkit.formats.tree import Tree


def _run(*argv: str | Path, stdin: str = "") -> str:
    return subprocess.run(
        argv,
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
        input=stdin,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"},
    ).stdout


def _walked(tree: Tree, path: str = "") -> Iterator[tuple[str, int | None]]:
    for entry in tree.listdir(path or "/") or ():
        yield f"{path}/{entry.name}", None if entry.is_dir else entry.size
        if entry.is_dir and not entry.is_link:
            yield from _walked(tree, f"{path}/{entry.name}")


@pytest.fixture(scope="session")
def run() -> Callable[..., str]:
    """Runs a program that must succeed; what it said."""
    return _run


@pytest.fixture(scope="session")
def walked() -> Callable[[Tree], dict[str, int | None]]:
    """Every path of a tree with its size (``None`` for directories); links to directories are not entered."""
    return lambda tree: dict(_walked(tree))
