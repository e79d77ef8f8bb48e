"""Live images whose initrd lacks a part: copies of the real ones from which files were taken."""

import shutil
import subprocess
from pathlib import Path

from bootkit.probe.image import open_image
from tests.boots.dracut_iso import cached_dracut_iso
from tests.boots.live_iso import cached_iso, host_suite

INITRDS = {
    "live-boot": "/live/initrd.img*",
    "f41": "/images/pxeboot/initrd.img",
    "f42": "/boot/x86_64/loader/initrd",
    "kiwi": "/boot/x86_64/loader/initrd",
}
PARTS = {
    "usb_storage": ("*/usb-storage.ko*", "*/uas.ko*"),
    "xhci_pci": ("*/xhci-pci*.ko*", "*/xhci-hcd.ko*"),
    "sd_mod": ("*/sd_mod.ko*",),
    "isofs": ("*/isofs.ko*",),
    "cdrom": ("*/cdrom.ko*",),
    "squashfs": ("*/squashfs.ko*",),
    "overlay": ("*/overlay.ko*", "*/dm-snapshot.ko*"),
    "loop": ("*/loop.ko*",),
    "crc32c": ("*/crc32c*.ko*", "*/libcrc32c.ko*"),
    "iso-scan": ("*iso-scan*",),
    "stack": ("*/lib/live/*", "*/scripts/live*", "*/bin/live-boot", "*/dmsquash-live*", "*/kiwi-live*", "*iso-scan*"),
}
"""What is taken, as patterns for ``find -path``."""


def image_of(stack: str) -> Path:
    """The whole image of a stack, as it is built for the boot tests."""
    return cached_iso(host_suite()) if stack == "live-boot" else cached_dracut_iso(host_suite(), stack)


def broken_iso(stack: str, part: str, folder: Path) -> Path:
    """An image of ``stack`` in ``folder`` whose initrd lacks ``part``."""
    source = image_of(stack)
    with open_image(source) as view:
        initrds = view.glob(INITRDS[stack])
    tree, packed, iso = folder / "initrd", folder / "packed", folder / f"{stack}-without-{part}.iso"
    tree.mkdir()
    _run(["xorriso", "-osirrox", "on", "-indev", source, "-extract", initrds[0], packed])
    with subprocess.Popen(_unpacker(packed), stdout=subprocess.PIPE) as unpacked:
        _run(["cpio", "--extract", "--make-directories", "--quiet"], cwd=tree, stdin=unpacked.stdout)
    for pattern in PARTS[part]:
        _run(["find", tree, "-path", pattern, "!", "-type", "d", "-delete"])
    packed.unlink()
    with packed.open("wb") as out:
        _run(["sh", "-c", "find . | cpio --create --format newc --quiet | zstd -1 -T1"], cwd=tree, stdout=out)
    shutil.rmtree(tree)
    maps = [word for initrd in initrds for word in ("-map", packed, initrd)]
    _run(["xorriso", "-indev", source, "-outdev", iso, "-boot_image", "any", "keep", "-overwrite", "on", *maps])
    return iso


def _unpacker(packed: Path) -> list[str | Path]:
    with packed.open("rb") as file:
        is_gzip = file.read(2) == b"\x1f\x8b"
    return ["gzip" if is_gzip else "zstd", "-dc", packed]


def _run(argv: list[str | Path], **how: object) -> None:
    kept = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **how}
    subprocess.run(argv, check=True, **kept)  # type: ignore[call-overload]
