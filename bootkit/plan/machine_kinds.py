"""The machines of 2026 by what their firmware trusts, and what starts on which of them. Pure."""

from collections.abc import Mapping

from bootkit.model.efi import EfiFacts, MachineKeys
from bootkit.model.testboot import MachineKind
from bootkit.plan.certificates import MICROSOFT_2011, MICROSOFT_2023, OWNER
from bootkit.plan.trust import firmware_refuses, why_not

NEWEST_SBAT_LEVEL = "sbat,1,2025051000\nshim,4\ngrub,5\ngrub.proxmox,2\n"
"""What a system raises a machine to that asks for the latest: shim 16.1, section ``.sbatlevel``."""


def keys_of(kind: MachineKind) -> MachineKeys:
    """The variables of such a machine."""
    both = (MICROSOFT_2011, MICROSOFT_2023)
    match kind:
        case MachineKind.MS2011:
            return _trusting(MICROSOFT_2011)
        case MachineKind.MS2023:
            return _trusting(MICROSOFT_2023)
        case MachineKind.BOTH:
            return _trusting(*both)
        case MachineKind.CUSTOM:
            return _trusting(OWNER)
        case MachineKind.SETUP:
            return MachineKeys(setup_mode=True, is_meant=True)
        case MachineKind.SBAT_RAISED:
            return _trusting(*both, sbat_level=NEWEST_SBAT_LEVEL)


def refusing(efi: EfiFacts) -> Mapping[MachineKind, str]:
    """Each kind of machine with why it does not start a shim, as a clause; empty where it does."""
    return {kind: firmware_refuses(efi, keys_of(kind)) for kind in MachineKind}


def refusing_hop(efi: EfiFacts, stick: EfiFacts) -> Mapping[MachineKind, str]:
    """The same of a vendor's shim, which the menu starts that came up by the stick's own shim."""
    machines = {kind: keys_of(kind) for kind in MachineKind}
    return {kind: why_not(efi, stick, keys) if keys.verifies else "" for kind, keys in machines.items()}


def _trusting(*certificates: str, sbat_level: str = "") -> MachineKeys:
    return MachineKeys(trusts=certificates, sbat_level=sbat_level, secure_boot=True, is_meant=True)
