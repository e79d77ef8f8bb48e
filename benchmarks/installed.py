"""What it costs an installed system to start out of a file of the stick, rather than from a disk of its own.

The same image is started both ways by the same firmware from a disk of the same kind, until it asks for a login. QEMU counts
instructions: a machine's clock would run on while a busy host reads a disk.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.append(os.fspath(Path(__file__).resolve().parents[1]))  # the tests build the installed system

from measure import BOOTKIT, goal, run, table
from monitor import NANOSECONDS, Monitor, monitor_at

from bootkit.app.verbs.test import choose_targets
from bootkit.model.testboot import TestFirmware
from bootkit.system.qemu import Accelerator, VirtualMachine, qemu_argv
from bootkit.system.sticks import open_stick
from bootkit.system.witness import make_test_disk, render_test_cfg
from tests.boots.disk_image import cached_disk_image
from tests.boots.live_iso import host_suite
from tests.boots.own_loader import OVMF, give_loader

MORE = 1.05
LOGIN = b" login: "
RUNS = 2
"""The least counts: what a machine does while its disk is slow is not its own."""
CHANGES = {
    "usb-storage,drive=stick,removable=on": "virtio-blk-pci,drive=stick",
    # a machine that waits for the host's disk counts timer interrupts meanwhile
    "snapshot=on": "snapshot=on,cache=unsafe",
}
"""What is other than in the machine of ``bootkit test``."""
PATIENCE = 600
POLL = 0.05


def measure(folder: Path) -> None:
    disk, stick = folder / "debian.raw", folder / "stick.img"
    shutil.copyfile(cached_disk_image(host_suite(), "initramfs-tools"), disk)
    give_loader(disk, Accelerator.TCG)
    run([BOOTKIT, "prepare", stick, "--size", "1100M", "--yes"])
    run([BOOTKIT, "disk", "add", "--stick", stick, disk])
    with open_stick(stick) as opened:
        kept, *_ = choose_targets(opened.volume, [], every=True)
    found = [(instructions(stick, kept.id_path), instructions(disk, kept.id_path)) for _ in range(RUNS)]
    ours, alone = map(min, zip(*found, strict=True))
    rows = [["from the stick, kept", _billions(ours)], ["from a disk of its own", _billions(alone)]]
    title = "an installed system, UEFI, ext4, emulated: instructions until it asks for a login"
    table(title, ["", "billions"], rows)
    goal(
        "an installed system out of a file, kept",
        _billions(ours),
        f"at most {MORE} times",
        met=ours / alone <= MORE,
        peer=f"the same as a disk of its own: {_billions(alone)}",
        ratio=ours / alone,
    )


def instructions(medium: Path, entry: str) -> float:
    """What a machine executes until the system on ``medium`` asks for a login; a stick's menu starts ``entry``."""
    run(["cat", medium])  # it comes from the host's memory then
    with tempfile.TemporaryDirectory(prefix="bootkit-bench-") as name:
        machine = VirtualMachine(
            stick=medium,
            test_disk=Path(name, "test.img"),
            folder=Path(name),
            firmware=TestFirmware.UEFI,
            accelerator=Accelerator.TCG,
        )
        _choose(machine.test_disk, entry)
        words = [str(word) for word in qemu_argv(machine)]
        for old, new in CHANGES.items():
            words = [word.replace(old, new) for word in words]
        with subprocess.Popen([*words, "-bios", os.fspath(OVMF)]) as process:
            try:
                with monitor_at(machine.monitor, PATIENCE) as asked:
                    return _until_login(process, machine.serial_log, asked)
            finally:
                process.kill()


def _choose(disk: Path, entry: str) -> None:
    """The disk of a test, whose menu does not wait and adds nothing: not a word, and nobody who watches."""
    make_test_disk(disk, entry)
    said = render_test_cfg(entry).encode()
    wanted = b'set default="%s"\nset timeout=0\nset test_words=\nset test_initrd=\nexport test_words test_initrd\n' % (
        entry.encode()
    )
    content = disk.read_bytes()
    if content.count(said) != 1:
        sys.exit("the menu of a test is not where it was")
    disk.write_bytes(content.replace(said, wanted.ljust(len(said), b"\n")))


def _until_login(process: "subprocess.Popen[bytes]", serial: Path, asked: Monitor) -> float:
    began = time.monotonic()
    while time.monotonic() - began < PATIENCE and process.poll() is None:
        if serial.exists() and LOGIN in serial.read_bytes():
            return asked.virtual_seconds() / NANOSECONDS * 1e9
        time.sleep(POLL)
    sys.exit(f"no login within {time.monotonic() - began:.0f} s")


def _billions(count: float) -> str:
    return f"{count / 1e9:.3f}"
