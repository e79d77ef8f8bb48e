"""A computer's own disk with a system on it whose boot says one line: made without root."""

import shutil
from pathlib import Path

from bootkit.system.run import run
from bootkit.units import MIB

HELLO = "hello from the disk of this computer"
SHIM = Path("/usr/lib/shim/shimx64.efi.signed")
GRUB = Path("/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed")
VENDOR = "EFI/debian"
REMOVABLE = "EFI/BOOT"
_START = MIB
_SIZE = 64 * MIB
_MENU = f"""\
serial --unit=0 --speed=115200
terminal_output serial
echo "{HELLO}"
sleep 10000
"""


def talking_sector(text: str) -> bytes:
    """A boot sector that prints one line by the BIOS and stops."""
    code = bytes.fromhex("31c08ed8be1e7cac08c07406b40ecd10ebf5f4ebfd")  # print from 7c1e until NUL, then halt
    return (code.ljust(0x1E, b"\x90") + text.encode() + b"\0").ljust(510, b"\0") + b"\x55\xaa"


def make_own_disk(path: Path) -> None:
    """A GPT disk at ``path``: its first sector talks to a BIOS, its EFI system partition has Debian's signed loaders."""
    with path.open("wb") as disk:
        disk.truncate(_START + _SIZE + MIB)
    run(["sfdisk", "-q", path], stdin=f"label: gpt\nstart={_START // 512}, size={_SIZE // 512}, type=uefi\n".encode())
    esp = path.with_suffix(".esp")
    menu = path.with_suffix(".cfg")
    menu.write_text(_MENU)
    with esp.open("wb") as part:
        part.truncate(_SIZE)
    run(["mkfs.fat", "-F", "32", esp])
    run(["mmd", "-i", esp, "::EFI", f"::{VENDOR}", f"::{REMOVABLE}"])
    for source, name in (
        (SHIM, f"{VENDOR}/shimx64.efi"),
        (GRUB, f"{VENDOR}/grubx64.efi"),
        (menu, f"{VENDOR}/grub.cfg"),
        (SHIM, f"{REMOVABLE}/BOOTX64.EFI"),
        (GRUB, f"{REMOVABLE}/grubx64.efi"),
    ):
        run(["mcopy", "-i", esp, source, f"::{name}"])
    with path.open("r+b") as disk:
        disk.write(talking_sector(HELLO)[:440])
        disk.seek(_START)
        with esp.open("rb") as part:
            shutil.copyfileobj(part, disk)
