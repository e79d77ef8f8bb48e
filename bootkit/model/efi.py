"""What Secure Boot looks at in an EFI program: its digest, its signatures, its SBAT; and whom it trusts if it is a shim."""

from bootkit.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class EfiSignature:
    fits: bool
    """Whether it is of this very file, and by its signer's key."""
    chain: tuple[str, ...]
    """Certificates as DER in base64: the signer's, then all others that come along."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShimFacts:
    """What is built into a shim."""

    trusts: tuple[str, ...] = ()
    """The vendor's certificates, as DER in base64: what they vouch for it lets start."""
    revokes: tuple[str, ...] = ()
    """Digests (SHA-256, in hex) of programs that it refuses."""
    revoked_certificates: tuple[str, ...] = ()
    """As DER in base64."""
    sbat_level: str = ""
    """The revocations that it writes into the machine's variable ``SbatLevel`` where Secure Boot is on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EfiFacts:
    digest: str
    """Authenticode SHA-256, in hex; not that of the file's bytes."""
    signatures: tuple[EfiSignature, ...] = ()
    sbat: str = ""
    """Text of the section ``.sbat``: a line for each component, with its generation."""
    shim: ShimFacts | None = None
    """What is built in, if it is a shim; else ``None``."""
    grub_modules: tuple[str, ...] = ()
    """What is built in, if it is a GRUB: with Secure Boot on it loads no others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineKeys:
    """What the firmware of one machine trusts and refuses."""

    trusts: tuple[str, ...] = ()
    """Its variable db: certificates as DER in base64."""
    trusted_digests: tuple[str, ...] = ()
    revokes: tuple[str, ...] = ()
    """Its variable dbx: digests (Authenticode SHA-256, in hex)."""
    revoked_certificates: tuple[str, ...] = ()
    sbat_level: str = ""
    """What shim has written into the variable ``SbatLevel``; empty if no shim ever did."""
    secure_boot: bool = False
    setup_mode: bool = False
    """Whether it has no platform key: anybody may write the other variables, and nothing is verified."""
    is_meant: bool = False
    """Whether it is this very machine that is asked about; else it is the computer that asks, and others count as well."""

    @property
    def verifies(self) -> bool:
        return self.secure_boot and not self.setup_mode
