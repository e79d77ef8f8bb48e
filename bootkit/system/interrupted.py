"""What the host remembers of a stick while it is written: the old ends of the disk, and that it is half done."""

import glob
import json
import os
import re
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bootkit.errors import FormatError
from bootkit.model.fields import json_object, parse_json
from bootkit.model.prepare import PreparePlan, Target


def state_folder() -> Path:
    """Where the host keeps what is no cache: XDG_STATE_HOME/bootkit."""
    base = os.environ.get("XDG_STATE_HOME", "")
    return (Path(base) if base.startswith("/") else Path.home() / ".local/state") / "bootkit"


@contextmanager
def remembered(plan: PreparePlan) -> Generator[Callable[[], None]]:
    """Gives a function to call before the first write; what it notes is gone if the block ends without an error."""
    note = _note(plan.target)

    def begin() -> None:
        if plan.target.is_device and not note.exists():
            note.parent.mkdir(parents=True, exist_ok=True)
            note.write_text(
                json.dumps({"action": str(plan.action), "target": plan.target.path, "begun": _now()}) + "\n"
            )

    yield begin
    note.unlink(missing_ok=True)


def interrupted_action(target: Target) -> str:
    """What was begun on this disk and not finished: ``prepare``; empty if nothing was."""
    try:
        action = json_object(parse_json(_note(target).read_bytes(), "the note"), "the note").get("action")
    except (OSError, FormatError):
        return ""
    return action if isinstance(action, str) else ""


def save_old(plan: PreparePlan, parts: Sequence[tuple[int, bytes]]) -> Path:
    """Keep the ends of the disk, one file each, in a folder of their own; the folder."""
    kept = state_folder() / "old-disks"
    kept.mkdir(parents=True, exist_ok=True)
    name = f"{_name(plan.target)}.{_now().replace(':', '')}"
    # nothing that was kept is overwritten, not even by what was kept in the same second
    folder = next(
        kept / it for it in (name, *(f"{name}-{number}" for number in range(2, 100))) if not (kept / it).exists()
    )
    folder.mkdir()
    for offset, content in parts:
        (folder / f"at-{offset}.bin").write_bytes(content)
    return folder


def kept_folders(target: Target) -> tuple[Path, ...]:
    """Where :func:`save_old` kept the ends of this disk, the newest first."""
    found = (state_folder() / "old-disks").glob(f"{glob.escape(_name(target))}.????-??-??T??????Z*")
    return tuple(sorted(found, reverse=True))


def kept_parts(folder: Path) -> tuple[tuple[int, int, str], ...]:
    """Offset and size in bytes, and the file, of each part that is kept in a folder."""
    files = ((re.fullmatch(r"at-(\d+)\.bin", path.name), path) for path in sorted(folder.iterdir()))
    return tuple((int(name[1]), path.stat().st_size, str(path)) for name, path in files if name)


def _note(target: Target) -> Path:
    return state_folder() / "unfinished" / f"{_name(target)}.json"


def _name(target: Target) -> str:
    """A file name for a disk that is the same after it was plugged in again."""
    identity = target.identity
    return re.sub(r"[^A-Za-z0-9._-]", "_", identity.by_id or identity.serial or target.path)[:120]


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
