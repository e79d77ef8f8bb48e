"""The kernel's events about disks, provoked."""

from pathlib import Path
from threading import Timer

import pytest

from bootkit.system.hotplug import DiskEvents


@pytest.mark.root
def test_an_event_of_the_kernel_ends_the_waiting() -> None:
    disk = max(Path("/sys/block").iterdir(), key=lambda path: not path.name.startswith("loop"))
    events = DiskEvents()
    assert events.works
    events.wait(0.5)
    Timer(0.2, (disk / "uevent").write_text, ["change\n"]).start()
    assert any(events.wait(5) for _ in range(3))
