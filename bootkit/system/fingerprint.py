"""What an answer depends on besides the image: this program and its plug-ins."""

import hashlib
from importlib.resources import files
from pathlib import Path

from bootkit import __version__

_PARTS = ("bootcfg", "detect", "detectors", "formats", "grub_templates", "model", "probe", "render")


def program_fingerprint(detector_names: tuple[str, ...]) -> str:
    """Changes when the version, a plug-in or, in a checkout, a source file changes; hex.

    An answer that was kept under another fingerprint is worked out again, from the recorded facts where they suffice.
    """
    digest = hashlib.sha256(f"{__version__}\0{'|'.join(detector_names)}".encode())
    package = files("bootkit")
    if isinstance(package, Path):  # not in a zip, where the version says it all
        for part in _PARTS:
            for file in sorted((package / part).rglob("*")):
                if file.suffix in (".py", ".j2"):
                    stat = file.stat()
                    digest.update(f"{file.name}\0{stat.st_size}\0{stat.st_mtime_ns}\0".encode())
    return digest.hexdigest()[:32]
