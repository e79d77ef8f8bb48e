"""What the entries for kept changes and for answer files say to the kernel."""

from dataclasses import replace

import pytest

from bootkit.detect.registry import stack_of
from bootkit.errors import BootkitError, UsageError
from bootkit.model.boot import BootEntry, Detection, Recognition, Role
from bootkit.model.catalog import ImageItem
from bootkit.model.initrd import InitrdFacts
from bootkit.model.iso import IsoFacts
from bootkit.model.options import Choices, Value, image_place, option
from bootkit.model.stack import Persistence
from bootkit.model.variants import Kept, Seed, Variants
from bootkit.plan.choices import menu_settings, reason_against
from bootkit.plan.persistence import persistence_of, require_unlock
from bootkit.plan.seeds import chosen_answer_file, seed_path
from bootkit.plan.variants import varied

NAME = "x.iso"


def item(stack: str, *words: str, distro: str = "Some Linux") -> ImageItem:
    entries = (
        BootEntry(title="Start", kernel="/k", initrds=("/i",), cmdline=words or ("quiet",), role=Role.DEFAULT),
        BootEntry(title="Safe", kernel="/k", initrds=("/i",), cmdline=("nomodeset",), role=Role.SAFE),
    )
    detection = Detection(stack=stack, distro=distro, entries=entries)
    recognition = Recognition(detection=detection, detector=stack)
    return ImageItem(path=f"/boot/iso/{NAME}", size=1, mtime_ns=0, recognition=recognition)


def persistence(stack: str) -> Persistence:
    known = stack_of(stack).persistence
    assert known is not None
    return known


def entries_of(changed: ImageItem) -> tuple[BootEntry, ...]:
    assert changed.detection is not None
    return changed.detection.entries


def kept_line(stack: str, *words: str, filesystem: str = "ext4") -> str:
    path = f"/boot/persistence/{NAME}/{persistence(stack).file}"
    changed = varied(item(stack, *words), Variants(kept={NAME: Kept(image=NAME, path=path)}), filesystem)
    first, second, *_ = entries_of(changed)
    assert (first.title, first.role, second.role) == ("Start, changes are kept", Role.PERSISTENT, Role.DEFAULT)
    return " ".join(first.cmdline)


FOLDER = f"/boot/persistence/{NAME}"


def test_every_stack_is_told_in_its_own_words() -> None:
    assert kept_line("casper", "boot=casper", "---", "quiet", filesystem="vfat") == (
        f"boot=casper persistent persistent-path={FOLDER} --- quiet"
    )
    assert kept_line("live-boot", "boot=live") == f"boot=live persistence bootkit.persistence={FOLDER}/persistence"
    assert kept_line("kiwi-live") == (f"quiet rd.live.overlay.persistent rd.live.cowfile.path={FOLDER}/live_system.cow")
    assert kept_line("dmsquash-live", "rd.live.image") == (
        f"rd.live.image rd.live.overlay=UUID={{stick_uuid}}:{FOLDER}/overlay.img rd.live.overlay.overlayfs=1"
    )
    assert kept_line("archiso", "copytoram=auto") == (
        f"cow_device=/dev/disk/by-uuid/{{stick_uuid}} cow_directory={FOLDER} copytoram=n"
    )
    assert kept_line("antiX") == f"quiet persist_static_root puuid={{stick_uuid}} pdir={FOLDER}"
    assert kept_line("porteus") == f"quiet changes=UUID:{{stick_uuid}}{FOLDER}"


def test_an_encrypted_file_is_offered_only_where_it_is_opened() -> None:
    def words(stack: str) -> tuple[str, ...]:
        place = Kept(image=NAME, path=f"{FOLDER}/{persistence(stack).file}", encrypted=True)
        return entries_of(varied(item(stack), Variants(kept={NAME: place}), "vfat"))[0].cmdline

    assert words("live-boot")[-1] == "persistence-encryption=luks"
    assert words("casper") == ("quiet",)
    with pytest.raises(BootkitError, match="no way is known by which kiwi-live does so"):
        require_unlock(item("kiwi-live"), persistence("kiwi-live"))


def test_live_boot_gets_the_initrd_that_finds_its_file() -> None:
    path = f"{FOLDER}/persistence"
    changed = varied(item("live-boot"), Variants(kept={NAME: Kept(image=NAME, path=path)}), "vfat")
    assert entries_of(changed)[0].initrds == ("/i", "stick:/boot/bootkit/added/live_boot_persistence.cpio")
    assert entries_of(changed)[1].initrds == ("/i",)


@pytest.mark.parametrize(
    ("stack", "filesystem", "reason"),
    [
        ("casper", "ext4", "on FAT only"),
        ("archiso", "vfat", "need a file system of Linux"),
        ("sysrescue", "ext4", "cannot write to the partition"),
        ("debian-installer", "ext4", "it is an installer"),
        ("miso", "ext4", "keeps nothing"),
        ("slax", "ext4", "no way is known"),
    ],
)
def test_what_cannot_keep_its_changes_says_why(stack: str, filesystem: str, reason: str) -> None:
    with pytest.raises(BootkitError) as caught:
        persistence_of(item(stack), filesystem)
    assert reason in caught.value.message
    assert caught.value.hint.startswith("a home keeps")


@pytest.mark.parametrize(
    ("markers", "name"),
    [((), "writable"), (("casper", "casper-writable"), "writable"), (("casper", "casper-iso-scan"), "casper-rw")],
)
def test_the_name_of_caspers_file_is_the_one_that_its_scripts_look_for(markers: tuple[str, ...], name: str) -> None:
    initrds = {"/i": InitrdFacts(size=1, markers=markers)} if markers else {}
    known = replace(item("casper"), facts=IsoFacts(name=NAME, size=1, initrds=initrds))
    found = persistence_of(known, "vfat")
    assert (found.file, found.label) == (name, name)


def test_an_image_whose_own_menu_forbids_it_keeps_nothing() -> None:
    with pytest.raises(BootkitError, match="its own menu forbids it"):
        persistence_of(item("live-boot", "boot=live", "nopersistence"), "ext4")


def test_which_of_them_starts_by_itself_is_chosen() -> None:
    def started(**chosen: Value) -> str:
        choices = Choices(values={image_place(changed.path): chosen})
        settings = menu_settings(choices, (changed,))
        return settings.appearance(changed.path).entry

    place = Kept(image=NAME, path=f"{FOLDER}/{persistence('casper').file}")
    seeds = tuple(
        Seed(image=NAME, kind="preseed", name=name, path=seed_path(NAME, "preseed", name, "preseed.cfg"))
        for name in ("lab", "my lab")
    )
    changed = varied(item("casper", "only-ubiquity"), Variants(kept={NAME: place}, seeds=seeds), "vfat")
    assert started() == ""  # the first
    assert started(persistence=False) == "Start"
    assert started(seed="preseed/lab") == "Start, with preseed lab"
    assert started(seed="preseed/gone", persistence=False) == "Start"
    assert started(seed="preseed/lab", entry="Safe") == "Safe"
    for key in ("persistence", "seed"):
        assert reason_against(changed, option(key)) == ""
        assert reason_against(item("casper"), option(key)).startswith(("Nothing keeps", "It has no answer file"))


def seeded(changed: ImageItem, kind: str, file: str) -> BootEntry:
    seed = Seed(image=NAME, kind=kind, name="lab", path=seed_path(NAME, kind, "lab", file))
    entries = entries_of(varied(changed, Variants(seeds=(seed,)), "vfat"))
    assert [entry.role for entry in entries] == [Role.DEFAULT, Role.SAFE, Role.INSTALL]
    assert entries[-1].title == f"Start, with {kind} lab"
    return entries[-1]


@pytest.mark.parametrize(
    ("stack", "words", "kind", "file", "line"),
    [
        ("debian-installer", "vga=1 --- quiet", "preseed", "preseed.cfg", "vga=1 auto=true priority=critical --- quiet"),
        ("casper", "only-ubiquity", "preseed", "preseed.cfg", "only-ubiquity automatic-ubiquity noprompt"),
        ("anaconda", "inst.ks=hd:x", "kickstart", "ks.cfg", "inst.ks=file:/ks.cfg"),
        ("linuxrc", "a", "autoyast", "autoinst.xml", "a autoyast=file:///autoinst.xml"),
        (
            "casper", "a", "autoinstall", "user-data",
            "a autoinstall ds=nocloud;s=file:///isodevice/boot/seeds/x.iso/autoinstall/lab/",
        ),
        (
            "archiso", "a", "archinstall", "config.json",
            "a script=/run/archiso/img_dev/boot/seeds/x.iso/archinstall/lab/run.sh copytoram=n",
        ),
        ("archiso", "a", "script", "script", "a script=/run/archiso/img_dev/boot/seeds/x.iso/script/lab/script copytoram=n"),
        (
            "sysrescue", "a", "sysrescuecfg", "settings.yaml",
            "a sysrescuecfg=/run/archiso/img_dev/boot/seeds/x.iso/sysrescuecfg/lab/settings.yaml",
        ),
    ],
)  # fmt: skip
def test_every_installer_is_told_in_its_own_words(stack: str, words: str, kind: str, file: str, line: str) -> None:
    distro = "Ubuntu" if stack == "casper" else "Other"
    entry = seeded(item(stack, *words.split(), distro=distro), kind, file)
    assert " ".join(entry.cmdline) == line
    in_initrd = kind in ("preseed", "kickstart", "autoyast")
    assert (len(entry.initrds) == 2) == in_initrd


@pytest.mark.parametrize(
    ("stack", "name", "head", "kind"),
    [
        ("debian-installer", "a.txt", "# mine\nd-i debian-installer/locale string de_DE\n", "preseed"),
        ("anaconda", "a.txt", "text\n%packages\n@core\n%end\n", "kickstart"),
        ("linuxrc", "a.txt", '<?xml version="1.0"?>\n<!DOCTYPE profile>\n', "autoyast"),
        ("archiso", "a", "#!/bin/sh\n", "script"),
        ("archiso", "a", '{\n "hostname": "x" }', "archinstall"),
        ("sysrescue", "a.yaml", "autoterminal:\n", "sysrescuecfg"),
    ],
)
def test_a_file_is_known_by_what_is_in_it(stack: str, name: str, head: str, kind: str) -> None:
    assert chosen_answer_file(item(stack), name, head).kind == kind


def test_a_file_that_fits_nothing_is_refused() -> None:
    with pytest.raises(UsageError, match="does not look like one of: preseed"):
        chosen_answer_file(item("debian-installer"), "holiday.txt", "sun\n")
    with pytest.raises(UsageError, match="takes no kickstart file"):
        chosen_answer_file(item("debian-installer"), "a.ks", "", "kickstart")
    with pytest.raises(BootkitError, match="OEMDRV"):
        chosen_answer_file(item("agama"), "a.json", "{")
    with pytest.raises(BootkitError, match="takes no answer file"):
        chosen_answer_file(item("casper", distro="Pop!_OS"), "user-data", "#cloud-config\n")
