#!/usr/bin/env python3
"""Build a real Debian live ISO from packages, small and quick to boot in an emulator: the input of the boot tests.

    tests/boots/live_iso.py --out live.iso [--suite bookworm]

The system is Debian's own kernel, live-boot and live-config, laid out as live-build lays it out, with nothing of
bootkit in it. What makes it quick is only what is left out: drivers and documentation. It is built once and kept in
``${XDG_CACHE_HOME:-~/.cache}/bootkit`` under a digest of this file, so a change here builds anew.

Packages come from the machine's own apt sources, with the machine's own proxy and trust settings. Works as root, and
as a user wherever mmdebstrap can (package uidmap). Needs mmdebstrap, squashfs-tools and xorriso; isolinux (BIOS) and
grub-efi-amd64-bin with mtools (UEFI) make the ISO itself bootable and are left out where they are missing.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

from tests.boots.cache import cached

PACKAGES = (
    "linux-image-amd64",
    "live-boot",
    "live-boot-initramfs-tools",
    "live-config",
    "live-config-systemd",
    "systemd-sysv",
    "dbus",
    "udev",
    "kmod",
    "e2fsprogs",
    "passwd",
    "sudo",
    "user-setup",
    "zstd",  # else initramfs-tools falls back to gzip
)

KERNEL_MODULES = (
    "arch/x86/crypto",
    "crypto",
    "lib",
    "drivers/ata/ahci.ko",
    "drivers/ata/ata_generic",
    "drivers/ata/ata_piix",
    "drivers/ata/libahci.ko",
    "drivers/ata/libata",
    "block",
    "drivers/block/loop",
    "drivers/block/virtio_blk",
    "drivers/cdrom",
    "drivers/char/virtio",
    "drivers/firmware/qemu_fw_cfg",
    "drivers/hid/hid.ko",
    "drivers/hid/hid-generic",
    "drivers/hid/usbhid",
    "drivers/input/keyboard/atkbd",
    "drivers/input/mousedev",
    "drivers/input/evdev",
    "drivers/input/serio/i8042",
    "drivers/input/serio/libps2",
    "drivers/input/serio/serio",
    "drivers/md/dm-bufio",
    "drivers/md/dm-crypt",
    "drivers/md/dm-mod",
    "drivers/md/dm-snapshot",
    "drivers/nvme/common",
    "drivers/nvme/host/nvme-core",
    "drivers/nvme/host/nvme.ko",
    "drivers/scsi/scsi_",
    "drivers/scsi/sd_mod",
    "drivers/scsi/sr_mod",
    "drivers/scsi/sg",
    "drivers/scsi/virtio_scsi",
    "drivers/usb/common",
    "drivers/usb/core",
    "drivers/usb/host/ehci-",
    "drivers/usb/host/ohci-",
    "drivers/usb/host/uhci-",
    "drivers/usb/host/xhci-",
    "drivers/usb/storage",
    "drivers/virtio",
    "fs/autofs",
    "fs/binfmt_misc",
    "fs/btrfs",
    "fs/efivarfs",
    "fs/exfat",
    "fs/ext4",
    "fs/fat",
    "fs/fuse",
    "fs/isofs",
    "fs/jbd2",
    "fs/mbcache",
    "fs/nls",
    "fs/overlayfs",
    "fs/squashfs",
    "fs/udf",
)
"""Beginnings of paths below /lib/modules/*/kernel. The full set would cost a third of the emulated boot."""

LIVE_CONFIG = ("0020-hostname", "0030-user-setup", "0040-sudo")
"""The components of live-config that stay: those that a boot's own settings meet. Each of the 32 costs a second."""

EXCLUDED = (
    "/usr/share/doc/*",
    "/usr/share/man/*",
    "/usr/share/locale/*",
    "/usr/share/info/*",
    "/usr/lib/udev/hwdb.d/*",
)

LIBRARIES = ("/lib", "/usr/lib")
"""A package names its files in the one or the other, whatever the merged root makes of it."""

MASKED = (
    "apt-daily-upgrade.timer",
    "apt-daily.timer",
    "dpkg-db-backup.timer",
    "e2scrub_all.timer",
    "e2scrub_reap.service",
    "fstrim.timer",
    "systemd-timesyncd.service",
)

HOST_FILES = (
    "boot/initrd.img-*",
    "etc/apt/apt.conf.d/99mmdebstrap",
    "etc/apt/sources.list",
    "etc/hostname",
    "etc/resolv.conf",
)
"""What is not for the image: the initrd lies beside it already, the rest is about this machine."""

CMDLINE = "boot=live components quiet splash"
FAIL_SAFE = "boot=live components memtest noapic noapm nodma nomce nosmp nosplash vga=788"

GRUB_CONFIG = """\
set default=0
if [ x$feature_default_font_path = xy ] ; then
	font=unicode
else
	font=$prefix/unicode.pf2
fi
if loadfont $font ; then
	set gfxmode=800x600
	set gfxpayload=keep
	insmod efi_gop
	insmod vbe
	insmod gfxterm
	insmod png
	terminal_output gfxterm
fi
insmod play
play 960 440 1 0 4 440 1
"""

GRUB_MENU = """\
source /boot/grub/config.cfg

menuentry "Live system (amd64)" --hotkey=l {{
	linux	/live/vmlinuz-{release} {cmdline} findiso=${{iso_path}}
	initrd	/live/initrd.img-{release}
}}
menuentry "Live system (amd64 fail-safe mode)" {{
	linux	/live/vmlinuz-{release} {fail_safe}
	initrd	/live/initrd.img-{release}
}}
submenu 'Utilities...' --hotkey=u {{
	if [ "${{grub_platform}}" = "efi" ]; then
		menuentry "UEFI Firmware Settings" {{
			fwsetup
		}}
	fi
}}
"""

ISOLINUX_CONFIG = """\
include menu.cfg
default vesamenu.c32
prompt 0
timeout 0
"""

ISOLINUX_MENU = """\
menu hshift 0
menu width 82
menu title Boot menu
include live.cfg
"""

ISOLINUX_LIVE = """\
label live-amd64
	menu label ^Live system (amd64)
	menu default
	linux /live/vmlinuz
	initrd /live/initrd.img
	append {cmdline}

label live-amd64-failsafe
	menu label Live system (amd64 fail-safe mode)
	linux /live/vmlinuz
	initrd /live/initrd.img
	append {fail_safe}
"""

ISOLINUX_BINARY = Path("/usr/lib/ISOLINUX/isolinux.bin")
ISOHYBRID_MBR = Path("/usr/lib/ISOLINUX/isohdpfx.bin")
SYSLINUX_MODULES = Path("/usr/lib/syslinux/modules/bios")
GRUB_EFI_MODULES = Path("/usr/lib/grub/x86_64-efi")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--out", type=Path, help="where to put the ISO; without it only the cached file's path is printed"
    )
    parser.add_argument("--suite", default=host_suite(), help="Debian release (default: this machine's)")
    options = parser.parse_args()
    try:
        iso = cached_iso(options.suite)
    except subprocess.CalledProcessError as failure:
        raise SystemExit(f"live_iso: {failure.cmd[0]} failed with status {failure.returncode}") from None
    if options.out is None:
        sys.stdout.write(f"{iso}\n")
    else:
        subprocess.run(["cp", "--reflink=auto", "--", iso, options.out], check=True)


def cached_iso(suite: str) -> Path:
    """The ISO in the cache, built if it is not there yet."""
    return cached(f"live-{suite}", ".iso", Path(__file__).read_bytes(), lambda work: build(work, suite))


def build(work: Path, suite: str) -> Path:
    """Make the ISO below ``work``."""
    root_tar, boot = bootstrap(work, suite)
    tree = work / "iso"
    live = tree / "live"
    live.mkdir(parents=True)
    release = next(boot.glob("vmlinuz-*")).name.removeprefix("vmlinuz-")
    for name in ("vmlinuz", "initrd.img"):
        source = boot / f"{name}-{release}"
        shutil.copy(source, live / name)
        os.link(live / name, live / source.name)
    with root_tar.open("rb") as tar:
        squash: list[str | Path] = [
            *(() if os.geteuid() == 0 else ("unshare", "--map-root-user")),  # owner of / is who calls, whatever -root-uid
            "mksquashfs", "-", live / "filesystem.squashfs", "-tar", "-root-mode", "755",
            "-comp", "zstd", "-Xcompression-level", "6",
            "-quiet", "-no-progress",
        ]  # fmt: skip
        subprocess.run(squash, stdin=tar, stdout=sys.stderr, check=True)
    write_menus(tree, release)
    (tree / ".disk").mkdir()
    stamp = time.strftime("%Y%m%d-%H:%M", time.gmtime())
    (tree / ".disk/info").write_text(
        f'Debian GNU/Linux "{suite.title()}" - Official Snapshot amd64 LIVE Binary {stamp}'
    )
    iso = work / "live.iso"
    volume_id = f"Debian {suite} {stamp}"[:32]
    subprocess.run(
        ["xorriso", "-as", "mkisofs", "-quiet", "-R", "-r", "-J", "-joliet-long", "-cache-inodes", "-iso-level", "3",
         "-V", volume_id, "-A", "Debian Live", "-o", iso, *bios_boot(tree), *uefi_boot(tree, work), tree],
        stdout=sys.stderr, check=True,
    )  # fmt: skip
    return iso


def bootstrap(work: Path, suite: str) -> tuple[Path, Path]:
    """The root file system as a tar archive, and the folder with its kernel and initrd."""
    tar = work / "root.tar"
    excluded = [*EXCLUDED, *(f"{lib}/{path}" for lib in LIBRARIES for path in ("modules/*/kernel/*", "live/config/*"))]
    included = [f"{lib}/modules/*/kernel/{path}*" for lib in LIBRARIES for path in KERNEL_MODULES]
    included += [f"{lib}/live/config/{name}" for lib in LIBRARIES for name in LIVE_CONFIG]
    masks = " ".join(f'"$1/etc/systemd/system/{unit}"' for unit in MASKED)
    # sources come and the archive goes through pipes: in a namespace of its own, mmdebstrap may not enter our folders
    command = [
        "mmdebstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}", "--quiet",
        *(f"--dpkgopt=path-exclude={path}" for path in excluded),
        *(f"--dpkgopt=path-include={path}" for path in included),
        *(f"--aptopt={setting}" for setting in apt_settings()),
        f"--customize-hook=copy-out /boot {work}",
        f"--customize-hook=cd \"$1\" && rm -f {' '.join(HOST_FILES)}",
        f'--customize-hook=for unit in {masks}; do ln -sf /dev/null "$unit"; done',
        suite, "-", "-",
    ]  # fmt: skip
    with tar.open("wb") as out:
        subprocess.run(command, input=debian_sources(suite).encode(), stdout=out, check=True)
    return tar, work / "boot"


def host_suite() -> str:
    """The code name of this Debian, ``stable`` on anything else."""
    match = re.search(r"^VERSION_CODENAME=(\w+)$", Path("/etc/os-release").read_text(), re.MULTILINE)
    return match[1] if match and Path("/etc/debian_version").exists() else "stable"


def debian_sources(suite: str) -> str:
    """The machine's own sources for ``suite``, its updates included, in deb822 form.

    Raises:
        SystemExit: apt is not set up for that release.
    """
    stanzas: list[str] = []
    for path in sorted([Path("/etc/apt/sources.list"), *Path("/etc/apt/sources.list.d").glob("*")]):
        if path.suffix == ".sources":
            stanzas.extend(deb822_stanzas(path.read_text()))
        elif path.suffix == ".list" and path.exists():
            stanzas.extend(filter(None, map(one_line_stanza, path.read_text().splitlines())))
    wanted = [stanza for stanza in stanzas if serves(stanza, suite)]
    if not wanted:
        raise SystemExit(f"live_iso: the apt sources of this machine have no Debian {suite}; try --suite")
    return "\n\n".join(wanted) + "\n"


def deb822_stanzas(text: str) -> list[str]:
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return [stanza for stanza in re.split(r"\n\s*\n", "\n".join(lines).strip()) if stanza]


def one_line_stanza(line: str) -> str:
    """``deb [signed-by=...] URI SUITE COMPONENT...`` as a deb822 stanza; empty for anything else."""
    match = re.match(r"deb\s+(?:\[(?P<options>[^]]*)\]\s+)?(?P<uri>\S+)\s+(?P<suite>\S+)\s+(?P<components>[^#]+)", line)
    if match is None:
        return ""
    stanza = f"Types: deb\nURIs: {match['uri']}\nSuites: {match['suite']}\nComponents: {match['components'].strip()}"
    signed = re.search(r"signed-by=(\S+)", match["options"] or "")
    return f"{stanza}\nSigned-By: {signed[1]}" if signed else stanza


def serves(stanza: str, suite: str) -> bool:
    """Whether a stanza is Debian's own for ``suite``: it has component ``main``."""
    fields = dict(re.findall(r"^(\S+):\s*(.*)$", stanza, re.MULTILINE))
    suites, components = fields.get("Suites", "").split(), fields.get("Components", "").split()
    enabled = fields.get("Enabled", "yes") != "no" and "deb" in fields.get("Types", "").split()
    return enabled and "main" in components and all(re.match(rf"{suite}(-|/|$)", name) for name in suites)


def apt_settings() -> list[str]:
    """How this machine's apt reaches its mirrors: proxies, certificates, time limits. Not kept in the image."""
    dump = subprocess.run(["apt-config", "dump", "--no-empty"], stdout=subprocess.PIPE, text=True, check=True).stdout
    kept = re.compile(r"Acquire::(https?|ftp|Retries|ForceIPv4|ForceIPv6|Check-Valid-Until)\b")
    return [line for line in dump.splitlines() if kept.match(line)]


def write_menus(tree: Path, release: str) -> None:
    """The boot menus in the places and the shape that live-build 20230502 gives them."""
    words = {"release": release, "cmdline": CMDLINE, "fail_safe": FAIL_SAFE}
    files = {
        "boot/grub/grub.cfg": GRUB_MENU.format(**words),
        "boot/grub/config.cfg": GRUB_CONFIG,
        "boot/grub/loopback.cfg": "source /boot/grub/grub.cfg\n",
        "isolinux/isolinux.cfg": ISOLINUX_CONFIG,
        "isolinux/menu.cfg": ISOLINUX_MENU,
        "isolinux/live.cfg": ISOLINUX_LIVE.format(**words),
    }
    for name, text in files.items():
        path = tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def bios_boot(tree: Path) -> list[str]:
    """Make the tree bootable from BIOS, as CD and as USB stick; no options if isolinux is not installed."""
    if not (ISOLINUX_BINARY.exists() and SYSLINUX_MODULES.is_dir()):
        return []
    shutil.copy(ISOLINUX_BINARY, tree / "isolinux")
    for name in ("ldlinux.c32", "libcom32.c32", "libutil.c32", "vesamenu.c32"):
        shutil.copy(SYSLINUX_MODULES / name, tree / "isolinux")
    return [
        "-isohybrid-mbr", str(ISOHYBRID_MBR), "-b", "isolinux/isolinux.bin", "-c", "isolinux/boot.cat",
        "-no-emul-boot", "-boot-load-size", "4", "-boot-info-table",
    ]  # fmt: skip


def uefi_boot(tree: Path, work: Path) -> list[str]:
    """Make the tree bootable from UEFI; no options if GRUB's modules or mtools are not installed."""
    if not (GRUB_EFI_MODULES.is_dir() and shutil.which("mcopy")):
        return []
    (work / "early.cfg").write_text("search --file --set=root /.disk/info\nset prefix=($root)/boot/grub\n")
    loader = work / "bootx64.efi"
    modules = "iso9660 part_gpt part_msdos fat search search_fs_file normal linux boot test echo all_video gfxterm font png play"
    subprocess.run(
        [
            "grub-mkimage",
            "-O",
            "x86_64-efi",
            "-c",
            work / "early.cfg",
            "-p",
            "/boot/grub",
            "-o",
            loader,
            *modules.split(),
        ],
        check=True,
    )
    image = tree / "boot/grub/efi.img"
    image.write_bytes(bytes(4 << 20))
    env = {**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"}
    subprocess.run(["mkfs.fat", "-n", "DEBIAN_LIVE", image], stdout=sys.stderr, env=env, check=True)
    subprocess.run(["mmd", "-i", image, "::/EFI", "::/EFI/boot"], check=True)
    subprocess.run(["mcopy", "-i", image, loader, "::/EFI/boot/bootx64.efi"], check=True)
    (tree / "EFI/boot").mkdir(parents=True)
    shutil.copy(loader, tree / "EFI/boot/bootx64.efi")
    return ["-eltorito-alt-boot", "-e", "boot/grub/efi.img", "-no-emul-boot", "-isohybrid-gpt-basdat"]


if __name__ == "__main__":
    main()
