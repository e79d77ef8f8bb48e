"""The cache folder of what builders of test images make: built once, kept until its recipe changes.

It is ``$XDG_CACHE_HOME/bootkit``, else ``~/.cache/bootkit``.
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterable
from pathlib import Path


def cache_folder() -> Path:
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "bootkit"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def cached(name: str, suffix: str, recipe: bytes, build: Callable[[Path], Path]) -> Path:
    """The file ``NAME-DIGEST.SUFFIX`` in the cache; ``build`` makes it below the folder that it is given, if it is not there.

    The digest is of ``recipe``, so that a builder that has changed builds anew; what older recipes left is removed then.
    """
    (file,) = cached_together([name], suffix, recipe, lambda work: {name: build(work)}).values()
    return file


def cached_together(
    names: Iterable[str], suffix: str, recipe: bytes, build: Callable[[Path], dict[str, Path]]
) -> dict[str, Path]:
    """Several files of one recipe by their names; if one is not there, all are built."""
    folder = cache_folder()
    digest = hashlib.sha256(recipe).hexdigest()[:16]
    wanted = {name: folder / f"{name}-{digest}{suffix}" for name in names}
    first = next(iter(wanted))
    with (folder / f"{first}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two test runs at once build it once
        if not all(file.exists() for file in wanted.values()):
            for name in wanted:
                for old in folder.glob(f"{name}-{'[0-9a-f]' * 16}{suffix}"):
                    old.unlink()
            started = time.monotonic()
            with scratch(folder) as work:
                for name, made in build(work).items():
                    made.replace(wanted[name])
            sys.stderr.write(f"built {', '.join(wanted)} in {time.monotonic() - started:.0f} s\n")
    return wanted


@contextlib.contextmanager
def scratch(folder: Path) -> Generator[Path]:
    """A folder beside the cached files, so that a finished one gets its name by a rename."""
    work = Path(tempfile.mkdtemp(prefix="build-", dir=folder))
    try:
        work.chmod(0o755)  # mmdebstrap's namespace maps root to somebody else
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)
