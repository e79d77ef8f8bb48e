from collections.abc import Callable

from bootkit.bootcfg.find import read_loopback, read_menu, read_menus
from bootkit.model.iso import IsoView

Image = Callable[[dict[str, str]], IsoView]

GRUB = "menuentry Live { linux /live/vmlinuz boot=live findiso=${iso_path}\n initrd /live/initrd.img\n }"
ISOLINUX = "label old\nmenu label Old\nkernel /live/vmlinuz\nappend initrd=/live/initrd.img boot=live"
KERNEL = {"/live/vmlinuz": "", "/live/initrd.img": ""}


def test_the_grub_menu_comes_first_and_the_others_are_not_read(image: Image) -> None:
    menu = read_menus(image({"/boot/grub/grub.cfg": GRUB, "/isolinux/isolinux.cfg": ISOLINUX, **KERNEL}))
    assert [entry.title for entry in menu.entries] == ["Live"]
    assert menu.sources == ("/boot/grub/grub.cfg",)
    assert menu.entries[0].cmdline == ("boot=live", "findiso={iso_path}")


def test_a_menu_without_linux_is_passed_over(image: Image) -> None:
    menu = read_menus(image({"/EFI/BOOT/grub.cfg": "echo hello", "/isolinux/isolinux.cfg": ISOLINUX, **KERNEL}))
    assert [entry.title for entry in menu.entries] == ["Old"]


def test_everything_keeps_equal_entries_once(image: Image) -> None:
    iso = image(
        {
            "/boot/grub/grub.cfg": "menuentry New { linux /live/vmlinuz boot=live\n initrd /live/initrd.img\n }",
            "/isolinux/isolinux.cfg": ISOLINUX + "\nlabel safe\nkernel /live/vmlinuz\nappend nomodeset",
            **KERNEL,
        }
    )
    menu = read_menus(iso, everything=True)
    assert [entry.title for entry in menu.entries] == ["New", "safe"]
    assert menu.default is menu.entries[0]


def test_an_image_without_a_menu_has_an_empty_one(image: Image) -> None:
    assert read_menus(image({"/readme.txt": ""})).entries == ()


def test_paths_are_spelled_as_in_the_image(image: Image) -> None:
    menu = read_menus(image({"/BOOT/GRUB/GRUB.CFG": GRUB, "/LIVE/VMLINUZ": "", "/LIVE/INITRD.IMG": ""}))
    (entry,) = menu.entries
    assert (entry.kernel, entry.initrds) == ("/LIVE/VMLINUZ", ("/LIVE/INITRD.IMG",))
    assert menu.default is entry


def test_a_menu_in_the_uefi_partition_finds_its_files_outside(image: Image) -> None:
    iso = image({"efi:/EFI/BOOT/grub.cfg": GRUB + "\nmenuentry inner {linux /inner\n}", "efi:/inner": "", **KERNEL})
    first, second = read_menus(iso).entries
    assert (first.kernel, first.source) == ("/live/vmlinuz", "efi:/EFI/BOOT/grub.cfg")
    assert second.kernel == "efi:/inner"


def test_a_stub_in_the_uefi_partition_leads_to_the_menu(image: Image) -> None:
    stub = "search --file --set=root /.disk/info\nset prefix=($root)/boot/menu\nsource $prefix/menu.cfg"
    iso = image({"efi:/EFI/BOOT/grub.cfg": stub, "/.disk/info": "", "/boot/menu/menu.cfg": GRUB, **KERNEL})
    assert [entry.source for entry in read_menus(iso).entries] == ["/boot/menu/menu.cfg"]


def test_a_vendors_folder_may_hold_the_only_menu(image: Image) -> None:
    assert read_menus(image({"/EFI/fedora/grub.cfg": GRUB, **KERNEL})).sources == ("/EFI/fedora/grub.cfg",)


def test_loader_entries_are_read_in_order_of_name(image: Image) -> None:
    iso = image(
        {
            "/loader/loader.conf": "# settings\ntimeout 15\ndefault 02-*",
            "/loader/entries/02-safe.conf": "title Safe\nlinux /arch/k\ninitrd /arch/i\noptions nomodeset",
            "/loader/entries/01-live.conf": (
                "title\tLive\nversion 6.1\nlinux /arch/k\ninitrd /arch/ucode\ninitrd /arch/i\n"
                'options a "b c"\noptions initrd=\\arch\\x d\narchitecture x64'
            ),
            "/loader/entries/03-shell.conf": "title Shell\nefi /shell.efi",
        }
    )
    menu = read_menus(iso)
    live, safe, shell = menu.entries
    assert (live.title, live.id, live.initrds) == ("Live 6.1", "01-live", ("/arch/ucode", "/arch/i", "/arch/x"))
    assert live.cmdline == ("a", "b c", "d")
    assert (menu.default, menu.timeout) == (safe, 15)
    assert shell.chainloader == "/shell.efi"


def test_loader_entries_may_lie_in_grubs_folder(image: Image) -> None:
    entry = "title Live\nlinux /boot/vmlinuz\ninitrd /boot/initrd\noptions quiet"
    menus = {"/boot/grub2/grub.cfg": "insmod blscfg\nblscfg\n", "/boot/loader/entries/live.conf": entry}
    (found,) = read_menus(image({**menus, "/boot/vmlinuz": "", "/boot/initrd": ""})).entries
    assert (found.title, found.kernel, found.initrds, found.cmdline) == (
        "Live",
        "/boot/vmlinuz",
        ("/boot/initrd",),
        ("quiet",),
    )


def test_extlinux_calls_its_menu_by_its_own_name(image: Image) -> None:
    for place in ("/extlinux/extlinux.conf", "/boot/extlinux/extlinux.conf"):
        assert read_menus(image({place: ISOLINUX, **KERNEL})).sources == (place,)


def test_of_loader_entries_those_for_another_machine_are_passed_over(image: Image) -> None:
    arm = {"/loader/entries/arm.conf": "title ARM\nlinux /k\ninitrd /i\narchitecture aa64"}
    both = {**arm, "/loader/entries/pc.conf": "title PC\nlinux /k\ninitrd /i"}
    assert [entry.title for entry in read_menus(image(both)).entries] == ["PC"]
    assert [entry.title for entry in read_menus(image(arm)).entries] == ["ARM"]


def test_the_loopback_menu_tells_whether_it_passes_the_path_on(image: Image) -> None:
    right = {"/boot/grub/loopback.cfg": "source /boot/grub/grub.cfg", "/boot/grub/grub.cfg": GRUB, **KERNEL}
    wrong = {**right, "/boot/grub/grub.cfg": GRUB.replace("${iso_path}", "")}
    menus = [read_loopback(image(texts)) for texts in (right, wrong, KERNEL)]
    assert [menu and (menu.sources[0], menu.passes_iso_path) for menu in menus] == [
        ("/boot/grub/loopback.cfg", True),
        ("/boot/grub/loopback.cfg", False),
        None,
    ]


def test_the_loopback_menu_is_the_menu_if_there_is_no_other(image: Image) -> None:
    menu = read_menus(image({"/boot/grub/loopback.cfg": GRUB, **KERNEL}))
    assert menu.sources == ("/boot/grub/loopback.cfg",)


def test_one_menu_can_be_asked_for(image: Image) -> None:
    iso = image({"/efi/boot/android.cfg": GRUB, "/slax/boot/syslinux.cfg": ISOLINUX, **KERNEL})
    assert [entry.title for entry in read_menu(iso, "/efi/boot/android.cfg").entries] == ["Live"]
    assert [entry.title for entry in read_menu(iso, "/slax/boot/syslinux.cfg").entries] == ["Old"]
    assert read_menu(iso, "/nope.cfg").entries == ()


def test_the_default_linux_has_an_initrd(image: Image) -> None:
    script = f"set default=0\nmenuentry memtest {{ linux16 /memtest\n}}\n{GRUB}"
    default = read_menus(image({"/boot/grub/grub.cfg": script, **KERNEL})).default_linux
    assert default is not None
    assert default.title == "Live"


def test_an_efi_line_with_an_initrd_is_a_kernel_and_one_without_is_not(image: Image) -> None:
    iso = image(
        {
            "/loader/entries/1.conf": "title Kernel\nefi /vmlinuz.efi\noptions initrd=/i a=b\ndevicetree /board.dtb",
            "/loader/entries/2.conf": "title Tool\nefi /EFI/x.efi\noptions a=b",
            "/loader/entries/3.conf": "title Image\nuki /EFI/y.efi",
        }
    )
    kernel, tool, uki = read_menus(iso).entries
    assert (kernel.kernel, kernel.initrds, kernel.cmdline) == ("/vmlinuz.efi", ("/i",), ("a=b",))
    assert (kernel.devicetree, kernel.chainloader) == ("/board.dtb", "")
    assert (tool.kernel, tool.chainloader, tool.cmdline) == ("", "/EFI/x.efi", ("a=b",))
    assert uki.chainloader == "/EFI/y.efi"


def test_a_grub_menu_may_lie_in_isolinux_folder(image: Image) -> None:
    iso = image({"efi:/EFI/BOOT/grub.cfg": "configfile /isolinux/grub.cfg", "/isolinux/grub.cfg": GRUB, **KERNEL})
    assert [entry.title for entry in read_menus(iso).entries] == ["Live"]
    assert [entry.title for entry in read_menu(iso, "/isolinux/grub.cfg").entries] == ["Live"]


LIMINE = """timeout: 7
default_entry: 3
${dir}=/arch/boot
# comment
/+Live
  comment: of the folder
//Live system
  protocol: linux
  path: boot():${dir}/vmlinuz#0123abcd
  module_path: boot():${dir}/ucode.img
  module_path: boot():${dir}/initrd.img
  cmdline: archisobasedir=arch "a=b c" initrd=x
//Safe
  PROTOCOL: linux
  KERNEL_PATH: hdd(1:2):/vmlinuz
  KERNEL_CMDLINE: nomodeset
/Shell
  protocol: efi
  path: boot():/shell.efi
"""


def test_limines_menu_has_titles_words_and_files(image: Image) -> None:
    menu = read_menus(image({"/limine.conf": LIMINE}))
    live, safe, shell = menu.entries
    assert (live.submenu, live.title, live.kernel) == (("Live",), "Live system", "/arch/boot/vmlinuz")
    assert live.initrds == ("/arch/boot/ucode.img", "/arch/boot/initrd.img")
    assert live.cmdline == ("archisobasedir=arch", "a=b c")
    assert (safe.kernel, safe.cmdline) == ("(hdd)/vmlinuz", ("nomodeset",))
    assert (shell.submenu, shell.chainloader) == ((), "/shell.efi")
    assert (menu.timeout, menu.default, menu.sources) == (7, safe, ("/limine.conf",))


def test_limines_older_form_is_read_too(image: Image) -> None:
    text = ":Live\nPROTOCOL=linux\nKERNEL_PATH=boot:///k\nMODULE_PATH=boot:///i\nKERNEL_CMDLINE=a=b\n"
    (entry,) = read_menus(image({"efi:/limine.cfg": text, "efi:/k": "", "efi:/i": ""})).entries
    assert (entry.kernel, entry.initrds, entry.cmdline) == ("efi:/k", ("efi:/i",), ("a=b",))


def test_refinds_stanzas_are_entries(image: Image) -> None:
    text = """
    timeout 20
    default_selection "safe,1"
    include themes/theme.conf  # not there
    menuentry "Live system" {
        loader /live/vmlinuz
        initrd /live/initrd.img
        options "boot=live quiet"
        submenuentry "Safe" {
            add_options "nomodeset"
        }
    }
    menuentry Old {
        loader /old
        disabled
    }
    menuentry Shell {
        loader \\shell.efi
    }
    """
    menu = read_menus(image({"/EFI/BOOT/refind.conf": text, **KERNEL}))
    live, safe, shell = menu.entries
    assert (live.kernel, live.initrds, live.cmdline) == ("/live/vmlinuz", ("/live/initrd.img",), ("boot=live", "quiet"))
    assert (safe.submenu, safe.cmdline) == (("Live system",), ("boot=live", "quiet", "nomodeset"))
    assert shell.chainloader == "/shell.efi"
    assert (menu.default, menu.timeout) == (safe, 20)
    assert menu.warnings == ("/EFI/BOOT/refind.conf: themes/theme.conf is not there",)


MENU_LST = """
# menu.lst
default 1
timeout=5
title Rescue \\n a shell and nothing else
  find --set-root --ignore-floppies /vmlinuz
  kernel --no-mem-option (hd0,0)/vmlinuz pmedia=cd BOOT_IMAGE=x
  initrd /ucode.cpio /initrd.gz
title Ember  Live
  root (cd)
  kernel (cd)/vmlinuz quiet "a=b c"
  initrd (cd)/initrd.gz
title Another menu
  configfile (cd)/boot/other.lst
title Windows
  root (hd0,1)
  chainloader +1
title Xen
  kernel /xen.gz dom0
  module /vmlinuz ro
  module /initrd.gz
"""


def test_a_menu_of_grub_before_two_is_read_where_there_is_no_other(image: Image) -> None:
    files = {"/boot/grub/menu.lst": MENU_LST, "/vmlinuz": "", "/initrd.gz": "", "/ucode.cpio": ""}
    menu = read_menus(image(files))
    assert [entry.title for entry in menu.entries] == ["Rescue", "Ember Live", "Another menu", "Windows", "Xen"]
    rescue, live, another, windows, xen = menu.entries
    assert (rescue.kernel, rescue.initrds, rescue.cmdline) == (
        "/vmlinuz",
        ("/ucode.cpio", "/initrd.gz"),
        ("pmedia=cd",),
    )
    assert (live.kernel, live.initrds, live.cmdline) == ("/vmlinuz", ("/initrd.gz",), ("quiet", "a=b c"))
    assert (menu.default, menu.timeout) == (live, 5)
    assert (another.configfile, windows.chainloader) == ("/boot/other.lst", "")
    assert xen.is_xen
    assert [module.path for module in xen.modules] == ["/vmlinuz", "/initrd.gz"]


ELILO = """
prompt
timeout=50
default=safe
append="quiet splash"
# images
image=vmlinuz
  label=live
  description="Ember  Live"
  initrd=initrd.gz
  read-only
image=/boot/vmlinuz
  label=safe
  initrd=/boot/initrd.gz
  root=/dev/ram0
  append="nomodeset initrd=x" # a remark
"""


def test_elilos_menu_is_read_from_its_own_folder(image: Image) -> None:
    files = {f"/EFI/BOOT/{name}": "" for name in ("vmlinuz", "initrd.gz")} | {
        "/boot/vmlinuz": "",
        "/boot/initrd.gz": "",
    }
    menu = read_menus(image({"/EFI/BOOT/elilo.conf": ELILO, **files}))
    live, safe = menu.entries
    assert (live.title, live.kernel, live.initrds) == ("Ember Live", "/EFI/BOOT/vmlinuz", ("/EFI/BOOT/initrd.gz",))
    assert live.cmdline == ("ro", "quiet", "splash")
    assert (safe.title, safe.kernel, safe.cmdline) == ("safe", "/boot/vmlinuz", ("root=/dev/ram0", "nomodeset"))
    assert (menu.default, menu.timeout) == (safe, 5)


REFIND_LINUX = """
# a remark
"Boot as usual"  "boot=live initrd=boot\\initrd-%v.img"
"Boot safely"    "boot=live nomodeset"
broken
"""


def test_words_beside_kernels_are_refinds_menu_of_them(image: Image) -> None:
    names = ("vmlinuz-6.9.1", "vmlinuz-6.12.3", "initrd-6.9.1.img", "initrd-6.12.3.img", "initrd-6.12.3-old.img")
    iso = image({"/boot/refind_linux.conf": REFIND_LINUX, **{f"/boot/{name}": "" for name in names}})
    menu = read_menus(iso)
    usual, safe, *older = menu.entries
    assert (usual.title, usual.kernel) == ("Boot as usual", "/boot/vmlinuz-6.12.3")
    assert (usual.initrds, usual.cmdline) == (("/boot/initrd-6.12.3.img",), ("boot=live",))
    assert (safe.initrds, safe.cmdline) == (("/boot/initrd-6.12.3.img",), ("boot=live", "nomodeset"))
    assert [entry.kernel for entry in older] == ["/boot/vmlinuz-6.9.1"] * 2
    assert menu.default is usual


def test_every_menu_that_names_the_description_of_a_board_is_read_for_it(image: Image) -> None:
    files = {"/k": "", "/i": "", "/BOARD.dtb": ""}
    menus = {
        "/boot/grub/grub.cfg": "menuentry a {\n linux /k\n devicetree /board.dtb\n initrd /i\n}",
        "/boot/extlinux/extlinux.conf": "label a\n kernel /k\n initrd /i\n fdt /board.dtb\n append x",
        "/limine.conf": "/a\n protocol: linux\n path: boot():/k\n module_path: boot():/i\n dtb_path: boot():/board.dtb",
        "/loader/entries/a.conf": "linux /k\ninitrd /i\ndevicetree /board.dtb",
    }
    for path, text in menus.items():
        (entry,) = read_menus(image({path: text, **files})).entries
        assert entry.devicetree == "/BOARD.dtb", path
