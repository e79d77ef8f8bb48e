"""What is known of one kernel, or another program that GRUB loads, from its headers."""

from bootkit.model.efi import EfiFacts
from bootkit.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Uki:
    """What a unified kernel image carries beside its kernel: an EFI application with all in its sections."""

    cmdline: str = ""
    os_release: str = ""
    """The text of the system's os-release file."""
    uname: str = ""
    """The kernel's version."""
    initrd: int = 0
    """Bytes of its initrd; 0 if there is none inside."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelFacts:
    size: int
    cpu: str = ""
    """``x86_64``, ``i686``, ``aarch64``; empty if its headers do not tell."""
    signed: bool | None = None
    """Whether there is an Authenticode signature; ``None`` if it is no PE file, which cannot have one. ``efi`` tells
    whether it is a good one."""
    signers: tuple[str, ...] = ()
    """Names in the signature's certificates: of those who signed, and of those who vouch for them."""
    run_size: int = 0
    """Bytes that it needs to unpack itself and to start; 0 if its header does not tell."""
    initrd_limit: int = 0
    """Highest address at which its initrd may end; 0 if its header does not tell."""
    cmdline_limit: int = 0
    """Characters of the command line; 0 if its header does not tell."""
    efi32: bool = False
    """Whether a 32-bit UEFI can start it: of 64-bit kernels those with EFI mixed mode."""
    uki: Uki | None = None
    """What it carries if it is a unified kernel image."""
    efi: EfiFacts | None = None
    """What Secure Boot looks at; ``None`` if it is no PE file."""
    loader: str = ""
    """The boot loader that it is, as its project spells it: ``grub``, ``shim``, ``systemd-boot``; empty for all else."""
