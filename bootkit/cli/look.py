"""What ``inspect`` and ``explain`` print."""

from pathlib import Path

from bootkit.app.inspect import Look, look_at_file
from bootkit.cli import output


def print_inspection(iso: str, *, as_json: bool) -> None:
    """Raises NothingRecognised, behind the answer, if no detector knows the image."""
    look = look_at_file(Path(iso))
    _print(look, look.summary(), as_json=as_json)


def print_explanation(look: Look, *, as_json: bool) -> None:
    """Raises NothingRecognised, behind the answer, if no detector knows the image."""
    _print(look, look.explanation(), as_json=as_json)


def _print(look: Look, text: str, *, as_json: bool) -> None:
    if as_json:
        output.json(look.to_json())
    else:
        output.answer(text)
    look.require_recognised()
