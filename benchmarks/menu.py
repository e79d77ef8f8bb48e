"""From power on to the boot menu, in QEMU: seconds of a machine that takes two nanoseconds for each instruction.

QEMU counts instructions, so that the figures are the same on every host, however busy. A ``custom.cfg`` on the stick, which
the menu reads when its lines are there, switches the machine off.
"""

import json
import socket
import subprocess
import sys
import time
from pathlib import Path

from images import make_shapes
from measure import BOOTKIT, goal, run, table

from bootkit.model.places import CUSTOM_MENU, IMAGE_FOLDER
from bootkit.system.sticks import open_stick

COUNTS = (1, 200, 1000)
RATIOS = {200: 1.2, 1000: 1.5}
ROOM = 500_000
"""Bytes on the stick for each image, which is as small as an image can be."""
NANOSECONDS = 2
PATIENCE = 1800


def measure(folder: Path) -> None:
    image = make_shapes(folder)[0]
    seconds = {count: instructions(folder, stick_with(folder, image, count)) * NANOSECONDS / 1e9 for count in COUNTS}
    first = seconds[COUNTS[0]]
    rows = [[str(count), f"{found:.2f} s", f"{found / first:.2f}"] for count, found in seconds.items()]
    table("menu: from power on, BIOS, ext4", ["images", "until the menu", "ratio"], rows)
    for count, wanted in RATIOS.items():
        ratio = seconds[count] / first
        print(goal(f"- {count} images within {wanted} times one ({ratio:.2f})", met=ratio <= wanted))
    print()


def stick_with(folder: Path, image: Path, count: int) -> Path:
    """A stick in an image file with so many copies of an image, whose menu is written."""
    stick = folder / f"{count}.img"
    run([BOOTKIT, "prepare", stick, "--size", str((400 << 20) + count * ROOM), "--yes"])
    with open_stick(stick, writing=True) as opened:
        for number in range(count):
            path = f"{IMAGE_FOLDER}/ubuntu-24.04.{number:04}-desktop-amd64.iso"
            opened.volume.copy_in(image, path, lambda _done: None)
        opened.volume.write({CUSTOM_MENU: b"halt\n"})
    run([BOOTKIT, "generate", "--stick", stick])
    return stick


def instructions(folder: Path, stick: Path) -> int:
    """How many a machine needs from power on until its menu switches it off."""
    monitor = folder / "qmp"
    argv = [
        "qemu-system-x86_64",
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
            return _count(monitor)
        finally:
            machine.kill()
            monitor.unlink(missing_ok=True)


def _count(monitor: Path) -> int:
    began = time.monotonic()
    while not monitor.exists():
        time.sleep(0.1)
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(PATIENCE)
        connection.connect(str(monitor))
        with connection.makefile("rw") as lines:
            lines.write('{"execute": "qmp_capabilities"}\n')
            lines.flush()
            for line in lines:
                said = json.loads(line)
                if said.get("event") == "SHUTDOWN":
                    lines.write('{"execute": "query-replay"}\n')
                    lines.flush()
                if isinstance(said.get("return"), dict) and "icount" in said["return"]:
                    return int(said["return"]["icount"])
    sys.exit(f"the menu was not there after {time.monotonic() - began:.0f} s")
