"""The menu, run by GRUB itself on a stick with real images."""

import hashlib
import re
import zlib
from dataclasses import replace
from pathlib import Path

import pytest

from bootkit.model.boot import BootEntry, EntryKind, Firmware, Role
from bootkit.model.catalog import DARK, LAST, LIGHT, Additions, Hop, ImageAppearance, MenuSettings
from bootkit.model.places import CUSTOM_MENU, GRUBENV, MENU, STOP_FILE, SUM_FOLDER
from bootkit.plan.password import grub_digest
from bootkit.render.menu import CHECKED, MenuTarget, menu_targets, render_menu
from bootkit.render.theme import theme_files
from bootkit.render.tree import MANY as TOO_MANY
from bootkit.system.grubemu import run_menu
from tests.render.conftest import (
    BROKEN,
    CASPER_TREE,
    CATALOG,
    DEBIAN,
    ESXI,
    LIVE_TREE,
    STICK_UUID,
    UBUNTU,
    StickMaker,
    entry,
    item,
)

TARGETS = menu_targets(CATALOG)
CASPER = "image:ubuntu.iso>entry-try-or-install-ubuntu"
LIVE = "folder:live>image:live/debian.iso>entry-live-system"


@pytest.mark.parametrize(
    "target", [target for target in TARGETS if target.entry.kind is EntryKind.LINUX], ids=lambda target: target.id_path
)
@pytest.mark.parametrize("firmware", [Firmware.BIOS, Firmware.UEFI_X64])
def test_every_entry_loads_what_was_meant(full_stick: Path, target: MenuTarget, firmware: Firmware) -> None:
    got = run_menu(full_stick, entry=target.id_path, firmware=firmware)
    if firmware not in target.entry.firmware:  # GRUB takes the submenu's first entry when it does not find the default
        assert f"Booting `{target.entry.title}'" not in got.screen
        return
    assert got.linux is not None
    assert got.linux[0].endswith(f"){target.entry.kernel}")
    assert got.linux[1:] == _words(target.entry, target.path)
    assert got.initrd is not None
    assert [name.partition(")")[2] for name in got.initrd] == list(target.entry.initrds)
    assert "bootkit verify" in got.screen  # grub-emu has nothing that boots: `boot` failed, and the menu says so


def _words(wanted: BootEntry, path: str) -> tuple[str, ...]:
    return tuple(word.replace("{iso_path}", path).replace("{stick_uuid}", STICK_UUID) for word in wanted.cmdline)


def test_loading_an_image_prints_no_error(full_stick: Path) -> None:
    errors = [line for line in run_menu(full_stick, entry=LIVE).screen.splitlines() if line.startswith("error:")]
    # what only grub-emu lacks: smbios, something to boot, and the keys that end the run
    assert [error for error in errors if "find command" not in error] == ["error: you need to load the kernel first."]


def test_a_menu_for_arm64_takes_no_module_away_that_is_not_there(full_stick: Path) -> None:
    assert "no such module" not in run_menu(full_stick, firmware=Firmware.UEFI_ARM64).screen


def test_the_images_own_menu_gets_to_know_where_its_file_is(full_stick: Path) -> None:
    screen = run_menu(full_stick, entry="image:ubuntu.iso>entry-own-menu").screen
    assert f"loopback /boot/iso/ubuntu.iso {STICK_UUID}" in screen


def test_an_image_that_cannot_boot_explains_itself(full_stick: Path) -> None:
    screen = run_menu(full_stick, entry="image:esxi.iso").screen
    assert "It reads its modules by the firmware." in screen
    assert "Use a stick of its own." in screen
    assert "there is no volume in it" in run_menu(full_stick, entry="image:broken.iso").screen
    assert "bootkit explain strange.iso" in run_menu(full_stick, entry="image:strange.iso").screen


def test_an_entry_for_another_firmware_is_hidden(full_stick: Path) -> None:
    names = [target.id_path for target in TARGETS if "UEFI only" in target.title]
    assert "Booting `UEFI only'" not in run_menu(full_stick, entry=names[0]).screen
    assert "Booting `UEFI only'" in run_menu(full_stick, entry=names[0], firmware=Firmware.UEFI_ARM64).screen


def test_an_image_for_other_machines_says_so(stick: StickMaker) -> None:
    arm = item("/boot/iso/arm.iso", entry(firmware=frozenset({Firmware.UEFI_ARM64})))
    stick.add_iso(arm.path, LIVE_TREE)
    stick.add_menu(arm)
    disk = stick.make()
    assert "arm.iso starts on ARM UEFI machines only." in run_menu(disk, entry="image:arm.iso>entry-not-here").screen
    assert run_menu(disk, entry="image:arm.iso>0", firmware=Firmware.UEFI_ARM64).linux is not None


def test_an_image_that_is_gone_hides_itself(stick: StickMaker) -> None:
    stick.add_iso(UBUNTU.path, CASPER_TREE)
    stick.add_menu(*CATALOG)
    disk = stick.make()
    screen = run_menu(disk).screen
    assert "Ubuntu" in screen
    assert "ESXi" not in screen
    assert "live >" not in screen


def test_a_missing_kernel_or_initrd_is_told_and_nothing_is_loaded(stick: StickMaker) -> None:
    stick.add_iso(DEBIAN.path, {name: content for name, content in LIVE_TREE.items() if name != "live/microcode"})
    stick.add_iso(UBUNTU.path, LIVE_TREE)
    stick.add_menu(*CATALOG)
    disk = stick.make()
    for place, sentence in (
        (LIVE, "error: debian.iso: there is no /live/microcode in it."),
        (CASPER, "error: ubuntu.iso: there is no /casper/vmlinuz in it."),
    ):
        got = run_menu(disk, entry=place)
        assert sentence in got.screen
        assert got.linux is None


def test_a_file_that_is_no_image_is_told(stick: StickMaker) -> None:
    stick.files[UBUNTU.path] = b"not an image" * 1000
    stick.add_menu(UBUNTU)
    got = run_menu(stick.make(), entry=CASPER)
    assert got.linux is None
    assert "bootkit verify ubuntu.iso" in got.screen


def test_an_image_that_grub_cannot_open_may_be_too_large_for_its_memory(stick: StickMaker) -> None:
    stick.add_menu(UBUNTU)
    # loopback refuses a folder as it does a file for which there is no memory
    stick.files[f"{UBUNTU.path}/inside"] = b"nothing"
    typed = ("show ''", "iso_path=/boot/iso/ubuntu.iso", "loop=ubuntu", "need_files /x", "start")
    got = run_menu(stick.make(), commands=typed)
    assert "ubuntu.iso: /boot/iso/ubuntu.iso cannot be read." in got.screen
    assert "If the error above is about memory, this computer has too little of it" in got.screen
    assert "bootkit verify ubuntu.iso" in got.screen


def test_the_words_and_the_initrd_of_a_test_come_last(full_stick: Path) -> None:
    presets = {"test_words": "loglevel=7 x=y", "test_initrd": "(hd0)/boot/grub/grub.cfg"}
    got = run_menu(full_stick, entry=CASPER, presets=presets)
    assert got.linux is not None
    assert got.linux[-4:] == ("quiet", "splash", "loglevel=7", "x=y")
    assert got.initrd is not None
    assert got.initrd[-1] == "(hd0)/boot/grub/grub.cfg"


def test_an_entry_without_an_initrd_still_loads_that_of_a_test(stick: StickMaker) -> None:
    bare = item("/boot/iso/bare.iso", entry("Bare", initrds=()))
    stick.add_iso(bare.path, LIVE_TREE)
    stick.add_menu(bare)
    disk = stick.make()
    place = "image:bare.iso>entry-bare"
    assert run_menu(disk, entry=place).initrd is None
    presets = {"test_initrd": "(hd0)/boot/grub/grub.cfg"}
    assert run_menu(disk, entry=place, presets=presets).initrd == ("(hd0)/boot/grub/grub.cfg",)


def test_choices_add_their_words_before_the_dashes(stick: StickMaker) -> None:
    stick.add_iso(UBUNTU.path, CASPER_TREE)
    stick.add_iso(DEBIAN.path, LIVE_TREE)
    stick.add_menu(UBUNTU, DEBIAN)
    stick.files[GRUBENV] = b"# GRUB Environment Block\nopt_ram=1\nopt_safe=1\nopt_serial=1\n".ljust(1024, b"#")
    disk = stick.make()
    ours = ("nomodeset", "console=tty0", "console=ttyS0,115200")
    casper = run_menu(disk, entry=CASPER)
    assert casper.linux is not None
    assert casper.linux[1:] == ("iso-scan/filename=/boot/iso/ubuntu.iso", *ours, "---", "quiet", "splash")
    assert "Install Ubuntu (not to RAM)" in casper.screen
    live = run_menu(disk, entry=LIVE)
    assert live.linux is not None
    assert live.linux[-4:] == ("toram", *ours)


def test_what_the_stick_adds_is_loaded_last_and_can_be_switched_off(stick: StickMaker) -> None:
    stick.add_iso(UBUNTU.path, CASPER_TREE)
    overlay, choices = "/boot/bootkit/overlays/casper.cpio", "/boot/bootkit/overlays/image_1.cpio"
    additions = Additions(initrds=(overlay, choices), words=("rdinit=/bootkit/init",))
    stick.put_menu(render_menu([UBUNTU], MenuSettings(), additions={UBUNTU.path: additions}))
    stick.files[overlay] = stick.files[choices] = b"070701"
    stick.files[GRUBENV] = b"# GRUB Environment Block\nopt_off=1\nopt_no_home=1\n".ljust(1024, b"#")
    got = run_menu(stick.make(), entry=CASPER)
    assert got.linux is not None
    assert got.initrd is not None
    assert [word for word in got.linux if "bootkit" in word] == [
        "bootkit=nohome",
        "bootkit=off",
        "rdinit=/bootkit/init",
    ]
    assert got.initrd[-2:] == (f"(hd0){overlay}", f"(hd0){choices}")
    # without them nobody would understand the words, and without one of them the kernel would find no init
    del stick.files[overlay]
    bare = run_menu(stick.make(), entry=CASPER)
    assert bare.linux is not None
    assert not [word for word in bare.linux if "bootkit" in word]


def test_a_choice_shows_the_menu_again_and_esc_takes_it_back(full_stick: Path) -> None:
    asked = 'echo "<$opt_ram$opt_safe$switched_on>"'
    chosen = run_menu(full_stick, entry="options>opt_ram", commands=(asked,)).screen
    assert "<10 [to RAM]>" in chosen
    assert "redefine" not in chosen


def test_choices_are_kept_on_the_stick(stick: StickMaker) -> None:
    stick.add_menu(UBUNTU, settings=MenuSettings(serial=True))
    disk = stick.make()
    assert "Kept:" in run_menu(disk, entry="options>keep").screen
    assert b"opt_ram=0\nopt_safe=0\nopt_serial=1\n" in disk.read_bytes()


def test_the_first_image_is_the_default_unless_another_is_chosen(stick: StickMaker) -> None:
    stick.add_iso(UBUNTU.path, CASPER_TREE)
    stick.add_iso(DEBIAN.path, LIVE_TREE)
    stick.add_menu(*CATALOG)
    assert "<image:ubuntu.iso>0 30>" in _start(stick)
    stick.add_menu(*CATALOG, settings=MenuSettings(default=DEBIAN.path, timeout=5))
    assert "<folder:live>image:live/debian.iso>0 5>" in _start(stick)
    del stick.files[DEBIAN.path]
    assert "<image:ubuntu.iso>0 5>" in _start(stick)


def _start(stick: StickMaker) -> str:
    """What the menu sets up, said by the user's own custom.cfg, which it reads near its end."""
    stick.files[CUSTOM_MENU] = b'echo "<$default $timeout>"\n'
    return run_menu(stick.make(), entry="blank").screen


def test_new_images_start_by_the_rules(stick: StickMaker) -> None:
    stick.add_menu()
    stick.add_iso("/boot/iso/new-ubuntu.iso", CASPER_TREE)
    stick.add_iso("/boot/iso/folder/new-live.ISO", LIVE_TREE, volume_id="LIVE_1")
    disk = stick.make()
    casper = run_menu(disk, entry="new>new:/boot/iso/new-ubuntu.iso")
    assert casper.linux is not None
    assert casper.linux[0].endswith(")/casper/vmlinuz")
    assert casper.linux[1:] == ("boot=casper", "iso-scan/filename=/boot/iso/new-ubuntu.iso", "---", "quiet")
    live = run_menu(disk, entry="new>new:/boot/iso/folder/new-live.ISO")
    assert live.linux is not None
    assert live.linux[1:] == (
        "boot=live",
        "findiso=/boot/iso/folder/new-live.ISO",
        "label=LIVE_1",
        f"stick={STICK_UUID}",
    )
    assert live.initrd is not None
    assert live.initrd[0].endswith(")/live/initrd.img")


def test_a_rule_finds_files_with_versions_in_their_names(stick: StickMaker) -> None:
    stick.add_menu()
    tree = {"live/a.squashfs": b"s", "live/vmlinuz-6.1": b"k", "live/initrd.img-6.1": b"i"}
    stick.add_iso("/new.iso", tree)
    got = run_menu(stick.make(), entry="new>new:/new.iso")
    assert got.linux is not None
    assert got.linux[0].endswith(")/live/vmlinuz-6.1")
    assert got.initrd is not None
    assert got.initrd[0].endswith(")/live/initrd.img-6.1")


def test_a_new_image_that_no_rule_knows_uses_its_own_menu_or_says_so(stick: StickMaker) -> None:
    stick.add_menu()
    stick.add_iso("/own.iso", {"boot/grub2/loopback.cfg": b'echo "own $iso_path"\n'})
    stick.add_iso("/mute.iso", {"readme": b"x"})
    stick.add_iso("/two words.iso", CASPER_TREE)
    stick.files["/bad.iso"] = b"no image" * 1000
    disk = stick.make()
    assert "own /own.iso" in run_menu(disk, entry="new>new:/own.iso").screen
    assert "bootkit generate" in run_menu(disk, entry="new>new:/mute.iso").screen
    assert "Rename the file." in run_menu(disk, entry="new>new:/two words.iso").screen
    assert "not an image that GRUB can read" in run_menu(disk, entry="new>new:/bad.iso").screen


def test_new_images_are_shown_only_when_there_are_any(stick: StickMaker) -> None:
    stick.add_iso(UBUNTU.path, CASPER_TREE)
    stick.add_menu(UBUNTU)
    stick.files["/boot/iso/._ubuntu.iso"] = b"what macOS leaves"
    assert "New images" not in run_menu(stick.make()).screen
    stick.add_iso("/boot/iso/new.iso", CASPER_TREE)
    assert "New images" in run_menu(stick.make()).screen


def test_an_empty_stick_says_what_to_do(stick: StickMaker) -> None:
    stick.add_menu()
    assert "bootkit add" in run_menu(stick.make(), entry="empty").screen


def test_a_name_full_of_traps_is_shown_as_it_is(stick: StickMaker) -> None:
    title = 'It\'s "${root}" `id` 100% {{ x }} #}'
    named = replace(item("/boot/iso/a.iso", entry(title), distro=title))
    stick.add_iso(named.path, LIVE_TREE)
    stick.add_menu(named)
    disk = stick.make()
    assert title in run_menu(disk).screen
    assert run_menu(disk, entry="image:a.iso>0").linux is not None


def test_the_previous_menu_is_offered(stick: StickMaker) -> None:
    stick.add_menu(ESXI, BROKEN)
    stick.files["/boot/grub/grub.cfg.old"] = b"echo the menu before\n"
    assert "the menu before" in run_menu(stick.make(), entry="previous").screen


FOUND_CASPER = "search>found:image_4de9d4db>entry-try-or-install-ubuntu"


@pytest.mark.parametrize("typed", ["ubuntu", "UBUN", "bun iso", "(u)[b]+", "", "\\"])
def test_an_image_is_found_by_what_is_typed(full_stick: Path, typed: str) -> None:
    got = run_menu(full_stick, entry=FOUND_CASPER, typed=[typed])
    assert got.linux is not None
    assert got.linux[1:] == ("iso-scan/filename=/boot/iso/ubuntu.iso", "---", "quiet", "splash")


@pytest.mark.parametrize("typed", ["iso ubuntu", "zz", "debian"])
def test_only_what_matches_is_found(full_stick: Path, typed: str) -> None:
    got = run_menu(full_stick, entry="search", typed=[typed])
    assert "Booting `Ubuntu'" not in got.screen
    assert ("Booting `Debian'" in got.screen) == (typed == "debian")


def test_grub_without_a_command_to_read_offers_first_letters(full_stick: Path) -> None:
    got = run_menu(full_stick, entry=FOUND_CASPER.replace(">found", ">letter:u>found"), presets={"no_read": "1"})
    assert got.linux is not None
    assert got.linux[1] == "iso-scan/filename=/boot/iso/ubuntu.iso"
    other = run_menu(full_stick, entry="search>letter:d>0", presets={"no_read": "1"})
    assert "Booting `Debian'" in other.screen
    assert "Booting `Ubuntu'" not in other.screen


def test_what_was_started_last_is_the_default(stick: StickMaker) -> None:
    stick.add_iso(UBUNTU.path, CASPER_TREE)
    stick.add_iso(DEBIAN.path, LIVE_TREE)
    stick.add_menu(*CATALOG, settings=MenuSettings(default=LAST))
    assert "<image:ubuntu.iso>0 30>" in _start(stick)
    disk = stick.make()
    place = "folder:live>image:live/debian.iso>entry-installer"
    assert run_menu(disk, entry=place).linux is not None
    assert f"last={place}\n".encode() in disk.read_bytes()
    stick.files[GRUBENV] = f"# GRUB Environment Block\nlast={place}\n".encode().ljust(1024, b"#")
    assert f"<{place} 30>" in _start(stick)
    del stick.files[DEBIAN.path]
    assert "<image:ubuntu.iso>0 30>" in _start(stick)


def test_an_installer_that_was_started_last_is_no_default(stick: StickMaker) -> None:
    """The computer starts from the stick once more when it is done."""
    image = item("/boot/iso/both.iso", entry("Try it"), entry("Set up", role=Role.INSTALL))
    stick.add_iso(image.path, LIVE_TREE)
    stick.add_menu(image, settings=MenuSettings(default=LAST))
    disk = stick.make()
    assert run_menu(disk, entry="image:both.iso>entry-set-up").linux is not None
    assert b"last=image" not in disk.read_bytes()
    assert run_menu(disk, entry="image:both.iso>entry-try-it").linux is not None
    assert b"last=image:both.iso>entry-try-it\n" in disk.read_bytes()


@pytest.mark.parametrize("others", [0, CHECKED])
def test_no_time_out_starts_what_only_installs(stick: StickMaker, others: int) -> None:
    installer = item("/boot/iso/a.iso", entry("Set up"), stack="debian-installer")
    many = tuple(item(f"/boot/iso/c{n:02}.iso", entry(), distro="Common") for n in range(1 + others))
    for one in (installer, many[0]):
        stick.add_iso(one.path, LIVE_TREE)
    stick.files[CUSTOM_MENU] = b'echo "<$default $timeout>"\n'
    stick.add_menu(installer, *many)
    assert "<image:c00.iso>0 30>" in run_menu(stick.make(), entry="blank").screen
    stick.add_menu(installer)
    assert "< -1>" in run_menu(stick.make(), entry="blank").screen
    stick.add_menu(installer, settings=MenuSettings(default=installer.path))
    assert "<image:a.iso>0 30>" in run_menu(stick.make(), entry="blank").screen


def test_what_is_found_is_remembered_by_its_place_in_the_menu(stick: StickMaker) -> None:
    stick.add_iso(UBUNTU.path, CASPER_TREE)
    stick.add_menu(*CATALOG, settings=MenuSettings(default=LAST))
    disk = stick.make()
    run_menu(disk, entry=FOUND_CASPER, typed=["ubuntu"])
    assert b"last=image:ubuntu.iso>entry-try-or-install-ubuntu\n" in disk.read_bytes()


OWNER = ("owner", "secret")
REFUSED = ("owner", "guess")
"""Behind it GRUB shows the menu, but asks again where a submenu was opened by itself."""


@pytest.mark.parametrize("place", [LIVE, "search>found:image_50a91249>entry-live-system"])
def test_a_locked_image_starts_after_the_password_only(stick: StickMaker, place: str) -> None:
    looks = {DEBIAN.path: ImageAppearance(locked=True)}
    stick.add_iso(UBUNTU.path, CASPER_TREE)
    stick.add_iso(DEBIAN.path, LIVE_TREE)
    stick.add_menu(*CATALOG, settings=MenuSettings(password=grub_digest("secret", b"salt"), appearances=looks))
    disk = stick.make()
    words = ["debian"] if place.startswith("search") else []
    assert run_menu(disk, entry=CASPER, login=OWNER).linux is not None
    refused = run_menu(disk, entry=place, typed=[*words, *REFUSED, *OWNER], login=OWNER)
    assert refused.linux is None
    assert "access denied" in refused.screen
    assert run_menu(disk, entry=place, typed=[*words, *OWNER], login=OWNER).linux is not None


def test_a_password_for_everything_is_asked_for_before_any_start(stick: StickMaker) -> None:
    settings = MenuSettings(password=grub_digest("secret", b"salt"), protect_all=True)
    stick.add_iso(UBUNTU.path, CASPER_TREE)
    stick.add_menu(*CATALOG, settings=settings)
    disk = stick.make()
    for place, words in ((CASPER, [""]), (FOUND_CASPER, ["ubuntu", "", ""])):
        got = run_menu(disk, entry=place, typed=[*REFUSED, "", *OWNER, *words], login=OWNER)
        assert got.screen.index("access denied") < got.screen.index("@begin linux")


def test_the_command_line_asks_for_the_password(stick: StickMaker) -> None:
    stick.add_menu(*CATALOG, settings=MenuSettings(password=grub_digest("secret", b"salt")))
    screen = run_menu(stick.make(), commands=["echo a-command-ran"], login=OWNER).screen
    assert screen.index("access denied") < screen.index("a-command-ran")


HOP = Hop(firmware=Firmware.UEFI_X64, name="0123456789abcdef", image=DEBIAN.path, path="/EFI/BOOT/BOOTX64.EFI")


def test_a_vendors_shim_runs_before_its_kernel_with_secure_boot_on_only(stick: StickMaker) -> None:
    stick.add_iso(DEBIAN.path, LIVE_TREE | {"EFI/BOOT/BOOTX64.EFI": b"shim"})
    stick.files[STOP_FILE] = b"no program"
    assert DEBIAN.detection is not None
    stick.add_menu(replace(DEBIAN, hops={DEBIAN.detection.entries[0].kernel: HOP}))
    disk = stick.make()
    locked = run_menu(disk, entry=LIVE, firmware=Firmware.UEFI_X64, presets={"lockdown": "y"})
    assert [call[0] for call in locked.calls] == ["chainloader", "linux", "initrd"]
    assert locked.calls[0][1:] == ("(hop_0123456789abcdef)/EFI/BOOT/BOOTX64.EFI", "stop.efi")
    for firmware, lockdown in ((Firmware.UEFI_X64, ""), (Firmware.UEFI_ARM64, "y")):
        got = run_menu(disk, entry=LIVE, firmware=firmware, presets={"lockdown": lockdown})
        assert [call[0] for call in got.calls] == ["linux", "initrd"]


def test_a_key_can_be_enrolled_with_secure_boot_on(stick: StickMaker) -> None:
    stick.files |= {STOP_FILE: b"no program", "/EFI/BOOT/mmx64.efi": b"manager"}
    stick.add_menu()
    disk = stick.make()
    locked = run_menu(disk, entry="mok", firmware=Firmware.UEFI_X64, presets={"lockdown": "y"})
    assert locked.calls == (("chainloader", "(hd0)/EFI/BOOT/mmx64.efi"),)
    assert "Enrol a key" not in run_menu(disk, firmware=Firmware.UEFI_X64).screen
    assert "Enrol a key" not in run_menu(disk, firmware=Firmware.UEFI_IA32, presets={"lockdown": "y"}).screen


@pytest.mark.parametrize("firmware", [Firmware.BIOS, Firmware.UEFI_X64])
def test_the_stick_is_none_of_the_computers_own_disks(full_stick: Path, firmware: Firmware) -> None:
    assert "Nothing was found." in run_menu(full_stick, entry="disks>nothing", firmware=firmware).screen


def test_the_serial_console_is_that_of_the_machine(full_stick: Path) -> None:
    for firmware, console in ((Firmware.BIOS, "console=ttyS0,115200"), (Firmware.UEFI_ARM64, "console=ttyAMA0")):
        got = run_menu(
            full_stick, entry=LIVE, firmware=firmware, presets={"opt_serial": "1", "menu_loaded": "1", "stick": "hd0"}
        )
        assert got.linux is not None
        assert console in got.linux


WIPING = replace(
    entry("Install at once"), cmdline=("unattended",), wipes="It erases sda without a question, which may be the stick."
)
WIPING_PLACE = "image:wipes.iso>entry-install-at-once"


def add_what_wipes(maker: StickMaker) -> None:
    wipes = item("/boot/iso/wipes.iso", entry("Try it"), WIPING)
    maker.add_iso(wipes.path, LIVE_TREE)
    appearance = ImageAppearance(entry=WIPING.title)
    maker.add_menu(wipes, settings=MenuSettings(default=LAST, appearances={wipes.path: appearance}))


def test_what_erases_disks_asks_once_more_and_says_which(stick: StickMaker) -> None:
    add_what_wipes(stick)
    disk = stick.make()
    # chosen, and even told to go on: the question has its own mind
    for place in (WIPING_PLACE, f"{WIPING_PLACE}>go"):
        got = run_menu(disk, entry=place)
        assert got.linux is None
        assert "It erases sda without a question, which may be the stick." in got.screen
        assert "Start it all the same (Esc: leave it)" in got.screen


def test_what_erases_disks_starts_when_the_question_is_answered(stick: StickMaker) -> None:
    add_what_wipes(stick)
    got = run_menu(stick.make(), entry=f"{WIPING_PLACE}>go", presets={"test_words": "quiet"})
    assert got.linux is not None
    assert "unattended" in got.linux


def test_what_erases_disks_is_but_a_question_where_the_user_made_it_the_default(stick: StickMaker) -> None:
    add_what_wipes(stick)
    assert f"<{WIPING_PLACE} 30>" in _start(stick)
    assert run_menu(stick.make(), entry=WIPING_PLACE).linux is None


MANY = tuple(item(f"/boot/iso/{n // 40}/{n}.iso", entry(f"Live {n}")) for n in range(CHECKED + 20))


@pytest.fixture(scope="module")
def large_stick(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """More images than GRUB is let ask for; the last one is not there, and one is new."""
    maker = StickMaker(folder=tmp_path_factory.mktemp("large"))
    maker.add_iso(MANY[0].path, LIVE_TREE)
    live = maker.files[MANY[0].path]
    maker.files |= {one.path: live for one in (UBUNTU, *MANY[:-1])}
    maker.files["/boot/iso/new.iso"] = live
    maker.add_menu(UBUNTU, *MANY)
    return maker.make()


def test_images_of_a_large_stick_start_from_folders_and_from_the_search(large_stick: Path) -> None:
    for place in ("folder:0>image:0/7.iso>entry-live-7", "folder:1>image:1/44.iso>entry-live-44"):
        got = run_menu(large_stick, entry=place)
        assert got.linux is not None
        assert f"Booting `Live {place.rpartition('-')[2]}'" in got.screen
    found = run_menu(large_stick, entry="search>0>0", typed=["44.iso"])
    assert "Booting `Live 44'" in found.screen
    assert found.linux is not None


def test_a_large_stick_looks_for_new_images_when_it_is_asked_to(large_stick: Path) -> None:
    assert "new.iso" not in run_menu(large_stick).screen
    assert run_menu(large_stick, entry="new>new:/boot/iso/new.iso").linux is not None


def test_an_image_that_a_large_stick_has_lost_says_so(large_stick: Path) -> None:
    last = f"folder:1>image:1/{len(MANY) - 1}.iso>0"
    got = run_menu(large_stick, entry=last)
    assert got.linux is None
    assert f"/boot/iso/1/{len(MANY) - 1}.iso is not on the stick." in got.screen


def test_the_first_image_of_a_large_stick_that_is_there_is_the_default(stick: StickMaker) -> None:
    flat = tuple(item(f"/boot/iso/{n:02}.iso", entry()) for n in range(CHECKED + 1))
    stick.add_iso(flat[2].path, LIVE_TREE)
    stick.add_menu(*flat)
    assert "<image:02.iso>0 30>" in _start(stick)
    locked = {flat[2].path: ImageAppearance(locked=True)}
    stick.add_menu(*flat, settings=MenuSettings(password=grub_digest("secret", b"salt"), appearances=locked))
    disk = stick.make()
    place = "image:02.iso>entry-live-system"
    assert "Enter username:" in run_menu(disk, entry=place, typed=OWNER, login=OWNER).screen
    assert run_menu(disk, entry=place, typed=OWNER, login=OWNER).linux is not None


CROWD = tuple(
    item(f"/boot/iso/{n:02}.iso", entry(f"Live {n:02}"), distro=f"System {n:02}") for n in range(TOO_MANY + 6)
)


def test_many_images_of_one_folder_are_shown_in_groups(stick: StickMaker) -> None:
    stick.add_iso(CROWD[1].path, LIVE_TREE)
    stick.files[CROWD[-1].path] = stick.files[CROWD[1].path]
    stick.add_menu(*CROWD)
    first, last = menu_targets(CROWD)[1], menu_targets(CROWD)[-1]
    assert last.id_path == f"group:2>image:{CROWD[-1].name}>entry-live-{len(CROWD) - 1}"
    disk = stick.make()
    shown = run_menu(disk).screen
    assert "1-35: System 00 ... System 34 >" in shown
    assert "36-70: System 35 ... System 69 >" in shown
    for target in (first, last):
        assert run_menu(disk, entry=target.id_path).linux is not None
    assert run_menu(disk, entry="search>0>0", typed=[CROWD[-1].name]).linux is not None
    stick.files[CUSTOM_MENU] = b'echo "<$default $timeout>"\n'
    assert "<group:1>image:01.iso>0 30>" in _start(stick)


@pytest.mark.parametrize(("stays", "default"), [(True, "group:2>{}"), (False, "group:1>image:01.iso>0")])
def test_what_was_started_last_is_found_where_the_menu_has_it_now(stick: StickMaker, stays: bool, default: str) -> None:
    """Its group is another one when images have come, and images that are gone are no default."""
    moved = CROWD[-1]
    stick.add_iso(moved.path, LIVE_TREE)
    stick.files[CROWD[1].path] = stick.files[moved.path]
    settings = MenuSettings(default=LAST)
    stick.add_menu(moved, settings=settings)
    disk = stick.make()
    (target,) = menu_targets((moved,))
    assert run_menu(disk, entry=target.id_path).linux is not None
    kept = re.search(rb"# GRUB Environment Block\n(?:[^#]+\n)+", disk.read_bytes())
    assert kept is not None
    assert f"last={target.id_path}\n".encode() in kept[0]
    stick.files[GRUBENV] = kept[0].ljust(1024, b"#")
    stick.files[CUSTOM_MENU] = b'echo "<$default $timeout>"\n'
    stick.add_menu(*(CROWD if stays else CROWD[:-1]), settings=settings)
    assert f"<{default.format(target.id_path)} 30>" in _start(stick)


def test_what_was_started_last_in_a_group_is_no_default_where_it_does_not_start(stick: StickMaker) -> None:
    refused = replace(CROWD[-1], refused=frozenset({Firmware.UEFI_X64}))
    stick.add_iso(refused.path, LIVE_TREE)
    stick.files[CROWD[0].path] = stick.files[refused.path]
    stick.add_menu(*CROWD[:-1], refused, settings=MenuSettings(default=LAST))
    place, loop = menu_targets(CROWD)[-1].id_path, f"image_{zlib.crc32(refused.path.encode()):08x}"
    kept = f"# GRUB Environment Block\nlast={place}\nlast_loop={loop}\n"
    stick.files[GRUBENV] = kept.encode().ljust(1024, b"#")
    stick.files[CUSTOM_MENU] = b'echo "<$default $timeout>"\n'
    disk = stick.make()
    secure = run_menu(disk, entry="blank", firmware=Firmware.UEFI_X64, presets={"lockdown": "y"}).screen
    assert "<group:1>image:00.iso>0 30>" in secure
    assert f"<{place} 30>" in run_menu(disk, entry="blank", firmware=Firmware.UEFI_X64).screen


def test_a_menu_without_the_file_beside_it_says_what_to_do(stick: StickMaker) -> None:
    stick.add_iso(UBUNTU.path, CASPER_TREE)
    stick.add_menu(UBUNTU)
    (beside,) = (path for path in stick.files if "/menu_" in path)
    del stick.files[beside]
    assert "bootkit generate" in run_menu(stick.make(), entry=CASPER).screen


def test_what_does_not_start_here_is_marked_and_never_the_default(stick: StickMaker) -> None:
    pcs = frozenset({Firmware.BIOS, Firmware.UEFI_X64, Firmware.UEFI_IA32})
    arm = item("/boot/iso/a.iso", entry(firmware=frozenset({Firmware.UEFI_ARM64})), distro="Arm")
    refused = replace(
        item("/boot/iso/b.iso", entry(firmware=pcs), distro="Bold"), refused=frozenset({Firmware.UEFI_X64})
    )
    for one in (arm, refused):
        stick.add_iso(one.path, LIVE_TREE)
    stick.add_menu(arm, refused)
    stick.files[CUSTOM_MENU] = b'echo "<$default $timeout>"\n'
    disk = stick.make()
    secure = run_menu(disk, entry="blank", firmware=Firmware.UEFI_X64, presets={"lockdown": "y"}).screen
    assert "< -1>" in secure
    assert "<image:a.iso>0 30>" in run_menu(disk, entry="blank", firmware=Firmware.UEFI_ARM64).screen
    assert "<image:b.iso>0 30>" in run_menu(disk, entry="blank").screen
    shown = run_menu(disk, firmware=Firmware.UEFI_X64, presets={"lockdown": "y"}).screen
    assert "Arm (not for this computer)" in shown
    assert "Bold (Secure Boot refuses it)" in shown


@pytest.mark.parametrize("others", [0, CHECKED])
def test_what_was_started_last_is_no_default_where_it_does_not_start(stick: StickMaker, others: int) -> None:
    refused = replace(item("/boot/iso/b.iso", entry(), distro="Bold"), refused=frozenset({Firmware.UEFI_X64}))
    many = tuple(item(f"/boot/iso/c{n:02}.iso", entry(), distro="Common") for n in range(1 + others))
    for one in (refused, many[0]):
        stick.add_iso(one.path, LIVE_TREE)
    stick.add_menu(refused, *many, settings=MenuSettings(default=LAST))
    last = "image:b.iso>entry-live-system"
    stick.files[GRUBENV] = f"# GRUB Environment Block\nlast={last}\n".encode().ljust(1024, b"#")
    stick.files[CUSTOM_MENU] = b'echo "<$default $timeout>"\n'
    disk = stick.make()
    secure = run_menu(disk, entry="blank", firmware=Firmware.UEFI_X64, presets={"lockdown": "y"}).screen
    assert "<image:c00.iso>0 30>" in secure
    assert f"<{last} 30>" in run_menu(disk, entry="blank", firmware=Firmware.UEFI_X64).screen


def test_what_does_not_start_here_has_a_sign_of_its_own(stick: StickMaker) -> None:
    stick.add_menu(replace(item("/boot/iso/b.iso", entry()), refused=frozenset({Firmware.UEFI_X64})))
    assert b'--class "$mark_class"' in stick.files[MENU]
    (picture,) = (path for path in theme_files(DARK) if path.endswith("/icons/marked.png"))
    assert theme_files(DARK)[picture] != theme_files(LIGHT)[picture]


@pytest.mark.parametrize(
    ("damage", "said"),
    [(b"", "It is as it was when it was copied."), (b"!", "It is damaged: copy it again.")],
    ids=["sound", "damaged"],
)
def test_the_menu_checks_an_image_by_the_sum_that_was_kept(stick: StickMaker, damage: bytes, said: str) -> None:
    stick.add_iso(DEBIAN.path, LIVE_TREE)
    # mke2fs would leave a hole for the zeros that an image begins with, and GRUB 2.06 reads no file that begins so
    content = b"boot" * 8192 + stick.files[DEBIAN.path][32768:]
    digest = hashlib.sha256(content).hexdigest()
    name = DEBIAN.path.rpartition("/")[2]
    stick.files[f"{SUM_FOLDER}{DEBIAN.path}.sha256"] = f"{digest}  {name}\n".encode()
    stick.files[DEBIAN.path] = content[:-1] + (damage or content[-1:])
    stick.add_menu(replace(DEBIAN, sha256=digest))
    assert 'submenu $"Check an image ..." --id check --hotkey=v' in stick.files[MENU].decode()
    assert said in run_menu(stick.make(), entry="check>0").screen


def test_a_signed_grub_which_lacks_the_command_offers_no_check(stick: StickMaker) -> None:
    stick.add_iso(DEBIAN.path, LIVE_TREE)
    stick.add_menu(replace(DEBIAN, sha256="0" * 64))
    disk = stick.make()
    assert "Check an image" in run_menu(disk).screen
    for firmware, presets in ((Firmware.UEFI_X64, {}), (Firmware.UEFI_IA32, {"lockdown": "y"})):
        assert "Check an image" not in run_menu(disk, firmware=firmware, presets=presets).screen


def test_an_image_without_a_sum_is_not_offered_for_a_check(stick: StickMaker) -> None:
    stick.add_iso(DEBIAN.path, LIVE_TREE)
    stick.add_menu(replace(DEBIAN, sha256=""))
    assert not [path for path, content in stick.files.items() if b"hashsum" in content]
