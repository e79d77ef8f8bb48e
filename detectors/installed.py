"""Installed systems in the image of their disk: an initrd of initramfs-tools or dracut that looks for its root on a disk.

Nothing of it is prepared for a stick. bootkit's overlay makes a disk of the file before the initrd looks for its root: a loop
device over the file, or over the place of its bytes. The menu takes the newest kernel that it finds when it starts, so that
an upgrade inside needs no new menu. The kernel's words are those of the system's own menu.

Source: initramfs-tools 0.142, init and scripts/local; dracut 059, modules.d/99base/init.sh (hooks), 90crypt (cryptsetup and
cryptroot-ask only without systemd, systemd-cryptsetup only with it), 90dm and 90lvm; Debian's kernel configuration for the
cloud flavour (``# CONFIG_USB_SUPPORT is not set``); booted: Debian 12 with either, and from a unified kernel image on btrfs.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bootkit.detect import (
    ANY_FIRMWARE,
    BootEntry,
    Detection,
    Detector,
    FileKind,
    Firmware,
    IsoView,
    LookedAt,
    NotMine,
    Role,
    RootEncryption,
    Stack,
    Verdict,
    has_word,
    parse_os_release,
    plain_arch,
    read_menus,
    split_words,
    version_tuple,
    with_words,
    without,
    without_loader_words,
    word_value,
)

KEEPS, LIVE = "bootkit.disk=keep", "bootkit.disk=live"
"""What the overlay is told: whether what is written goes to the file, or stays in RAM."""
FAMILIES = {
    "initramfs-tools": "initramfs-tools on a disk",
    "dracut": "dracut on a disk",
}
"""The boot stack by who made the initrd."""
MARKERS = {
    "initramfs-tools": {},
    "dracut": {
        # systemd 255 has it in bin, with a link in the old place
        "systemd-cryptsetup": ("lib/systemd/systemd-cryptsetup", "bin/systemd-cryptsetup"),
        "cryptroot-ask": ("sbin/cryptroot-ask",),
    },
}
"""What is looked for in the initrds of a family: who asks for a passphrase where systemd is process 1, and where it is not."""
FILESYSTEMS = ("vfat", "ext4", "exfat", "ntfs", "xfs", "f2fs")
INITRDS = ("initrd.img-{version}", "initramfs-{version}.img", "initrd-{version}")
"""What the initrd of a kernel ``vmlinuz-{version}`` is called by Debian, Fedora, openSUSE."""
UNIFIED = ("/boot/efi/EFI/Linux/*.efi", "/efi/EFI/Linux/*.efi", "/boot/EFI/Linux/*.efi")
"""Where kernel, initrd and words lie in one file."""
UNREADABLE = {
    "crypto_LUKS": "is encrypted (LUKS)",
    "LVM2_member": "belongs to LVM",
    "btrfs": "is a btrfs",
    "xfs": "is an xfs",
    "f2fs": "is an f2fs",
}
"""Partitions that may be a root which nobody here can look into."""
CPUS = {"x86_64": ANY_FIRMWARE - {Firmware.UEFI_ARM64}, "aarch64": frozenset({Firmware.UEFI_ARM64})}
ENCRYPTION = {
    "initramfs-tools": RootEncryption(
        words=("cryptopts=target=luks-{luks_uuid},source=UUID={luks_uuid}",),
        needs=(frozenset({"cryptsetup", "cryptsetup-askpass"}),),
        lacking="Start it, install cryptsetup-initramfs, write CRYPTSETUP=y to /etc/cryptsetup-initramfs/conf-hook, "
        "and call update-initramfs -u.",
    ),
    "dracut": RootEncryption(
        words=("rd.luks.uuid={luks_uuid}",),
        needs=(frozenset({"cryptsetup", "cryptroot-ask"}), frozenset({"systemd", "systemd-cryptsetup"})),
        lacking="Start it, install cryptsetup (and systemd-cryptsetup, where that is a package of its own), "
        "and call dracut --force --no-hostonly.",
    ),
}
USB = "usb_storage"
WRITE_IT = "Write it to a stick of its own: sudo cp FILE /dev/sdX."


@dataclass(frozen=True, slots=True, kw_only=True)
class Kernel:
    path: str
    initrds: tuple[str, ...]
    version: str
    words: tuple[str, ...] = ()
    """Its own; empty if they are those of the menu."""
    is_found_later: bool = False
    """Whether the menu finds it, and what is newer, by the name in its folder."""


def detect(iso: IsoView) -> Detection | NotMine:
    if iso.facts.kind is not FileKind.SYSTEM:
        return NotMine(reason="it is no disk with an installed system")
    kernels = _kernels(iso) or _unified(iso) or _of_loader_entries(iso)
    if not kernels:
        return _none(iso)
    newest = kernels[0]
    initrd = iso.initrd(newest.initrds[-1])
    maker = initrd.maker if initrd is not None else ""
    if maker not in FAMILIES:
        made = f"is made by {maker}" if maker else "is of a kind that nobody knows"
        return _unable(
            iso, f"Its initrd {newest.initrds[-1]} {made}: nothing of bootkit's can make a disk of a file there."
        )
    if not _has_usb(iso, newest):
        reason = f"Its kernel {newest.version} has no driver for USB sticks, as those for virtual machines and clouds."
        return _unable(
            iso,
            reason,
            "Install a kernel for real machines in it: linux-image-amd64 instead of linux-image-cloud-amd64.",
        )
    words = _words(iso, newest)
    if not word_value(words, "root"):
        return _unable(iso, "Which file system its root is on is told neither by its menu nor by its fstab.")
    return _found(iso, FAMILIES[maker], kernels, words)


def _found(iso: IsoView, stack: str, kernels: tuple[Kernel, ...], words: tuple[str, ...]) -> Detection:
    newest = kernels[0]
    distro, version = _who(iso)
    kernel = iso.kernel(newest.path)
    cpu = kernel.cpu if kernel is not None else ""
    return Detection(
        stack=stack,
        distro=distro,
        version=version,
        arch=cpu or plain_arch(newest.version.rpartition("-")[2]),
        entries=tuple(_entries(iso, " ".join(filter(None, (distro, version))), kernels, words, cpu)),
        filesystems=FILESYSTEMS,
        evidence=(
            f"its root is {_place(iso, '/')}" if "/" in iso.facts.mounts else f"its /boot is {_place(iso, '/boot')}",
            f"{newest.initrds[-1]} is made by {stack.partition(' ')[0]}",
            f"its newest kernel with an initrd is {newest.version}",
        ),
        notes=(
            "It is an installed system: its package manager may upgrade all of it, the kernel too.",
            *(
                ()
                if newest.is_found_later
                else ("Its menu does not see a kernel that is installed later: bootkit generate.",)
            ),
            *_others(kernels),
        ),
        wants_disk=True,
        is_written=True,
    )


def _entries(
    iso: IsoView, name: str, kernels: tuple[Kernel, ...], words: tuple[str, ...], cpu: str
) -> Iterator[BootEntry]:
    """The newest kernel, kept and live, and those older ones that the menu cannot list by itself."""
    newest = kernels[0]
    for title, word, role in (
        (f"{name} (keeps its changes)", KEEPS, Role.PERSISTENT),
        (f"{name} live (nothing is kept)", LIVE, Role.DEFAULT),
    ):
        yield BootEntry(
            title=title,
            kernel=newest.path,
            initrds=newest.initrds,
            cmdline=with_words(words, word),
            role=role,
            firmware=CPUS.get(cpu, ANY_FIRMWARE),
            newest_in=newest.path.rpartition("/")[0] if newest.is_found_later else "",
        )
    for kernel in () if newest.is_found_later else kernels[1:]:
        yield BootEntry(
            title=f"With another kernel: {kernel.version}",
            kernel=kernel.path,
            initrds=kernel.initrds,
            cmdline=with_words(_words(iso, kernel), KEEPS),
            role=Role.PERSISTENT,
            firmware=CPUS.get(cpu, ANY_FIRMWARE),
        )


def _others(kernels: tuple[Kernel, ...]) -> tuple[str, ...]:
    others = ", ".join(kernel.version for kernel in kernels[1:])
    return (f"It has older kernels, too: {others}.",) if others else ()


def _kernels(iso: IsoView) -> tuple[Kernel, ...]:
    """Those that have an initrd, the newest first; not those for rescue."""
    found: list[Kernel] = []
    for path in iso.glob("/boot/vmlinuz-*"):
        folder, _, name = path.rpartition("/")
        version = name.removeprefix("vmlinuz-")
        places = (f"{folder}/{pattern.format(version=version)}" for pattern in INITRDS)
        initrd = next((place for place in places if iso.is_file(place)), "")
        if initrd and "-rescue-" not in name:
            found.append(Kernel(path=path, initrds=(initrd,), version=version, is_found_later=True))
    return _newest_first(found)


def _unified(iso: IsoView) -> tuple[Kernel, ...]:
    """Unified kernel images, of which GRUB loads the sections by their place."""
    found: list[Kernel] = []
    for path in (path for pattern in UNIFIED for path in iso.glob(pattern)):
        kernel, initrd = f"{path}.linux", f"{path}.initrd"
        if kernel in iso.facts.sections and initrd in iso.facts.sections:
            version = iso.text(f"{path}.uname").strip("\0\n ") or path.rpartition("/")[2].removesuffix(".efi")
            words = split_words(iso.text(f"{path}.cmdline").strip("\0\n "))
            found.append(Kernel(path=kernel, initrds=(initrd,), version=version, words=words))
    return _newest_first(found)


def _of_loader_entries(iso: IsoView) -> tuple[Kernel, ...]:
    """Those that entries of systemd-boot name, wherever they lie."""
    found: list[Kernel] = []
    for entry in read_menus(iso).linux:
        if entry.initrds and all(map(iso.is_file, (entry.kernel, *entry.initrds))) and "rescue" not in entry.kernel:
            version = (
                entry.kernel.split("/")[-2] if entry.kernel.endswith("/linux") else entry.kernel.rpartition("/")[2]
            )
            found.append(Kernel(path=entry.kernel, initrds=entry.initrds, version=version, words=entry.cmdline))
    return _newest_first(found)


def _newest_first(kernels: Iterable[Kernel]) -> tuple[Kernel, ...]:
    return tuple(sorted(kernels, key=lambda kernel: version_tuple(kernel.version), reverse=True))


def _none(iso: IsoView) -> Detection:
    if "/" not in iso.facts.mounts:
        return _unable(iso, "Its root cannot be looked into, and its /boot has no kernel with an initrd.")
    return _unable(iso, "It has no kernel with an initrd in /boot, and no unified kernel image.")


def _unable(iso: IsoView, obstacle: str, instead: str = WRITE_IT) -> Detection:
    distro, version = _who(iso)
    closed = [
        f"partition {row.number} {UNREADABLE[row.filesystem]}"
        for row in iso.facts.partitions
        if row.filesystem in UNREADABLE
    ]
    return Detection(
        stack="installed system",
        distro=distro,
        version=version,
        evidence=("it is a disk with an installed system", *closed),
        notes=("Its kind is not known: that shows in its initrd.",),
        obstacle=obstacle,
        instead=instead,
    )


def _who(iso: IsoView) -> tuple[str, str]:
    said = parse_os_release(iso.text("/usr/lib/os-release") or iso.text("/etc/os-release"))
    menu = read_menus(iso).default_linux
    called = said.name or (menu.title if menu is not None else "")
    return called.removesuffix(" GNU/Linux") or iso.name.rpartition(".")[0], said.version_id


def _place(iso: IsoView, folder: str) -> str:
    number = iso.facts.mounts[folder]
    kind = next((row.filesystem for row in iso.facts.partitions if row.number == number), iso.facts.filesystem)
    subvolume = iso.facts.subvolumes.get(folder, "")
    inside = f", subvolume {subvolume}" if subvolume else ""
    return f"{kind} on partition {number}{inside}" if number else f"{kind} on the whole of it"


def _has_usb(iso: IsoView, kernel: Kernel) -> bool:
    """Whether the kernel finds a stick: its initrd has the driver, or it has it built in."""
    initrd = iso.initrd(kernel.initrds[-1])
    if initrd is not None and (USB in initrd.drivers.modules or initrd.warnings):
        return True
    builtin = iso.text(f"/usr/lib/modules/{kernel.version}/modules.builtin") or iso.text(
        f"/lib/modules/{kernel.version}/modules.builtin"
    )
    return f"/{USB.replace('_', '-')}.ko" in builtin


def _words(iso: IsoView, kernel: Kernel) -> tuple[str, ...]:
    """The words of the system's own menu, with a root that is found whatever the disk is called."""
    words = without_loader_words(kernel.words or _menu_words(iso, kernel))
    # variables of its GRUB that nobody knows here
    words = tuple(word for word in words if not word.startswith("$"))
    root = word_value(words, "root")
    if not root or root.startswith(("/dev/sd", "/dev/vd", "/dev/hd", "/dev/xvd", "/dev/nvme", "/dev/mmcblk")):
        root = f"UUID={iso.uuid}" if iso.uuid else ""
        words = (*((f"root={root}",) if root else ()), *without(words, "root"))
    subvolume = iso.facts.subvolumes.get("/", "")
    if subvolume and not has_word(words, "rootflags"):
        words = (*words, f"rootflags=subvol={subvolume}")
    return words if has_word(words, "ro") or has_word(words, "rw") else (*words, "ro")


def _menu_words(iso: IsoView, kernel: Kernel) -> tuple[str, ...]:
    menu = read_menus(iso)
    name = kernel.path.rpartition("/")[2]
    linux = next((entry for entry in menu.linux if entry.kernel.endswith(f"/{name}")), menu.default_linux)
    return linux.cmdline if linux is not None else split_words(iso.text("/etc/kernel/cmdline"))


DETECTOR = Detector(
    name="installed",
    detect=detect,
    rank=5,
    stacks=(
        *(
            Stack(
                name=name,
                systems=(f"Installed systems with {maker}",),
                source="initramfs-tools 0.142" if maker == "initramfs-tools" else "dracut 059",
                looked_at=(
                    LookedAt(
                        system=f"Installed systems with {maker}",
                        version="12",
                        when="2026-11",
                        what="Debian 12, installed packages",
                    ),
                ),
                overlay="makes a disk of the file",
                keeps="in the file itself",
                no_persistence="it keeps its changes by itself",
                markers=MARKERS[maker],
                root_encryption=ENCRYPTION[maker],
            )
            for maker, name in FAMILIES.items()
        ),
        Stack(
            name="installed system",
            systems=("Other installed systems",),
            source="what their disks hold",
            verdict=Verdict.NO,
        ),
    ),
)
