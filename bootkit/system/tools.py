"""Which package brings a program, and what does not work without it.

Debian's names are those that ``dpkg -S`` gives in Debian 12; where GRUB's tools are on Fedora and openSUSE stands in their
grub2.spec. Loaders for ARM64: osbuild/images, the package sets of Fedora's aarch64 images (shim-aa64, grub2-efi-aa64);
yast-bootloader, grub2efi.rb, and grub2.spec of openSUSE Tumbleweed (grub2-arm64-efi, whose grub.efi is the signed one; shim).
"""

from collections.abc import Iterable
from pathlib import Path

from bootkit.bootcfg.osrelease import parse_os_release
from bootkit.model.boot import Firmware
from bootkit.model.filesystem import FILE_SYSTEMS, Access, FileSystem
from bootkit.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """An external program; empty package names where a distribution has none."""

    program: str
    without_it: str
    """What will not work, as a clause."""
    debian: str
    fedora: str
    arch: str
    opensuse: str
    is_static: bool = False
    """Whether only one will do that needs no libraries."""
    also_called: tuple[str, ...] = ()
    """Other names of the same program: Fedora and openSUSE have grub2-mkimage."""

    def package(self, family: str) -> str:
        return {"debian": self.debian, "fedora": self.fedora, "arch": self.arch, "opensuse": self.opensuse}.get(
            family, ""
        )

    @property
    def names(self) -> tuple[str, ...]:
        return (self.program, *self.also_called)


def _tool(program: str, packages: str, without_it: str, *also_called: str) -> Tool:
    """``packages`` are those of Debian, Fedora, Arch and openSUSE, in this order."""
    debian, fedora, arch, opensuse = (name.strip("-") for name in packages.split("/"))
    return Tool(
        program=program,
        without_it=without_it,
        debian=debian,
        fedora=fedora,
        arch=arch,
        opensuse=opensuse,
        also_called=also_called,
    )


def _titles(systems: Iterable[FileSystem]) -> str:
    return " and ".join(one.title for one in systems)


_GRUB = "grub-common/grub2-tools/grub/grub2"
_E2FSPROGS = "e2fsprogs/e2fsprogs/e2fsprogs/e2fsprogs"
_MTOOLS = "mtools/mtools/mtools/mtools"
_UNMOUNTED = (
    f"{_titles(one for one in FILE_SYSTEMS if one.write is Access.ROOT)} sticks cannot be written to, and "
    f"{_titles(one for one in FILE_SYSTEMS if one.read is Access.ROOT)} ones not read either, while they are not mounted"
)
_EXTENSIONS = "ext cannot make or look into extensions"

TOOLS = (
    _tool("sfdisk", "fdisk/util-linux/util-linux/util-linux", "prepare and restore cannot write partition tables"),
    _tool("mkfs.fat", "dosfstools/dosfstools/dosfstools/dosfstools", "prepare cannot make the EFI system partition"),
    _tool("mcopy", _MTOOLS, "prepare cannot fill FAT file systems"),
    _tool("mke2fs", _E2FSPROGS, "prepare cannot make ext4 data partitions, home cannot make home images"),
    _tool("debugfs", _E2FSPROGS, "add and generate cannot write ext4 sticks that are not mounted"),
    _tool("grub-mkimage", _GRUB, "prepare and upgrade cannot build boot loaders", "grub2-mkimage"),
    _tool(
        "grub-mkfont",
        "grub-common/grub2-tools-extra/grub/grub2",
        "the menu's letters are GRUB's own, small and coarse",
        "grub2-mkfont",
    ),
    _tool("grub-script-check", _GRUB, "generate does not check its menu with GRUB's own parser", "grub2-script-check"),
    _tool("grub-emu", "grub-emu/grub2-emu/grub/-", "the menu cannot be tried in GRUB without a machine", "grub2-emu"),
    *(_tool(one.name, one.packages, one.without_it) for system in FILE_SYSTEMS for one in system.programs),
    _tool("sync", "coreutils/coreutils/coreutils/coreutils", "nothing says when a mounted stick is safe to remove"),
    _tool("cp", "coreutils/coreutils/coreutils/coreutils", "prepare --data-fs ntfs does not work"),
    _tool("umount", "mount/util-linux-core/util-linux/util-linux", "prepare --data-fs ntfs does not work"),
    _tool("mount", "mount/util-linux-core/util-linux/util-linux", _UNMOUNTED),
    _tool("losetup", "mount/util-linux-core/util-linux/util-linux", _UNMOUNTED),
    _tool(
        "partx", "util-linux/util-linux/util-linux/util-linux", "a new stick may have to be plugged in again to show"
    ),
    _tool("udevadm", "udev/systemd-udev/systemd/udev", "prepare cannot wait until the desktop has seen the stick"),
    _tool("mksquashfs", "squashfs-tools/squashfs-tools/squashfs-tools/squashfs", _EXTENSIONS),
    _tool("unsquashfs", "squashfs-tools/squashfs-tools/squashfs-tools/squashfs", _EXTENSIONS),
    _tool(
        "unshare", "util-linux/util-linux/util-linux/util-linux", "ext create gives other bytes to users than to root"
    ),
    _tool("dpkg-deb", "dpkg/dpkg/dpkg/dpkg", "ext create cannot take .deb packages"),
    _tool("apt-get", "apt/apt/-/-", "ext create --from-apt does not work"),
    _tool("resize2fs", _E2FSPROGS, "home and persist cannot change the size of an image"),
    _tool("e2fsck", _E2FSPROGS, "home and persist cannot check an image before they change it"),
    _tool("dumpe2fs", _E2FSPROGS, "home and persist cannot encrypt what they make"),
    _tool(
        "cryptsetup", "cryptsetup-bin/cryptsetup/cryptsetup/cryptsetup", "home --encrypt and disk encrypt do not work"
    ),
    _tool("fakeroot", "fakeroot/fakeroot/fakeroot/fakeroot", "disk create wants root"),
    _tool("tune2fs", _E2FSPROGS, "disk create cannot take a root that is an ext4"),
    _tool(
        "fsck.erofs",
        "erofs-utils/erofs-utils/erofs-utils/erofs-utils",
        "disk create cannot take a root that is an EROFS",
    ),
    _tool("openssl", "openssl/openssl/openssl/openssl", "disk create does not work"),
    _tool("gpgv", "gpgv/gnupg2/gnupg/gpg2", "add and verify cannot check signatures"),
    Tool(
        program="busybox",
        without_it="systems whose initrd opens no file and has no shell (NixOS, Guix) do not start from the stick",
        debian="busybox-static",
        fedora="busybox",
        arch="busybox",
        opensuse="busybox-static",
        is_static=True,
        also_called=("busybox-static", "busybox.static"),
    ),
    _tool("xz", "xz-utils/xz/xz/xz", "some initrds cannot be looked into, nor disk add take what it packed"),
    _tool("zstd", "zstd/zstd/zstd/zstd", "some initrds cannot be looked into, nor disk add take what it packed"),
    _tool("lz4", "lz4/lz4/lz4/lz4", "some initrds cannot be looked into"),
    _tool("gzip", "gzip/gzip/gzip/gzip", "disk add cannot take what is packed by gzip"),
    _tool("bzip2", "bzip2/bzip2/bzip2/bzip2", "disk add cannot take what is packed by bzip2"),
    _tool("qemu-img", "qemu-utils/qemu-img/qemu-img/qemu-tools", "disk add cannot take disks of virtual machines"),
    _tool("dd", "coreutils/coreutils/coreutils/coreutils", "disk grow does not work"),
    _tool("qemu-system-x86_64", "qemu-system-x86/qemu-system-x86/qemu-system-x86/qemu-x86", "test does not work"),
    _tool(
        "qemu-system-aarch64",
        "qemu-system-arm/qemu-system-aarch64/qemu-system-aarch64/qemu-arm",
        "test cannot try arm64",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoaderPackage:
    """Boot loaders that ``prepare`` takes from the host, by package."""

    what: str
    platform: str = ""
    """grub-mkimage's name for the platform; of signed loaders ``signed:`` and the firmware."""
    without_it: str
    packages: dict[str, str]


def _loaders(what: str, platform: str, without_it: str, **packages: str) -> LoaderPackage:
    return LoaderPackage(what=what, platform=platform, without_it=without_it, packages=packages)


LOADER_PACKAGES = (
    _loaders(
        "GRUB modules for BIOS",
        "i386-pc",
        "no stick starts on a BIOS",
        debian="grub-pc-bin",
        fedora="grub2-pc-modules",
        arch="grub",
        opensuse="grub2-i386-pc",
    ),
    _loaders(
        f"GRUB modules for {Firmware.UEFI_X64.label}",
        "x86_64-efi",
        f"no stick with exFAT or NTFS starts on {Firmware.UEFI_X64.label}",
        debian="grub-efi-amd64-bin",
        fedora="grub2-efi-x64-modules",
        arch="grub",
        opensuse="grub2-x86_64-efi",
    ),
    _loaders(
        f"GRUB modules for {Firmware.UEFI_IA32.label}",
        "i386-efi",
        f"no stick starts on {Firmware.UEFI_IA32.label} (tablets, old Macs)",
        debian="grub-efi-ia32-bin",
        fedora="grub2-efi-ia32-modules",
        arch="grub",
        opensuse="grub2-i386-efi",
    ),
    _loaders(
        f"GRUB modules for {Firmware.UEFI_ARM64.label}",
        "arm64-efi",
        f"no stick starts on {Firmware.UEFI_ARM64.label}",
        debian="grub-efi-arm64-bin:arm64",
        fedora="grub2-efi-aa64-modules",
        arch="",
        opensuse="grub2-arm64-efi",
    ),
    _loaders(
        f"signed shim and GRUB for {Firmware.UEFI_X64.label}",
        "signed:uefi",
        "no stick starts with Secure Boot on",
        debian="shim-signed grub-efi-amd64-signed",
        fedora="shim-x64 grub2-efi-x64",
        arch="",
        opensuse="shim grub2-x86_64-efi",
    ),
    _loaders(
        f"signed shim and GRUB for {Firmware.UEFI_IA32.label}",
        "signed:ia32",
        f"{Firmware.UEFI_IA32.label} starts the stick with Secure Boot off only",
        debian="shim-signed:i386 grub-efi-ia32-signed:i386",
        fedora="shim-ia32 grub2-efi-ia32",
        arch="",
        opensuse="",
    ),
    _loaders(
        f"signed shim and GRUB for {Firmware.UEFI_ARM64.label}",
        "signed:arm64",
        f"{Firmware.UEFI_ARM64.label} starts the stick with Secure Boot off only",
        debian="shim-signed:arm64 grub-efi-arm64-signed:arm64",
        fedora="shim-aa64:aarch64 grub2-efi-aa64:aarch64",
        arch="",
        opensuse="shim:aarch64 grub2-arm64-efi",
    ),
)

INSTALL = {
    "debian": "sudo apt install",
    "fedora": "sudo dnf install",
    "arch": "sudo pacman -S",
    "opensuse": "sudo zypper install",
}
FAMILIES = tuple(INSTALL)
UNPACK = {
    "debian": "dpkg-deb -x PACKAGE FOLDER",
    "fedora": "rpm2cpio PACKAGE | cpio -id -D FOLDER",
    "arch": "bsdtar -xf PACKAGE -C FOLDER",
    "opensuse": "rpm2cpio PACKAGE | cpio -id -D FOLDER",
}
"""What unpacks a package that is not to be installed, because it is for another architecture."""
_FAMILY_OF = {
    "debian": "debian",
    "ubuntu": "debian",
    "fedora": "fedora",
    "rhel": "fedora",
    "centos": "fedora",
    "arch": "arch",
    "suse": "opensuse",
    "opensuse": "opensuse",
}


def hint_for(program: str, os_release: Path = Path("/etc/os-release")) -> str:
    """What to type when ``program`` is not installed; where the distribution is not known, the package's usual name."""
    tool = next((tool for tool in TOOLS if program in tool.names), None)
    if tool is None:
        return f"install the package of your distribution that has {program}"
    family = host_family(os_release)
    if family and (package := tool.package(family)):
        return f"{INSTALL[family]} {package}"
    return f"install {tool.debian} (Debian), {tool.fedora} (Fedora), {tool.arch} (Arch) or {tool.opensuse} (openSUSE)"


def host_family(os_release: Path = Path("/etc/os-release")) -> str:
    """``debian``, ``fedora``, ``arch`` or ``opensuse``; empty for any other host."""
    try:
        text = os_release.read_text(errors="replace")
    except OSError:
        return ""
    release = parse_os_release(text)
    words = [word.partition("-")[0] for word in (release.id, *release.id_like)]
    return next((_FAMILY_OF[word] for word in words if word in _FAMILY_OF), "")
