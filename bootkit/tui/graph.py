"""Drawings out of characters that every console has: those of code page 437."""

from collections.abc import Sequence

BAR = 50


def bar(done: int, size: int, width: int = BAR) -> str:
    """A bar with the percentage behind it; empty while nobody knows."""
    if not size:
        return ""
    filled = width * min(done, size) // size
    return f"[{'#' * filled}{'.' * (width - filled)}] {100 * min(done, size) // size:3} %"


def graph(values: Sequence[float], width: int = BAR, height: int = 3) -> str:
    """Columns of which the largest is ``height`` lines high, in halves of a line; the last value stands at the right."""
    shown = list(values)[-width:]
    top = max(shown, default=0)
    if top <= 0:
        return ""
    halves = [round(2 * height * value / top) for value in shown]
    lines = [
        "".join("█" if count >= 2 * line + 2 else "▄" if count > 2 * line else " " for count in halves)
        for line in reversed(range(height))
    ]
    return "\n".join(line.rjust(width) for line in lines)
