"""A stick that is pulled out in the middle of ``add``: a loop device whose file is taken away while it is written."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bootkit.model.filesystem import DataFs
from bootkit.system.sticks import open_stick
from bootkit.system.volume import walk
from tests.app.conftest import small_iso
from tests.conftest import Prepared, copy_with_holes
from tests.system.test_medium import attached_whole

BOOTKIT = [sys.executable, "-m", "bootkit"]
WRITTEN = 8 << 20
"""Bytes of the new image that are on the stick when it is pulled."""


def _bootkit(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*BOOTKIT, *words], capture_output=True, text=True, check=False)


def _images(stick: Path) -> dict[str, int]:
    with open_stick(stick) as opened:
        return {path: stat.size for path, stat in walk(opened.volume, "/boot/iso")}


@pytest.mark.root
@pytest.mark.parametrize("data_fs", [DataFs.EXT4, DataFs.FAT32, DataFs.EXFAT])
def test_the_next_list_tells_what_was_there_before(data_fs: DataFs, prepared: Prepared, tmp_path: Path) -> None:
    image, pulled = prepared(tmp_path / "stick.img", data_fs), tmp_path / "pulled.img"
    first, second = small_iso(tmp_path, "first.iso"), small_iso(tmp_path, "second.iso")
    with second.open("ab") as file:
        file.write(random.Random(6).randbytes(64 << 20))
    assert _bootkit("add", first, "--stick", image).returncode == 0
    before = _images(image)
    with attached_whole(image) as device:
        start = image.stat().st_blocks
        adding = subprocess.Popen([*BOOTKIT, "add", second, "--stick", device], stdout=subprocess.DEVNULL)
        while (image.stat().st_blocks - start) * 512 < WRITTEN and adding.poll() is None:
            time.sleep(0.01)
        os.kill(adding.pid, signal.SIGSTOP)
        copy_with_holes(image, pulled)
        adding.kill()
        assert adding.wait() == -signal.SIGKILL
    assert str(device) not in Path("/proc/self/mountinfo").read_text()
    assert (
        os.fspath(image) not in subprocess.run(["losetup", "--all"], check=True, capture_output=True, text=True).stdout
    )
    listed = _bootkit("list", "--stick", pulled)
    assert listed.returncode == 0, listed.stderr
    assert "first.iso" in listed.stdout
    assert "second.iso" not in listed.stdout
    assert _images(pulled) == before
    with attached_whole(pulled) as device:
        again = _bootkit("add", second, "--stick", device)
        assert again.returncode == 0, again.stderr
    assert _images(pulled) == {**before, "/boot/iso/second.iso": second.stat().st_size}
