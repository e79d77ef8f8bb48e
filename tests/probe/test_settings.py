import pytest

from bootkit.errors import BootkitError
from bootkit.model.options import STICK, USER, Choices, Scope, image_place, stack_place
from bootkit.probe.settings import read_choices, read_user_choices

ISO = "/boot/iso/x y.iso"


def test_nothing_written_means_the_defaults() -> None:
    assert read_choices("# a comment\n[stick]\nversion = '0.1.0'\n") == Choices()
    assert Choices().chosen("timeout").value == 30


def test_reads_every_table() -> None:
    text = f"""
[menu]
timeout = 5
serial = true
[options]
language = "de_DE.UTF-8"
extra_words = ["quiet", "a=b"]
[stack.live-boot]
to_ram = true
[image."{ISO}"]
alias = "Mine"
order = -1
"""
    assert read_choices(text).values == {
        STICK: {"timeout": 5, "serial": True, "language": "de_DE.UTF-8", "extra_words": ("quiet", "a=b")},
        stack_place("live-boot"): {"to_ram": True},
        image_place(ISO): {"alias": "Mine", "order": -1},
    }


def test_the_narrowest_scope_wins() -> None:
    text = f"[options]\nhost='stick'\nuser='u'\n[stack.casper]\nhost='stack'\n[image.'{ISO}']\nhost='image'\n"
    choices = read_choices(text).with_user(read_user_choices("[options]\nhost='me'\ntimezone='UTC'\n", source="c"))
    found = [
        choices.chosen("host", stack="casper", image=ISO),
        choices.chosen("host", stack="casper"),
        choices.chosen("host"),
        choices.chosen("timezone", image=ISO),
        choices.chosen("keyboard"),
    ]
    assert [(one.value, one.scope) for one in found] == [
        ("image", Scope.IMAGE),
        ("stack", Scope.STACK),
        ("stick", Scope.STICK),
        ("UTC", Scope.USER),
        ("", Scope.DEFAULT),
    ]


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("[menu]\n\ntimout = 5", "line 3: there is no choice 'timout'", "did you mean timeout?"),
        ("[menu]\ntimeout = '5'", "line 2: timeout = '5' is not a number", "write timeout as a number"),
        ("[menu]\ntimeout = true", "timeout = True is not a number", "a number"),
        ("[menu]\ntimeout = 100000", "is not between -1 and 86400", "a number"),
        ("[options]\nextra_words = [1]", "is not a list of texts", "list"),
        ("[options]\nextra_words = ['a\"b']", "no kernel gets to see a quote", "list"),
        ("[options]\nlanguage = 'german'", "is no locale", "a text"),
        ("[options]\nhost = 'a b'", "is no host name", "a text"),
        ("[options]\nalias = 'x'", "there is no choice 'alias' in [options]", 'belongs into [image."/PATH"]'),
        ("[menu]\nextra_words = []", "there is no choice 'extra_words' in [menu]", "belongs into [options]"),
        ("[image.'/a.iso']\nhiden = true", "line 2: there is no choice 'hiden'", "did you mean hidden?"),
        ("[image]\nx = 3", "x is not a table", "[image.x]"),
        ("[menu]\npassword = 'secret'", "is no digest", "a text"),
        ("[menu]\ndefault = 1979-05-27", "is not a text", "a text"),
        ("# one\n[menus]\n", "line 2: there is no table [menus]", "did you mean [menu]?"),
        ("[xyz]\n", "there is no table [xyz]", "[stick], [menu]"),
        ("menu = 3", "menu is not a table", "[menu]"),
        ("[menu\n", "line 1", "nothing was changed"),
    ],
)
def test_a_mistake_is_named_with_the_way_out(text: str, message: str, hint: str) -> None:
    with pytest.raises(BootkitError) as caught:
        read_choices(text)
    assert message in caught.value.message
    assert hint in caught.value.hint


def test_the_users_own_configuration_has_one_table() -> None:
    with pytest.raises(BootkitError, match=r"config, line 1: there is no table \[menu\]"):
        read_user_choices("[menu]\ntimeout = 3\n", source="config")
    assert read_user_choices("[options]\nuser = 'tux'\n", source="config").values == {USER: {"user": "tux"}}
