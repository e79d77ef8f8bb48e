"""Memtest86+ since 6.00: its program, which is a kernel to BIOS and an EFI application at once, and its ISO files.

GRUB loads it by ``linux`` on every firmware; the ISO file holds the same program as its UEFI loader.

Source: memtest86plus (eac9720) README.md and boot/x86; booted: Debian's memtest86+ 6.10 (x64.iso, x64.efi).
"""

import re

from bootkit.detect import (
    ANY_FILESYSTEM,
    ANY_FIRMWARE,
    IMAGE_FILE,
    BootEntry,
    Detection,
    Detector,
    FileKind,
    Firmware,
    IsoView,
    LookedAt,
    NotMine,
    Role,
    Stack,
)

NAME = "Memtest86+"
PROGRAMS = {
    "/EFI/BOOT/bootx64.efi": "x86_64",
    "/EFI/BOOT/bootia32.efi": "i686",
}
FIRMWARE = {
    "x86_64": frozenset({Firmware.BIOS, Firmware.UEFI_X64}),
    "i686": frozenset({Firmware.BIOS, Firmware.UEFI_IA32}),
    "": frozenset({Firmware.BIOS}),
}
SIGN = r"Memtest86\+ v\d"
ONE_PROCESSOR = "nosmp"


def detect(iso: IsoView) -> Detection | NotMine:
    facts = iso.facts
    if facts.kind is not FileKind.ISO:
        if not facts.banner.startswith(NAME):
            return NotMine(reason="it does not call itself Memtest86+")
        version = facts.banner.removeprefix(NAME).strip(" v")
        return _detection(IMAGE_FILE, facts.cpu, version, f"its header says {facts.banner!r}")
    if not re.match(r"MT86PLUS|MEMTEST86?\+|MEMTEST(?:86)?_?PLUS", iso.volume_id, re.IGNORECASE):
        return NotMine(reason="its label is not that of Memtest86+")
    program = next((path for path in PROGRAMS if iso.is_file(path)), "")
    if not program:
        return NotMine(reason="it has no UEFI loader, so it is no Memtest86+ since 6.00")
    found = re.search(r"(\d)[._]?(\d\d)\b", iso.volume_id.removeprefix("MT86PLUS"))
    version = f"{found[1]}.{found[2]}" if found else ""
    return _detection(iso.spelled(program), PROGRAMS[program], version, f"its label is {iso.volume_id!r}")


def _detection(program: str, cpu: str, version: str, because: str) -> Detection:
    firmware = FIRMWARE.get(cpu, ANY_FIRMWARE)
    return Detection(
        stack="memtest86+",
        distro=NAME,
        version=version,
        arch=cpu,
        entries=(
            _entry("Test the memory", program, firmware, Role.DEFAULT),
            _entry("Test the memory with one processor", program, firmware, Role.SAFE, ONE_PROCESSOR),
        ),
        filesystems=ANY_FILESYSTEM,
        evidence=(because,),
        notes=() if cpu else ("This program starts on BIOS machines only; the .efi file of the same version on both.",),
    )


def _entry(title: str, program: str, firmware: frozenset[Firmware], role: Role, *words: str) -> BootEntry:
    return BootEntry(
        title=title, kernel=program, cmdline=words, role=role, firmware=firmware, safe_graphics=(), sign=SIGN
    )


DETECTOR = Detector(
    name="memtest86+",
    detect=detect,
    rank=10,
    stacks=(
        Stack(
            name="memtest86+",
            systems=("Memtest86+ (since 6)",),
            source="memtest86plus (eac9720)",
            looked_at=(
                LookedAt(system="Memtest86+", version="6.10", when="2026-11", what="memtest86+ 6.10 of Debian 12"),
            ),
            booted="tests/boots/test_tools.py::test_a_program_runs",
        ),
    ),
)
