"""The templates of the menu are compiled once, as modules are, and filled in from what was kept of that."""

import sys
from pathlib import Path
from types import CodeType

import jinja2
import pytest

from bootkit.render import grub


@pytest.fixture
def compiled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the templates that are compiled in the test, whose code is kept in a folder of its own."""
    names: list[str] = []
    compile_ = jinja2.Environment.compile

    def noted(self: jinja2.Environment, source: str, name: str, filename: str) -> CodeType:
        names.append(name)
        return compile_(self, source, name, filename)

    monkeypatch.setattr(sys, "pycache_prefix", str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setattr(jinja2.Environment, "compile", noted)
    return names


def _rendered() -> str:
    grub._environment.cache_clear()  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    grub._template.cache_clear()  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    return grub.render(
        "check.cfg.j2",
        free="",
        checkable=[{"path": "/a b.iso", "title": "A", "function": "x", "folder": "", "sum_path": "/s"}],
    )


def test_a_template_is_compiled_by_the_first_process_and_by_another_jinja(
    compiled: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = _rendered()
    assert "/a b.iso" in text
    assert compiled == ["check.cfg.j2"]
    assert len(list(tmp_path.rglob("check.cfg.*.pyc"))) == 1
    assert _rendered() == text
    assert compiled == ["check.cfg.j2"]
    monkeypatch.setattr(jinja2, "__version__", "2.0")
    assert _rendered() == text
    assert compiled == ["check.cfg.j2", "check.cfg.j2"]
