"""What is told of the boot loaders on a stick, and that none is replaced by an older one."""

import json
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from bootkit.app.stick.loaders import recorded_loaders, stick_shims
from bootkit.app.verbs import upgrade
from bootkit.app.verbs.loaders import comparison, list_loaders
from bootkit.app.verbs.prepare import plan_preparation, prepare_image
from bootkit.app.verbs.upgrade import plan_upgrade_of, plan_way_back
from bootkit.errors import BootkitError
from bootkit.model.boot import Firmware
from bootkit.model.loader import LoaderFile
from bootkit.model.places import LOADERS_FILE, STOP_FILE
from bootkit.model.prepare import HostLoaders, LoaderChoice
from bootkit.model.testboot import MachineKind
from bootkit.plan.microsoft import MicrosoftCa
from bootkit.plan.versions import is_newer
from bootkit.system.apply import apply_plan
from bootkit.system.loaders import find_loaders
from bootkit.system.recognise import read_contents
from bootkit.system.sticks import open_stick
from bootkit.system.volumes.unmounted import raw_volume
from bootkit.units import MIB
from tests.conftest import copy_with_holes


@pytest.fixture(scope="module")
def stick(tmp_path_factory: pytest.TempPathFactory) -> Path:
    image = tmp_path_factory.mktemp("loaders") / "stick.img"
    prepare_image(image, 180 * MIB)
    return image


def esp_bytes(stick: Path, path: str) -> tuple[int, bytes]:
    """Where the EFI system partition is, and a file on it."""
    record = read_contents(stick).stick
    assert record is not None
    volume = raw_volume(stick, record.boot.offset, record.boot.size, writing=False)
    assert volume is not None
    with closing(volume), volume.open(path) as fh:
        return record.boot.offset, fh.read()


def test_each_loader_is_told_with_what_secure_boot_looks_at(stick: Path) -> None:
    with open_stick(stick) as opened:
        rows = {row.file.path: row for row in list_loaders(opened)}
    shim, grub = rows["/EFI/BOOT/BOOTX64.EFI"], rows["/EFI/BOOT/grubx64.efi"]
    assert shim.file.firmware is Firmware.UEFI_X64
    assert shim.authorities == (MicrosoftCa.UEFI_2011, MicrosoftCa.UEFI_2023)
    assert shim.file.sha256 == shim.file.sha256_now != ""
    assert grub.signer == "Debian Secure Boot Signer 2022 - grub2"
    assert not any(row.newer or row.older or row.refused for row in rows.values())
    assert rows["BIOS core image"].file.sha256_now == ""


def test_the_list_on_the_data_partition_holds_what_only_root_could_read(stick: Path) -> None:
    with open_stick(stick) as opened, opened.volume.open(LOADERS_FILE) as fh:
        document = json.loads(fh.read())
    (shim,) = (row for row in document["loaders"] if row["path"] == "/EFI/BOOT/BOOTX64.EFI")
    assert len(shim["efi"]["shim"]["trusts"]) == 1
    assert document["hops"] is True
    assert esp_bytes(stick, STOP_FILE)[1][:2] != b"MZ"


def test_a_loader_that_changed_since_is_seen(stick: Path, tmp_path: Path) -> None:
    changed = tmp_path / "changed.img"
    content = bytearray(stick.read_bytes())
    offset, grub = esp_bytes(stick, "/EFI/BOOT/grubx64.efi")
    at = content.index(grub[:4096], offset)
    content[at + 512] ^= 1
    changed.write_bytes(content)
    with open_stick(changed) as opened:
        rows = {row.file.path: row for row in list_loaders(opened)}
    row = rows["/EFI/BOOT/grubx64.efi"]
    assert row.file.sha256 != row.file.sha256_now
    assert row.signer == "nobody: its signature is of another file"


def older(_file: LoaderFile, _host: HostLoaders) -> str:
    return "shim.debian 15.8"


def test_a_newer_loader_is_not_replaced(stick: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upgrade, "host_release", older)
    with pytest.raises(BootkitError, match=r"has shim.debian 16.1, and this computer shim.debian 15.8, which is older"):
        plan_upgrade_of(stick)


def test_what_an_upgrade_replaces_is_kept(stick: Path, tmp_path: Path) -> None:
    image = tmp_path / "stick.img"
    copy_with_holes(stick, image)
    signed = esp_bytes(image, "/EFI/BOOT/BOOTX64.EFI")[1]
    apply_plan(plan_upgrade_of(image, loader=LoaderChoice.BUILT))
    assert esp_bytes(image, "/EFI/BOOT/BOOTX64.EFI")[1] != signed
    assert esp_bytes(image, "/EFI/BOOT/before/BOOTX64.EFI")[1] == signed


def test_the_way_back_brings_what_was_kept_and_its_list(stick: Path, tmp_path: Path) -> None:
    image = tmp_path / "stick.img"
    copy_with_holes(stick, image)
    with pytest.raises(BootkitError, match="has no boot loaders to go back to"):
        apply_plan(plan_way_back(image))
    before = start_of(image)
    apply_plan(plan_upgrade_of(image, loader=LoaderChoice.BUILT))
    upgraded = start_of(image)
    assert upgraded != before
    apply_plan(plan_way_back(image))
    assert start_of(image) == before
    apply_plan(plan_way_back(image))
    assert start_of(image) == upgraded


def test_what_this_computer_cannot_renew_is_still_told(
    stick: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = tmp_path / "stick.img"
    copy_with_holes(stick, image)
    with open_stick(image) as opened:
        before = {row.file.path: row.file.sha256 for row in list_loaders(opened)}
    host = find_loaders()
    signed = tuple(one for one in host.signed if one.firmware is Firmware.UEFI_X64)
    platforms = tuple(one for one in host.platforms if one.name == "x86_64-efi")

    def found(*, extra: Path | None) -> HostLoaders:  # the parameter that the real one has
        return HostLoaders(signed=signed, platforms=platforms)

    monkeypatch.setattr(upgrade, "find_loaders", found)
    apply_plan(plan_upgrade_of(image))
    # an upgrade by the same computer knows no more
    apply_plan(plan_upgrade_of(image))
    with open_stick(image) as opened:
        rows = list_loaders(opened)
        assert {row.file.path: row.file.sha256 for row in rows} == before
        assert {row.file.firmware for row in rows} == {Firmware.BIOS, Firmware.UEFI_X64, Firmware.UEFI_IA32}
        copied = recorded_loaders(opened.volume)
    assert copied is not None
    assert {file.path for file in copied.files} == set(before)
    assert copied.takes_hops


def start_of(image: Path) -> tuple[bytes, object, list[str]]:
    """What firmware starts; what the data partition says of it; which loaders are told."""
    with open_stick(image) as opened:
        rows = list_loaders(opened)
        with opened.volume.open(LOADERS_FILE) as fh:
            document = json.loads(fh.read())
    kinds = [f"{row.file.path} {row.file.sha256 == row.file.sha256_now}" for row in rows]
    return esp_bytes(image, "/EFI/BOOT/BOOTX64.EFI")[1], document["loaders"], kinds


@pytest.mark.parametrize(
    ("shim", "grub"),
    [
        ("usr/lib/shim/shimaa64.efi.signed", "usr/lib/grub/arm64-efi-signed/grubaa64.efi.signed"),
        ("boot/efi/EFI/fedora/shimaa64.efi", "boot/efi/EFI/fedora/grubaa64.efi"),
        ("usr/share/efi/aarch64/shim.efi", "usr/share/efi/aarch64/grub.efi"),
    ],
    ids=["debian", "fedora", "opensuse"],
)
def test_loaders_come_out_of_a_folder_first(shim: str, grub: str, tmp_path: Path) -> None:
    with pytest.raises(BootkitError, match="holds neither"):
        find_loaders(extra=tmp_path)
    for name in (shim, grub):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"MZ\0/EFI/debian\0")
    found = find_loaders(extra=tmp_path)
    arm = found.signed_for(Firmware.UEFI_ARM64)
    assert arm is not None
    assert arm.shim.path == str(tmp_path / shim)
    assert found.signed_for(Firmware.UEFI_X64) is not None


def test_a_stick_carries_the_shim_of_either_authority(tmp_path: Path) -> None:
    """Where the shim that goes before is signed for new computers alone, as shims of after 2026 are, and the host has another."""
    shim, grub = tmp_path / "usr/lib/shim/shimx64.efi.signed", "usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed"
    shim.parent.mkdir(parents=True)
    shim.write_bytes(Path("/", "usr/lib/shim/shimx64.efi.signed").read_bytes())
    subprocess.run(["sbattach", "--signum", "1", "--remove", shim], check=True, capture_output=True)
    (tmp_path / grub).parent.mkdir(parents=True)
    (tmp_path / grub).write_bytes(Path("/", grub).read_bytes())
    image = tmp_path / "both.img"
    plan = plan_preparation(image, size=180 * MIB, loaders_from=tmp_path)
    assert [note for note in plan.notes if "/EFI/ms2011 has a second shim" in note]
    apply_plan(plan)
    with open_stick(image) as opened:
        rows = {row.file.path: row for row in list_loaders(opened)}
        starts = stick_shims(opened.volume)[Firmware.UEFI_X64]
    first, second = rows["/EFI/BOOT/BOOTX64.EFI"], rows["/EFI/ms2011/BOOTX64.EFI"]
    assert (first.authorities, MicrosoftCa.UEFI_2011 in second.authorities) == ((MicrosoftCa.UEFI_2023,), True)
    assert starts == first.file.efi
    assert first.machines[MachineKind.MS2011]
    assert not second.machines[MachineKind.MS2011]
    assert rows["/EFI/ms2011/grubx64.efi"].file.sha256_now
    apply_plan(plan_upgrade_of(image, loaders_from=tmp_path))
    with open_stick(image) as opened:
        assert [row.file.path for row in list_loaders(opened)] == list(rows)


@pytest.mark.parametrize(
    ("newer", "older"),
    [
        ("16.1-2~deb12u1", "15.8-1"),
        ("2.06-13+deb12u2", "2.06-13+deb12u1"),
        ("1.0", "1.0~rc1"),
        ("1:1", "2"),
        ("10", "9"),
    ],
)
def test_versions_are_in_dpkgs_order(newer: str, older: str) -> None:
    assert is_newer(newer, older)
    assert not is_newer(older, newer)
    assert not is_newer(newer, newer)
    assert comparison(f"shim {newer}", f"shim {older}") == 1
    assert comparison(f"shim {newer}", f"grub {older}") == 0
