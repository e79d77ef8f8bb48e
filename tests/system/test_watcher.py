import pytest

from bootkit.model.testboot import Stage
from bootkit.system.boot import is_one_colour, screen_text
from bootkit.system.watcher import TAIL_LINES, ConsoleWatcher

GRUB_OF_OVMF = (
    b"\x1b[2J\x1b[01;01H\x1b[=3h\x1b[2J\x1b[01;01HBdsDxe: loading Boot0002 \"UEFI QEMU QEMU HARDDISK \" from PciRoot(0x0)/"
    b"Pci(0x2,0x0)/USB(0x0,0x0)\r\n"
    b"BdsDxe: starting Boot0002 \"UEFI QEMU QEMU HARDDISK \" from PciRoot(0x0)/Pci(0x2,0x0)/USB(0x0,0x0)\r\n"
    b"\x1b[0m\x1b[30m\x1b[40m\x1b[2J\x1b[01;01H\x1b[0m\x1b[37m\x1b[40mbootkit: menubootkit: menu\r\n\r\n"
)  # fmt: skip
KERNEL = b"[    0.000000] Linux version 6.1.0-56-amd64 (debian-kernel@lists.debian.org) #1 SMP PREEMPT_DYNAMIC\r\n"
ADAPTER = b"[    4.389667] Run /bootkit/init as init process\r\n"
INITRD = b"[    4.389667] Run /init as init process\r\n[    4.454649] bootkit-witness: initrd\r\n"
ROOT = (
    b"[   10.569947] bootkit-witness: iso /run/live/findiso/boot/iso/live.iso\r\n"
    b"[   10.577736] bootkit-witness: root overlay\r\n"
)
USERSPACE = b"[   21.415781] bootkit-witness: userspace Debian GNU/Linux 12 (bookworm)\r\n"
LIVE_BOOT_GIVES_UP = (
    b"\r\n\r\n  BOOT FAILED!\r\n\r\n  This Live System image failed to boot.\r\n\r\n"
    b"  live-boot will now start a shell. The error message was:\r\n\r\n"
    b"    Unable to find a medium containing a live file system\r\n\r\n"
    b"BusyBox v1.35.0 (Debian 1:1.35.0-4+deb12u1+b1) built-in shell (ash)\r\n"
    b"Enter 'help' for a list of built-in commands.\r\n\r\n\x1b[6n(initramfs) "
)


def watch(*texts: bytes) -> ConsoleWatcher:
    watcher = ConsoleWatcher()
    for text in texts:
        watcher.feed(text)
    return watcher


def test_follows_a_boot_from_firmware_to_userspace() -> None:
    watcher = ConsoleWatcher()
    stages = [watcher.stage]
    for text in (GRUB_OF_OVMF, KERNEL, INITRD, ROOT, USERSPACE):
        watcher.feed(text)
        stages.append(watcher.stage)
    assert stages == list(Stage)
    assert watcher.pretty_name == "Debian GNU/Linux 12 (bookworm)"
    assert watcher.iso == "/run/live/findiso/boot/iso/live.iso"
    assert not watcher.failure


def test_gives_the_same_answer_byte_by_byte() -> None:
    text = GRUB_OF_OVMF + KERNEL + INITRD + ROOT + USERSPACE
    whole, parts = watch(text), watch(*(bytes([byte]) for byte in text))
    assert (whole.stage, whole.pretty_name, whole.tail) == (parts.stage, parts.pretty_name, parts.tail)


def test_waits_for_the_whole_name() -> None:
    watcher = watch(KERNEL, USERSPACE[:-10])
    assert watcher.stage is Stage.KERNEL
    watcher.feed(USERSPACE[-10:])
    assert (watcher.stage, watcher.pretty_name) == (Stage.USERSPACE, "Debian GNU/Linux 12 (bookworm)")


def test_login_prompt_is_userspace_where_no_witness_came_along() -> None:
    assert watch(KERNEL, b"\r\nDebian GNU/Linux 12 debian ttyS0\r\n\r\ndebian login: ").stage is Stage.USERSPACE


def test_efi_stub_is_the_kernel() -> None:
    assert watch(GRUB_OF_OVMF, b"EFI stub: Loaded initrd from LINUX_EFI_INITRD_MEDIA_GUID device path\r\n").stage is (
        Stage.KERNEL
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (LIVE_BOOT_GIVES_UP, "Unable to find a medium containing a live file system"),
        (b"(initramfs) ", "opened a shell"),
        (b"[    2.1] Kernel panic - not syncing: VFS: Unable to mount root fs\r\n", "VFS: Unable to mount root fs"),
        (b'Generating "/run/initramfs/rdsosreport.txt"\r\n', "dracut gave up"),
        (b"ERROR: '/dev/loop0' device did not show up after 30 seconds...\r\n", "did not show up"),
        (b"\x1b[0;1;31mYou are in emergency mode.\x1b[0m After logging in, type\r\n", "emergency mode"),
    ],
)
def test_knows_how_an_initrd_gives_up(text: bytes, reason: str) -> None:
    assert reason in watch(GRUB_OF_OVMF, KERNEL, INITRD, text).failure


def test_what_archiso_says_every_time_is_no_failure() -> None:
    assert not watch(GRUB_OF_OVMF, KERNEL, INITRD, b"ERROR: device '' not found. Skipping fsck.\r\n").failure
    found = watch(GRUB_OF_OVMF, KERNEL, INITRD, b"ERROR: device 'LABEL=ARCH' not found. Skipping fsck.\r\n").failure
    assert found == "the initrd gave up: device 'LABEL=ARCH' not found. Skipping fsck"


def test_firmware_without_anything_to_start_is_a_failure() -> None:
    assert watch(b"BdsDxe: No bootable option or device was found.\r\n").failure == (
        "the firmware found nothing to start"
    )


def test_ignores_errors_from_before_the_menu() -> None:
    assert not watch(b"error: no such device: /boot/x.\r\n", GRUB_OF_OVMF).complaint


def test_notes_the_error_of_an_entry_but_goes_on_watching() -> None:
    watcher = watch(GRUB_OF_OVMF, b"error: no suitable video mode found.\r\nerror: file `/live/vmlinuz' not found.\r\n")
    assert watcher.complaint == "file `/live/vmlinuz' not found."
    assert not watcher.failure


def test_nothing_after_userspace_is_a_failure() -> None:
    assert not watch(KERNEL, USERSPACE, b"You are in emergency mode\r\n").failure


def test_tail_has_the_last_lines_without_escape_sequences() -> None:
    watcher = watch(*(b"\x1b[1;32mline %d\x1b[0m\r\n" % number for number in range(100)), b"open end")
    assert watcher.tail == (*(f"line {number}" for number in range(81, 100)), "open end")
    assert len(watcher.tail) == TAIL_LINES


def test_an_endless_line_costs_no_memory_and_hides_nothing_after_it() -> None:
    watcher = watch(KERNEL, *([b"x" * 65536] * 64))
    watcher.feed(b"\r\n" + INITRD)
    assert watcher.stage is Stage.INITRD
    assert sum(map(len, watcher.tail)) < 20_000


def test_survives_bytes_that_are_no_text() -> None:
    assert watch(bytes(range(256)) * 100, b"\r\n", KERNEL).stage is Stage.KERNEL


def test_what_a_program_prints_proves_that_it_runs() -> None:
    watcher = ConsoleWatcher(sign=r"Memtest86\+ v\d")
    watcher.feed(b"Memtest86+ v7\r\n")
    before = watcher.stage  # before the menu it is somebody else who speaks
    watcher.feed(GRUB_OF_OVMF + b"\x1b[1;1H\x1b[37mMemtest86+ v6.10 \x1b[0m\r\n")
    assert (before, watcher.stage) == (Stage.FIRMWARE, Stage.USERSPACE)
    assert watcher.pretty_name == "Memtest86+ v6.10"


def test_a_screen_is_proof_as_well() -> None:
    watcher = ConsoleWatcher(sign="Boot Firmware")
    watcher.feed(GRUB_OF_OVMF)
    watcher.see_screen("iPXE 1.0.0\n -- Open Source Network Boot Firmware --\n")
    assert watcher.stage is Stage.USERSPACE
    assert watcher.pretty_name == "-- Open Source Network Boot Firmware --"


def test_reads_the_memory_of_a_text_screen() -> None:
    memory = b"".join(bytes((char, 7)) for char in b"iPXE".ljust(80) + b"\xb3 boot".ljust(80))
    assert screen_text(memory) == "iPXE\n\u2502 boot"


@pytest.mark.parametrize(
    ("pixels", "same"), [(b"\0\0\0" * 4, True), (b"\1\2\3" * 4, True), (b"\0\0\0" * 3 + b"\0\0\1", False)]
)
def test_tells_an_empty_screen(pixels: bytes, *, same: bool) -> None:
    assert is_one_colour(b"P6\n2 2\n255\n" + pixels) is same


def test_an_adapter_in_the_place_of_init_is_the_initrd_too() -> None:
    assert watch(GRUB_OF_OVMF, KERNEL, ADAPTER).stage is Stage.INITRD
