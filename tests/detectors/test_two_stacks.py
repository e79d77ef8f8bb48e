"""Images that hold more than one system, and the big ten in more than one version."""

from collections import defaultdict
from pathlib import Path

import pytest

from bootkit.detect import BootEntry, Detection, EntryKind, Firmware, Role
from tests.detectors.test_fixtures import detection_of
from tests.records import CLAIMED, record_id

HERE = Path(__file__).parent
BIG_TEN = (
    "Ubuntu", "Debian", "Fedora", "openSUSE", "Arch Linux", "Linux Mint", "Manjaro", "Kali", "MX Linux", "NixOS", "Gentoo",
)  # fmt: skip


def answer(name: str) -> Detection:
    return detection_of(HERE / f"{name}.facts.json")


def memory_tests(detection: Detection) -> list[BootEntry]:
    return [entry for entry in detection.entries if "memtest" in entry.kernel.rpartition("/")[2].lower()]


def test_the_big_ten_are_there_in_two_versions_each() -> None:
    versions: dict[str, set[str]] = defaultdict(set)
    for path in CLAIMED:
        found = detection_of(path)
        name = "openSUSE" if found.distro.startswith("openSUSE") else found.distro
        versions[name].add(found.version)
    assert {name: sorted(versions[name]) for name in BIG_TEN if len(versions[name]) < 2} == {}


def test_there_are_eighty_images_and_more() -> None:
    assert len(CLAIMED) >= 80


@pytest.mark.parametrize(
    "name",
    ["live_boot/debian-12-gnome", "live_boot/debian-13-kde", "live_boot/kali-2024.3", "live_boot/kali-2023.1"],
)
def test_a_live_system_with_an_installer_starts_the_one_and_explains_the_other(name: str) -> None:
    found = answer(name)
    live = [entry for entry in found.entries if entry.initrds]
    assert live
    assert all(entry.kernel.startswith("/live/") and "findiso={iso_path}" in entry.cmdline for entry in live)
    assert not [entry for entry in found.entries if entry.kernel.startswith("/install")]
    assert "debian-installer in its menu is left out" in " ".join(found.notes)


def test_each_kernel_of_ubuntu_server_has_its_own_initrd() -> None:
    pairs = {(entry.kernel, *entry.initrds) for entry in answer("casper/ubuntu-22.04-server").entries if entry.initrds}
    assert pairs == {("/casper/vmlinuz", "/casper/initrd"), ("/casper/hwe-vmlinuz", "/casper/hwe-initrd")}


def test_ubuntus_desktop_and_server_find_their_file_in_the_same_way() -> None:
    for name in ("casper/ubuntu-22.04-server", "casper/ubuntu-24.04-desktop"):
        started = [entry for entry in answer(name).entries if entry.initrds]
        assert all("iso-scan/filename={iso_path}" in entry.cmdline for entry in started)
        assert all(
            "---" not in entry.cmdline[: entry.cmdline.index("iso-scan/filename={iso_path}")] for entry in started
        )


def test_fedoras_live_image_and_its_installer_are_two_stacks() -> None:
    live, installer = answer("dmsquash_live/fedora-41-workstation"), answer("anaconda/fedora-41-everything-netinst")
    assert (live.distro, live.version) == (installer.distro, installer.version) == ("Fedora", "41")
    assert live.entries[0].cmdline[0] == "iso-scan/filename={iso_path}"
    assert installer.entries[0].cmdline[0] == "inst.stage2=hd:UUID={stick_uuid}:{iso_path}"


@pytest.mark.parametrize(
    ("name", "kernel", "kind", "firmware"),
    [
        ("casper/ubuntu-24.04-desktop", "/boot/memtest86+x64.bin", EntryKind.LINUX, Firmware.BIOS),
        ("casper/mint-22", "/boot/memtest.efi", EntryKind.LINUX, Firmware.UEFI_X64),
        ("live_boot/clonezilla-3.1", "/live/memtest", EntryKind.LINUX16, Firmware.BIOS),
        ("archiso/arch-2024.07.01", "/boot/memtest86+/memtest.efi", EntryKind.LINUX, Firmware.UEFI_X64),
        ("sysrescue/systemrescue-11.00", "/EFI/memtest.efi", EntryKind.LINUX, Firmware.UEFI_X64),
        ("dmsquash_live/gentoo-livegui-20241124", "/memtest.efi64", EntryKind.CHAINLOADER, Firmware.UEFI_X64),
    ],
)
def test_a_memory_test_in_a_live_image_starts_as_one(
    name: str, kernel: str, kind: EntryKind, firmware: Firmware
) -> None:
    (entry,) = memory_tests(answer(name))
    assert (entry.kernel, entry.kind, entry.firmware) == (kernel, kind, frozenset({firmware}))
    assert (entry.initrds, entry.role, entry.to_ram, entry.safe_graphics) == ((), Role.OTHER, (), ())


@pytest.mark.parametrize("path", CLAIMED, ids=record_id)
def test_no_memory_test_gets_a_live_systems_words(path: Path) -> None:
    for entry in memory_tests(detection_of(path)):
        assert not entry.needs_path or entry.kernel.startswith("stick:")
