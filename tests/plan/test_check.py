"""Every rule of a prediction: what an image is, what the stick is, and what follows."""

from dataclasses import replace

import pytest

from bootkit.model.boot import (
    IMAGE_FILE,
    ISO_PATH,
    BootEntry,
    Detection,
    EntryKind,
    Firmware,
    Recognition,
    Role,
)
from bootkit.model.catalog import ImageItem
from bootkit.model.check import Answer, Basis, Prediction, StickFacts, StickLoader, Trust
from bootkit.model.efi import EfiFacts, EfiSignature, MachineKeys
from bootkit.model.initrd import InitrdFacts, KernelModules, RootFacts
from bootkit.model.iso import IsoFacts
from bootkit.model.kernel import KernelFacts
from bootkit.model.prepare import DATA_LABEL
from bootkit.model.testboot import TestFirmware
from bootkit.plan import cures
from bootkit.plan.check import predict, stick_notes
from bootkit.units import format_size, parse_size, round_up
from tests.plan.conftest import DEBIAN_KERNEL, DEBIAN_SHIM

MIB = 1 << 20
VERSION = "6.1.0-9-amd64"
KERNEL = KernelFacts(
    size=8 * MIB, cpu="x86_64", signed=True, signers=("Debian Secure Boot Signer 2022 - linux",), efi=DEBIAN_KERNEL,
    run_size=64 * MIB, initrd_limit=0x7FFFFFFF, cmdline_limit=2047, efi32=True,
)  # fmt: skip
INITRD = InitrdFacts(
    size=20 * MIB,
    unpacked=60 * MIB,
    maker="initramfs-tools",
    markers=("live-boot",),
    kernels=(VERSION,),
    drivers=KernelModules(modules=("ext4", "nls_ascii", "nls_cp437", "vfat"), builtin=("loop",)),
)
ENTRY = BootEntry(
    title="Live",
    kernel="/live/vmlinuz",
    initrds=("/live/initrd.img",),
    cmdline=("boot=live", f"findiso={ISO_PATH}"),
    role=Role.DEFAULT,
    to_ram=("toram",),
)
LOADERS = (
    StickLoader(firmware=Firmware.BIOS),
    StickLoader(firmware=Firmware.UEFI_X64, signed=True, shim=DEBIAN_SHIM),
    StickLoader(firmware=Firmware.UEFI_IA32),
)
ARM64 = StickLoader(firmware=Firmware.UEFI_ARM64, signed=True)
EXT4 = StickFacts(filesystem="ext4", loaders=LOADERS)


@pytest.fixture(autouse=True)
def no_cures(monkeypatch: pytest.MonkeyPatch) -> None:
    """What an image does by itself."""
    monkeypatch.setattr(cures, "CURES", ())


def item(
    *,
    entry: BootEntry | None = ENTRY,
    initrd: InitrdFacts | None = INITRD,
    kernel: KernelFacts | None = KERNEL,
    path: str = "/boot/iso/live.iso",
    size: int = 700 * MIB,
    missing: int = 0,
    volume_id: str = "LIVE",
    roots: dict[str, RootFacts] | None = None,
    stack: str = "live-boot",
    filesystems: tuple[str, ...] = ("vfat", "ext4"),
    **detection: str | bool,
) -> ImageItem:
    entries = () if entry is None else (entry,)
    known = Detection(
        stack=stack, distro="Debian", entries=entries, filesystems=filesystems, **detection  # type: ignore[arg-type]
    )  # fmt: skip
    facts = IsoFacts(
        name=path.rpartition("/")[2],
        size=size,
        missing=missing,
        volume_id=volume_id,
        kernels={} if kernel is None else {"/live/vmlinuz": kernel},
        initrds={} if initrd is None else {"/live/initrd.img": initrd},
        roots=roots or {},
    )
    return ImageItem(path=path, size=size, mtime_ns=0, facts=facts, recognition=Recognition(detection=known))


def on(filesystem: str, image: ImageItem | None = None) -> Prediction:
    return predict(image or item(), replace(EXT4, filesystem=filesystem))


def drivers(*modules: str, **more: object) -> InitrdFacts:
    kept = {"builtin": ("loop",), "aliases": {"ext4": "ext4"}, **more}
    return replace(INITRD, drivers=KernelModules(modules=modules, **kept))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("filesystem", "initrd", "verdict", "reason"),
    [
        ("ext4", INITRD, "boots", "Its initrd has a driver for ext4."),
        ("vfat", INITRD, "boots", "Its initrd has a driver for FAT32."),
        ("exfat", INITRD, "boots only from ext4, FAT32", "Its initrd has no driver for exFAT."),
        ("exfat", drivers("exfat"), "boots", "Its initrd has a driver for exFAT."),
        ("btrfs", drivers(builtin=("btrfs",)), "boots", "Its kernel has the driver for btrfs built in."),
        ("vfat", drivers("vfat", "ext4"), "boots only from ext4",
         "Its initrd holds vfat, but not nls_cp437 and nls_ascii, without which FAT32 is not mounted."),
        ("ntfs", drivers("ntfs3", "ext4"), "boots only from ext4",
         "Its initrd holds ntfs3, which does not answer to the name ntfs by which it would be mounted."),
        ("ntfs", replace(INITRD, markers=("live-boot", "live-boot-ntfs-3g")), "boots only from ext4, FAT32",
         "Its initrd mounts NTFS by the program ntfs-3g alone, and does not hold it."),
        ("exfat", replace(drivers("exfat"), allowed=("ext4", "vfat")), "cannot boot",
         "Its initrd looks for the file on ext4, FAT32 only."),
        ("ext4", drivers(), "cannot boot", "Its initrd has no driver for ext4."),
        ("exfat", None, "boots only from ext4, FAT32", "live-boot of this image is not known to find its file on exFAT."),
        ("ext4", None, "boots", "live-boot of this image is known to find its file on ext4."),
        ("", INITRD, "unknown", "Nobody knows which file system the stick has."),
    ],
)  # fmt: skip
def test_the_initrds_own_drivers_decide_and_where_they_cannot_the_boot_stack(
    filesystem: str, initrd: InitrdFacts | None, verdict: str, reason: str
) -> None:
    prediction = on(filesystem, item(initrd=initrd))
    assert (prediction.verdict, prediction.reason) == (verdict, reason)


def test_what_the_kernel_has_built_in_is_looked_up_in_the_root() -> None:
    without_list = drivers(builtin=None)
    root = RootFacts(size=1, kernels={VERSION: KernelModules(builtin=("btrfs", "loop"))})
    other = RootFacts(size=1, kernels={"5.4.0": KernelModules(builtin=("exfat",))})
    roots = {"/live/filesystem.squashfs": root, "/live/old.squashfs": other}
    assert on("btrfs", item(initrd=without_list, roots=roots)).basis is Basis.INITRD
    assert on("btrfs", item(initrd=without_list, roots=roots)).verdict == "boots"
    assert on("exfat", item(initrd=without_list, roots=roots)).answer is not Answer.BOOTS


def test_a_driver_does_not_help_a_script_that_tries_fixed_names() -> None:
    initrd = replace(drivers("exfat", "ext4"), markers=("kiwi-live-root",))
    prediction = on("exfat", item(initrd=initrd, stack="liveiso", filesystems=("ext4",)))
    assert prediction.verdict == "boots only from ext4"
    assert "liveiso is not known to look for the file there" in prediction.reason


@pytest.mark.parametrize(
    ("stack", "markers", "verdict"),
    [
        ("archiso", ("archiso", "archiso-loop"), "boots"),
        ("archiso", ("archiso",), "cannot boot"),
        ("sysrescue", ("archiso",), "cannot boot"),
        ("casper", ("casper", "casper-iso-scan"), "boots"),
        ("casper", ("casper", "lupin"), "boots"),
        ("casper", ("casper",), "cannot boot"),
        ("miso", ("miso",), "cannot boot"),
        ("artix", ("archiso",), "boots"),
        ("artix", ("artix",), "cannot boot"),
        ("artix", ("artix", "artix-loop"), "boots"),
        ("parabolaiso", ("parabolaiso",), "cannot boot"),
        ("dmsquash-live", ("dmsquash-live-root",), "cannot boot"),
        ("kiwi-live", ("kiwi-live-root",), "cannot boot"),
        ("kiwi-live", ("kiwi-live-root", "iso-scan"), "boots"),
        ("archiso", (), "boots"),
        ("casper", (), "cannot boot"),
        ("live-boot", ("systemd",), "cannot boot"),
    ],
)
def test_an_initrd_without_the_part_that_looks_for_a_file_finds_none(
    stack: str, markers: tuple[str, ...], verdict: str
) -> None:
    prediction = on("ext4", item(stack=stack, initrd=replace(INITRD, markers=markers)))
    assert prediction.verdict == verdict
    assert ("was made without" in prediction.reason) == (verdict == "cannot boot")


def test_an_initrd_that_could_not_be_read_to_its_end_is_not_believed_to_lack_anything() -> None:
    initrd = replace(INITRD, markers=("archiso",), warnings=("it breaks off",))
    assert on("ext4", item(stack="archiso", initrd=initrd)).verdict == "boots"


def test_what_grub_loads_as_a_whole_boots_from_anything() -> None:
    program = BootEntry(title="Tool", kernel="/live/vmlinuz", cmdline=("quiet",), role=Role.DEFAULT)
    prediction = on("ntfs", item(entry=program))
    assert (prediction.answer, prediction.basis) == (Answer.BOOTS, Basis.GRUB)


def test_fat_ends_at_four_gib() -> None:
    prediction = on("vfat", item(size=5 << 30))
    assert (prediction.verdict, prediction.reason) == (
        "boots only from ext4",
        "It has 5.0 GiB, and FAT32 ends at 4 GiB a file.",
    )
    assert on("ext4", item(size=5 << 30)).filesystems == ("ext4",)
    assert on("vfat", item(size=1 << 32)).reason == "It has 4.0 GiB, and FAT32 ends at 4 GiB a file."
    assert "cut off" in on("vfat", item(size=(1 << 32) - 1)).reason


@pytest.mark.parametrize(
    ("changed", "answer", "reason", "cure"),
    [
        ({"path": "/boot/iso/my live.iso"}, Answer.CANNOT,
         "Its path has a blank, which boot systems do not cope with.", "rename it on the stick to my-live.iso"),
        ({"path": "/boot/iso/My Linux/live.iso"}, Answer.CANNOT,
         "Its folder 'My Linux' has a blank, which boot systems do not cope with.",
         "rename the folder /boot/iso/My Linux on the stick to My-Linux"),
        ({"path": "/boot/iso/My Linux/my live.iso"}, Answer.CANNOT, "Its path has a blank",
         "rename it and its folders on the stick so that its path is /boot/iso/My-Linux/my-live.iso"),
        ({"missing": 3 << 20}, Answer.CANNOT,
         "The file is not complete: 3.0 MiB are missing at its end.", "download it again"),
        ({"entry": replace(ENTRY, cmdline=("boot=live", "x" * 2100, f"findiso={ISO_PATH}"))}, Answer.CANNOT,
         "of which its kernel reads 2047.", "shorter path"),
        ({"initrd": replace(INITRD, size=2 << 30)}, Answer.CANNOT,
         "Its initrd of 2.0 GiB does not fit below 2.0 GiB, where GRUB has to put it.", "a stick of its own"),
        ({"volume_id": DATA_LABEL, "entry": replace(ENTRY, cmdline=(f"root=live:LABEL={DATA_LABEL}",))}, Answer.CANNOT,
         "which is the stick's own.", "a stick of its own"),
        ({"entry": None, "obstacle": "It wants a disc.", "instead": "Burn it."}, Answer.CANNOT, "It wants a disc.", "Burn it."),
        ({"untested": True}, Answer.UNKNOWN, "Nobody knows it: its entries are a guess.", "bootkit test"),
        ({"entry": replace(ENTRY, firmware=frozenset({Firmware.UEFI_ARM64}))}, Answer.CANNOT,
         "None of its entries starts by BIOS.", ""),
    ],
)  # fmt: skip
def test_each_obstacle_is_named_with_its_cure(
    changed: dict[str, object], answer: Answer, reason: str, cure: str
) -> None:
    prediction = predict(item(**changed), EXT4)  # type: ignore[arg-type]
    assert prediction.answer is answer
    assert reason in prediction.reason
    assert cure in prediction.cure


def test_a_capital_suffix_stops_anaconda_alone() -> None:
    assert predict(item(path="/boot/iso/LIVE.ISO"), EXT4).answer is Answer.BOOTS
    assert predict(item(path="/boot/iso/LIVE.ISO", stack="anaconda"), EXT4).answer is Answer.CANNOT


def test_an_old_iso_signature_stops_anaconda_alone_and_is_told_anyway() -> None:
    stick = replace(EXT4, old_iso=True)
    assert predict(item(), stick).answer is Answer.BOOTS
    assert "wipefs" in predict(item(stack="anaconda"), stick).cure
    assert "signature of an ISO image" in stick_notes(stick)[0]


def test_images_of_one_label_are_named() -> None:
    stick = replace(EXT4, labels={"LIVE": ("/boot/iso/a.iso", "/boot/iso/b.iso"), "ONE": ("/boot/iso/c.iso",), "": ()})
    (note,) = stick_notes(stick)
    assert note.startswith("/boot/iso/a.iso and /boot/iso/b.iso have the same label, LIVE")


def test_an_image_that_looks_for_a_label_which_others_have_says_so_in_the_words_of_all() -> None:
    stick = replace(EXT4, labels={"LIVE": ("/boot/iso/a.iso", "/boot/iso/b.iso", "/boot/iso/c.iso")})
    entry = replace(ENTRY, cmdline=(*ENTRY.cmdline, "root=live:CDLABEL=LIVE"))
    notes = {predict(item(path=path, entry=entry), stick).notes for path in stick.labels["LIVE"]}
    said = "Others on the stick have its label, LIVE: that is no harm here, but on a second disk it is."
    assert [[note for note in one if "label" in note] for one in notes] == [[said]]
    alone = replace(EXT4, labels={"LIVE": ("/boot/iso/a.iso",)})
    assert said not in predict(item(path="/boot/iso/a.iso", entry=entry), alone).notes


def test_nobody_knows_an_image_without_a_detector_or_without_facts() -> None:
    unknown = replace(item(), recognition=Recognition(detection=None))
    assert (predict(unknown, EXT4).verdict, predict(unknown, EXT4).cure) == ("unknown", "bootkit explain live.iso")
    broken = replace(item(), facts=None, error="it ends too early")
    assert predict(broken, EXT4).line == "cannot boot: It cannot be read: it ends too early."


def test_memory_is_what_the_kernel_and_its_unpacked_initrd_take() -> None:
    prediction = predict(item(), EXT4)
    assert prediction.memory is not None
    assert prediction.memory.start == (64 + 20 + 60) * MIB
    assert prediction.memory.to_ram == prediction.memory.start + 700 * MIB
    assert predict(item(kernel=None), EXT4).memory is None


@pytest.mark.parametrize(
    ("memory", "answer", "notes"),
    [
        (0, Answer.BOOTS, 0),
        (128 * MIB, Answer.CANNOT, 1),
        (512 * MIB, Answer.BOOTS, 1),
        (1024 * MIB, Answer.BOOTS, 0),
    ],
)
def test_memory_is_compared_with_what_the_machine_has(memory: int, answer: Answer, notes: int) -> None:
    prediction = predict(item(), EXT4, memory=memory)
    assert (prediction.answer, len(prediction.notes)) == (answer, notes)


def test_a_tmpfs_holds_half_of_the_memory() -> None:
    prediction = predict(item(initrd=replace(INITRD, unpacked=400 * MIB)), EXT4)
    assert prediction.memory is not None
    assert prediction.memory.start == 800 * MIB


def test_memdisk_holds_the_image_itself() -> None:
    entry = BootEntry(title="Tool", kernel=IMAGE_FILE, kind=EntryKind.MEMDISK, firmware=frozenset({Firmware.BIOS}))
    prediction = predict(item(entry=entry, size=3 * MIB), EXT4)
    assert prediction.memory is not None
    assert prediction.memory.start == 3 * MIB
    assert prediction.notes == ("It needs /boot/bootkit/tools/memdisk on the stick.",)


def firmware(prediction: Prediction) -> str:
    """One letter each for BIOS, UEFI, 32-bit UEFI, Secure Boot and ARM64: b(oots), c(annot), u(nknown)."""
    return "".join(answer.answer.value[0] for answer in prediction.firmware)


SIGNED = (StickLoader(firmware=Firmware.UEFI_X64, signed=True, shim=DEBIAN_SHIM),)
FOREIGN = replace(DEBIAN_KERNEL, signatures=(EfiSignature(fits=True, chain=DEBIAN_SHIM.signatures[1].chain[:1]),))


@pytest.mark.parametrize(
    ("changed", "stick", "letters", "reason"),
    [
        ({}, EXT4, "bbbb", ""),
        ({}, replace(EXT4, loaders=None), "bbbu", "whether the stick's shim trusts it is not known"),
        ({}, replace(EXT4, loaders=SIGNED), "cbcb", "The stick has no loader for BIOS."),
        ({}, replace(EXT4, loaders=LOADERS[:1]), "bccc", "The stick has no loader for 64-bit UEFI."),
        ({}, StickFacts(filesystem="ext4", loaders=(StickLoader(firmware=Firmware.UEFI_X64),)), "cbcc", "not signed"),
        ({"initrd": drivers("exfat")}, replace(EXT4, filesystem="exfat"), "bcbc", "A signed GRUB does not read exFAT."),
        ({"kernel": replace(KERNEL, signed=False)}, EXT4, "bbbc", "Its kernel is not signed."),
        ({"kernel": replace(KERNEL, efi=FOREIGN)}, EXT4, "bbbc", "whom neither the stick's shim"),
        ({"kernel": replace(KERNEL, efi32=False)}, EXT4, "bbub", "Its kernel has no EFI mixed mode."),
        ({"kernel": replace(KERNEL, cpu="i686")}, EXT4, "bubu", "not every GRUB starts from a 64-bit UEFI"),
        ({"kernel": replace(KERNEL, cpu="aarch64")}, EXT4, "ccccc", "Its kernel is for aarch64."),
        ({"kernel": replace(KERNEL, cpu="aarch64")}, EXT4, "ccccc", "The stick has no loader for ARM UEFI."),
        ({"kernel": replace(KERNEL, cpu="aarch64")}, replace(EXT4, loaders=(*LOADERS, ARM64)), "ccccb", ""),
        ({}, replace(EXT4, loaders=(*LOADERS, ARM64)), "bbbbc", "Its kernel is for x86_64."),
        ({"kernel": replace(KERNEL, cpu="aarch64", signed=False)}, replace(EXT4, loaders=(*LOADERS, ARM64)), "ccccb",
         "Not with Secure Boot on. Its kernel is not signed."),
        ({"kernel": None}, EXT4, "bbbu", "Whether its kernel is signed is not known yet."),
    ],
)  # fmt: skip
def test_each_firmware_has_its_answer(changed: dict[str, object], stick: StickFacts, letters: str, reason: str) -> None:
    prediction = predict(item(**changed), stick)  # type: ignore[arg-type]
    assert firmware(prediction) == letters
    assert any(reason in answer.reason for answer in prediction.firmware)


@pytest.mark.parametrize(("efi", "trust"), [(DEBIAN_KERNEL, Trust.DIRECT), (FOREIGN, Trust.FOREIGN)])
def test_arm64_boots_with_what_shim_says_of_its_kernel(efi: EfiFacts, trust: Trust) -> None:
    stick = replace(EXT4, loaders=(replace(ARM64, shim=DEBIAN_SHIM),))
    prediction = predict(item(kernel=replace(KERNEL, cpu="aarch64", efi=efi)), stick)
    (answer,) = (one for one in prediction.firmware if one.firmware is TestFirmware.ARM64)
    assert (answer.answer, answer.trust) == (Answer.BOOTS, trust)


def test_firmware_that_was_asked_for_decides() -> None:
    unsigned = item(kernel=replace(KERNEL, signed=False))
    assert predict(unsigned, EXT4).answer is Answer.BOOTS
    assert predict(unsigned, EXT4, firmwares=[TestFirmware.BIOS]).answer is Answer.BOOTS
    refused = predict(unsigned, EXT4, firmwares=[TestFirmware.BIOS, TestFirmware.SECUREBOOT])
    assert (refused.answer, refused.reason) == (Answer.CANNOT, "Its kernel is not signed.")


def test_the_worst_problem_is_named_first() -> None:
    prediction = predict(item(size=5 << 30, untested=True), replace(EXT4, filesystem="exfat"), memory=MIB)
    assert [problem.answer for problem in prediction.problems] == [Answer.CANNOT, Answer.ELSEWHERE, Answer.UNKNOWN]
    assert prediction.answer is Answer.CANNOT


def test_what_could_not_be_read_is_passed_on() -> None:
    damaged = RootFacts(size=1, warnings=("it is no squashfs",))
    image = item(initrd=replace(INITRD, warnings=("it ends too early",)), roots={"/live/root.squashfs": damaged})
    assert predict(image, EXT4).notes == (
        "/live/initrd.img: it ends too early",
        "/live/root.squashfs: it is no squashfs",
    )


@pytest.mark.parametrize(
    ("displays", "modules", "is_dark"),
    [((), (), True), ((), ("simpledrm",), False), (("efifb",), (), False), (None, (), False)],
)
def test_a_kernel_without_an_early_display_is_known_to_stay_dark(
    displays: tuple[str, ...] | None, modules: tuple[str, ...], is_dark: bool
) -> None:
    notes = predict(item(initrd=drivers("ext4", *modules, displays=displays)), EXT4).notes
    assert any("stays dark" in note for note in notes) is is_dark


def test_machines_that_refuse_the_sticks_shim_are_named() -> None:
    assert stick_notes(EXT4) == ()
    only_2011 = replace(DEBIAN_SHIM, signatures=DEBIAN_SHIM.signatures[:1])
    old = replace(EXT4, loaders=(StickLoader(firmware=Firmware.UEFI_X64, signed=True, shim=only_2011),))
    (note,) = stick_notes(old)
    assert "signed by Microsoft's authority of 2011 alone: computers that trust only that of 2023" in note
    (note,) = stick_notes(replace(EXT4, machine=MachineKeys(sbat_level="sbat,1\nshim,5\n")))
    assert "does not start on this computer with Secure Boot on: its component shim is of generation 4" in note


@pytest.mark.parametrize("size", [1, 1023, 1025, 103_384_617, (1 << 30) - 1, 1_288_490_189, 5 << 30, 3 << 41])
def test_what_is_told_of_memory_is_what_is_compared(size: int) -> None:
    told = round_up(size)
    assert size <= told <= size * 1.1 + 1
    number, unit = format_size(told).split()
    assert parse_size(f"{number}{unit}") >= told
