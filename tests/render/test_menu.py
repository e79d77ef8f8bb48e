"""The text of grub.cfg."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from bootkit.model.boot import Detection, Recognition
from bootkit.model.catalog import ImageAppearance, ImageItem, MenuSettings
from bootkit.plan.password import grub_digest
from bootkit.render.menu import empty_grubenv, entry_previews, menu_targets
from bootkit.system.grubcheck import grub_script_error
from bootkit.system.run import which
from tests.render.conftest import BROKEN, CATALOG, DEBIAN, ESXI, RULES, STRANGE, UBUNTU, entry, item, menu_text
from tests.work import counted

GOLDEN = Path(__file__).parent / "golden" / "grub.cfg"
HOSTILE = (
    "it's",
    'say "no"',
    "$root ${x} $(id) `id`",
    "100% {{ title }} {% raw %}",
    "two\nlines }\nreboot",
    "back\\slash\\",
    "semi;colon & pipe | hash # brace } {",
    "日本語 🙂",
    "\x1b[2J\x07\x00",
    "-n --id x",
    "if then fi done menuentry",
    "lone \udcff surrogate",
    "",
    "x" * 1900,  # in a path twice: the longest paths that Linux knows have 4095 bytes
)
needs_parser = pytest.mark.skipif(which("grub-script-check") is None, reason="grub-script-check is not installed")


def test_writes_the_menu_that_was_reviewed(update_golden: bool) -> None:
    menu = menu_text(CATALOG, MenuSettings(default=DEBIAN.path), RULES)
    if update_golden:
        GOLDEN.write_bytes(menu)
    assert menu == GOLDEN.read_bytes()


@needs_parser
def test_grub_takes_the_menu_that_was_reviewed() -> None:
    assert grub_script_error(GOLDEN.read_bytes()) is None


@needs_parser
def test_grub_takes_an_empty_menu() -> None:
    assert grub_script_error(menu_text((), MenuSettings())) is None


@needs_parser
@pytest.mark.parametrize("text", HOSTILE)
def test_grub_takes_whatever_an_image_is_called(text: str) -> None:
    named = item(
        f"/boot/iso/{text or 'x'}.iso",
        entry(text, kernel=f"/{text}", initrds=(f"/{text}",), cmdline=(text, f"{text}{{iso_path}}"), to_ram=(text,)),
        distro=text,
    )
    blocked = item(f"/boot/iso/{text}/{text}/y.iso", obstacle=text, instead=text)
    unread = ImageItem(path=f"/{text}.iso", size=1, mtime_ns=1, error=text)
    menu = menu_text(
        (named, blocked, unread),
        MenuSettings(default=named.path, appearances={named.path: ImageAppearance(alias=text, entry=text)}),
        RULES,
    )
    assert grub_script_error(menu) is None
    assert len(re.findall(rb"^ *reboot$", menu, re.MULTILINE)) == 2  # our own two


@needs_parser
def test_says_why_grub_refuses_a_menu() -> None:
    error = grub_script_error(b"menuentry x {\n")
    assert error is not None
    assert "grub.cfg" in error or "error" in error


def test_orders_images_before_folders_and_by_title() -> None:
    items = (
        item("/boot/iso/b/z.iso", entry(), distro="Zorin"),
        item("/boot/iso/a/z.iso", entry(), distro="Zorin"),
        item("/boot/iso/2.iso", entry(), distro="arch"),
        item("/boot/iso/1.iso", entry(), distro="Debian"),
    )
    assert [target.path for target in menu_targets(items)] == [
        "/boot/iso/2.iso",
        "/boot/iso/1.iso",
        "/boot/iso/a/z.iso",
        "/boot/iso/b/z.iso",
    ]


def test_tells_two_images_of_one_system_apart() -> None:
    menu = menu_text((item("/boot/iso/1.iso", entry()), item("/boot/iso/2.iso", entry())), MenuSettings()).decode()
    assert re.findall(r"submenu '(Debian[^']*)'", menu) == ["Debian - 1.iso", "Debian - 2.iso"]


def test_every_entry_has_a_place_of_its_own() -> None:
    twins = (item("/boot/iso/a b.iso", entry(), entry()), item("/boot/iso/a_b.iso", entry(), entry("LIVE SYSTEM!")))
    places = [target.id_path for target in menu_targets((*twins, *CATALOG))]
    assert len(set(places)) == len(places)
    assert all(re.fullmatch(r"[A-Za-z0-9._/+:>~-]+", place) for place in places)


def test_an_entry_keeps_its_place_when_others_come() -> None:
    alone = [target.id_path for target in menu_targets((UBUNTU,))]
    assert set(alone) <= {target.id_path for target in menu_targets(CATALOG)}


def test_an_entry_that_cannot_find_its_file_is_no_target() -> None:
    lost = item("/boot/iso/a b.iso", entry("Lost", cmdline=("findiso={iso_path}",)), entry("In RAM", cmdline=("ram",)))
    assert [target.entry.title for target in menu_targets((lost,))] == ["In RAM"]
    assert b"holds a blank" in menu_text((lost,), MenuSettings())


def test_an_entry_with_more_words_than_a_kernel_takes_is_no_target() -> None:
    long = item("/boot/iso/long.iso", entry("Long", cmdline=("x" * 2048,)), entry("Short", cmdline=("x" * 2000,)))
    assert [target.entry.title for target in menu_targets((long,))] == ["Short"]


def test_words_of_a_choice_that_grub_would_take_apart_are_not_offered() -> None:
    menu = menu_text((item("/boot/iso/a.iso", entry(to_ram=("to*ram",))),), MenuSettings())
    assert b"choose_words '' nomodeset" in menu


def test_a_path_with_control_characters_is_left_out() -> None:
    assert b"evil" not in menu_text((item("/boot/iso/evil\n}.iso", entry()),), MenuSettings())


def test_bytes_that_are_no_utf8_stay_as_they_are() -> None:
    assert b"/boot/iso/\xff.iso" in menu_text((item("/boot/iso/\udcff.iso", entry()),), MenuSettings())


def test_the_users_names_and_order_count() -> None:
    looks = {
        UBUNTU.path: ImageAppearance(alias="Work 'n' play", order=5, entry="Own menu"),
        ESXI.path: ImageAppearance(hidden=True),
        BROKEN.path: ImageAppearance(order=-1),
    }
    menu = menu_text(CATALOG, MenuSettings(appearances=looks, default=UBUNTU.path)).decode()
    shown = [menu.index(f"# {path}:") for path in (BROKEN.path, STRANGE.path, UBUNTU.path)]
    assert shown == sorted(shown)
    assert ESXI.path not in menu
    assert "submenu 'Work '\\''n'\\'' play' --id image:ubuntu.iso" in menu
    assert "offer 'image:ubuntu.iso>entry-own-menu'" in menu
    assert {target.path for target in menu_targets(CATALOG, MenuSettings(appearances=looks))} == {
        UBUNTU.path,
        DEBIAN.path,
    }


@needs_parser
def test_a_password_is_for_editing_and_for_what_is_locked() -> None:
    digest = grub_digest("secret", b"salt")
    looks = {DEBIAN.path: ImageAppearance(locked=True)}
    menu = menu_text(CATALOG, MenuSettings(password=digest, appearances=looks), RULES)
    assert grub_script_error(menu) is None
    entries = re.findall(r"^ *(?:menuentry|submenu) .*\{$", menu.decode(), re.MULTILINE)
    guarded = [line for line in entries if not line.endswith(" --unrestricted {")]
    assert len(guarded) == 6  # the image, its four entries, and the search, which is told of each image
    assert all("Debian" in line or "entry-" in line or "$5" in line for line in guarded)
    found = re.findall(r"^  found (\S+) .*?( --unrestricted)?$", menu.decode(), re.MULTILINE)
    assert [path for path, free in found if not free] == [DEBIAN.path]
    assert f"set superusers=owner\nexport superusers\npassword_pbkdf2 owner {digest}\n" in menu.decode()
    strict = menu_text(CATALOG, MenuSettings(password=digest, protect_all=True), RULES)
    assert b"--unrestricted" not in strict
    assert b"superusers" not in menu_text(CATALOG, MenuSettings(appearances=looks), RULES)


def test_tips_stand_in_a_column_beside_the_names() -> None:
    looks = {
        UBUNTU.path: ImageAppearance(alias="日本", tip="for guests"),
        ESXI.path: ImageAppearance(tip="x" * 300),
        DEBIAN.path: ImageAppearance(tip="alone"),
    }
    menu = menu_text(CATALOG, MenuSettings(appearances=looks)).decode()
    assert f"submenu '日本''{' ' * 28}for guests' --id" in menu
    assert f"submenu ESXi$\" (cannot boot from a file)\"'  {'x' * 77}...' --id" in menu
    assert "submenu Debian'  alone' --id" in menu
    assert 'submenu broken.iso$" (cannot be read)" --id' in menu
    assert menu_targets((DEBIAN,), MenuSettings(appearances=looks))[0].title == "Debian: Live system"


def test_previews_what_the_menu_will_have() -> None:
    settings = MenuSettings(appearances={DEBIAN.path: ImageAppearance(entry="Installer", hidden=True)})
    previews = entry_previews(DEBIAN, settings)
    assert [(one.title, one.starts_by_itself) for one in previews] == [
        ("Live system", False),
        ("Installer", True),
        ("BIOS only", False),
        ("UEFI only", False),
    ]
    assert "findiso=/boot/iso/live/debian.iso" in previews[0].words
    assert entry_previews(BROKEN, settings) == ()


def test_the_same_catalogue_gives_the_same_bytes() -> None:
    assert menu_text(CATALOG, MenuSettings(), RULES) == menu_text(tuple(reversed(CATALOG)), MenuSettings(), RULES)


def test_work_grows_with_the_images_and_no_faster() -> None:
    many = [replace(DEBIAN, path=f"/boot/iso/{n % 20}/{n}.iso") for n in range(400)]
    calls: list[int] = []
    for number in (0, 200, 400):
        with counted() as work:
            menu_text(many[:number], MenuSettings(), RULES)
        calls.append(work.calls)
    none, some, twice = calls
    assert twice - none < 2.1 * (some - none)


def test_an_image_without_a_name_goes_by_its_file() -> None:
    nameless = replace(UBUNTU, recognition=Recognition(detection=Detection(stack="x", distro="", entries=(entry(),))))
    assert b"submenu ubuntu.iso " in menu_text((nameless,), MenuSettings())


def test_the_environment_block_has_the_size_that_grub_demands() -> None:
    assert len(empty_grubenv()) == 1024
    assert empty_grubenv().startswith(b"# GRUB Environment Block\n#")


@needs_parser
def test_the_description_of_a_board_is_loaded_on_arm_and_nowhere_else() -> None:
    board = entry("Board", devicetree="/dtb/b'oard.dtb")
    apart = entry("Apart", devicetree="efi:/board.dtb")
    menu = menu_text((item("/boot/iso/x.iso", board, apart),), MenuSettings())
    lines = [line.strip() for line in menu.decode().splitlines() if "devicetree" in line]
    assert len(lines) == 1
    assert lines[0].startswith('if [ "$grub_cpu" = arm64 -a -z "$trouble" ]; then devicetree "($loop)"')
    assert grub_script_error(menu) is None
