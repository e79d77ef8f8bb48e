"""From power on to the boot menu, in QEMU: seconds of a machine that takes two nanoseconds for each instruction.

QEMU counts instructions, so that the figures are the same on every host, however busy. A ``custom.cfg`` on the stick, which
the menu reads when its lines are there, switches the machine off.
"""

import subprocess
from pathlib import Path

from images import make_shapes
from measure import BOOTKIT, goal, run, table
from monitor import monitor_at

from bootkit.model.places import CUSTOM_MENU, IMAGE_FOLDER
from bootkit.system.sticks import open_stick

COUNTS = (1, 200, 1000)
CASES = {"ext4": ("BIOS", "UEFI"), "fat32": ("BIOS",)}
OVMF = "/usr/share/ovmf/OVMF.fd"
RATIOS = {200: 1.2, 1000: 1.5}
ROOM = 500_000
"""Bytes on the stick for each image, which is as small as an image can be."""
PATIENCE = 1800


def measure(folder: Path) -> None:
    image = make_shapes(folder)[0]
    rows: list[list[str]] = []
    for kind, firmwares in CASES.items():
        seconds: dict[tuple[str, int], float] = {}
        for count in COUNTS:
            stick = stick_with(folder, image, count, kind)
            for firmware in firmwares:
                seconds[firmware, count] = until_off(folder, stick, firmware)
            stick.unlink()
        for firmware in firmwares:
            _judge(kind, firmware, {count: seconds[firmware, count] for count in COUNTS}, rows)
    table("menu: from power on", ["stick", "images", "until the menu", "ratio"], rows)


def _judge(kind: str, firmware: str, seconds: dict[int, float], rows: list[list[str]]) -> None:
    first = seconds[COUNTS[0]]
    for count, found in seconds.items():
        ratio = found / first
        rows.append([f"{firmware}, {kind}", str(count), f"{found:.2f} s", f"{ratio:.2f}"])
        if wanted := RATIOS.get(count):
            goal(
                f"power on to menu, {firmware}, {kind}, {count} images",
                f"{found:.2f} s virtual",
                f"at most {wanted} times one image",
                met=ratio <= wanted,
                peer=f"one image {first:.2f} s",
                ratio=ratio,
            )


def stick_with(folder: Path, image: Path, count: int, kind: str) -> Path:
    """A stick in an image file with so many copies of an image, whose menu is written."""
    stick = folder / "stick.img"
    run([BOOTKIT, "prepare", stick, "--size", str((400 << 20) + count * ROOM), "--data-fs", kind, "--yes"])
    with open_stick(stick, writing=True) as opened:
        for number in range(count):
            path = f"{IMAGE_FOLDER}/ubuntu-24.04.{number:04}-desktop-amd64.iso"
            opened.volume.copy_in(image, path, lambda _done: None)
        opened.volume.write({CUSTOM_MENU: b"halt\n"})
    run([BOOTKIT, "generate", "--stick", stick])
    return stick


def until_off(folder: Path, stick: Path, firmware: str) -> float:
    """Virtual seconds from power on until the menu switches a machine off."""
    monitor = folder / "qmp"
    argv = [
        "qemu-system-x86_64",
        *(("-bios", OVMF) if firmware == "UEFI" else ()),
        "-machine", "q35", "-cpu", "Nehalem", "-m", "512",
        "-accel", "tcg,thread=single", "-icount", "shift=1,sleep=off",
        "-nodefaults", "-no-user-config", "-no-reboot", "-no-shutdown",
        "-display", "none", "-vga", "std",
        "-qmp", f"unix:{monitor},server=on,wait=off",
        "-device", "qemu-xhci",
        "-drive", f"if=none,id=stick,format=raw,snapshot=on,file={stick}",
        "-device", "usb-storage,drive=stick,removable=on,bootindex=1",
    ]  # fmt: skip
    with subprocess.Popen(argv) as machine:
        try:
            with monitor_at(monitor, PATIENCE) as asked:
                asked.wait_for("SHUTDOWN")
                return asked.virtual_seconds()
        finally:
            machine.kill()
            monitor.unlink(missing_ok=True)
