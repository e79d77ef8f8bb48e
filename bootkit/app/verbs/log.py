"""``log``: what the last boots have written to the stick."""

from bootkit.model.places import LOG_FOLDER
from bootkit.system.volume import Volume, read_file, walk

_LOG_LIMIT = 1 << 20


def read_logs(volume: Volume) -> tuple[tuple[str, str], ...]:
    """What the last boots have written to the stick: names and texts, the newest first."""
    found = sorted(walk(volume, LOG_FOLDER), key=lambda pair: (-pair[1].mtime_ns, pair[0]))
    return tuple(
        (path.removeprefix(f"{LOG_FOLDER}/"), (read_file(volume, path, _LOG_LIMIT) or b"").decode(errors="replace"))
        for path, _ in found
    )
