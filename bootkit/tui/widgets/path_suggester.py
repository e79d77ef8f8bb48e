"""What completes a path of this computer while it is typed."""

from pathlib import Path

from textual.suggester import Suggester


class PathSuggester(Suggester):
    """Offers folders, and files with one of ``suffixes``; all of them where none is named."""

    def __init__(self, suffixes: tuple[str, ...] = ("",)) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._suffixes = suffixes

    async def get_suggestion(self, value: str) -> str | None:
        folder, _, start = value.rpartition("/")
        try:
            paths = [path for path in Path(folder or "/").expanduser().iterdir() if is_offered(path, self._suffixes)]
        except OSError:
            return None
        names = sorted(path.name + "/" * path.is_dir() for path in paths)
        found = next((name for name in names if name.startswith(start)), None)
        return None if found is None or not start else f"{folder}/{found}"


def is_offered(path: Path, suffixes: tuple[str, ...]) -> bool:
    """Whether a file may be what somebody looks for, or leads there; the case of its ending does not matter."""
    return path.name.lower().endswith(suffixes) or path.is_dir()
