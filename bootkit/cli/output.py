"""The form of answers and talk. stdout carries the answer, stderr the talk; neither needs a terminal."""

import json as json_module
import sys
from collections.abc import Sequence


def answer(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def raw(content: bytes) -> None:
    """A file as it is."""
    sys.stdout.flush()
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()


def say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def json(document: object) -> None:
    answer(json_module.dumps(document, indent=2, ensure_ascii=False))


def table(rows: Sequence[Sequence[str]], headers: Sequence[str]) -> None:
    """Columns as wide as their longest cell, like lsblk's; the last one is not padded."""
    widths = [max(map(len, column)) for column in zip(headers, *rows, strict=True)]
    for row in (headers, *rows):
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        answer("  ".join(cells).rstrip())
