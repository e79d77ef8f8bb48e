import pytest

from bootkit.model.options import image_place, stack_place
from bootkit.plan.edit_settings import Change, edited
from bootkit.probe.settings import read_choices

TEXT = """\
# mine

[menu]
# Seconds, and why so few
timeout = 5  # I am quick

[image."/boot/iso/a.iso"]
alias = "A"   # keep
order = 3
"""


def test_a_value_is_changed_in_its_place_and_comments_stay() -> None:
    assert edited(TEXT, [Change(key="timeout", value=9)]) == TEXT.replace("= 5", "= 9")


def test_what_is_new_comes_behind_what_is_there() -> None:
    text = edited(
        TEXT,
        [
            Change(key="serial", value=True),
            Change(key="extra_words", value=("quiet", "a=b")),
            Change(key="host", value="tux", place=stack_place("kiwi isoboot")),
            Change(key="hidden", value=True, place=image_place("/boot/iso/b c.iso")),
        ],
    )
    assert "timeout = 5  # I am quick\nserial = true\n" in text
    assert 'extra_words = ["quiet", "a=b"]' in text
    choices = read_choices(text)
    assert choices.chosen("host", stack="kiwi isoboot").value == "tux"
    assert choices.chosen("hidden", image="/boot/iso/b c.iso").value is True
    assert choices.chosen("alias", image="/boot/iso/a.iso").value == "A"


@pytest.mark.parametrize("place", [image_place("/boot/iso/b c.iso"), stack_place("casper")])
def test_taking_back_what_was_added_leaves_the_file_as_it_was(place: object) -> None:
    assert isinstance(place, type(image_place("")))
    added = edited(TEXT, [Change(key="host", value="tux", place=place)])
    assert added != TEXT
    assert edited(added, [Change(key="host", value=None, place=place)]).split() == TEXT.split()


def test_a_table_goes_with_its_last_key() -> None:
    place = image_place("/boot/iso/a.iso")
    text = edited(TEXT, [Change(key="alias", value=None, place=place), Change(key="order", value=None, place=place)])
    assert "image" not in text
    assert "timeout = 5  # I am quick" in text


def test_taking_away_what_is_not_there_changes_nothing() -> None:
    changes = [Change(key="serial", value=None), Change(key="host", value=None, place=stack_place("casper"))]
    assert edited(TEXT, changes) == TEXT
