"""A boot loader's file on a stick: what was written, and what is there now."""

from bootkit.model.boot import Firmware
from bootkit.model.efi import EfiFacts
from bootkit.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class LoaderFile:
    path: str
    """On the EFI system partition; a name without a slash for what lies outside of file systems."""
    firmware: Firmware
    signed: bool
    """By a distribution, and copied; else built by grub-mkimage."""
    package: str = ""
    """The package that it is from, with its version; empty if nobody knows."""
    sha256: str = ""
    """Of its bytes as they were written, in hex."""
    sha256_now: str = ""
    """Of its bytes as they are; empty if they cannot be read."""
    efi: EfiFacts | None = None
    """As it is now, else as it was written; ``None`` for what is no signed EFI program."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StickLoaders:
    files: tuple[LoaderFile, ...] = ()
    takes_hops: bool = False
    """Whether the file lies beside the loaders that makes a vendor's shim come back."""
