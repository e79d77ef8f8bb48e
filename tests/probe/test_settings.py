import pytest

from bootkit.errors import BootkitError
from bootkit.model.catalog import MenuSettings
from bootkit.probe.settings import read_settings


def test_nothing_written_means_the_defaults() -> None:
    assert read_settings("# a comment\n[stick]\nversion = '0.1.0'\n") == MenuSettings()


def test_reads_every_choice() -> None:
    text = "[menu]\ntimeout = 5\ndefault = '/boot/iso/x.iso'\nserial = true\nextra_words = ['quiet', 'a=b']\n"
    expected = MenuSettings(timeout=5, default="/boot/iso/x.iso", serial=True, extra_words=("quiet", "a=b"))
    assert read_settings(text) == expected


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("[menu]\ntimout = 5", "there is no choice 'timout'", "did you mean timeout?"),
        ("[menu]\ntimeout = '5'", "timeout = '5' is not a number", "write timeout as a number"),
        ("[menu]\ntimeout = true", "timeout = True is not a number", "a number"),
        ("[menu]\nextra_words = [1]", "is not a list of texts", "list"),
        ("[menus]\n", "there is no table [menus]", "[stick] and [menu]"),
        ("menu = 3", "menu is not a table", "[menu]"),
        ("[menu\n", "line 1", "nothing was changed"),
    ],
)
def test_a_mistake_is_named_with_the_way_out(text: str, message: str, hint: str) -> None:
    with pytest.raises(BootkitError) as caught:
        read_settings(text)
    assert message in caught.value.message
    assert hint in caught.value.hint
