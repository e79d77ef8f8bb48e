"""Whether a program starts under Secure Boot from the menu of a stick: what shim would say. Pure.

The order is shim's: what is revoked is refused whoever signed it; then a signature that fits the file has to lead to the
vendor's certificate in shim, or to an authority in the firmware. What ``linux`` and ``chainloader`` load needs no ``.sbat``,
but is refused if it has one that is too old.

Source: shim 16.1, shim.c (verify_buffer_authenticode, check_denylist, check_allowlist, shim_verify) and sbat.c (handle_sbat);
booted: kernels of Debian, changed ones, unsigned ones, and ones of keys with Debian in their name.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from bootkit.errors import FormatError
from bootkit.formats.efi import decoded
from bootkit.formats.x509 import Certificate, chain_to
from bootkit.model.check import Trust, VendorShim
from bootkit.model.efi import EfiFacts, EfiSignature, MachineKeys, ShimFacts
from bootkit.plan.microsoft import signed_by_microsoft
from bootkit.plan.sbat import too_old
from bootkit.values import dataclass

SWITCH_OFF = "switch Secure Boot off in the firmware's set-up"
_ENROL = "enrol its vendor's key by 'Enrol a key (MokManager)' in the menu, if the vendor publishes it"
_ANEW = "compare it with the vendor's checksum (bootkit verify) and download it again"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustAnswer:
    trust: Trust
    reason: str = ""
    """One sentence; empty for ``DIRECT``."""
    cure: str = ""
    """Every way out."""
    shim: VendorShim | None = None
    """The one that vouches for it, for ``HOP``."""


NOT_SIGNED = TrustAnswer(trust=Trust.UNSIGNED, reason="Its kernel is not signed.", cure=SWITCH_OFF)


def trust_in(
    efi: EfiFacts | None, stick: EfiFacts, shims: Sequence[VendorShim], machine: MachineKeys | None = None
) -> TrustAnswer:
    """What the shim of the stick says of a kernel, and if it says no, what the vendors' shims in its images would.

    ``efi`` is ``None`` for what is no EFI program and so cannot be signed. ``machine`` is one that is known.
    """
    if efi is None or not efi.signatures:
        return NOT_SIGNED
    signatures = [signature for signature in efi.signatures if signature.fits]
    if not signatures:
        reason = "The signature of its kernel is not of this file: it was changed after it was signed, or is damaged."
        return TrustAnswer(trust=Trust.UNSIGNED, reason=reason, cure=f"{_ANEW}; or {SWITCH_OFF}")
    if revoked := _revoked(efi, signatures, stick, machine):
        cure = f"take a newer release of it; or {SWITCH_OFF}"
        return TrustAnswer(trust=Trust.REVOKED, reason=f"Its kernel is revoked: {revoked}.", cure=cure)
    if _vouched(signatures, stick.shim) or _vouched_by_firmware(efi, machine):
        return TrustAnswer(trust=Trust.DIRECT)
    vouching = [shim for shim in shims if _vouched(signatures, shim.efi.shim)]
    usable = [shim for shim in vouching if not why_not(shim.efi, stick, machine)]
    if usable:
        # the stick's own order would change the choice with every image that is added
        best = min(usable, key=lambda shim: (shim.efi.digest, shim.image))
        reason = f"Its vendor's shim, from {best.image}, vouches for its kernel: the menu starts that first."
        return TrustAnswer(trust=Trust.HOP, reason=reason, shim=best)
    if vouching:
        refused = why_not(vouching[0].efi, stick, machine)
        reason = f"The vendor's shim in {vouching[0].image} would vouch for its kernel, but is refused: {refused}."
        cure = f"put an image with a newer shim of the same vendor on the stick; {_ENROL}; or {SWITCH_OFF}"
        return TrustAnswer(trust=Trust.REVOKED, reason=reason, cure=cure)
    return TrustAnswer(trust=Trust.FOREIGN, reason=_foreign(signatures, stick), cure=f"{_ENROL}; or {SWITCH_OFF}")


def why_not(efi: EfiFacts, stick: EfiFacts | None, machine: MachineKeys | None = None) -> str:
    """Why a vendor's shim is not to be started, as a clause; empty if nothing speaks against it.

    Shim itself asks no ``.sbat`` of what it is asked to verify, so that old shims would pass which everybody revoked
    otherwise: they are refused here.
    """
    if not efi.sbat:
        return "it has no SBAT section, as all shims before 2021, whose holes are known"
    levels = [level for level in (_level(stick), machine.sbat_level if machine else "") if level]
    if old := too_old(efi.sbat, *levels):
        return old.clause
    if _denied(efi, efi.signatures, machine):
        return "this computer's dbx forbids it"
    if stick is not None and stick.shim is not None and _in_vendors_list(efi, efi.signatures, stick.shim):
        return "the stick's own shim forbids it"
    if not _vouched_by_firmware(efi, machine):
        return "it is not signed by whom the machine trusts" if _is_meant(machine) else "it is not signed by Microsoft"
    return ""


def firmware_refuses(efi: EfiFacts, machine: MachineKeys) -> str:
    """Why a machine's firmware does not start a shim, or shim itself does not go on there, as a clause; empty if they do.

    Source: shim 16.1, shim.c (the check of its own ``.sbat`` against the variable SbatLevel); booted in OVMF 2022.11.
    """
    if not machine.verifies:
        return ""
    if _denied(efi, efi.signatures, machine):
        return "its dbx forbids it"
    if efi.digest not in machine.trusted_digests and not _vouched_by_machine(efi.signatures, machine):
        return "nobody whom it trusts has signed it"
    old = too_old(efi.sbat, machine.sbat_level)
    return old.clause if old else ""


def refused_here(shim: EfiFacts, machine: MachineKeys | None) -> str:
    """Why the computer that asks would not start a shim with Secure Boot on, whether that is on now or not; as a clause."""
    if machine is not None and machine.trusts:
        known = firmware_refuses(shim, replace(machine, secure_boot=True, setup_mode=False))
        if known:
            return known
    return why_not(shim, None, machine)


def holder(signatures: Iterable[EfiSignature]) -> str:
    """Who signed, and who vouches for them, as far as the signatures tell."""
    signers = [_certificates(signature.chain)[:1] for signature in signatures]
    names = dict.fromkeys(one.name for signer in signers for one in signer if one.name)
    return " and ".join(names) or "somebody without a name"


def anchor_names(shim: ShimFacts | None) -> str:
    """Whose certificates a shim has."""
    return " and ".join(one.name for one in _certificates(shim.trusts)) if shim else ""


def _foreign(signatures: Sequence[EfiSignature], stick: EfiFacts) -> str:
    return (
        f"Its kernel is signed by {holder(signatures)}, whom neither the stick's shim (it has the key of "
        f"{anchor_names(stick.shim) or 'nobody'}) nor that of an image on the stick trusts."
    )


def _revoked(efi: EfiFacts, signatures: Sequence[EfiSignature], stick: EfiFacts, machine: MachineKeys | None) -> str:
    """Why it is refused whoever signed it, as a clause; empty if it is not."""
    if stick.shim is not None and _in_vendors_list(efi, signatures, stick.shim):
        return "the list in the stick's shim has it"
    if _denied(efi, signatures, machine):
        return "this computer's dbx has it"
    old = too_old(efi.sbat, _level(stick), machine.sbat_level if machine else "")
    return old.clause if old else ""


def _level(stick: EfiFacts | None) -> str:
    return stick.shim.sbat_level if stick is not None and stick.shim is not None else ""


def _in_vendors_list(efi: EfiFacts, signatures: Iterable[EfiSignature], shim: ShimFacts) -> bool:
    return efi.digest in shim.revokes or _any_in(signatures, shim.revoked_certificates)


def _denied(efi: EfiFacts, signatures: Iterable[EfiSignature], machine: MachineKeys | None) -> bool:
    return machine is not None and (efi.digest in machine.revokes or _any_in(signatures, machine.revoked_certificates))


def _any_in(signatures: Iterable[EfiSignature], revoked: Collection[str]) -> bool:
    """Whether a signature leads to one of the revoked certificates."""
    return bool(revoked) and any(_leads_to(signature, revoked) for signature in signatures)


def _vouched(signatures: Iterable[EfiSignature], shim: ShimFacts | None) -> bool:
    return shim is not None and any(_leads_to(signature, shim.trusts) for signature in signatures)


def _vouched_by_machine(signatures: Iterable[EfiSignature], machine: MachineKeys | None) -> bool:
    return machine is not None and any(
        signature.fits and _leads_to(signature, machine.trusts) for signature in signatures
    )


def _vouched_by_firmware(efi: EfiFacts, machine: MachineKeys | None) -> bool:
    """Whether firmware itself starts it: that of the machine that is meant, else that of most."""
    by_machine = _vouched_by_machine(efi.signatures, machine)
    return by_machine if _is_meant(machine) else by_machine or bool(signed_by_microsoft(efi))


def _is_meant(machine: MachineKeys | None) -> bool:
    return machine is not None and machine.is_meant


def _leads_to(signature: EfiSignature, anchors: Collection[str]) -> bool:
    chain = _certificates(signature.chain)
    return bool(chain) and chain_to(chain, _certificates(anchors)) is not None


def _certificates(texts: Iterable[str]) -> list[Certificate]:
    found: list[Certificate] = []
    for text in texts:
        try:
            found.append(decoded(text))
        except FormatError:
            continue  # of a record that somebody changed: it vouches for nobody
    return found
