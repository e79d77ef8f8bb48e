"""Entries that are no plain loopback Linux: what GRUB is told for each, and what it makes of that."""

import re
from pathlib import Path

import pytest

from bootkit.model.answers import recognition_from_json, recognition_to_json
from bootkit.model.boot import IMAGE_FILE, BootEntry, Detection, EntryKind, Firmware, Module, Recognition, Role
from bootkit.model.catalog import ImageItem, MenuSettings
from bootkit.model.iso import ElToritoEntry, IsoFacts
from bootkit.model.places import MEMDISK, WIMBOOT
from bootkit.render.entries import image_header
from bootkit.render.explain import explain
from bootkit.render.menu import menu_targets
from bootkit.system.grubemu import EmulatedRun, run_menu
from bootkit.system.run import run
from tests.render.conftest import StickMaker, item, menu_text

GOLDEN = Path(__file__).parent / "golden" / "other-loaders.cfg"
BIOS = frozenset({Firmware.BIOS})
UEFI = frozenset({Firmware.UEFI_X64})

FLOPPY = item(
    "/boot/iso/dos.img",
    BootEntry(title="DOS", kernel=IMAGE_FILE, kind=EntryKind.MEMDISK, cmdline=("raw",), firmware=BIOS),
)
SHELL = item(
    "/boot/iso/shell.efi",
    BootEntry(title="Shell", kernel=IMAGE_FILE, kind=EntryKind.CHAINLOADER, cmdline=("-nomap",), firmware=UEFI),
)
XEN = item(
    "/boot/iso/xen.iso",
    BootEntry(
        title="Install",
        kernel="/xen.gz",
        kind=EntryKind.MULTIBOOT2,
        cmdline=("console=none",),
        modules=(Module(path="/vmlinuz", cmdline=("find={iso_path}",)), Module(path="/initrd")),
        to_ram=("toram",),
    ),
)
PE = item(
    "/boot/iso/pe.iso", BootEntry(title="PE", kernel="/sources/boot.wim", kind=EntryKind.WIMBOOT, cmdline=("gui",))
)
BSD = item(
    "/boot/iso/bsd.iso",
    BootEntry(title="Net", kernel="/netbsd", kind=EntryKind.KNETBSD, modules=(Module(path="/miniroot.kmod"),)),
    BootEntry(title="Open", kernel="/bsd.rd", kind=EntryKind.KOPENBSD),
)
WHOLE = item(
    "/boot/iso/whole.iso", BootEntry(title="Install", kernel="/linux26", initrds=("/initrd.img",), image_as="pve.iso")
)
NET = item(
    "/boot/iso/net.iso", BootEntry(title="Net", kernel="/ipxe.krn", kind=EntryKind.LINUX16, initrds=("/script",))
)
HD_MEDIA = item(
    "/boot/iso/d-i.iso",
    BootEntry(
        title="Install",
        kernel="stick:/boot/bootkit/hd-media/vmlinuz",
        initrds=("stick:/boot/bootkit/hd-media/initrd.gz",),
    ),
)
ALL = (FLOPPY, SHELL, XEN, PE, BSD, WHOLE, NET, HD_MEDIA)


def with_efi_part(blocks: tuple[int, int]) -> ImageItem:
    plain = item("/boot/iso/uki.iso", BootEntry(title="Start", kernel="efi:/EFI/vmlinuz", initrds=("efi:/initrd",)))
    torito = ElToritoEntry(platform="efi", emulation="none", lba=blocks[0] // 4, size=blocks[1] * 512)
    facts = IsoFacts(name="uki.iso", size=1, el_torito=(torito,))
    return ImageItem(path=plain.path, size=1, mtime_ns=1, recognition=plain.recognition, facts=facts)


def parts(menu: bytes) -> str:
    return "\n".join(re.findall(r"^# /boot/iso/.*?^}\n", menu.decode(), re.MULTILINE | re.DOTALL))


def test_writes_what_was_reviewed(update_golden: bool) -> None:
    text = parts(menu_text((*ALL, with_efi_part((80, 2880))), MenuSettings()))
    if update_golden:
        GOLDEN.write_text(text, encoding="utf-8")
    assert text == GOLDEN.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    maker = StickMaker(folder=tmp_path_factory.mktemp("stick"))
    maker.files.update({FLOPPY.path: b"floppy", SHELL.path: b"MZ", MEMDISK: b"memdisk", WIMBOOT: b"wimboot"})
    maker.files[image_header(WHOLE.path)] = b"header"
    for one in (XEN, PE, BSD, WHOLE, NET, HD_MEDIA):
        assert one.recognition is not None
        assert one.recognition.detection is not None
        files = {path: b"x" for entry in one.recognition.detection.entries for path in entry.paths}
        maker.add_iso(one.path, {path.lstrip("/"): b"x" for path in files if path.startswith("/")} or {"readme": b""})
    maker.add_menu(*ALL)
    return maker.make()


def chosen(disk: Path, image: ImageItem, place: int = 0) -> EmulatedRun:
    target = [one for one in menu_targets(ALL) if one.path == image.path][place]
    firmware = Firmware.UEFI_X64 if image is SHELL else Firmware.BIOS
    return run_menu(disk, entry=target.id_path, firmware=firmware, presets={"test_words": "test"})


def bare(call: tuple[str, ...]) -> tuple[str, ...]:
    """Without the names of loop devices, which are numbers made of paths."""
    return tuple(re.sub(r"\(image_[0-9a-f]{8}(_efi)?\)", r"(loop\1)", word) for word in call)


@pytest.mark.parametrize(
    ("image", "place", "calls"),
    [
        (FLOPPY, 0, [("linux16", f"(hd0){MEMDISK}", "raw"), ("initrd16", "(hd0)/boot/iso/dos.img")]),
        (SHELL, 0, [("chainloader", "(hd0)/boot/iso/shell.efi", "-nomap")]),
        (
            XEN,
            0,
            [
                ("multiboot2", "(loop)/xen.gz", "console=none"),
                ("module2", "(loop)/vmlinuz", "find=/boot/iso/xen.iso", "test"),
                ("module2", "(loop)/initrd"),
            ],
        ),
        (PE, 0, [("linux16", f"(hd0){WIMBOOT}", "gui"), ("initrd16", "newc:boot.wim:(loop)/sources/boot.wim")]),
        (BSD, 0, [("knetbsd", "(loop)/netbsd"), ("knetbsd_module_elf", "(loop)/miniroot.kmod")]),
        (BSD, 1, [("kopenbsd", "(loop)/bsd.rd")]),
        (
            WHOLE,
            0,
            [
                ("linux", "(loop)/linux26", "test"),
                ("initrd", "(loop)/initrd.img", f"(hd0){image_header(WHOLE.path)}", f"(hd0){WHOLE.path}"),
            ],
        ),
        (NET, 0, [("linux16", "(loop)/ipxe.krn"), ("initrd16", "(loop)/script")]),
    ],
    ids=["memdisk", "chainloader", "multiboot2", "wimboot", "knetbsd", "kopenbsd", "image_as", "linux16"],
)
def test_loads_what_was_meant(disk: Path, image: ImageItem, place: int, calls: list[tuple[str, ...]]) -> None:
    assert [bare(call) for call in chosen(disk, image, place).calls] == calls


def test_a_file_that_is_not_on_the_stick_is_named(disk: Path) -> None:
    got = chosen(disk, HD_MEDIA)
    assert not got.calls
    assert "d-i.iso: /boot/bootkit/hd-media/vmlinuz is not on the stick." in got.screen
    assert "bootkit generate" in got.screen


def test_reads_a_kernel_in_the_part_for_uefi(stick: StickMaker) -> None:
    fat = stick.folder / "efi.img"
    (stick.folder / "vmlinuz").write_bytes(b"kernel")
    run(["mkfs.fat", "-C", fat, "1440"])
    run(["mmd", "-i", fat, "::/EFI"])
    for target in ("::/EFI/vmlinuz", "::/initrd"):
        run(["mcopy", "-i", fat, stick.folder / "vmlinuz", target])
    stick.add_iso("/boot/iso/uki.iso", {"efi.img": fat.read_bytes()})
    start = stick.files["/boot/iso/uki.iso"].index(fat.read_bytes()[:512]) // 512
    inside = with_efi_part((start, 2880))
    stick.add_menu(inside)
    got = run_menu(stick.make(), entry=menu_targets((inside,))[0].id_path)
    assert [bare(call) for call in got.calls] == [("linux", "(loop_efi)/EFI/vmlinuz"), ("initrd", "(loop_efi)/initrd")]


def test_an_entry_in_a_part_for_uefi_that_is_not_there_is_no_target() -> None:
    lost = item("/boot/iso/a.iso", BootEntry(title="Start", kernel="efi:/vmlinuz"))
    assert not menu_targets((lost,))


@pytest.mark.parametrize("image", ALL, ids=lambda image: image.name)
def test_an_answer_comes_back_from_its_record(image: ImageItem) -> None:
    assert image.recognition is not None
    assert recognition_from_json(recognition_to_json(image.recognition)) == image.recognition


@pytest.mark.parametrize(
    ("image", "said"),
    [
        (FLOPPY, "memdisk, which holds the image in RAM"),
        (SHELL, "program /boot/iso/shell.efi"),
        (XEN, "find=/boot/iso/xen.iso tells it where"),
        (PE, f"needs   {WIMBOOT} on the stick"),
        (WHOLE, "goes along as the file /pve.iso"),
        (HD_MEDIA, "/boot/bootkit/hd-media/vmlinuz (on the stick)"),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_explains_what_it_does(image: ImageItem, said: str) -> None:
    assert image.recognition is not None
    text = explain(IsoFacts(name=image.name, size=1), image.recognition, iso_path=image.path, width=100)
    assert said in " ".join(text.split()) or said in text


def test_a_guess_is_called_one() -> None:
    entry = BootEntry(title="Start", kernel="/vmlinuz", role=Role.DEFAULT)
    guess = Recognition(detection=Detection(stack="generic", distro="Odd", entries=(entry,), untested=True))
    odd = ImageItem(path="/boot/iso/odd.iso", size=1, mtime_ns=1, recognition=guess)
    assert b'submenu Odd$" (untested guess)" --id' in menu_text((odd,), MenuSettings())
    assert "untested guess" in explain(IsoFacts(name="odd.iso", size=1), guess, width=100)
    assert recognition_from_json(recognition_to_json(guess)) == guess
