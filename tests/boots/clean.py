"""What a session leaves on a stick, looked at by the checkers of the file systems."""

import subprocess
import tempfile
from pathlib import Path

from bootkit.formats.partitions import read_partitions

TROUBLE = ("Dirty bit", "recover", "was not cleanly unmounted", "orphan")


def require_clean(image: Path, filesystem: str) -> None:
    """There is nothing to mend in a ``vfat`` or an ``ext4``."""
    argv = ["fsck.vfat", "-n"] if filesystem == "vfat" else ["e2fsck", "-f", "-n"]
    done = subprocess.run([*argv, image], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    for trouble in TROUBLE:
        assert trouble not in done.stdout + done.stderr, done.stdout + done.stderr


def require_clean_data(stick: Path, filesystem: str) -> None:
    """The same of the data partition of a stick in an image file."""
    with stick.open("rb") as file:
        data = max(read_partitions(file).partitions, key=lambda partition: partition.size)
    with tempfile.TemporaryDirectory(prefix="bootkit-") as folder:
        part = Path(folder, "part")
        dd = ["dd", f"if={stick}", f"of={part}", "bs=1M", "iflag=skip_bytes,count_bytes", "conv=sparse"]
        subprocess.run([*dd, f"skip={data.start}", f"count={data.size}"], check=True, capture_output=True)
        require_clean(part, filesystem)
