"""The GRUB modules that go into an image built by us.

Nothing is loaded from the stick later, so everything that the menu, an image's own menu or a user's ``custom.cfg`` can
reasonably ask for is inside. ``progress`` is left out on purpose: it writes a line for every file into the menu. Names are those of GRUB 2.06 and 2.12; what a host's GRUB lacks is left out.
"""

from bootkit.model.filesystem import FILE_SYSTEMS, ISO9660
from bootkit.model.prepare import GrubPlatform

_DISKS = ("part_gpt", "part_msdos", "part_apple", "disk", "memdisk", "tar", "loopback", "diskfilter", "gptsync")
_FILESYSTEMS = (*(one.grub for one in FILE_SYSTEMS if one.grub), ISO9660.grub, "hfsplus", "squash4")
_SCRIPT = (
    "normal", "configfile", "test", "true", "eval", "read", "regexp", "echo", "cat", "ls", "help", "minicmd", "probe",
    "loadenv", "search", "search_fs_file", "search_fs_uuid", "search_label", "sleep", "date", "datetime", "hashsum",
    "cmp", "hexdump", "keystatus", "tr", "extcmd", "file", "trig",
)  # fmt: skip
_HASHES = ("gcry_md5", "gcry_sha1", "gcry_sha256", "gcry_sha512")
_MACHINE = ("halt", "reboot", "smbios", "cpuid", "acpi", "lspci", "lsacpi", "rdmsr", "mmap", "play")
_LOADERS = ("linux", "linux16", "boot", "chain", "multiboot", "multiboot2", "bsd", "xzio", "gzio", "lzopio", "zstd")
_DISPLAY = (
    "terminal", "serial", "gfxterm", "gfxterm_background", "gfxmenu", "all_video", "font", "png", "jpeg", "tga", "gettext",
    "videoinfo", "videotest", "password", "password_pbkdf2", "keylayouts",
)  # fmt: skip
_BIOS = (
    "biosdisk",
    "vbe",
    "vga",
    "vga_text",
    "ntldr",
    "drivemap",
    "hwmatch",
    "lsapm",
    "sendkey",
    "syslinuxcfg",
    "msdospart",
)
_EFI = (
    "efi_gop",
    "efi_uga",
    "efifwsetup",
    "lsefi",
    "lsefimmap",
    "lsefisystab",
    "fixvideo",
    "loadbios",
    "linuxefi",
)
_EFI_PC = ("tpm",)
"""The module that images' own menus take away by rmmod, as ours does on a PC; no signed GRUB for arm64 has it."""
_OWN = {"i386-pc": _BIOS, "arm64-efi": _EFI}

ESSENTIAL = frozenset(
    {"normal", "configfile", "test", "memdisk", "tar", "search", "search_fs_uuid", "search_label", "search_fs_file",
     "part_gpt", "part_msdos", "fat", "ext2", "iso9660", "loopback", "linux", "boot", "echo"}
)  # fmt: skip
"""Without these there is no stick."""


def modules_for(platform: GrubPlatform) -> tuple[str, ...]:
    """The modules to build in, sorted."""
    own = _OWN.get(platform.name, (*_EFI, *_EFI_PC))
    wanted = {*_DISKS, *_FILESYSTEMS, *_SCRIPT, *_HASHES, *_MACHINE, *_LOADERS, *_DISPLAY, *own}
    return tuple(sorted(wanted & platform.modules))


def missing_modules(platform: GrubPlatform) -> tuple[str, ...]:
    """What the host's GRUB lacks of the essential modules."""
    return tuple(sorted(ESSENTIAL - platform.modules))
