"""``devices``: the disks of this computer, and what speaks against each."""

from bootkit.app.stick.target import our_needs
from bootkit.model.device import BlockDevice
from bootkit.plan.safety import Circumstances, Refusal, safety
from bootkit.system.devices import block_devices, read_host
from bootkit.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedDevice(BlockDevice):
    """A disk, with what speaks against it."""

    refused: tuple[Refusal, ...]


def list_devices() -> tuple[tuple[BlockDevice, tuple[Refusal, ...]], ...]:
    """Every disk with the reasons against it, those without a reason first; loop devices are left out."""
    circumstances = Circumstances(in_use=our_needs())
    disks = [device for device in block_devices(read_host()) if device.bus != "loop"]
    judged = [(device, safety(device, circumstances)) for device in disks]
    return tuple(sorted(judged, key=lambda pair: (bool(pair[1]), pair[0].node)))
