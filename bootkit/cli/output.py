"""The form of answers and talk. stdout carries the answer, stderr the talk; neither needs a terminal.

Titles, names and words out of an image or off a stick are somebody else's: all that is printed passes :mod:`bootkit.plain`.
"""

import sys
from collections.abc import Sequence

from bootkit.plain import harmless, harmless_json, one_line


def answer(text: str) -> None:
    sys.stdout.write(f"{harmless(text)}\n")


def raw(content: bytes) -> None:
    """A file as it is; on a terminal, what of it can be shown."""
    if sys.stdout.isatty():
        answer(content.decode(errors="surrogateescape"))
        return
    sys.stdout.flush()
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()


def say(text: str) -> None:
    sys.stderr.write(f"{harmless(text)}\n")
    sys.stderr.flush()


def json(document: object) -> None:
    import json as json_module

    sys.stdout.write(f"{harmless_json(json_module.dumps(document, indent=2, ensure_ascii=False))}\n")


def table(rows: Sequence[Sequence[str]], headers: Sequence[str]) -> None:
    """Columns as wide as their longest cell, like lsblk's; the last one is not padded."""
    shown = [[one_line(cell) for cell in row] for row in (headers, *rows)]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    for row in shown:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        answer("  ".join(cells).rstrip())


def log_to_stderr(level: int) -> None:
    """Let what the modules note go to the talk."""
    import logging

    class HarmlessFormatter(logging.Formatter):
        def format(self, record: logging.LogRecord) -> str:
            return harmless(super().format(record))

    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(HarmlessFormatter("%(message)s"))
    logging.basicConfig(level=level, handlers=[handler])
