"""What the detectors of dracut's, KIWI's and archiso's live systems refuse, and what their rules for GRUB need."""

from dataclasses import replace
from pathlib import Path

import pytest

from bootkit.detect import Detection, Detector, IsoView, NamePattern, NotMine, identify
from bootkit.detect.dracut import is_plain_label
from bootkit.detect.registry import recognise
from bootkit.detectors import agama, archiso, artix, dmsquash_live, kiwi_live, miso, sysrescue
from bootkit.model.initrd import InitrdFacts, RootFacts
from bootkit.model.iso import IsoFacts, Node, RecordedIso

HERE = Path(__file__).parent
MODULES = (agama, archiso, artix, dmsquash_live, kiwi_live, miso, sysrescue)
DETECTORS = tuple(module.DETECTOR for module in MODULES)
PXEBOOT = ("/images/pxeboot/vmlinuz", "/images/pxeboot/initrd.img")

each_detector = pytest.mark.parametrize("detector", DETECTORS, ids=lambda detector: detector.name)


def image(files: tuple[str, ...], texts: dict[str, str], volume_id: str = "SOME_ISO", uuid: str = "") -> IsoView:
    """An image in which every file has 1000 bytes."""
    dirs: dict[str, dict[str, Node]] = {"/": {}}
    for path in (*files, *texts):
        *folders, name = path.strip("/").split("/")
        here = ""
        for folder in folders:
            dirs[here or "/"].setdefault(folder, Node(name=folder, size=None))
            here = f"{here}/{folder}"
            dirs.setdefault(here, {})
        dirs[here or "/"][name] = Node(name=name, size=1000)
    members = {path: tuple(nodes.values()) for path, nodes in dirs.items()}
    return RecordedIso(IsoFacts(name="x.iso", size=1, volume_id=volume_id, uuid=uuid, dirs=members, texts=texts))


def grub(kernel: str, words: str, initrd: str) -> str:
    return f"menuentry 'Start' {{\n\tlinux {kernel} {words}\n\tinitrd {initrd}\n}}\n"


FOREIGN = {
    "anaconda, network installer": image(
        (*PXEBOOT, "/images/install.img"),
        {"/EFI/BOOT/grub.cfg": grub(PXEBOOT[0], "inst.stage2=hd:LABEL=Fedora-S-dvd-x86_64-41 quiet", PXEBOOT[1])},
        "Fedora-S-dvd-x86_64-41",
    ),
    "anaconda of EL 7, whose installer is a /LiveOS/squashfs.img": image(
        (*PXEBOOT, "/LiveOS/squashfs.img"),
        {"/EFI/BOOT/grub.cfg": grub(PXEBOOT[0], r"inst.stage2=hd:LABEL=CentOS\x207\x20x86_64 quiet", PXEBOOT[1])},
        "CentOS 7 x86_64",
    ),
    "anaconda without a menu": image((*PXEBOOT, "/images/install.img", "/LiveOS/squashfs.img"), {}),
    "Mageia live": image(
        ("/loopbacks/distrib-lzma.sqfs", "/boot/vmlinuz", "/boot/cdrom/initrd.gz"),
        {"/boot/grub2/grub.cfg": grub("/boot/vmlinuz", "root=mgalive:LABEL=Mageia-9 quiet", "/boot/cdrom/initrd.gz")},
        "Mageia-9",
    ),
    "Fedora CoreOS": image(
        (*PXEBOOT, "/images/pxeboot/rootfs.img", "/images/ignition.img"),
        {"/EFI/fedora/grub.cfg": grub(PXEBOOT[0], "coreos.liveiso=fedora-coreos-40 ignition.firstboot", PXEBOOT[1])},
        "fedora-coreos-40",
    ),
    "old KIWI": image(
        ("/config.isoclient", "/boot/x86_64/loader/linux", "/boot/x86_64/loader/initrd"),
        {"/boot/x86_64/loader/isolinux.cfg": "label My\n  kernel linux\n  append initrd=initrd splash=silent\n"},
        "CDROM",
    ),
    "YaST": image(
        ("/boot/x86_64/loader/linux", "/boot/x86_64/loader/initrd", "/boot/x86_64/root", "/media.1/media"),
        {"/EFI/BOOT/grub.cfg": grub("/boot/x86_64/loader/linux", "splash=silent", "/boot/x86_64/loader/initrd")},
        "openSUSE-Leap-15.6-DVD-x86_64710",
    ),
    "antiX": image(
        ("/antiX/linuxfs", "/antiX/vmlinuz", "/antiX/initrd.gz"),
        {"/boot/grub/grub.cfg": grub("/antiX/vmlinuz", "quiet disable=lx", "/antiX/initrd.gz")},
    ),
    "Gentoo with genkernel": image(
        ("/image.squashfs", "/boot/gentoo", "/boot/gentoo.igz"),
        {
            "/boot/grub/grub.cfg": grub(
                "/boot/gentoo", "looptype=squashfs loop=/image.squashfs cdroot", "/boot/gentoo.igz"
            )
        },
    ),
    "an empty disc": image((), {}),
}


@each_detector
@pytest.mark.parametrize("what", FOREIGN)
def test_images_of_other_stacks_are_refused(detector: Detector, what: str) -> None:
    assert isinstance(detector.detect(FOREIGN[what]), NotMine)


@each_detector
def test_a_kernel_that_is_not_there_is_not_offered(detector: Detector) -> None:
    lines = "root=live:CDLABEL=X archisobasedir=arch misobasedir=manjaro label=ARTIX rd.live.overlay.persistent"
    iso = image(
        ("/boot/x86_64/loader/other", "/LiveOS/rootfs.img", "/sysresccd/VERSION"),
        {"/boot/grub/grub.cfg": grub("/boot/x86_64/loader/linux", lines, "/boot/x86_64/loader/initrd")},
    )
    assert isinstance(detector.detect(iso), NotMine)


LINE = "rd.live.image root=live:"


@pytest.mark.parametrize(
    ("volume_id", "written", "root"),
    [
        ("VOID_LIVE", "CDLABEL=VOID_LIVE", "CDLABEL=VOID_LIVE"),
        ("VOID_LIVE", "LABEL=OLD_NAME", "LABEL=VOID_LIVE"),
        ("VOID_LIVE", "/dev/sr0", "LABEL=VOID_LIVE"),
        ("VOID_LIVE", "UUID=2024-01-02-03-04-05-06", "UUID=2024-01-02-03-04-05-06"),
        ("VOID_LIVE", "UUID=1999-01-02-03-04-05-06", "LABEL=VOID_LIVE"),
        ("Void Live", r"CDLABEL=Void\\x20Live", "UUID=2024-01-02-03-04-05-06"),
        ("Void (Live)", "CDLABEL=VOID_LIVE", "UUID=2024-01-02-03-04-05-06"),
    ],
)
def test_the_root_is_named_by_what_the_image_has_and_grub_can_spell(volume_id: str, written: str, root: str) -> None:
    menu = {"/boot/grub/grub.cfg": grub("/boot/vmlinuz", LINE + written, "/boot/initrd")}
    iso = image(("/boot/vmlinuz", "/boot/initrd"), menu, volume_id, "2024-01-02-03-04-05-06")
    detection = dmsquash_live.detect(iso)
    assert isinstance(detection, Detection)
    assert detection.entries[0].cmdline == ("iso-scan/filename={iso_path}", "rd.live.image", f"root=live:{root}")


@pytest.mark.parametrize("label", ["Fedora-WS-Live-41-1-4", "ROSA.FRESH.KDE", "a_b#c+d:e=f@g"])
def test_labels_that_udev_leaves_alone(label: str) -> None:
    assert is_plain_label(label)


@pytest.mark.parametrize("label", ["", "Two Words", "a/b", "Live(1)", "a[b]", "a*", r"a\b", "Föhn"])
def test_labels_that_udev_escapes(label: str) -> None:
    assert not is_plain_label(label)


def test_what_a_label_lacks_is_taken_from_the_file_name_of_the_same_distribution() -> None:
    names = (
        NamePattern("Void", r"^VOID_LIVE$"),
        NamePattern("Void", r"^void-(?P<arch>\w+?)-(?P<version>\d{8})"),
        NamePattern("Other", "20"),
    )
    found = identify(("VOID_LIVE", "", "void-amd64-20240314.iso"), names)
    assert (found.distro, found.version, found.arch) == ("Void", "20240314", "x86_64")


PLACES = {
    "KIWI's": ("/boot/x86_64/loader/linux", "/boot/x86_64/loader/initrd"),
    "lorax'": PXEBOOT,
    "its maker's": ("/live/kernel", "/live/ramdisk"),
}
MENUS = {
    "KIWI's": "root=live:CDLABEL=EMBER rd.live.image rd.live.overlay.persistent",
    "Fedora's": "root=live:CDLABEL=EMBER rd.live.image rd.live.check",
    "by LABEL": "root=live:LABEL=EMBER rd.live.image quiet",
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("menu", MENUS)
@pytest.mark.parametrize(
    ("marker", "stack"), [("kiwi-live-root", "kiwi-live"), ("dmsquash-live-root", "dmsquash-live")]
)
@pytest.mark.parametrize("label", ["EMBER", "Install-EMBER"])
def test_the_module_in_the_initrd_tells_whatever_menu_place_and_label_say(
    place: str, menu: str, marker: str, stack: str, label: str
) -> None:
    kernel, initrd = PLACES[place]
    texts = {"/boot/grub2/grub.cfg": grub(kernel, MENUS[menu].replace("EMBER", label), initrd)}
    facts = image((kernel, initrd, "/LiveOS/squashfs.img"), texts, label).facts
    initrds = {initrd: InitrdFacts(size=1000, maker="dracut", markers=(marker, "iso-scan"))}
    roots = {"/LiveOS/squashfs.img": RootFacts(size=1000, filesystem="squashfs")}
    iso = RecordedIso(replace(facts, initrds=initrds, roots=roots))
    answer = recognise(iso).detection
    assert answer is not None
    agama = label.startswith("Install-") and stack == "dmsquash-live"
    assert answer.stack == ("agama" if agama else stack)
    if stack == "kiwi-live":
        assert f"root=live:CDLABEL={label}" in answer.entries[0].cmdline
        assert "its initrd holds kiwi-live" in answer.evidence


def test_the_initrd_of_the_entry_that_starts_by_itself_is_asked_and_microcode_does_not_tell() -> None:
    texts = {
        "/boot/grub2/grub.cfg": "set default=1\n"
        + grub("/old/linux", "root=live:CDLABEL=EMBER rd.live.image", "/old/initrd")
        + grub("/new/linux", "root=live:CDLABEL=EMBER rd.live.image", "/boot/ucode.img /new/initrd")
    }
    files = ("/old/linux", "/old/initrd", "/new/linux", "/new/initrd", "/boot/ucode.img", "/LiveOS/squashfs.img")
    iso = RecordedIso(
        replace(
            image(files, texts, "EMBER").facts,
            initrds={
                "/old/initrd": InitrdFacts(size=1, markers=("dmsquash-live-root",)),
                "/new/initrd": InitrdFacts(size=1, markers=("kiwi-live-root",)),
            },
            roots={"/LiveOS/squashfs.img": RootFacts(size=1000)},
        )
    )
    answer = recognise(iso).detection
    assert answer is not None
    assert answer.stack == "kiwi-live"
