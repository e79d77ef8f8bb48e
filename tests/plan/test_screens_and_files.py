"""Our answers beside those of another project that looks into the initrds and kernels of real ISO files.

Heads, a firmware, marks before it starts an image whether the image's initrd looks for a file by one of the words that
Heads gives (``iso-scan/filename``, ``findiso``), and whether its kernel has a driver for the screen that the firmware has set
up. What is compared are the facts of its table of 15 images.

Source: linuxboot/heads (aedae4ff), initrd/tests/iso-test/README.md and doc/kexec_handoff.md; Linux 7.0, drivers/gpu/drm/sysfb
and drivers/video/fbdev for the driver of UEFI's screen that a kernel with such a driver of VESA's has as well.
"""

from pathlib import Path

import pytest

from bootkit.detect.registry import recognise
from bootkit.model.boot import BootEntry, Detection, EntryKind, Recognition
from bootkit.model.catalog import ImageItem
from bootkit.model.check import StickFacts
from bootkit.model.initrd import InitrdFacts, KernelModules
from bootkit.model.iso import IsoFacts, RecordedIso
from bootkit.plan.check import DARK, predict
from bootkit.plan.check_file import finds_file
from tests.records import FOLDER, read_record

UEFI_TWIN = {"simpledrm": "simpledrm", "vesadrm": "efidrm", "vesafb": "efifb"}
"""What drives UEFI's screen in a kernel that was seen to have a driver for VESA's."""
THEIR_WORDS = ("iso-scan/filename=", "findiso=")
TABLE = (
    ("casper/ubuntu-24.04-desktop", "Ubuntu 26.04", True, "simpledrm"),
    ("live_boot/debian-13-kde", "Debian 13.2 live, KDE", True, "vesafb"),
    ("live_boot/debian-12-gnome", "Debian 13.2 live, Xfce", True, "vesafb"),
    ("debian_installer/debian-12.5-netinst", "Debian 13.2 DVD", False, "vesafb"),
    ("anaconda/fedora-silverblue-41", "Fedora 43 Silverblue", True, "vesafb"),
    ("dmsquash_live/fedora-42-kde", "Fedora 43 Workstation", True, "vesafb"),
    ("dmsquash_live/kicksecure-17-lxqt", "Kicksecure 18.1", True, "vesafb"),
    ("qubes/qubes-4.2.1", "Qubes 4.3.1", True, "vesafb"),
    ("nixos/nixos-gnome-25.05", "NixOS 25.11", True, "vesafb"),
    ("casper/pop-24.04", "PureOS 11", True, "vesafb"),
    ("kiwi_live/opensuse-tumbleweed-kde", "openSUSE Tumbleweed live", True, "vesadrm"),
    ("linuxrc/opensuse-leap-15.6-dvd", "openSUSE Tumbleweed DVD", False, "vesadrm"),
    ("live_boot/tails-6.0", "Tails 7.8", True, "vesafb"),
    ("tinycore/coreplus-14.0", "CorePlus 15", False, ""),
    ("dos_memdisk/vendor-bios-flasher", "firmware of a disk", False, ""),
)
"""A record of the same shape, what they looked at, whether its initrd looks for a file by their words, and the driver."""


def answered(record: str) -> tuple[IsoFacts, Detection]:
    facts, _ = read_record(FOLDER / f"{record}.facts.json")
    detection = recognise(RecordedIso(facts)).detection
    assert detection is not None
    return facts, detection


@pytest.mark.parametrize(("record", "_theirs", "looks", "_driver"), TABLE, ids=[row[1] for row in TABLE])
def test_an_image_is_found_by_their_words_where_they_say_so(
    record: str, _theirs: str, looks: bool, _driver: str
) -> None:
    _, detection = answered(record)
    words = " ".join(detection.entries[0].cmdline) if detection.entries else ""
    if looks:
        assert detection.entries
        assert not detection.obstacle
    elif detection.entries and finds_file(detection.entries[0]) and not detection.entries[0].stick_files:
        # by a word of its own that they do not give
        assert not any(word in words for word in THEIR_WORDS), words


@pytest.mark.parametrize(("_record", "theirs", "_looks", "driver"), TABLE, ids=[row[1] for row in TABLE])
def test_a_screen_stays_dark_where_they_find_no_driver(_record: str, theirs: str, _looks: bool, driver: str) -> None:
    displays = (UEFI_TWIN[driver],) if driver else ()
    initrd = InitrdFacts(size=1, drivers=KernelModules(modules=("ext4",), displays=displays))
    entry = BootEntry(title=theirs, kernel="/k", initrds=("/i",), kind=EntryKind.LINUX)
    facts = IsoFacts(name=f"{theirs}.iso", size=1, initrds={"/i": initrd})
    found = Recognition(detection=Detection(stack="x", distro=theirs, entries=(entry,)))
    item = ImageItem(path=str(Path("/boot/iso") / facts.name), size=1, mtime_ns=0, facts=facts, recognition=found)
    assert (DARK in predict(item, StickFacts(filesystem="ext4")).notes) == (not driver)
