"""What is known of a boot stack stands in its detector: nothing else of the program knows one by its name."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from bootkit.detect.registry import builtin, stacks
from tests.meta.parsed import parsed

ROOT = Path(__file__).parents[2]
HOME = {"detectors", "initrd_overlays"}
"""Where stacks are at home."""
WORDS = frozenset({"kernel", "loader", "memdisk", "ntldr", "unknown", "wimboot"})
"""Names of stacks that are words of GRUB, of Linux or of English as well."""
MAKERS = ROOT / "bootkit/formats/initrdmarks.py"
"""Names the programs that make initrds; some are called as their stack."""


@cache
def modules() -> dict[Path, ast.Module]:
    paths = (path for path in sorted((ROOT / "bootkit").rglob("*.py")) if HOME.isdisjoint(path.parts))
    return {path: parsed(path) for path in paths}


def texts(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value


@pytest.mark.every_detector
def test_no_text_outside_of_the_detectors_is_the_name_of_a_stack() -> None:
    names = stacks().keys() - WORDS
    assert {"casper", "live-boot", "archiso"} <= names
    found = [
        f"{path.relative_to(ROOT)}:{line}: {text}"
        for path, tree in modules().items()
        if path != MAKERS
        for line, text in texts(tree)
        if text in names
    ]
    assert len(modules()) > 100
    assert found == []


def is_a_stack(node: ast.expr) -> bool:
    return re.search(r"(?:^|\.)stack(?:\.name)?$", ast.unparse(node)) is not None


def compared(tree: ast.AST) -> Iterator[tuple[list[ast.expr], ast.AST]]:
    """What is compared or looked up, with the place of the texts that it meets there."""
    for node in ast.walk(tree):
        match node:
            case ast.Compare():
                yield [node.left, *node.comparators], node
            case ast.Match():
                yield from (([node.subject], case.pattern) for case in node.cases)
            case ast.Subscript():
                yield [node.slice], node.value
            case _:
                continue


def test_no_stack_is_compared_with_a_text() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {text}"
        for path, tree in modules().items()
        for sides, place in compared(tree)
        if any(is_a_stack(side) for side in sides)
        for _line, text in texts(place)
        if text
    ]
    assert found == []


def test_no_template_knows_a_stack() -> None:
    templates = [*(ROOT / "grub_templates").glob("*.j2")]
    assert templates
    for path in templates:
        assert not re.search(r"stack\s*(?:==|!=|in\b)", path.read_text(encoding="utf-8")), path.name


@pytest.mark.every_detector
def test_every_detector_declares_stacks_of_its_own() -> None:
    names = [stack.name for detector in builtin() for stack in detector.stacks]
    assert len(names) == len(set(names)) == len(stacks())


@pytest.mark.every_detector
def test_every_marker_that_a_stack_asks_for_is_one_that_some_initrd_can_have() -> None:
    known = {name for stack in stacks().values() for name in (*stack.markers, *stack.scripts)}
    for stack in stacks().values():
        if stack.finder is not None:
            assert {*stack.finder.markers, stack.finder.scripts} - {""} <= known, stack.name
            assert {name for pair in stack.finder.parts for name in pair} <= known, stack.name
            assert bool(stack.finder.parts) == bool(stack.finder.partial), stack.name
            assert bool(stack.finder.scripts) == bool(stack.finder.lacking), stack.name
