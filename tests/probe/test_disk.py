"""Disks with an installed system: what is told of them without mounting anything, whatever their root is."""

from pathlib import Path

import pytest

from bootkit.app.stick.recognition import answered, with_insides
from bootkit.model.catalog import ImageItem
from bootkit.model.iso import FileKind
from bootkit.model.record import facts_from_json, facts_to_json
from bootkit.probe.image import open_image
from tests.app.installed import UUID, VERSIONS, disk_maker

SIZES = {"ext4": 12, "btrfs": 120, "xfs": 32}


def told(disk: Path) -> ImageItem:
    item = ImageItem(path=f"/boot/disk/{disk.name}", size=disk.stat().st_size, mtime_ns=0)
    with open_image(disk) as view:
        return with_insides(answered(item, view), view)


@pytest.mark.parametrize("kind", SIZES)
def test_a_root_is_looked_into_whatever_it_is(kind: str, tmp_path: Path) -> None:
    item = told(disk_maker(tmp_path)(kind=kind, mib=SIZES[kind]))
    assert item.facts is not None
    assert (item.facts.kind, item.facts.filesystem, item.facts.uuid) == (FileKind.SYSTEM, kind, UUID)
    assert item.detection is not None
    assert item.detection.evidence[0] == f"its root is {kind} on partition 2"
    kept = item.detection.entries[0]
    assert (kept.kernel, kept.newest_in) == (f"/boot/vmlinuz-{VERSIONS[1]}", "/boot")
    assert kept.cmdline == (f"root=UUID={UUID}", "ro", "quiet", "bootkit.disk=keep")


def test_the_parts_of_unified_kernel_images_are_files(tmp_path: Path) -> None:
    disk = disk_maker(tmp_path)(unified_image=True)
    item = told(disk)
    assert item.facts is not None
    assert item.detection is not None
    # fstab does not name the ESP: its type does
    assert item.facts.mounts == {"/": 2, "/efi": 1}
    kept, live, older = item.detection.entries
    image = f"/efi/EFI/Linux/debian-{VERSIONS[1]}.efi"
    assert (kept.kernel, kept.initrds, kept.newest_in) == (f"{image}.linux", (f"{image}.initrd",), "")
    assert kept.cmdline == (f"root=UUID={UUID}", "rw", "quiet", "bootkit.disk=keep")
    assert live.cmdline[-1] == "bootkit.disk=live"
    assert older.title == f"With another kernel: {VERSIONS[0]}"
    at, size = item.facts.sections[kept.initrds[0]]
    assert at % 512 == 0
    with open_image(disk) as view:
        assert view.read(kept.initrds[0], 1 << 20) == view.read(image, 1 << 20)[at : at + size]
    assert facts_from_json(facts_to_json(item.facts)) == item.facts
