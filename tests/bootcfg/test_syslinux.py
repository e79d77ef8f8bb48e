from collections.abc import Callable

from bootkit.bootcfg.menu import Menu
from bootkit.bootcfg.syslinux import parse_syslinux
from bootkit.model.boot import Module
from bootkit.model.iso import IsoView

Image = Callable[[dict[str, str]], IsoView]


def titles(menu: Menu) -> list[str]:
    return ["/".join((*entry.submenu, entry.title)) for entry in menu.entries]


def test_an_entry_has_all_that_it_says() -> None:
    menu = parse_syslinux(
        """
        UI vesamenu.c32
        TIMEOUT 50
        MENU TITLE Boot Menu
        DEFAULT live
        LABEL live
          MENU LABEL ^Live system
          TEXT HELP
            label not-an-entry
          ENDTEXT
          KERNEL /live/vmlinuz
          APPEND initrd=/live/ucode.img,/live/initrd.img boot=live BOOT_IMAGE=x quiet
        """
    )
    (entry,) = menu.entries
    assert (entry.title, entry.id, entry.loader) == ("Live system", "live", "linux")
    assert (entry.kernel, entry.initrds) == ("/live/vmlinuz", ("/live/ucode.img", "/live/initrd.img"))
    assert entry.cmdline == ("boot=live", "quiet")
    assert (menu.title, menu.timeout, menu.default) == ("Boot Menu", 5, entry)


def test_a_label_without_append_takes_the_global_one() -> None:
    menu = parse_syslinux(
        "append global\nlabel a\nlinux /k\nlabel b\nlinux /k\nappend own\nlabel c\nlinux /k\nappend -\ninitrd /i,/j"
    )
    assert [entry.cmdline for entry in menu.entries] == [("global",), ("own",), ()]
    assert menu.entries[2].initrds == ("/i", "/j")


def test_relative_paths_begin_in_the_folder_of_the_configuration(image: Image) -> None:
    files = image(
        {
            "/boot/syslinux/sub/more.cfg": "label a\nkernel vmlinuz\nappend initrd=../initrd.xz\ninclude sub/last.cfg",
            "/boot/syslinux/sub/last.cfg": "label b\nkernel here\nlabel c\nkernel far/k",
            "/boot/syslinux/vmlinuz": "",
            "/boot/initrd.xz": "",
            "/boot/syslinux/sub/here": "",
            "/far/k": "",
        }
    )
    menu = parse_syslinux("include sub/more.cfg", files, path="/boot/syslinux/syslinux.cfg")
    assert [entry.kernel for entry in menu.entries] == [
        "/boot/syslinux/vmlinuz", "/boot/syslinux/sub/here", "/far/k",
    ]  # fmt: skip
    assert menu.entries[0].initrds == ("/boot/initrd.xz",)
    assert menu.entries[1].source == "/boot/syslinux/sub/last.cfg"


def test_a_missing_include_is_a_warning() -> None:
    menu = parse_syslinux("include nope.cfg\nlabel a\nkernel /k")
    assert titles(menu) == ["a"]
    assert menu.warnings == ("/isolinux/isolinux.cfg: nope.cfg is not there",)


def test_submenus_nest_and_take_their_title(image: Image) -> None:
    files = image({"/isolinux/inst.cfg": "label i\nmenu label ^Install\nkernel /k"})
    menu = parse_syslinux(
        """
        menu title Top
        label live
          menu label Live
          menu default
          kernel /k
        menu begin advanced
          menu label ^Advanced ...
          menu title Advanced options
          menu include inst.cfg
          label mainmenu
            menu label Back
            menu exit
        menu end
        label last
          kernel /k
        """,
        files,
    )
    assert titles(menu) == ["Live", "Advanced .../Install", "Advanced .../Back", "last"]
    assert menu.default is menu.entries[0]
    assert menu.title == "Top"


def test_menus_behind_an_entry_are_read_once(image: Image) -> None:
    text = "label more\nmenu label More\nkernel vesamenu.c32\nappend more.cfg\nlabel again\nconfig more.cfg"
    files = image(
        {
            "/isolinux/isolinux.cfg": text,
            "/isolinux/more.cfg": "label a\nkernel /k\nlabel back\nkernel menu.c32\nappend isolinux.cfg",
        }
    )
    menu = parse_syslinux(text, files)
    assert titles(menu) == ["More", "More/a", "More/back", "again"]
    assert menu.entries[0].configfile == "/isolinux/more.cfg"


def test_what_is_no_linux_keeps_its_place_without_a_kernel() -> None:
    menu = parse_syslinux(
        "label a\nlocalboot 0x80\nlabel b\ncom32 reboot.c32\nlabel c\nkernel /memtest.bin\nlabel d\nkernel hdt.c32\n"
        "label e\nlinux /memtest.bin\nlabel f\nkernel pxe.0"
    )
    assert [entry.kernel for entry in menu.entries] == ["", "", "", "", "/memtest.bin", ""]


def test_mboot_loads_xen_and_its_modules() -> None:
    (entry,) = parse_syslinux(
        "label q\nkernel mboot.c32\nappend xen.gz console=none --- vmlinuz inst.text --- initrd.img"
    ).entries
    assert entry.is_xen
    assert (entry.kernel, entry.cmdline) == ("/isolinux/xen.gz", ("console=none",))
    assert entry.modules == (
        Module(path="/isolinux/vmlinuz", cmdline=("inst.text",)),
        Module(path="/isolinux/initrd.img"),
    )


def test_the_label_for_64_bits_is_picked() -> None:
    menu = parse_syslinux(
        "label arch\nmenu label Boot\nkernel ifcpu64.c32\nappend x64 -- x32\n"
        "label x64\nmenu hide\nlinux /k64\nappend a\nlabel x32\nmenu hide\nlinux /k32"
    )
    assert [(entry.title, entry.kernel, entry.cmdline) for entry in menu.entries] == [("Boot", "/k64", ("a",))]


def test_the_label_for_a_disc_is_picked(image: Image) -> None:
    files = image({"/isolinux/net.cfg": "label n\nlinux /k nfs", "/isolinux/disc.cfg": "label d\nlinux /k disc"})
    menu = parse_syslinux(
        "default choose\nlabel choose\ncom32 whichsys.c32\nappend -pxe- net -sys- disc -iso- disc\n"
        "label net\nconfig net.cfg\nlabel disc\nconfig disc.cfg",
        files,
    )
    assert [entry.cmdline for entry in menu.linux] == [("disc",)]
    assert menu.default_linux == menu.linux[0]


def test_tabs_and_capitals_do_not_matter() -> None:
    (entry,) = parse_syslinux("LABEL\tlive\n\tMenu Label\tLive\n\tLinux\t/k\n\tAppend\ta\tb").entries
    assert (entry.title, entry.kernel, entry.cmdline) == ("Live", "/k", ("a", "b"))


def test_append_beside_config_is_where_that_menus_paths_begin(image: Image) -> None:
    text = "default load\nlabel load\nconfig /rescue/boot/syslinux/main.cfg\nappend /rescue/"
    files = image(
        {
            "/isolinux/isolinux.cfg": text,
            "/rescue/boot/syslinux/main.cfg": "include boot/syslinux/entries.cfg",
            "/rescue/boot/syslinux/entries.cfg": "label a\nlinux boot/vmlinuz\ninitrd boot/initrd.img\nappend x",
            "/rescue/boot/vmlinuz": "",
            "/rescue/boot/initrd.img": "",
        }
    )
    (entry,) = parse_syslinux(text, files).linux
    assert (entry.kernel, entry.initrds) == ("/rescue/boot/vmlinuz", ("/rescue/boot/initrd.img",))
