"""Notice that a disk was plugged in or pulled out."""

from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

_UDEVD = Path("/run/udev/control")
"""Where a running udevd listens."""


class DiskEvents:
    """Events about disks: udev's, which come when all about a disk is known; without a udevd the kernel's own."""

    def __init__(self) -> None:
        self._monitor: Any = None
        with suppress(ImportError, OSError):
            pyudev: Any = import_module("pyudev")  # it has no types of its own
            source = "udev" if _UDEVD.exists() else "kernel"
            monitor = pyudev.Monitor.from_netlink(pyudev.Context(), source=source)
            monitor.filter_by("block")
            monitor.start()
            self._monitor = monitor

    @property
    def works(self) -> bool:
        return self._monitor is not None

    def wait(self, seconds: float) -> bool:
        """Whether a disk came, went or changed within ``seconds``."""
        if self._monitor is None:
            return False
        came = self._monitor.poll(timeout=seconds) is not None
        while self._monitor.poll(timeout=0) is not None:
            pass  # one stick is many events: the disk, its partitions, what is in them
        return came
