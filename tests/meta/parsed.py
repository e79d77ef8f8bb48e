"""Modules, parsed once for all tests that look through them."""

import ast
from functools import cache
from pathlib import Path


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def nodes(path: Path) -> tuple[ast.AST, ...]:
    """All that a module consists of, in the order of :func:`ast.walk`."""
    return tuple(ast.walk(parsed(path)))
