"""Names explain themselves: one class to a name, and no file whose name is a riddle."""

import ast
from collections import defaultdict
from pathlib import Path

from tests.meta.parsed import nodes

ROOT = Path(__file__).parents[2]
RIDDLES = frozenset({"beside", "board", "inside", "kept", "loaded", "look"})


def modules() -> list[Path]:
    """All modules of the program; the detectors, each a world of its own, are not among them."""
    return [path for path in sorted((ROOT / "bootkit").rglob("*.py")) if path.parent.name != "detectors"]


def test_no_two_classes_have_one_name() -> None:
    where: defaultdict[str, list[str]] = defaultdict(list)
    for path in modules():
        for node in nodes(path):
            if isinstance(node, ast.ClassDef):
                where[node.name].append(str(path.relative_to(ROOT)))
    assert len(where) > 100
    assert {name: paths for name, paths in where.items() if len(paths) > 1} == {}


def test_no_file_is_named_by_a_riddle() -> None:
    names = {word: path for path in modules() for word in path.stem.split("_")}
    assert {"catalog", "overlays"} <= names.keys()
    assert {word: names[word] for word in RIDDLES & names.keys()} == {}
