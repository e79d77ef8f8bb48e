from pathlib import Path

import pytest

from bootkit.app.stick.catalog import read_catalog
from bootkit.app.stick.images import find_images
from bootkit.app.stick.settings import choices_on
from bootkit.app.verbs.generate import plan_generation
from bootkit.app.verbs.options import (
    find_option,
    find_place,
    list_options,
    parse_value,
    password_digest,
    plan_change,
    preview,
    suggestions,
    value_problem,
    with_changes,
)
from bootkit.errors import BootkitError, UsageError
from bootkit.model.options import STICK, Choices, Scope, image_place, option
from bootkit.model.places import STICK_FILE
from bootkit.model.plan import WriteFile
from bootkit.plan.edit_settings import Change
from bootkit.system.changes import apply_changes
from bootkit.system.volume import Volume
from tests.app.conftest import MakeIso, menu_on

PATH = "/boot/iso/debian.iso"


@pytest.fixture
def filled(volume: Volume, stick: Path, make_iso: MakeIso) -> Volume:
    target = stick / PATH.lstrip("/")
    target.parent.mkdir(parents=True)
    target.write_bytes(make_iso("debian.iso").read_bytes())
    apply_changes(plan_generation(volume).plan, volume)
    return volume


def test_an_option_is_seen_in_the_menu_on_the_stick(filled: Volume, stick: Path) -> None:
    changes = [
        Change(key="language", value="de_DE.UTF-8"),
        Change(key="alias", value="Mine", place=image_place(PATH)),
        Change(key="to_ram", value=True, place=image_place(PATH)),
    ]
    generation = plan_change(filled, changes)
    first = generation.plan.steps[0]
    assert isinstance(first, WriteFile)
    assert first.path == STICK_FILE
    apply_changes(generation.plan, filled)
    assert (stick / STICK_FILE.lstrip("/")).read_text().startswith("[menu]\ntimeout = 7\n")
    menu = menu_on(filled).decode()
    assert "submenu Mine" in menu
    assert "locales=de_DE.UTF-8 toram $more" in menu
    assert plan_generation(filled).plan.steps == ()
    assert plan_change(filled, changes).plan.steps == ()


def test_taking_the_options_away_gives_the_menu_before(filled: Volume, stick: Path) -> None:
    menu = stick / "boot/grub/grub.cfg"
    before = menu.read_bytes()
    apply_changes(plan_change(filled, [Change(key="host", value="box")]).plan, filled)
    assert menu.read_bytes() != before
    apply_changes(plan_change(filled, [Change(key="host", value=None)]).plan, filled)
    assert menu.read_bytes() == before


def test_a_mistake_in_stick_toml_is_told_before_anything_is_edited(filled: Volume, stick: Path) -> None:
    (stick / STICK_FILE.lstrip("/")).write_text("[menu]\ntimout = 3\n")
    with pytest.raises(BootkitError, match="line 2"):
        plan_change(filled, [Change(key="host", value="box")])


def test_the_users_own_configuration_is_below_the_sticks(filled: Volume, no_user_configuration: Path) -> None:
    own = no_user_configuration / "bootkit/config.toml"
    own.parent.mkdir(parents=True)
    own.write_text("[options]\nhost = 'mine'\nuser = 'tux'\n")
    try:
        steps = plan_change(filled, [Change(key="host", value="box")]).plan.steps
        menu = b"".join(step.content for step in steps if isinstance(step, WriteFile) and step.path.endswith(".cfg"))
        assert b"username=tux hostname=box" in menu
        own.write_text("[options]\nhots = 'mine'\n")
        with pytest.raises(BootkitError, match=r"config\.toml, line 2: there is no choice 'hots'"):
            plan_generation(filled)
    finally:
        own.unlink()


def test_lists_values_with_their_origin_and_the_reason_against(filled: Volume) -> None:
    found = find_place(filled, image="debian")
    choices = with_changes(found.choices, [Change(key="host", value="box")])
    listed = {one.spec.key: one for one in list_options(choices, found.place, found.item)}
    assert (listed["host"].value, listed["host"].scope) == ("box", Scope.STICK)
    assert (listed["order"].value, listed["order"].scope) == (0, Scope.DEFAULT)
    assert "timeout" not in listed
    assert {one.spec.key for one in list_options(choices, STICK)} >= {"timeout", "language"}


def test_an_image_that_cannot_boot_shows_why_an_option_has_no_effect(filled: Volume, stick: Path) -> None:
    (stick / "boot/iso/broken.iso").write_bytes(b"\0" * 50_000)
    found = find_place(filled, image="broken")
    reasons = {one.spec.key: one.reason for one in list_options(Choices(), found.place, found.item)}
    assert reasons["language"] == "broken.iso does not start from the menu."
    assert reasons["alias"] == ""


def test_previews_the_kernel_line_with_changes_that_are_not_made(filled: Volume) -> None:
    item = read_catalog(filled, find_images(filled)).items[0]
    changed = with_changes(choices_on(filled), [Change(key="keyboard", value="de", place=image_place(PATH))])
    (entry,) = preview(item, changed)
    assert entry.words[-2:] == (f"findiso={PATH}", "keyboard-layouts=de")
    assert preview(
        item, with_changes(changed, [Change(key="keyboard", value=None, place=image_place(PATH))])
    ) == preview(item, choices_on(filled))


@pytest.mark.parametrize(
    ("key", "words", "message"),
    [
        ("timeout", ["soon"], "is not a number"),
        ("serial", ["perhaps"], "is not true or false"),
        ("host", ["a", "b"], "takes one value"),
        ("protect", ["nothing"], "is none of editing, everything"),
        ("user", ["Tux"], "is no login name"),
    ],
)
def test_a_value_that_is_none_is_refused(key: str, words: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse_value(option(key), words)


def test_words_may_be_given_as_several_or_as_one() -> None:
    assert parse_value(option("extra_words"), ["quiet a=b", "c"]) == ("quiet", "a=b", "c")
    assert parse_value(option("serial"), ["on"]) is True
    assert parse_value(option("timeout"), ["-1"]) == -1


@pytest.mark.parametrize(("key", "good", "bad"), [
    ("timezone", "Europe/Berlin", "Europe/Berlln"),
    ("language", "de_DE.UTF-8", "de_DD.UTF-8"),
    ("keyboard", "de(nodeadkeys)", "de(nodedkeys)"),
])  # fmt: skip
def test_names_are_looked_up_where_this_computer_has_a_list(key: str, good: str, bad: str) -> None:
    spec = option(key)
    if not suggestions(spec):
        pytest.skip("this computer has no such list")
    assert value_problem(spec, good) == ""
    with pytest.raises(UsageError, match="that this computer knows") as caught:
        parse_value(spec, [bad])
    assert good in caught.value.hint


def test_places_and_options_that_are_not_there_are_named(filled: Volume) -> None:
    with pytest.raises(UsageError, match="two places"):
        find_place(filled, image="debian", stack="casper")
    with pytest.raises(BootkitError, match="no kind of system 'caspar'") as caught:
        find_place(filled, stack="caspar")
    assert caught.value.hint == "did you mean casper?"
    with pytest.raises(UsageError, match="no option 'langage'"):
        find_option("langage", Scope.STICK)
    with pytest.raises(UsageError, match="alias cannot be chosen for the stick"):
        find_option("alias", Scope.STICK)


def test_a_password_that_grub_cannot_read_is_refused() -> None:
    with pytest.raises(UsageError, match="ASCII"):
        password_digest("geheimnisträger")
    assert password_digest("secret") != password_digest("secret")
