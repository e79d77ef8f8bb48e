"""What the detectors of small, rescue and RAM systems refuse, their tables, and what their rules for GRUB need."""

from dataclasses import replace
from pathlib import Path

import pytest

from bootkit.detect import Detection, Detector, EntryKind, NotMine
from bootkit.detectors import (
    alpine,
    android,
    chimera,
    generic,
    genkernel,
    grub_rescue,
    iso_filename,
    linux_live_kit,
    liveslak,
    nixos,
    own_medium,
    porteus,
    puppy,
    ram_only,
    slackware,
    tinycore,
    uki,
)
from bootkit.model.initrd import InitrdFacts
from bootkit.model.iso import IsoFacts, Node, RecordedIso
from bootkit.model.kernel import KernelFacts, Uki

HERE = Path(__file__).parent
MODULES = (
    alpine, android, chimera, genkernel, iso_filename, linux_live_kit, liveslak, nixos, own_medium, porteus, puppy,
    ram_only, slackware, tinycore,
)  # fmt: skip


class BareIso(RecordedIso):
    """An image of a few files: what is not named is not there."""

    def __init__(
        self,
        *files: str,
        texts: dict[str, str] | None = None,
        volume_id: str = "DISC",
        uuid: str = "",
        name: str = "x.iso",
        initrd: tuple[str, ...] = (),
    ) -> None:
        """``initrd`` are the markers of whatever initrd it has."""
        self._initrd_markers = initrd
        texts = texts or {}
        dirs: dict[str, dict[str, Node]] = {"/": {}}
        for path in (*files, *texts):
            *folders, last = path.strip("/").split("/")
            here = ""
            for folder in folders:
                dirs[here or "/"].setdefault(folder, Node(name=folder, size=None))
                here = f"{here}/{folder}"
                dirs.setdefault(here, {})
            dirs[here or "/"][last] = Node(name=last, size=1000)
        members = {path: tuple(nodes.values()) for path, nodes in dirs.items()}
        super().__init__(IsoFacts(name=name, size=1, volume_id=volume_id, uuid=uuid, dirs=members, texts=texts))

    def _text(self, path: str) -> str:
        return self.facts.texts.get(path, "")

    def _initrd(self, path: str) -> InitrdFacts:
        return InitrdFacts(size=1000, markers=self._initrd_markers)


def menu(kernel: str, words: str, initrd: str) -> dict[str, str]:
    return {"/boot/grub/grub.cfg": f"menuentry 'Start' {{\n\tlinux {kernel} {words}\n\tinitrd {initrd}\n}}\n"}


FOREIGN = {
    "a live system with the kernel's usual name": BareIso(
        "/boot/bzImage", "/boot/initrd.gz", texts=menu("/boot/bzImage", "quiet", "/boot/initrd.gz")
    ),
    "a kernel and an initrd on the root": BareIso("/vmlinuz", "/initrd.gz", "/initrd", "/data.sfs"),
    "an EFI kernel named /kernel": BareIso("/kernel", "/initrd.img", "/boot/efi.img"),
    "dracut in Gentoo's place, with one line that was forgotten": BareIso(
        "/image.squashfs", "/boot/gentoo", "/boot/gentoo.igz",
        texts={
            "/boot/grub/grub.cfg": menu("/boot/gentoo", "root=live:CDLABEL=X cdroot", "/boot/gentoo.igz")["/boot/grub/grub.cfg"]
            + menu("/boot/gentoo", "looptype=squashfs cdroot", "/boot/gentoo.igz")["/boot/grub/grub.cfg"]
        },
    ),
    "live-boot in Chimera's place": BareIso(
        "/live/filesystem.squashfs", "/live/vmlinuz", "/live/initrd",
        texts=menu("/live/vmlinuz", "boot=live components", "/live/initrd"),
    ),
    "casper on vmlinuz in /boot": BareIso("/casper/filesystem.squashfs", "/boot/vmlinuz", "/boot/rootfs.gz"),
    "Kiwi with an initrd beside": BareIso("/LiveOS/squashfs.img", "/boot/vmlinuz", "/boot/initrd"),
    "RPMs without Photon's installer": BareIso(
        "/RPMS/bash.rpm", "/isolinux/vmlinuz", "/isolinux/initrd.img",
        texts=menu("/isolinux/vmlinuz", "inst.stage2=hd:LABEL=X", "/isolinux/initrd.img"),
    ),
    "an empty disc": BareIso(),
}  # fmt: skip

each_module = pytest.mark.parametrize("detector", [module.DETECTOR for module in MODULES], ids=lambda one: one.name)


@each_module
@pytest.mark.parametrize("what", FOREIGN)
def test_images_of_other_stacks_are_refused(detector: Detector, what: str) -> None:
    assert isinstance(detector.detect(FOREIGN[what]), NotMine)


MENULESS = {
    "Slax": (linux_live_kit, ("/slax/boot/vmlinuz", "/slax/boot/initrfs.img"), "from={iso_path}"),
    "Porteus": (porteus, ("/porteus/base/1.xzm", "/porteus/vmlinuz", "/porteus/initrd.xz"), "from={iso_path}"),
    "TinyCore": (
        tinycore,
        ("/boot/vmlinuz64", "/boot/corepure64.gz", "/cde/onboot.lst"),
        "iso=UUID={stick_uuid}{iso_path}",
    ),
    "Android": (android, ("/kernel", "/initrd.img", "/system.img"), "iso-scan/filename={iso_path}"),
    "Parted Magic": (iso_filename, ("/pmagic/bzImage64", "/pmagic/initrd.img"), "iso_filename={iso_path}"),
    "Plop": (
        iso_filename,
        ("/syslinux/plop/x", "/syslinux/kernel/bzImage", "/syslinux/kernel/initramfs.gz"),
        "iso_filename={iso_path}",
    ),
    "Slackware Live": (
        liveslak,
        ("/liveslak/system/x", "/boot/generic", "/boot/initrd.img"),
        "livemedia=/dev/disk/by-uuid/{stick_uuid}:{iso_path}",
    ),
    "Wifislax 4": (liveslak, ("/wifislax/base/x", "/wifislax/vmlinuz", "/wifislax/initrd.xz"), "from={iso_path}"),
    "Slackware": (slackware, ("/kernels/huge.s/bzImage", "/isolinux/initrd.img"), "SLACK_KERNEL=huge.s"),
}


@pytest.mark.parametrize("what", MENULESS)
def test_an_image_without_a_menu_starts_by_its_files(what: str) -> None:
    module, files, word = MENULESS[what]
    detection = module.DETECTOR.detect(BareIso(*files))
    assert isinstance(detection, Detection)
    (entry,) = detection.entries
    assert {entry.kernel, *entry.initrds} <= set(files)
    assert word in entry.cmdline


OWN_LABELS = {"Adélie Linux": "Adelie-x86_64-1.0", "T2 SDE": "T2-24.6"}


@pytest.mark.parametrize("system", own_medium.SYSTEMS, ids=lambda system: system.distro)
def test_each_system_of_its_own_medium_is_known(system: own_medium.System) -> None:
    files = tuple(pattern.replace("*", "x") + "x" * pattern.endswith("/") for pattern in system.has)
    label = OWN_LABELS.get(system.distro, system.distro)
    found = own_medium.detect(
        BareIso(
            *files, texts=menu("/isolinux/vmlinuz", f"{system.words}=cdrom", "/isolinux/initrd.img"), volume_id=label
        )
    )
    assert isinstance(found, Detection)
    assert (found.distro, found.entries, found.obstacle) == (system.distro, (), system.obstacle)


STARTS = [(system, start) for system in ram_only.SYSTEMS for start in system.starts]
LABELS = {
    "Ophcrack": "ophcrack-livecd-3.6.0",
    "4MLinux": "4MLinux",
    "RancherOS": "RancherOS",
    "Talos Linux": "TALOS",
    "ShredOS": "SHREDOS",
    "Fatdog64": "Fatdog64",
    "Ubuntu Mini ISO": "Ubuntu-Mini-ISO 26.04",
    "Archboot": "ARCHBOOT",
}


@pytest.mark.parametrize(
    ("system", "start"), STARTS, ids=[f"{a.distro}-{b.kernel}-{len(b.initrds)}" for a, b in STARTS]
)
def test_each_start_of_a_ram_system_loads_its_files_in_order(system: ram_only.System, start: ram_only.Start) -> None:
    files = tuple(pattern.replace("*", "5") for pattern in (start.kernel, *start.initrds))
    found = ram_only.detect(BareIso(*files, volume_id=LABELS.get(system.distro, "DISC")))
    assert isinstance(found, Detection)
    assert found.distro == system.distro
    assert (found.entries[0].kernel, *found.entries[0].initrds) == files
    assert found.entries[0].firmware == system.firmware


def test_dban_is_never_started_without_a_question() -> None:
    lines = 'LABEL dban\nKERNEL dban.bzi\nAPPEND nuke="dwipe"\nLABEL autonuke\nKERNEL dban.bzi\nAPPEND nuke="dwipe --autonuke"\n'
    found = ram_only.detect(BareIso("/dban.bzi", texts={"/isolinux.cfg": lines}))
    assert isinstance(found, Detection)
    assert [entry.cmdline for entry in found.entries] == [("nuke=dwipe", "silent")]


@pytest.mark.parametrize("name", ["PrimeOS_2.1", "Phoenix OS"])
def test_android_with_an_init_of_its_own_is_not_android_x86(name: str) -> None:
    iso = BareIso("/kernel", "/initrd.img", "/system.sfs", volume_id=name)
    assert isinstance(android.detect(iso), NotMine)
    assert isinstance(own_medium.detect(iso), Detection)


@pytest.mark.parametrize(
    ("uuid", "boots"), [("2019-11-23-10-00-00-00", False), ("2019-11-24-10-00-00-00", True), ("", False)]
)
def test_puppy_boots_from_a_file_since_its_initrd_knows_how(uuid: str, boots: bool) -> None:
    found = puppy.detect(BareIso("/vmlinuz", "/initrd.gz", "/puppy_slacko64_7.0.sfs", uuid=uuid))
    assert isinstance(found, Detection)
    assert bool(found.entries) == boots
    assert found.title == "Puppy Slacko64 7.0 (x86_64)"


@pytest.mark.parametrize(("script", "uuid"), [(True, "2019-11-23-10-00-00-00"), (False, "2022-01-01-10-00-00-00")])
def test_the_initrd_of_a_puppy_is_believed_before_its_date(script: bool, uuid: str) -> None:
    initrd = ("puppy", "puppy-isoboot") if script else ("puppy",)
    iso = BareIso("/vmlinuz", "/initrd.gz", "/puppy_slacko64_7.0.sfs", uuid=uuid, initrd=initrd)
    found = puppy.detect(iso)
    assert isinstance(found, Detection)
    assert bool(found.entries) == script
    assert found.notes == ()


@pytest.mark.parametrize(
    ("markers", "root", "stack"),
    [
        (("nixos-stage-1",), "root=fstab", "nixos stage-1"),
        (("systemd",), "root=LABEL=nixos", "nixos systemd stage-1"),
        ((), "root=LABEL=nixos", "nixos stage-1"),
        ((), "root=fstab", "nixos systemd stage-1"),
    ],
)
def test_the_initrd_of_a_nixos_is_believed_before_its_menu(markers: tuple[str, ...], root: str, stack: str) -> None:
    texts = menu("/boot/bzImage", f"init=/nix/store/0/init {root}", "/boot/initrd")
    found = nixos.detect(BareIso("/nix-store.squashfs", "/boot/bzImage", "/boot/initrd", texts=texts, initrd=markers))
    assert isinstance(found, Detection)
    assert (found.stack, found.wants_disk) == (stack, stack == "nixos systemd stage-1")


def test_an_alpine_without_a_text_is_still_alpine() -> None:
    found = alpine.detect(BareIso("/.alpine-release"))
    assert isinstance(found, Detection)
    assert (found.title, found.entries) == ("Alpine Linux", ())


GRUB = ("/boot/grub/i386-pc/eltorito.img", "/boot/grub/i386-pc/normal.mod", "/efi.img", "/mach_kernel", "/System/x")


@pytest.mark.parametrize(
    ("files", "is_empty"),
    [
        ((), True),
        (("/boot/vmlinuz",), False),
        (("/ember/vmlinuz", "/ember/initrd.img", "/ember/root.sfs"), False),
    ],
)
def test_a_disc_of_grub_is_empty_only_where_nothing_else_is_on_it(files: tuple[str, ...], *, is_empty: bool) -> None:
    found = grub_rescue.detect(BareIso(*GRUB, *files, texts={"/boot/grub/grub.cfg": "set timeout=5\n"}))
    assert isinstance(found, Detection) == is_empty


@pytest.mark.parametrize(
    "menu",
    [
        {"/loader/entries/a.conf": "title Rescue\nuki /rescue/os.efi\n"},
        {"/limine.conf": "/Rescue\n protocol: efi\n path: boot():/rescue/os.efi\n"},
        {"/EFI/BOOT/refind.conf": 'menuentry "Rescue" {\n loader /rescue/os.efi\n}\n'},
        {"/boot/grub/grub.cfg": 'menuentry "Rescue" {\n chainloader /rescue/os.efi\n}\n'},
        {"/boot/grub/grub.cfg": 'menuentry "Rescue" {\n linux /rescue/os.efi quiet\n}\n'},
    ],
)
@pytest.mark.parametrize("cmdline", ["rdinit=/init", "root=live:CDLABEL=DISC rd.live.image"])
def test_a_unified_kernel_image_is_found_where_a_menu_names_it(menu: dict[str, str], cmdline: str) -> None:
    kernel = KernelFacts(size=9, cpu="x86_64", uki=Uki(cmdline=cmdline, os_release="NAME=Rescue\n", initrd=9))
    facts = replace(BareIso("/rescue/os.efi", texts=menu).facts, kernels={"/rescue/os.efi": kernel})
    found = uki.detect(RecordedIso(facts))
    assert isinstance(found, Detection)
    started = [(entry.kernel, entry.kind) for entry in found.entries]
    assert started == ([("/rescue/os.efi", EntryKind.CHAINLOADER)] if cmdline == "rdinit=/init" else [])
    assert bool(found.obstacle) == (not started)


@pytest.mark.parametrize(
    "words",
    [
        "rd.live.dir=/ rd.live.squashimg=a.img", "coreos.liveiso=x", "systemd.gpt_auto=1", "live-media-path=/live", "cdroot",
        "archisobasedir=arch", "inst.stage2=hd:LABEL=X", "root=PARTUUID=1-2", "root=gpt-auto", "usrhash=ab",
    ],
)  # fmt: skip
def test_a_unified_kernel_image_that_looks_for_its_medium_is_told_by_any_of_its_words(words: str) -> None:
    kernel = KernelFacts(size=9, cpu="x86_64", uki=Uki(cmdline=f"quiet {words}", os_release="", initrd=9))
    path = "/EFI/Linux/os.efi"
    found = uki.detect(RecordedIso(replace(BareIso(path).facts, kernels={path: kernel})))
    assert isinstance(found, Detection)
    assert (found.entries, bool(found.obstacle)) == ((), True)


def test_of_several_unified_kernel_images_those_start_that_look_for_nothing_and_a_copy_once() -> None:
    lines = {"a": "root=LABEL=x", "b": "rdinit=/init", "c": "rdinit=/init nomodeset", "d": "rdinit=/init"}
    paths = {name: f"/EFI/Linux/{name}.efi" for name in lines}
    kernels = {
        paths[name]: KernelFacts(size=9, cpu="x86_64", uki=Uki(cmdline=line, os_release="NAME=Rescue\n", initrd=9))
        for name, line in lines.items()
    }
    found = uki.detect(RecordedIso(replace(BareIso(*paths.values()).facts, kernels=kernels)))
    assert isinstance(found, Detection)
    assert [(entry.title, entry.kernel) for entry in found.entries] == [
        ("Rescue", paths["b"]),
        ("Rescue (2)", paths["c"]),
    ]


LOADER = "/EFI/BOOT/BOOTX64.EFI"


@pytest.mark.parametrize(
    ("beside", "size", "cpu", "is_offered"),
    [
        ((), 1 << 20, "x86_64", True),
        (("/EFI/BOOT/BOOTIA32.EFI", "/notes.txt"), 1 << 20, "x86_64", True),
        (("/EFI/BOOT/grubx64.efi",), 1 << 20, "x86_64", False),
        (("/EFI/BOOT/menu.cfg",), 1 << 20, "x86_64", False),
        (("/EFI/ember/a.efi",), 1 << 20, "x86_64", False),
        (("/loader/loader.conf",), 1 << 20, "x86_64", False),
        (("/system.img",), 200 << 20, "x86_64", False),
        ((), 1 << 20, "", False),
    ],
)
def test_a_loader_is_started_by_itself_only_where_it_has_nothing_to_look_for(
    beside: tuple[str, ...], size: int, cpu: str, *, is_offered: bool
) -> None:
    kernels = {path: KernelFacts(size=1000, cpu=cpu) for path in (LOADER, *beside) if path.upper().endswith("EFI")}
    facts = replace(BareIso(LOADER, *beside).facts, size=size, kernels=kernels)
    found = generic.detect(RecordedIso(facts))
    offered = [entry.title for entry in found.entries] if isinstance(found, Detection) else []
    assert ("Start its UEFI loader" in offered) == is_offered
