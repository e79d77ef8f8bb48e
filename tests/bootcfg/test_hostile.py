"""Whatever the text, an answer comes after little work."""

import random
from collections.abc import Callable

import pytest

from bootkit.bootcfg.bls import parse_bls
from bootkit.bootcfg.cmdline import join_words, split_words
from bootkit.bootcfg.diskinfo import parse_disk_info
from bootkit.bootcfg.grub import parse_grub
from bootkit.bootcfg.grubenv import parse_grubenv
from bootkit.bootcfg.osrelease import parse_os_release
from bootkit.bootcfg.syslinux import parse_syslinux
from bootkit.bootcfg.treeinfo import parse_treeinfo
from bootkit.model.iso import IsoView
from tests.work import counted

Image = Callable[[dict[str, str]], IsoView]

CALLS = 5_000_000
"""Twice what the worst of the texts below takes; a parser that goes back and forth takes hundreds of times that."""

PIECES = (
    "menuentry", "submenu", "function f", "if", "then", "elif", "else", "fi", "for x in a b", "while", "do", "done",
    "{", "}", "[", "]", "(", ")", "'", '"', "\\", "$", "${", "$1", "$x", "${x}", "$@", "#", ";", "\n", " ", "\t", "&&",
    "set x=$x$x", "linux /k $x", "initrd /i*", "f", "eval", "source /boot/grub/grub.cfg", "configfile /a.cfg", "!",
    "test -f", "-a", "-o", "regexp --set 1:x '(a*)*b'", "search --set=root", "loopback l /f", "return", "break", "=",
    "--set", "--id", "--class", "\x00", "é", "\ud800", "999999999999999999999", "module2", "setparams", "shift 3",
    "LABEL x", "MENU BEGIN", "MENU END", "APPEND initrd=a,b ---", "KERNEL mboot.c32", "INCLUDE /a.cfg", "TEXT HELP",
    "MENU LABEL ^", "[general]", "options a", "title", "KERNEL ifcpu64.c32", "KERNEL whichsys.c32", "DEFAULT", "-iso-",
)  # fmt: skip


@pytest.mark.parametrize(
    "script",
    [
        "{" * 1_000_000,
        "}" * 1_000_000,
        "if " * 100_000,
        "menuentry a {" * 1000,
        "submenu a {\n" * 30 + "menuentry b { true }",
        '"' * 1_000_001,
        "'\n\"" * 100_000,
        "\\" * 99_999,
        "while true; do set a=x$a; done",
        "while true; do while true; do while true; do true; done; done; done",
        "function f { f; }\nf",
        "function f { for x in 1 2 3 4 5 6 7 8 9; do f; done; }\nf",
        "set f='eval $f'\neval $f",
        "set a=xxxxxxxx\n" + "set a=$a$a\n" * 40 + "echo " + "$a " * 20_000,
        "function f { menuentry x { f; } }\nf",
        "source /boot/grub/grub.cfg\n" * 2000,
        "configfile /boot/grub/grub.cfg",
        "menuentry x { source /boot/grub/grub.cfg\n}\n" * 500,
        "submenu x { source /other.cfg\n}\n" * 5,
        "test " + "( " * 5000,
        "test " + "! " * 50_000,
        "set a="
        + "a" * 900
        + "\nregexp '(a|a)*b' $a\nregexp '(a+)+b' $a\nregexp 'a*a*a*a*b' $a\nregexp '(' $a\nregexp '((a*)a)*b' $a\nregexp '(a?){40}b' $a\nregexp '(a)\\1*b' $a",
        "set a=" + "a" * 200 + "\n" + "regexp 'a*a*b' $a\n" * 5000,
        "for x in " + "/* " * 50_000 + "; do true; done",
    ],
    ids=lambda script: repr(script[:30]),
)
def test_a_hostile_grub_script_ends(script: str, image: Image) -> None:
    files = image({"/boot/grub/grub.cfg": script[:65536], "/other.cfg": "submenu y { source /third.cfg\n}\n" * 9,
                   "/third.cfg": "submenu z { source /fourth.cfg\n}\n" * 9, "/fourth.cfg": script[:2000] * 9})  # fmt: skip
    with counted() as work:
        menu = parse_grub(script, files)
    assert work.calls < CALLS
    assert len(menu.warnings) <= 50
    assert len(menu.entries) <= 2000


def test_an_endless_script_says_so() -> None:
    menu = parse_grub("menuentry t { while true; do true; done; linux /k\n }")
    assert menu.entries[0].kernel == "/k"
    assert menu.warnings == ("/boot/grub/grub.cfg: a loop does not end within 200 rounds",)


def test_a_broken_block_keeps_what_came_before() -> None:
    menu = parse_grub("menuentry a { linux /k\n initrd /i\n}\n}\nfi\nmenuentry b { linux /m\n")
    assert [entry.kernel for entry in menu.entries] == ["/k", "/m"]
    assert menu.warnings == (
        "/boot/grub/grub.cfg: line 4: '}' has no beginning",
        "/boot/grub/grub.cfg: line 5: 'fi' has no beginning",
        "/boot/grub/grub.cfg: line 7: '}' is missing",
    )


def test_an_unfinished_quote_costs_its_line_only() -> None:
    menu = parse_grub("menuentry a { linux /k it's\n}\nmenuentry b { linux /m\n}")
    assert [entry.kernel for entry in menu.entries] == ["/k", "/m"]
    assert menu.warnings == ("/boot/grub/grub.cfg: line 1: a quote has no end",)


@pytest.mark.parametrize(
    "text",
    [
        "include /isolinux/isolinux.cfg\n" * 5000,
        "menu begin\n" * 100_000,
        "label x\n" * 100_000,
        "label x\nkernel /k\nappend initrd=" + "a," * 100_000,
        "label a\nconfig /other.cfg\nlabel b\nconfig /isolinux/isolinux.cfg\n" * 500,
    ],
    ids=lambda text: repr(text[:30]),
)
def test_a_hostile_syslinux_menu_ends(text: str, image: Image) -> None:
    files = image({"/isolinux/isolinux.cfg": text[:65536], "/other.cfg": text[:65536]})
    with counted() as work:
        menu = parse_syslinux(text, files)
    assert work.calls < CALLS
    assert len(menu.warnings) <= 50


@pytest.mark.parametrize("seed", range(60))
def test_random_text_breaks_no_parser(seed: int, image: Image) -> None:
    chance = random.Random(seed)
    text = "".join(chance.choice(PIECES) + chance.choice(("", " ", " ", "\n")) for _ in range(300))
    files = image({"/boot/grub/grub.cfg": text, "/a.cfg": text, "/isolinux/isolinux.cfg": text, "/i1": ""})
    with counted() as work:
        assert len(parse_grub(text, files).entries) <= 2000
        assert len(parse_syslinux(text, files).entries) <= 2000
        assert parse_bls(text, path="/loader/entries/a.conf").path == "/loader/entries/a.conf"
        assert isinstance(parse_disk_info(text).name, str)
        assert parse_os_release(text).values.keys() >= set()
        assert parse_treeinfo(text).sections.keys() >= set()
        assert parse_grubenv(text) == {}
        assert split_words(join_words(split_words(text))) == split_words(text)
    assert work.calls < CALLS
