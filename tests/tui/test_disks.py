"""The list of disks, which looks after itself."""

from pathlib import Path
from queue import Empty, SimpleQueue

import pytest

from bootkit.model.device import BlockDevice, DiskIdentity
from bootkit.plan.safety import Refusal
from bootkit.system.hotplug import DiskEvents
from bootkit.tui.screens import prepare
from bootkit.tui.screens.prepare import DiskTable, PrepareScreen
from bootkit.units import GIB
from tests.tui.conftest import Pilots, app_for, on, shown, until

USB = BlockDevice(node="/dev/sdb", identity=DiskIdentity(serial="1"), model="Ultra", size=31 * GIB, bus="usb")
SSD = BlockDevice(node="/dev/sda", identity=DiskIdentity(serial="2"), model="Samsung", size=931 * GIB, bus="ata")
FIXED = (Refusal(reason="carries the running system: /"),)


class Told:
    """Events that the test sends."""

    works = True

    def __init__(self) -> None:
        self.queue = SimpleQueue[None]()

    def wait(self, seconds: float) -> bool:
        try:
            self.queue.get(timeout=seconds)
        except Empty:
            return False
        return True


@pytest.fixture
def disks(monkeypatch: pytest.MonkeyPatch) -> list[prepare.Judged]:
    """What is plugged in, as the last of it; nobody looks without an event."""
    now: list[prepare.Judged] = [((SSD, FIXED),)]
    monkeypatch.setattr(prepare, "list_devices", lambda: now[-1])
    return now


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    events = Told()
    monkeypatch.setattr(prepare, "DiskEvents", lambda: events)
    monkeypatch.setattr(prepare, "_LOOK", 1000.0)
    return events


def nodes(pilot: Pilots) -> list[str]:
    return [device.node for device, _ in pilot.app.screen.query_one(DiskTable).disks]


async def test_a_stick_that_is_plugged_in_is_there_and_one_that_is_pulled_out_is_not(
    disks: list[prepare.Judged], told: Told
) -> None:
    async with app_for(None).run_test() as pilot:
        await on(pilot, PrepareScreen)
        await until(pilot, lambda: nodes(pilot) == ["/dev/sda"])
        disks.append(((USB, ()), (SSD, FIXED)))
        await pilot.pause(0.2)
        assert nodes(pilot) == ["/dev/sda"], "nothing was told yet"
        told.queue.put(None)
        await until(pilot, lambda: nodes(pilot) == ["/dev/sdb", "/dev/sda"])
        marked = pilot.app.screen.query_one(DiskTable).marked
        assert marked
        assert marked[0] == SSD, "the mark stays on its disk"
        disks.append(())
        told.queue.put(None)
        await until(pilot, lambda: nodes(pilot) == [])
        assert "No disk is plugged in" in shown(pilot)
    told.queue.put(None)  # lets the thread go that waits for the next


@pytest.mark.root
async def test_an_event_of_the_kernel_makes_it_look(
    disks: list[prepare.Judged], monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[bool] = []

    class Noted(DiskEvents):
        def wait(self, seconds: float) -> bool:
            waited.append(came := super().wait(seconds))
            return came

    monkeypatch.setattr(prepare, "DiskEvents", Noted)
    async with app_for(None).run_test() as pilot:
        await on(pilot, PrepareScreen)
        await until(pilot, lambda: waited)
        disks.append(((USB, ()), (SSD, FIXED)))
        disk = max(Path("/sys/block").iterdir(), key=lambda path: not path.name.startswith("loop"))
        (disk / "uevent").write_text("change\n")
        await until(pilot, lambda: nodes(pilot) == ["/dev/sdb", "/dev/sda"])
        assert any(waited)
        await pilot.press("escape")
