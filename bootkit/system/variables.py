"""A test machine's variable store with the keys that it shall have.

Who asks for a machine gets it on every computer with a firmware for QEMU: the store is written here, by some fifty lines,
instead of by a program that few distributions have and whose options differ with its versions.

Source: UEFI specification 2.10, 3.3 (PK, KEK) and 32.6 (db); EDK2, SecurityPkg/Include/Guid/AuthenticatedVariableFormat.h
(SecureBootEnable); shim 16.1, include/sbat.h (SbatLevel is seen by firmware alone).
"""

import base64
import uuid
from collections.abc import Iterable, Iterator

from bootkit.formats.siglist import signature_lists
from bootkit.formats.varstore import Variable, with_variables
from bootkit.model.efi import MachineKeys

_GLOBAL = uuid.UUID("8be4df61-93ca-11d2-aa0d-00e098032b8c")
_SECURITY = uuid.UUID("d719b2cb-3d3a-4596-a3bc-dad00e67656f")
_ENABLE = uuid.UUID("f0a30bc7-af08-4556-99c4-001009c93a44")
_SHIM = uuid.UUID("605dab50-e046-4300-abb6-3dd810dd8b23")
_US = uuid.UUID("b007c177-5ec5-4000-8000-000000000002")
"""Who put the keys there."""
_FOR_FIRMWARE = 0x3
"""Kept, and seen as long as firmware has control."""
_KEYS = 0x27
"""The same, seen by the system too, and written by who can sign for it."""


def variable_store(template: bytes, keys: MachineKeys, *, platform_key: str) -> bytes:
    """The flash image ``template`` with the keys of a machine; ``platform_key`` (DER in base64) is who may change them.

    Raises:
        FormatError: ``template`` is no flash image of variables.
    """
    return with_variables(template, _variables(keys, platform_key))


def _variables(keys: MachineKeys, platform_key: str) -> Iterator[Variable]:
    if keys.sbat_level:
        yield Variable(name="SbatLevel", owner=_SHIM, data=keys.sbat_level.encode(), attributes=_FOR_FIRMWARE)
    if keys.setup_mode:
        return
    yield Variable(name="PK", owner=_GLOBAL, data=_lists([platform_key]), attributes=_KEYS)
    yield Variable(name="KEK", owner=_GLOBAL, data=_lists([platform_key]), attributes=_KEYS)
    yield Variable(name="db", owner=_SECURITY, data=_lists(keys.trusts), attributes=_KEYS)
    enabled = bytes([keys.secure_boot])
    yield Variable(name="SecureBootEnable", owner=_ENABLE, data=enabled, attributes=_FOR_FIRMWARE)


def _lists(certificates: Iterable[str]) -> bytes:
    return signature_lists(map(base64.b64decode, certificates), _US)
