"""A whole session on a stick that is written to: the system boots, a report is made in it, and it switches itself off.

``bootkit test`` never writes to a stick; what stays on one after a session has to be tried with a machine that does.
"""

import codecs
import re
import socket
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bootkit.model.testboot import TestFirmware
from bootkit.overlay.pack import secondary_initrd
from bootkit.system.qemu import Accelerator, VirtualMachine, qemu_argv
from bootkit.system.run import Process, popen, run
from bootkit.system.watcher import ConsoleWatcher
from bootkit.system.witness import TEST_UUID, render_test_cfg, witness_archive

MARK = "report: "
_USB = "usb-storage,drive=stick,removable=on"
TIME_LIMIT = 150.0
"""Seconds for a session under KVM; emulation multiplies them."""

HOOK = """\
# shellcheck shell=sh
mkdir -p /run/bootkit-report /run/systemd/system/basic.target.wants
cat /bootkit-report/report.sh >/run/bootkit-report/report.sh
cat /bootkit-report/bootkit-report.service >/run/systemd/system/bootkit-report.service
ln -sf ../bootkit-report.service /run/systemd/system/basic.target.wants/bootkit-report.service
"""
# a getty on the same line hangs it up as it starts, which ends who writes to it
UNIT = """\
[Unit]
DefaultDependencies=no
After=basic.target bootkit.service
Before=serial-getty@ttyS0.service
[Service]
Type=oneshot
ExecStart=/bin/sh -c '/bin/sh /run/bootkit-report/report.sh 2>&1 | while IFS= read -r line; do echo "report: $line"; done >{console}'
ExecStart=/bin/systemctl --no-block poweroff
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What a machine said until it was off."""

    serial: str
    ended: bool
    """Whether it switched itself off, or was switched off because all had been said."""

    @property
    def report(self) -> tuple[str, ...]:
        """The lines of the report."""
        lines = (line.strip("\r\0") for line in self.serial.split("\n"))
        return tuple(line.partition(MARK)[2] for line in lines if MARK in line and "ExecStart" not in line)

    @property
    def facts(self) -> dict[str, str]:
        """The lines of the report that read ``key=value``."""
        return {line.partition("=")[0]: line.partition("=")[2] for line in self.report if "=" in line}


def report_archive(script: str, console: str = "/dev/ttyS0") -> bytes:
    """A secondary initrd that leaves a unit on /run: the script's output on the console, then power off.

    It is the witness's own way into the initrd (see ``initrd_overlays/witness``).
    """
    hook = HOOK.encode()
    source = b'[ -n "${bkr_here-}" ] || { bkr_here=1; sh /bootkit-report/hook.sh; }\n'
    return secondary_initrd(
        {
            "bootkit-report/hook.sh": hook,
            "bootkit-report/report.sh": script.encode(),
            "bootkit-report/bootkit-report.service": UNIT.format(console=console).encode(),
            "conf/conf.d/zz-bootkit-report": (
                b"bkr_order=$(cat /scripts/init-bottom/ORDER)\n"
                b"printf '%s\\n' 'sh /bootkit-report/hook.sh' \"$bkr_order\" >/scripts/init-bottom/ORDER\n"
            ),
            "bootkit-report/late.sh": source,
            "usr/lib/dracut/hooks/pre-pivot/96-bootkit-report.sh": source,
            "var/lib/dracut/hooks/pre-pivot/96-bootkit-report.sh": source,
        },
        directories=["bootkit-report"],
    )


class _Console:
    """The other end of the machine's serial line: all that is said is kept, and questions are answered."""

    def __init__(self, path: Path, answers: Sequence[tuple[str, str]]) -> None:
        self.text = ""
        self._path = path
        self._answers = list(answers)
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._line = socket.socket(socket.AF_UNIX)
        self._line.settimeout(0.2)
        self._connected = False

    def close(self) -> None:
        self._line.close()

    def read(self) -> bytes:
        """What was said since the last time; waits a little for it."""
        if not self._connected:
            try:
                self._line.connect(str(self._path))
            except (FileNotFoundError, ConnectionRefusedError):
                time.sleep(0.05)  # QEMU has yet to make it, or to listen
                return b""
            self._connected = True
        try:
            data = self._line.recv(1 << 16)
        except (TimeoutError, ConnectionResetError):
            return b""
        self.text += self._decoder.decode(data)
        if self._answers and re.search(self._answers[0][0], self.text):
            self._line.sendall(self._answers.pop(0)[1].encode() + b"\r")
        return data


def session(
    stick: Path,
    *,
    entry: str,
    script: str,
    accelerator: Accelerator,
    words: Sequence[str] = (),
    read_only: bool = False,
    answers: Sequence[tuple[str, str]] = (),
    disks: Sequence[Path] = (),
    disk_driver: str = "virtio-blk-pci",
    stick_driver: str = "usb-storage,removable=on",
    until: str = "",
    log: Path | None = None,
) -> Session:
    """Boot ``entry`` of a stick image, run ``script`` in the system, and wait until the machine is off.

    What the guest writes stays in the image; with ``read_only`` the drive refuses to be written, as a stick with its
    switch set does. ``answers`` are regular expressions for questions on the console in their order, each with what is
    typed there then. ``disks`` are the computer's own, raw; what is written to them stays, too.
    ``disk_driver`` is QEMU's name for what they are, ``stick_driver`` for what the stick is: an emulated one by USB takes
    minutes for what a package manager synchronises. ``until`` is a line of the report: with it, the machine is unplugged
    instead of waited for: what the system has yet to write to its disks is lost.
    """
    with TemporaryDirectory(prefix="bootkit-") as name:
        folder = Path(name)
        machine = VirtualMachine(
            stick=stick.absolute(),
            test_disk=folder / "test.img",
            folder=folder,
            firmware=TestFirmware.BIOS,
            accelerator=accelerator,
        )
        tree = folder / "tree"
        tree.mkdir()
        config = render_test_cfg(entry, words=(*accelerator.kernel_words, *words))
        (tree / "test.cfg").write_text(config.replace("set timeout=-1", "set timeout=0"))
        (tree / "witness.cpio").write_bytes(witness_archive() + report_archive(script))
        with machine.test_disk.open("xb") as disk:
            disk.truncate(2 << 20)
        run(["mke2fs", "-q", "-F", "-t", "ext2", "-U", TEST_UUID, "-L", "BOOTKITTEST", "-d", tree, machine.test_disk])
        with closing(_Console(folder / "serial", answers)) as console:
            argv = [
                *_argv(machine, folder / "serial", stick_driver, read_only=read_only),
                *_own_disks(disks, disk_driver),
            ]
            with popen(argv) as process:
                last = f"{MARK}{until}" if until else ""
                ended = _watch(process, console, TIME_LIMIT * accelerator.patience, last)
            if log is not None:
                log.write_text(console.text)
            return Session(serial=console.text, ended=ended)


def _argv(machine: VirtualMachine, serial: Path, driver: str, *, read_only: bool) -> list[str]:
    """The test's own machine, but for a stick that is written to and a serial line with two ends."""
    # the emulated clock runs on while the host brings its own disk up to date, for hours of the machine's
    kept = "snapshot=off,readonly=on" if read_only else "snapshot=off,cache=unsafe"
    one_way, two_ways = f"file,id=serial,path={machine.serial_log}", f"socket,id=serial,path={serial},server=on,wait=on"
    changes = (("snapshot=on", kept), (one_way, two_ways), (_USB, f"{driver},drive=stick"))
    words = [str(word) for word in qemu_argv(machine)]
    for old, new in changes:
        words = [word.replace(old, new) for word in words]
    return words


def _own_disks(disks: Sequence[Path], driver: str) -> list[str]:
    drives = [(f"own{number}", disk) for number, disk in enumerate(disks)]
    return [
        word
        for name, disk in drives
        for word in ("-drive", f"if=none,id={name},format=raw,file={disk}", "-device", f"{driver},drive={name}")
    ]


def _watch(process: Process, console: _Console, limit: float, last: str) -> bool:
    """Whether the machine switched itself off, or said ``last``; it is gone in any case."""
    deadline = time.monotonic() + limit
    watcher = ConsoleWatcher()
    all_said = False
    while process.poll() is None and time.monotonic() < deadline and not watcher.failure and not all_said:
        watcher.feed(console.read())
        all_said = bool(last) and last in console.text
    ended = all_said or process.poll() is not None
    if process.poll() is None:
        process.kill()
    while console.read():
        pass
    return ended
