"""Entries, submenus, files, devices, and where values come from."""

from collections.abc import Callable

from bootkit.bootcfg.find import LOOPBACK_VARIABLES
from bootkit.bootcfg.grub import DEFAULT_VARIABLES, parse_grub
from bootkit.bootcfg.menu import Menu
from bootkit.model.boot import Module
from bootkit.model.iso import IsoView

Image = Callable[[dict[str, str]], IsoView]


def titles(menu: Menu) -> list[str]:
    return ["/".join((*entry.submenu, entry.title)) for entry in menu.entries]


def test_an_entry_has_all_that_it_says() -> None:
    script = """
    menuentry 'Try "it"' --class ubuntu --class=os --hotkey=t --users "" --unrestricted --id 'try-it' {
        set gfxpayload=keep
        linux   /casper/vmlinuz BOOT_IMAGE=x initrd=/y file=/cdrom/a.seed --- quiet
        initrd  /casper/micro.img /casper/initrd
    }"""
    (entry,) = parse_grub(script, path="/boot/grub/loopback.cfg").entries
    assert (entry.title, entry.id, entry.classes) == ('Try "it"', "try-it", ("ubuntu", "os"))
    assert (entry.loader, entry.kernel) == ("linux", "/casper/vmlinuz")
    assert entry.initrds == ("/casper/micro.img", "/casper/initrd")
    assert entry.cmdline == ("file=/cdrom/a.seed", "---", "quiet")
    assert entry.source == "/boot/grub/loopback.cfg"
    assert entry.is_linux


def test_the_id_option_may_be_in_a_variable() -> None:
    (entry,) = parse_grub("menuentry t $menuentry_id_option 'gnulinux-1' { true }").entries
    assert (entry.title, entry.id) == ("t", "gnulinux-1")


def test_submenus_nest_in_place() -> None:
    script = """
    menuentry first { true }
    submenu 'More ...' --class x {
        menuentry second { true }
        submenu deeper { menuentry third { true }
        }
    }
    menuentry last { true }"""
    assert titles(parse_grub(script)) == ["first", "More .../second", "More .../deeper/third", "last"]


def test_devices_are_taken_off_paths() -> None:
    script = """
    loopback loop $iso_path
    set root=(loop)
    menuentry a { linux (loop)/k; initrd ($root)/i (cd0)/j }
    menuentry b { linux ${root}/k; initrd /boot//nix/./i }
    menuentry c { linux ($root)/x/../k; initrd (hd0,msdos1)/i }"""
    for entry in parse_grub(script, variables={"iso_path": "/a.iso"}).entries:
        assert entry.kernel == "/k"
    assert [entry.initrds for entry in parse_grub(script).entries][1:] == [("/boot/nix/i",), ("/i",)]


def test_a_loop_over_another_file_is_not_the_image(image: Image) -> None:
    script = "loopback inner /other.img\nif [ -f (inner)/k ]; then true; fi\nmenuentry t { linux (inner)/k\n}"
    (entry,) = parse_grub(script, image({"/k": ""})).entries
    assert entry.kernel == "(inner)/k"


def test_the_variants_of_linux_are_followed() -> None:
    script = """
    if [ $grub_platform = efi ]; then suffix=efi; fi
    menuentry a { linux$suffix /k
      initrd$suffix /i
    }
    menuentry b { linux16 /memtest }"""
    first, second = parse_grub(script).entries
    assert (first.loader, first.kernel, first.initrds) == ("linuxefi", "/k", ("/i",))
    assert (second.loader, second.kernel) == ("linux16", "/memtest")
    assert parse_grub(script, variables={**DEFAULT_VARIABLES, "grub_platform": "pc"}).entries[0].loader == "linux"


def test_patterns_in_initrds_are_expanded_in_order(image: Image) -> None:
    script = "menuentry t { linux /live/vmlinuz*\n initrd ($root)/live/initrd?.img '/live/u*' /live/none*\n }"
    files = image({"/live/vmlinuz-6.1": "", "/live/initrd2.img": "", "/live/initrd1.img": "", "/live/ucode": ""})
    (entry,) = parse_grub(script, files).entries
    assert entry.kernel == "/live/vmlinuz-6.1"
    assert entry.initrds == ("/live/initrd1.img", "/live/initrd2.img", "/live/ucode", "/live/none*")


def test_an_entry_may_get_its_kernel_from_a_function() -> None:
    script = """
    function live_entry {
        linux /boot/$1 ${common} $2
        initrd /boot/initrd
    }
    set common="boot=live quiet"
    menuentry t { live_entry vmlinuz nomodeset; }"""
    (entry,) = parse_grub(script).entries
    assert (entry.kernel, entry.initrds) == ("/boot/vmlinuz", ("/boot/initrd",))
    assert entry.cmdline == ("boot=live", "quiet", "nomodeset")


def test_a_function_may_make_entries() -> None:
    script = """
    function add { menuentry "$1" "$2" { linux /k $2
    } }
    add One a; add Two b"""
    assert [(entry.title, entry.cmdline) for entry in parse_grub(script).entries] == [("One", ("a",)), ("Two", ("b",))]


def test_xen_has_its_linux_as_a_module() -> None:
    script = """
    menuentry Qubes {
        multiboot2 --quirk-modules-after-kernel /images/xen.gz no-real-mode
        module2 --nounzip /images/vmlinuz inst.repo=hd:LABEL=Q:${iso_path} plymouth=0
        module2 /images/initrd.img
    }"""
    (entry,) = parse_grub(script, variables=LOOPBACK_VARIABLES).entries
    assert entry.is_xen
    assert not entry.is_linux
    assert (entry.kernel, entry.cmdline) == ("/images/xen.gz", ("no-real-mode",))
    assert entry.modules == (
        Module(path="/images/vmlinuz", cmdline=("inst.repo=hd:LABEL=Q:{iso_path}", "plymouth=0")),
        Module(path="/images/initrd.img"),
    )
    assert entry.passes_iso_path


def test_chainloaders_and_other_menus_are_named() -> None:
    script = """
    menuentry a { chainloader --force (hd0)+1 }
    menuentry b { chainloader ($root)/EFI/x.efi }
    menuentry c { configfile ${prefix}/more.cfg }"""
    first, second, third = parse_grub(script).entries
    assert first.chainloader == "(hd0)+1"
    assert second.chainloader == "/EFI/x.efi"
    assert third.configfile == "/boot/grub/more.cfg"


def test_sourced_files_belong_to_the_menu(image: Image) -> None:
    files = image(
        {
            "/boot/grub/config.cfg": "set opts=splash\nif [ -f $prefix/theme.cfg ]; then source $prefix/theme.cfg; fi",
            "/boot/grub/theme.cfg": 'opts="$opts theme"',
            "/boot/grub/live.cfg": "menuentry Live { linux /k $opts\n }",
        }
    )
    menu = parse_grub("source /boot/grub/config.cfg\nsubmenu s { . ($root)/boot/grub/live.cfg; }\nexport opts", files)
    (entry,) = menu.entries
    assert (entry.title, entry.submenu, entry.source) == ("Live", ("s",), "/boot/grub/live.cfg")
    assert entry.cmdline == ("splash", "theme")
    assert menu.sources == (
        "/boot/grub/grub.cfg", "/boot/grub/config.cfg", "/boot/grub/theme.cfg", "/boot/grub/live.cfg",
    )  # fmt: skip


def test_a_missing_file_is_a_warning() -> None:
    menu = parse_grub("source /boot/grub/nope.cfg\nmenuentry t { true }")
    assert titles(menu) == ["t"]
    assert menu.warnings == ("/boot/grub/grub.cfg: /boot/grub/nope.cfg is not there",)


def test_configfile_takes_the_menus_place(image: Image) -> None:
    files = image({"/boot/grub/grub.cfg": "menuentry real { linux /k\n }"})
    stub = "menuentry lost { true }\nset prefix=($root)/boot/grub\nconfigfile $prefix/grub.cfg\nmenuentry late { true }"
    menu = parse_grub(stub, files, path="/EFI/BOOT/grub.cfg")
    assert titles(menu) == ["real"]
    assert menu.entries[0].source == "/boot/grub/grub.cfg"


def test_configfile_inside_a_sourced_file_takes_the_menus_place(image: Image) -> None:
    files = image({"/a.cfg": "configfile /b.cfg\nmenuentry late { true }", "/b.cfg": "menuentry real { true }"})
    assert titles(parse_grub("source /a.cfg\nmenuentry lost { true }", files)) == ["real"]


def test_a_menu_behind_an_entry_is_read_once(image: Image) -> None:
    files = image(
        {
            "/boot/grub/grub.cfg": "",
            "/boot/grub/lang.cfg": "menuentry German { set lang=de; export lang; configfile /boot/grub/grub.cfg }",
        }
    )
    script = "for x in a b; do menuentry Lang$x { configfile /boot/grub/lang.cfg\n } done"
    menu = parse_grub(script, files)
    assert titles(menu) == ["Langa", "Langa/German", "Langb"]


def test_the_default_is_found_by_number_title_and_id() -> None:
    entries = (
        "menuentry a { true }\nsubmenu s { menuentry b --id bee { true }; menuentry c {true}; }\nmenuentry d {true}"
    )

    def default(value: str) -> str:
        chosen = parse_grub(f"set default='{value}'\n{entries}").default
        return chosen.title if chosen is not None else ""

    assert [default(value) for value in ("", "0", "d", "2", "1>bee", "s>c", "9")] == ["a", "a", "d", "d", "b", "c", ""]


def test_the_timeout_is_in_seconds() -> None:
    assert [parse_grub(f"set timeout={value}").timeout for value in ("10", "-1", "", "--5")] == [10, -1, None, None]


def test_a_kernel_outside_of_any_entry_is_an_entry() -> None:
    (entry,) = parse_grub("linux /k a\ninitrd /i\nboot").entries
    assert (entry.title, entry.kernel, entry.initrds) == ("", "/k", ("/i",))


KIWI = """
search --file --set=root /boot/0x1a2b3c4d
set default="0"
if [ -n "${iso_path}" ]; then
    isoboot="iso-scan/filename=${iso_path}"
fi
menuentry "Boot" --class os {
    linux ($root)/boot/x86_64/loader/linux ${extra_cmdline} ${isoboot} splash root=live:CDLABEL=CDROM
    initrd ($root)/boot/x86_64/loader/initrd
}
menuentry "Failsafe" { linux ($root)/boot/x86_64/loader/linux nomodeset
}
"""


def test_the_path_of_the_iso_is_followed_through_variables() -> None:
    first, second = parse_grub(KIWI, variables=LOOPBACK_VARIABLES).entries
    assert first.cmdline == ("iso-scan/filename={iso_path}", "splash", "root=live:CDLABEL=CDROM")
    assert first.uses == {"isoboot", "iso_path"}
    assert first.passes_iso_path
    assert not second.passes_iso_path


def test_without_a_path_the_condition_fails() -> None:
    first, _ = parse_grub(KIWI).entries
    assert first.cmdline == ("splash", "root=live:CDLABEL=CDROM")
    assert first.uses == frozenset()


def test_the_path_of_the_iso_is_followed_through_loops_and_parameters() -> None:
    script = """
    function words { for word in $@; do all="$all $word"; done; }
    words quiet "fromiso=$iso_path"
    menuentry t "$all" { linux /k $2
    }"""
    (entry,) = parse_grub(script, variables=LOOPBACK_VARIABLES).entries
    assert entry.cmdline == ("quiet", "fromiso={iso_path}")
    assert entry.passes_iso_path


def test_the_path_of_the_iso_is_followed_through_eval() -> None:
    script = """
    if search --file --set=dev --no-floppy $iso_path; then
        probe --fs-uuid --set=uuid $dev
        param="img_dev=/dev/disk/by-uuid/$uuid img_loop=$iso_path"
    fi
    if [ -z "$param" ]; then param=archisolabel=X; fi
    eval "
    menuentry 'Boot' {
        linux /k archisobasedir=sysresccd $param iomem=relaxed
        initrd /i
    }
    "
    """
    (entry,) = parse_grub(script, variables=LOOPBACK_VARIABLES).entries
    assert entry.cmdline == (
        "archisobasedir=sysresccd", "img_dev=/dev/disk/by-uuid/{stick_uuid}", "img_loop={iso_path}", "iomem=relaxed",
    )  # fmt: skip
    assert entry.passes_iso_path
    (entry,) = parse_grub(script).entries
    assert entry.cmdline == ("archisobasedir=sysresccd", "archisolabel=X", "iomem=relaxed")


def test_a_path_that_only_finds_the_device_is_not_passed_on() -> None:
    script = (
        "search --set=root --file $iso_path\nloopback loop ($root)$iso_path\nroot=loop\nmenuentry t {linux /k quiet\n}"
    )
    (entry,) = parse_grub(script, variables=LOOPBACK_VARIABLES).entries
    assert entry.kernel == "/k"
    assert not entry.passes_iso_path


def test_the_stick_is_probed_by_slot(image: Image) -> None:
    script = """
    search --no-floppy --set=img_dev --file "${iso_path}"
    probe --set img_uuid --fs-uuid "${img_dev}"
    probe -s label -l $root
    menuentry t { linux /k img_dev=UUID=${img_uuid} img_loop="${iso_path}" label=$label
    }"""
    (entry,) = parse_grub(script, image({}), variables=LOOPBACK_VARIABLES).entries
    assert entry.cmdline == ("img_dev=UUID={stick_uuid}", "img_loop={iso_path}", "label=LIVE_MEDIUM")
