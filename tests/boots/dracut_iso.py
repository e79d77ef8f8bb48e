#!/usr/bin/env python3
"""Build real live ISOs that dracut starts, from Debian's packages: the other inputs of the boot tests.

    tests/boots/dracut_iso.py --layout f41|f42|kiwi [--out live.iso] [--suite bookworm]

One root file system, laid out in three ways:

f41
    Fedora up to 41: ``dmsquash-live``, an ext4 image inside ``LiveOS/squashfs.img``; the root is a device-mapper
    snapshot.
f42
    Fedora since 42: ``dmsquash-live``, the squashfs is the root itself, under an overlay.
kiwi
    openSUSE's live media: KIWI's own dracut module, with the ext4 image inside.

The live user is called ``liveuser`` and has uid 1001, so that a home that another system's first user (1000) has filled
meets another number. Cached by :mod:`tests.boots.cache`. Needs root: the ext4 image keeps its owners.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

from tests.boots.cache import cached_together
from tests.boots.live_iso import (
    EXCLUDED,
    KERNEL_MODULES,
    LIBRARIES,
    MASKED,
    apt_settings,
    debian_sources,
    host_suite,
)

LAYOUTS = ("f41", "f42", "kiwi")
PACKAGES = (
    "linux-image-amd64",
    "dracut",
    "dracut-live",
    "kiwi-dracut-lib",
    "kiwi-dracut-live",
    "bash",
    "dbus",
    "dmsetup",
    "e2fsprogs",
    "kmod",
    "passwd",
    "sudo",
    "systemd-sysv",
    "udev",
    "zstd",
)
MODULES = (*KERNEL_MODULES, "drivers/md/dm-", "drivers/md/persistent-data")
LIVE_USER = ("liveuser", 1001)
NO_DRACUT = "/usr/local/sbin/dracut"
INITRD_OPTIONS = "--force --no-hostonly --no-hostonly-cmdline --zstd"
# the module is left out where it would make /bin/sh dash: KIWI's scripts want bash by that name
INITRDS = {
    "dmsquash": "--add 'dmsquash-live pollcdrom' --omit 'kiwi-live kiwi-lib'",
    "kiwi": "--add 'kiwi-live bash pollcdrom' --omit dash",
}
KERNEL_WORDS = {
    "f41": "root=live:CDLABEL={label} rd.live.image quiet",
    # dracut 059 makes no overlay for this layout by itself
    "f42": "quiet root=live:CDLABEL={label} rd.live.image rd.live.overlay.overlayfs=1",
    "kiwi": "splash=silent quiet root=live:CDLABEL={label} rd.live.image rd.live.overlay.persistent rd.live.overlay.cowfs=ext4",
}

FEDORA_MENU = """\
set default="1"
search --no-floppy --set=root -l '{label}'

menuentry 'Start Debian-Live {suite}' --class gnu-linux {{
	linux {kernel} {words}
	initrd {initrd}
}}
menuentry 'Test this media & start Debian-Live {suite}' --class gnu-linux {{
	linux {kernel} {words} rd.live.check
	initrd {initrd}
}}
"""
KIWI_MENU = """\
# kiwi generated one time grub2 config file
search --file --set=root /boot/0x197d2c94
set default=0
if [ -n "${{iso_path}}" ]; then
    isoboot="iso-scan/filename=${{iso_path}}"
fi
menuentry "Debian Live {suite}" --class os --unrestricted {{
    linux ($root){kernel} ${{extra_cmdline}} ${{isoboot}} {words}
    initrd ($root){initrd}
}}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--layout", choices=LAYOUTS, required=True)
    parser.add_argument(
        "--out", type=Path, help="where to put the ISO; without it only the cached file's path is printed"
    )
    parser.add_argument("--suite", default=host_suite(), help="Debian release (default: this machine's)")
    options = parser.parse_args()
    cached = cached_dracut_iso(options.suite, options.layout)
    if options.out is None:
        sys.stdout.write(f"{cached}\n")
    else:
        subprocess.run(["cp", "--reflink=auto", "--", cached, options.out], check=True)


def cached_dracut_iso(suite: str, layout: str) -> Path:
    """The ISO in the cache; if it is not there yet, all three are built."""
    shared = repr((EXCLUDED, MODULES, LIBRARIES, MASKED, suite))
    recipe = Path(__file__).read_bytes() + shared.encode()
    names = [f"dracut-{suite}-{one}" for one in LAYOUTS]
    made = cached_together(names, ".iso", recipe, lambda work: dict(zip(names, build(work, suite), strict=True)))
    return made[f"dracut-{suite}-{layout}"]


def build(work: Path, suite: str) -> list[Path]:
    """Make the ISOs below ``work``, in the order of their layouts."""
    if os.geteuid() != 0:
        raise SystemExit("dracut_iso: run this as root: the file system inside the squashfs keeps its owners")
    root = work / "root"
    root.mkdir()
    with bootstrap(work, suite).open("rb") as tar:
        subprocess.run(["tar", "-x", "--numeric-owner", "-C", root], stdin=tar, check=True)
    image = work / "nested/LiveOS/rootfs.img"
    image.parent.mkdir(parents=True)
    with image.open("wb") as file:
        file.truncate(1200 << 20)
    subprocess.run(["mke2fs", "-q", "-F", "-t", "ext4", "-L", "live-rw", "-d", root, image], check=True)
    squash(work / "nested", work / "nested.squashfs")
    squash(root, work / "direct.squashfs")
    isos: list[Path] = []
    for layout in LAYOUTS:
        tree = work / layout
        write_tree(tree, work, suite, layout)
        made = work / f"{layout}.iso"
        subprocess.run(
            ["xorriso", "-as", "mkisofs", "-quiet", "-R", "-r", "-J", "-joliet-long", "-iso-level", "3",
             "-V", label_of(layout), "-o", made, tree],
            stdout=sys.stderr, check=True,
        )  # fmt: skip
        isos.append(made)
    return isos


def label_of(layout: str) -> str:
    return {"f41": "Debian-Live-41", "f42": "Debian-Live-42", "kiwi": "Debian_Live_KIWI"}[layout]


def squash(tree: Path, squashfs: Path) -> None:
    subprocess.run(
        ["mksquashfs", tree, squashfs, "-comp", "zstd", "-Xcompression-level", "6", "-quiet", "-no-progress"],
        stdout=sys.stderr, check=True,
    )  # fmt: skip


def bootstrap(work: Path, suite: str) -> Path:
    """The root file system as a tar archive; its kernel and the two initrds come to ``work/boot``."""
    tar = work / "root.tar"
    excluded = [*EXCLUDED, *(f"{lib}/modules/*/kernel/*" for lib in LIBRARIES)]
    included = [f"{lib}/modules/*/kernel/{path}*" for lib in LIBRARIES for path in MODULES]
    masks = " ".join(f'"$1/etc/systemd/system/{unit}"' for unit in MASKED)
    name, uid = LIVE_USER
    hooks = [
        f'rm "$1{NO_DRACUT}"',
        f'chroot "$1" useradd -m -s /bin/bash -u {uid} -U {name}',
        *(
            f'chroot "$1" dracut {INITRD_OPTIONS} {options} /boot/initrd-{kind} "$(ls "$1"/usr/lib/modules)"'
            for kind, options in INITRDS.items()
        ),
        f"copy-out /boot {work}",
        'rm -f "$1"/boot/initrd* "$1"/etc/apt/apt.conf.d/99mmdebstrap "$1"/etc/apt/sources.list "$1"/etc/hostname "$1"/etc/resolv.conf',
        f'for unit in {masks}; do ln -sf /dev/null "$unit"; done',
    ]
    command = [
        "mmdebstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}",
        *(f"--dpkgopt=path-exclude={path}" for path in excluded),
        *(f"--dpkgopt=path-include={path}" for path in included),
        *(f"--aptopt={setting}" for setting in apt_settings()),
        # the kernel's package would have an initrd made that serves nobody, which takes a minute
        f'--essential-hook=printf "#!/bin/sh\\n" >"$1{NO_DRACUT}" && chmod 755 "$1{NO_DRACUT}"',
        *(f"--customize-hook={hook}" for hook in hooks),
        suite, "-", "-",
    ]  # fmt: skip
    with tar.open("wb") as out:
        subprocess.run(command, input=debian_sources(suite).encode(), stdout=out, check=True)
    return tar


def write_tree(tree: Path, work: Path, suite: str, layout: str) -> None:
    """What goes on the ISO, in the places and with the menus of Fedora 41, Fedora 42 and KIWI 10."""
    kernel, initrd = (
        ("/images/pxeboot/vmlinuz", "/images/pxeboot/initrd.img")
        if layout == "f41"
        else ("/boot/x86_64/loader/linux", "/boot/x86_64/loader/initrd")
    )
    label = label_of(layout)
    menu = (KIWI_MENU if layout == "kiwi" else FEDORA_MENU).format(
        label=label, suite=suite, kernel=kernel, initrd=initrd, words=KERNEL_WORDS[layout].format(label=label)
    )
    boot = work / "boot"
    sources = {
        kernel: next(boot.glob("vmlinuz-*")),
        initrd: boot / ("initrd-kiwi" if layout == "kiwi" else "initrd-dmsquash"),
        "/LiveOS/squashfs.img": work / ("direct.squashfs" if layout == "f42" else "nested.squashfs"),
    }
    for name, source in sources.items():
        path = tree / name[1:]
        path.parent.mkdir(parents=True, exist_ok=True)
        os.link(source, path)
    texts = {"boot/grub2/grub.cfg": menu, "EFI/BOOT/grub.cfg": menu}
    if layout != "f41":
        texts["boot/grub2/loopback.cfg"] = "source /boot/grub2/grub.cfg\n"
        texts["boot/0x197d2c94"] = "0x197d2c94\n"
    for name, text in texts.items():
        path = tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


if __name__ == "__main__":
    main()
