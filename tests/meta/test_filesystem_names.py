"""What is known of a file system stands in its value alone: no second table of names, no comparison with one."""

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

from bootkit.model.filesystem import FILE_SYSTEMS, DataFs
from tests.meta.parsed import nodes

ROOT = Path(__file__).parents[2]
NAMES = {name for one in FILE_SYSTEMS for name in (one.name, one.title, *one.aliases)} | set(DataFs)
OWN = {"model/filesystem.py"}
"""And what boot stacks can read, which is known of them, not of the file system."""


def named(node: ast.AST | None) -> bool:
    return isinstance(node, ast.Constant) and node.value in NAMES


def tables(tree: Iterable[ast.AST]) -> Iterator[int]:
    """The lines of collections with two names or more, and of comparisons with one."""
    for node in tree:
        match node:
            case ast.Tuple(elts=members) | ast.List(elts=members) | ast.Set(elts=members) | ast.Dict(keys=members):
                if sum(map(named, members)) > 1:
                    yield node.lineno
            case ast.Compare(left=left, comparators=others) if any(map(named, (left, *others))):
                yield node.lineno
            case ast.MatchValue(value=value) if named(value):
                yield node.lineno
            case _:
                pass


def test_such_tables_are_seen() -> None:
    seen = ast.parse('x = {"vfat": 1, "ext4": 2}\ny = kind == "ntfs"\nmatch kind:\n case "btrfs": pass\nz = ("xfs",)')
    assert list(tables(ast.walk(seen))) == [1, 2, 4]


def test_nothing_else_lists_file_systems_or_compares_with_their_names() -> None:
    package = ROOT / "bootkit"
    found = [
        f"{path.relative_to(package)}:{line}"
        for path in sorted(package.rglob("*.py"))
        if path.relative_to(package).parts[0] not in ("detect", "detectors")
        and path.relative_to(package).as_posix() not in OWN
        for line in tables(nodes(path))
    ]
    assert found == []
