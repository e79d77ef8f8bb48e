"""The language: quoting, variables, conditions, loops, functions."""

from collections.abc import Callable

import pytest

from bootkit.bootcfg.grub import DEFAULT_VARIABLES, parse_grub
from bootkit.model.iso import IsoView

Image = Callable[[dict[str, str]], IsoView]


def words(script: str, **variables: str) -> tuple[str, ...]:
    """The kernel words of the only entry that ``script`` makes."""
    (entry,) = parse_grub(script, variables={**DEFAULT_VARIABLES, **variables}).entries
    return entry.cmdline


def line(arguments: str, **variables: str) -> tuple[str, ...]:
    return words(f"menuentry t {{ linux /k {arguments}\n }}", **variables)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("a=b quiet", ("a=b", "quiet")),
        ("'a b' \"c d\"", ("a b", "c d")),
        (r"root=live:CDLABEL=My\ Disk", ("root=live:CDLABEL=My Disk",)),
        (r"'My\x20Disk' My\\x20Disk My\x20Disk", (r"My\x20Disk", r"My\x20Disk", "Myx20Disk")),
        (r'"say \"hi\" for \$5, not \n"', (r'say "hi" for $5, not \n',)),
        ("a\"b\"'c'd", ("abcd",)),
        ("one \\\n   two", ("one", "two")),
        ("o\\\nne", ("one",)),
        ('""', ("",)),
        ("a#b # a comment", ("a#b",)),
        ('$"translated" text', ("translated", "text")),
        ("--- end", ("---", "end")),
        ("price=5$", ("price=5$",)),
    ],
)
def test_words_are_quoted_as_in_grub(written: str, read: tuple[str, ...]) -> None:
    assert line(written) == read


def test_a_variable_splits_at_blanks_unless_it_is_quoted() -> None:
    assert line('$v "$v" x${v}y', v="one two") == ("one", "two", "one two", "xone", "twoy")


def test_an_empty_variable_leaves_no_word() -> None:
    assert line('$nothing "$nothing" a${nothing}b') == ("", "ab")


def test_a_variable_with_a_blank_in_front_begins_a_new_word() -> None:
    assert line("a${v}b", v=" x ") == ("a", "xb")


def test_set_export_and_a_bare_assignment_make_variables() -> None:
    assert words("set a=1\nb=2\nexport c=3\nmenuentry t { linux /k $a $b $c\n}") == ("1", "2", "3")


def test_an_entry_sees_the_variables_as_the_whole_file_leaves_them() -> None:
    assert words("set a=early\nmenuentry t { linux /k $a\n }\nset a=late") == ("late",)


def test_a_submenu_sees_exported_variables_only() -> None:
    script = "set a=hidden\nset b=seen\nexport b\nsubmenu s { menuentry t { linux /k a=$a b=$b\n} }"
    assert words(script) == ("a=", "b=seen")


def test_an_unset_variable_is_gone() -> None:
    assert words("set a=1\nunset a\nmenuentry t { linux /k x$a\n}") == ("x",)


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("true", True),
        ("false", False),
        ("! false", True),
        ('[ "$grub_platform" = "efi" ]', True),
        ("[ $grub_platform == pc ]", False),
        ('test x$unset = x -a "$grub_cpu" != i386', True),
        ("[ -z $unset ]", True),
        ('[ -n "$unset" ]', False),
        # unquoted, the variable leaves no word, and "-n" alone is a string that is not empty; GRUB agrees
        ("[ -n $unset ]", True),
        ("[ $unset ]", False),
        ("[ ]", False),
        ("[ a = b -o 3 -gt 2 ]", True),
        ("[ a = b -o c = d -a e = e ]", False),
        ("[ ! ( a = b -o c = d ) ]", True),
        ("[ ! a = a ]", False),
        ("[ 10 -eq 0x0a ]", True),
        ("[ -f /boot/grub/grub.cfg ]", True),
        ("[ -s /nope -o -e ($root)/boot ]", True),
        ("[ -d /boot -a ! -d /boot/grub/grub.cfg ]", True),
        ("[ -f (hd0,1) ]", False),
        ("loadfont unicode", True),
        ("cpuid -l", True),
        ("keystatus --shift", False),
        ("regexp '^(ef)i$' $grub_platform", True),
        ("regexp 'x+' $grub_platform", False),
        ("search --file /boot/grub/grub.cfg --set=here", True),
        ("search --no-floppy --set=here --file /nope", False),
        ("search -l LIVE_MEDIUM", True),
        ("search --label OTHER --set here", False),
        ("search.fs_uuid 2024-08-27-15-33-07-00 here hd0,msdos1", True),
        ("search --fs-uuid 1234-ABCD", False),
    ],
)
def test_conditions(condition: str, *, holds: bool, image: Image) -> None:
    script = f"if {condition}; then\nmenuentry yes {{ true }}\nelse menuentry no {{ true }}; fi"
    menu = parse_grub(script, image({"/boot/grub/grub.cfg": script}))
    assert [entry.title for entry in menu.entries] == ["yes" if holds else "no"]
    assert menu.warnings == ()


def test_elif_takes_the_first_branch_that_holds() -> None:
    script = "if false; then a=1; elif true; then a=2\nelif true; then a=3; else a=4; fi\nmenuentry t {linux /k $a\n}"
    assert words(script) == ("2",)


def test_a_function_gets_its_parameters() -> None:
    script = """
    function kernel_line
    {
        set rest=$2
        shift
        linux /k first=$1 count=$# all="$*"
    }
    menuentry t { kernel_line a b "c d"
    }"""
    assert words(script) == ("first=b", "count=2", "all=b c d")


def test_a_function_returns_its_status() -> None:
    script = "function no { return 1; }\nif no; then a=yes; else a=no; fi\nmenuentry t { linux /k $a\n}"
    assert words(script) == ("no",)


def test_an_entry_gets_the_words_behind_its_title_as_parameters() -> None:
    script = 'menuentry --class os "A title" "$v" more --id=x { linux /boot/vmlinuz-$2 $1 $3\n}'
    (entry,) = parse_grub(script, variables={"v": "x86_64 quiet"}).entries
    assert entry.kernel == "/boot/vmlinuz-x86_64"
    assert entry.cmdline == ("quiet", "A", "title", "more")


def test_loops_run_over_words_and_files(image: Image) -> None:
    script = """
    for lang in de en; do
      if [ $lang = en ]; then continue; fi
      menuentry "$lang" { true }
    done
    for file in (*,gpt*)/boot/* /boot/v*; do menuentry $file { true }; done
    set n=x
    while [ $n != xxxx ]; do set n=x$n; done
    until [ $n = xxxxxx ]; do set n=x$n; if [ $n = xxxxx ]; then break; fi; done
    menuentry $n { true }"""
    menu = parse_grub(script, image({"/boot/vmlinuz": "", "/boot/vmlinuz2": ""}))
    assert [entry.title for entry in menu.entries] == [
        "de",
        "(*,gpt*)/boot/*",
        "/boot/vmlinuz",
        "/boot/vmlinuz2",
        "xxxxx",
    ]


def test_regexp_keeps_its_groups() -> None:
    script = "regexp --set=1:disk --set 2:part '(hd[0-9]+),(.*)' hd0,gpt2\nmenuentry t { linux /k $disk $part\n}"
    assert words(script) == ("hd0", "gpt2")


def test_eval_runs_its_words() -> None:
    assert words("name=a\neval $name=5\nmenuentry t { linux /k $a\n}") == ("5",)


def test_the_environment_block_is_loaded(image: Image) -> None:
    block = "# GRUB Environment Block\nkopts=lang=de\\\\x\nother=1\n#####"
    script = "load_env -f /boot/grub/env kopts\nmenuentry t { linux /k $kopts x$other\n}"
    (entry,) = parse_grub(script, image({"/boot/grub/env": block})).entries
    assert entry.cmdline == (r"lang=de\x", "x")
