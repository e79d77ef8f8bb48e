import itertools
from fnmatch import fnmatchcase

import pytest

from bootkit.detect import (
    MenuEntry,
    NamePattern,
    Role,
    boot_entries,
    clean_title,
    identify,
    image_name,
    initrd_beside,
    loadable,
    loopback_evidence,
    menuless,
    own_menu,
    read_menus,
    role_of,
    usable_entries,
    version_tuple,
)
from bootkit.model.iso import IsoFacts, Node, RecordedIso


def image(*files: str, volume_id: str = "", texts: dict[str, str] | None = None) -> RecordedIso:
    """An image with these files; a path that ends with a slash is an empty folder."""
    dirs: dict[str, dict[str, Node]] = {"/": {}}
    for path in (*files, *(texts or {})):
        folder = ""
        parts = path.strip("/").split("/")
        for at, part in enumerate(parts):
            is_dir = at < len(parts) - 1 or path.endswith("/")
            dirs[folder or "/"].setdefault(part, Node(name=part, size=None if is_dir else 1))
            folder = f"{folder}/{part}"
            if is_dir:
                dirs.setdefault(folder, {})
    return RecordedIso(
        IsoFacts(
            name="x.iso",
            size=1,
            volume_id=volume_id,
            dirs={path: tuple(nodes.values()) for path, nodes in dirs.items()},
            texts=texts or {},
        )
    )


def entry(title: str = "Start", *words: str, kernel: str = "/live/vmlinuz", submenu: tuple[str, ...] = ()) -> MenuEntry:
    return MenuEntry(
        title=title, loader="linux", kernel=kernel, initrds=("/live/initrd.img",), cmdline=words, submenu=submenu
    )


@pytest.mark.parametrize(
    ("version", "numbers"),
    [("24.04.1 LTS", (24, 4, 1)), ("126", (126,)), ("", ()), ("rolling", ()), ("12 2024", (12,))],
)
def test_the_numbers_at_the_head_of_a_version_compare(version: str, numbers: tuple[int, ...]) -> None:
    assert version_tuple(version) == numbers


@pytest.mark.parametrize(
    ("title", "clean"),
    [
        ("^Try Ubuntu  without\tinstalling", "Try Ubuntu without installing"),
        ("  ⇢ Options", "Options"),
        ("* Live *", "Live"),
        ("", "Start"),
    ],
)
def test_titles_lose_the_boot_loaders_marks(title: str, clean: str) -> None:
    assert clean_title(title) == clean


@pytest.mark.parametrize(
    ("title", "words", "role"),
    [
        ("Ubuntu (safe graphics)", (), Role.SAFE),
        ("Ubuntu", ("nomodeset",), Role.SAFE),
        ("Live system (amd64 fail-safe mode)", (), Role.SAFE),
        ("Check disc for defects", (), Role.CHECK),
        ("Start", ("verify-checksums",), Role.CHECK),
        ("Live with persistence (check the manual)", (), Role.OTHER),
        ("Install Ubuntu", (), Role.INSTALL),
        ("Try or Install Ubuntu", (), Role.OTHER),
        ("Rescue a broken system", (), Role.RESCUE),
        ("Start Rescuezilla", (), Role.OTHER),
        ("Serial console", ("console=ttyS0",), Role.OTHER),
    ],
)
def test_an_entrys_role_is_in_its_title_or_its_words(title: str, words: tuple[str, ...], role: Role) -> None:
    assert role_of(entry(title, *words), entry("Default")) is role


def test_nomodeset_is_no_safe_mode_where_the_default_has_it() -> None:
    assert role_of(entry("To RAM", "nomodeset", "toram"), entry("Default", "nomodeset")) is Role.OTHER


def test_the_default_comes_first_and_starts_are_not_repeated() -> None:
    first, second, again = entry("A", "a"), entry("B", "b"), entry("A once more", "a")
    ours = boot_entries([first, second, again], lambda item: item.cmdline, default=second)
    assert [(item.title, item.role) for item in ours] == [("B", Role.DEFAULT), ("A", Role.OTHER)]


def test_equal_titles_are_told_apart_by_submenu_then_by_number() -> None:
    same = [entry("Go", "1"), entry("Go", "2", submenu=("Old machines",)), entry("Go", "3"), entry("Go", "4")]
    ours = boot_entries(same, lambda item: item.cmdline)
    assert [item.title for item in ours] == ["Go", "Old machines: Go", "Go (2)", "Go (3)"]


def test_an_entry_that_copies_to_ram_is_not_asked_to_do_so_again() -> None:
    ours = boot_entries([entry("A"), entry("B", "toram=x.squashfs")], lambda item: item.cmdline, to_ram=("toram",))
    assert [item.to_ram for item in ours] == [("toram",), ()]


@pytest.mark.parametrize(
    ("kernel", "initrd"),
    [
        ("vmlinuz", "initrd"),
        ("hwe-vmlinuz", "hwe-initrd"),
        ("vmlinuz-6.1.0-18-amd64", "initrd.img-6.1.0-18-amd64"),
        ("vmlinuz2", "initrd2.img"),
        ("vmlinuz.efi", "initrd"),
        ("vmlinuz-7", ""),
    ],
)
def test_a_kernel_goes_with_the_initrd_of_its_name(kernel: str, initrd: str) -> None:
    iso = image("/x/initrd", "/x/hwe-initrd", "/x/initrd.img-6.1.0-18-amd64", "/x/initrd2.img")
    assert initrd_beside(iso, f"/x/{kernel}") == (f"/x/{initrd}" if initrd else "")


def test_a_menu_that_names_the_kernel_otherwise_still_loads() -> None:
    iso = image("/casper/vmlinuz", "/casper/initrd.lz")
    menu_entry = MenuEntry(title="Try", kernel="/casper/vmlinuz.efi", initrds=("/casper/initrd.gz",))
    ready = loadable(iso, menu_entry)
    assert ready is not None
    assert (ready.kernel, ready.initrds) == ("/casper/vmlinuz", ("/casper/initrd.lz",))


def test_an_entry_without_its_kernel_does_not_load() -> None:
    assert loadable(image("/live/initrd.img"), entry()) is None


def test_without_a_menu_the_plain_kernel_comes_first_then_the_newest() -> None:
    pairs = ("-6.1.0", "-6.12.0", "")
    iso = image(*(f"/live/vmlinuz{pair}" for pair in pairs), *(f"/live/initrd.img{pair}" for pair in pairs))
    assert [(item.title, item.kernel) for item in menuless(iso, "/live")] == [
        ("Start", "/live/vmlinuz"),
        ("Start 6.12.0", "/live/vmlinuz-6.12.0"),
        ("Start 6.1.0", "/live/vmlinuz-6.1.0"),
    ]


def test_without_disk_info_the_volume_id_names_the_image() -> None:
    info = image_name(image("/x", volume_id="Ember_Live_4.2_amd64"))
    assert (info.name, info.version, info.arch) == ("Ember Live", "4.2", "x86_64")


def test_a_loopback_cfg_that_keeps_the_path_to_itself_is_not_offered() -> None:
    menu = 'menuentry "Live" {{\n linux /live/vmlinuz {words}\n initrd /live/initrd.img\n}}\n'
    files = ("/live/vmlinuz", "/live/initrd.img")
    told = image(*files, texts={"/boot/grub/loopback.cfg": menu.format(words="findiso=${iso_path}")})
    untold = image(*files, texts={"/boot/grub/loopback.cfg": menu.format(words="quiet")})
    assert [item.kernel for item in own_menu(told)] == ["/boot/grub/loopback.cfg"]
    assert own_menu(untold) == ()


def test_a_loopback_cfg_is_offered_only_with_a_word_that_the_stack_reads() -> None:
    text = 'menuentry "Live" {\n linux /casper/vmlinuz findiso=${iso_path}\n initrd /casper/initrd\n}\n'
    iso = image("/casper/vmlinuz", "/casper/initrd", texts={"/boot/grub/loopback.cfg": text})
    assert own_menu(iso, "findiso")
    assert own_menu(iso, "iso-scan/filename") == ()
    assert loopback_evidence(iso, "iso-scan/filename") == (
        "/boot/grub/loopback.cfg tells the kernel where the ISO file is by a word that it does not read",
    )


@pytest.mark.parametrize(
    ("device", "offered"),
    [("img_dev=/dev/disk/by-uuid/${rootuuid} ", True), ("img_dev=/dev/disk/by-uuid/${unset} ", False), ("", False)],
)
def test_a_loopback_cfg_is_offered_only_with_both_words_where_the_stack_wants_two(
    device: str, *, offered: bool
) -> None:
    text = f'menuentry "Live" {{\n linux /arch/k {device}img_loop=${{iso_path}}\n initrd /arch/i\n}}\n'
    iso = image("/arch/k", "/arch/i", texts={"/boot/grub/loopback.cfg": text})
    assert bool(own_menu(iso, "img_loop", beside="img_dev")) is offered


def test_a_loopback_cfg_that_goes_by_prefix_would_open_the_sticks_own_menu() -> None:
    entries = 'menuentry "Live" {\n linux /live/vmlinuz findiso=${iso_path}\n initrd /live/initrd.img\n}\n'
    reached = {f"source {folder}/grub.cfg": bool(folder[0] == "/") for folder in ("$prefix", "/boot/grub")}
    for text, offered in reached.items():
        texts = {"/boot/grub/loopback.cfg": text, "/boot/grub/grub.cfg": entries}
        assert bool(own_menu(image("/live/vmlinuz", "/live/initrd.img", texts=texts))) is offered


@pytest.mark.parametrize(
    ("text", "offered"),
    [
        ("set prefix=(cd0)/boot/grub\nconfigfile $prefix/live.cfg", False),
        ("configfile (cd)/boot/grub/live.cfg", False),
        ("set root=(hd0)\nsource /boot/grub/live.cfg", False),
        ("configfile ($root)/boot/grub/live.cfg", True),
        ("search --set=root --label EMBER\nconfigfile /boot/grub/live.cfg", True),
        ("search --file --set=disc /boot/grub/live.cfg\nconfigfile ($disc)/boot/grub/live.cfg", True),
        ("loopback own $iso_path\nset root=(own)\nconfigfile /boot/grub/live.cfg", True),
    ],
)
def test_a_loopback_cfg_that_names_the_device_of_a_disc_does_not_reach_its_entries(text: str, *, offered: bool) -> None:
    entries = 'menuentry "Live" {\n linux /live/vmlinuz findiso=${iso_path}\n initrd /live/initrd.img\n}\n'
    texts = {"/boot/grub/loopback.cfg": text, "/boot/grub/live.cfg": entries}
    iso = image("/live/vmlinuz", "/live/initrd.img", texts=texts, volume_id="EMBER")
    assert bool(own_menu(iso)) is offered


def test_the_description_of_a_board_is_taken_along_where_it_is_there() -> None:
    grub = "menuentry {0} {{\n linux /k quiet\n devicetree /{0}.dtb\n initrd /i\n}}\n"
    files = ("/k", "/i", "/board.dtb", "/EFI/x", "/boot/grub/x")
    iso = image(
        *files, texts={"/boot/grub/grub.cfg": grub.format("board") + grub.format("gone").replace("quiet", "debug")}
    )
    there, gone = boot_entries(usable_entries(iso, read_menus(iso), lambda _: True))
    assert (there.devicetree, gone.devicetree) == ("/board.dtb", "")


def test_a_pattern_finds_the_names_that_fnmatch_finds() -> None:
    names = ["".join(letters) for count in range(1, 5) for letters in itertools.product("ab", repeat=count)]
    view = image(*names)
    for pattern in ("".join(letters) for count in range(1, 5) for letters in itertools.product("a*b?", repeat=count)):
        assert view.glob(f"/{pattern}") == tuple(sorted(f"/{name}" for name in names if fnmatchcase(name, pattern)))
    assert view.glob("/[a]b*") == tuple(sorted(f"/{name}" for name in names if fnmatchcase(name, "[a]b*")))


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"^Ember-\d", "EMBER-1"),
        (r"^Embers?$", "Ember"),
        (r"^Ember*-\d", "Embe-1"),
        (r"^Embers{0,1}$", "Ember"),
        (r"^Ember$|^Glow\b", "Glow 2"),
        (r"^(?:Ember|Glow) OS", "Glow OS"),
        (r"^Ember[(|]x|^Glow", "Glow"),
        (r"^Ember\(|^Glow", "Glow"),
        (r"Ember", "the Ember"),
    ],
)
def test_a_name_is_found_however_its_pattern_begins(pattern: str, text: str) -> None:
    assert identify((text,), (NamePattern("Other", "^Other"), NamePattern("Found", pattern))).distro == "Found"
