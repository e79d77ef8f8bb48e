"""The installed system of :mod:`tests.boots.disk_image` as the disk of a machine: with a boot loader that firmware starts.

Debian's own, where UEFI looks on any disk, and a menu that begins as update-grub makes it. It starts by itself, and the serial line
is the console. Source: Debian's shim-signed 1.44, grub-efi-amd64-signed 1+2.06; GRUB 2.06, util/grub.d/00_header.in.
"""

import subprocess
import tempfile
import time
from pathlib import Path

from bootkit.formats.partitions import PartitionEntry, read_partitions
from bootkit.model.testboot import TestFirmware
from bootkit.system.diskimage import put_back, take_partition
from bootkit.system.qemu import Accelerator, VirtualMachine, qemu_argv
from bootkit.system.run import popen
from bootkit.units import MIB
from tests.boots.disk_image import ROOT_UUID
from tests.boots.machine import TIME_LIMIT

OVMF = Path("/usr/share/ovmf/OVMF.fd")
LOADERS = {
    "BOOTX64.EFI": "/usr/lib/shim/shimx64.efi.signed",
    "grubx64.efi": "/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed",
}
LOGIN = " login: "
FONT = "/usr/share/grub/unicode.pf2"
EARLY = f"search.fs_uuid {ROOT_UUID} root\nset prefix=($root)'/boot/grub'\nconfigfile $prefix/grub.cfg\n"
HEADER = """\
if [ -s $prefix/grubenv ]; then
  set have_grubenv=true
  load_env
fi
if [ x$feature_default_font_path = xy ] ; then
   font=unicode
fi
if loadfont $font ; then
  set gfxmode=auto
  insmod all_video
  insmod gfxterm
  set locale_dir=$prefix/locale
  set lang=en_US
  insmod gettext
fi
terminal_output gfxterm
set timeout=0
"""


def give_loader(disk: Path, accelerator: Accelerator) -> None:
    """Put the loader onto the disk; the words of its menu hold for a stick's as well."""
    with disk.open("rb") as fh:
        esp, root = read_partitions(fh).partitions
    with tempfile.TemporaryDirectory(prefix="bootkit-") as name:
        work = Path(name)
        _fill_esp(disk, esp, work)
        _fill_root(disk, root, work, " ".join(("console=ttyS0,115200", *accelerator.kernel_words)))


def login(disk: Path, work: Path, accelerator: Accelerator) -> str:
    """What a machine says on its serial line whose only disk of its own this is, until it asks for a login."""
    machine = VirtualMachine(
        stick=disk,
        test_disk=work / "nothing.img",
        folder=work,
        firmware=TestFirmware.UEFI,
        accelerator=accelerator,
    )
    machine.test_disk.write_bytes(bytes(MIB))
    words = [str(word) for word in qemu_argv(machine)]
    words = [word.replace("usb-storage,drive=stick,removable=on", "virtio-blk-pci,drive=stick") for word in words]
    deadline = time.monotonic() + TIME_LIMIT * accelerator.patience
    with popen([*words, "-bios", OVMF]) as process:
        while process.poll() is None and time.monotonic() < deadline and LOGIN not in _said(machine):
            time.sleep(0.5)
    return _said(machine)


def _said(machine: VirtualMachine) -> str:
    log = machine.serial_log
    return log.read_text(errors="replace") if log.exists() else ""


def _fill_esp(disk: Path, esp: PartitionEntry, work: Path) -> None:
    part, early = work / "esp", work / "grub.cfg"
    early.write_text(EARLY)
    take_partition(disk, esp, part)
    _run("mmd", "-i", part, "::/EFI", "::/EFI/BOOT", "::/EFI/debian")
    for name, source in LOADERS.items():
        _run("mcopy", "-i", part, source, f"::/EFI/BOOT/{name}")
    _run("mcopy", "-i", part, early, "::/EFI/debian/grub.cfg")
    put_back(part, disk, esp.start)


def _fill_root(disk: Path, root: PartitionEntry, work: Path, words: str) -> None:
    part, menu = work / "root", work / "menu"
    take_partition(disk, root, part)
    old = _run("debugfs", "-R", "cat /boot/grub/grub.cfg", part)
    menu.write_text(HEADER + old.replace(" ro quiet", f" ro {words}"))
    script = (
        "cd /boot/grub", "rm grub.cfg", f"write {menu} grub.cfg",
        "mkdir fonts", "cd fonts", f"write {FONT} unicode.pf2",
    )  # fmt: skip
    requests = work / "requests"
    requests.write_text("\n".join((*script, "")))
    _run("debugfs", "-w", "-f", requests, part)
    put_back(part, disk, root.start)


def _run(*argv: str | Path) -> str:
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout
