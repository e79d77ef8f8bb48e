import pytest

from bootkit.model.boot import ISO_PATH, STICK_UUID, BootEntry, Detection
from bootkit.model.check import Answer, Prediction
from bootkit.model.initrd import InitrdFacts
from bootkit.plan.check_disks import own_disks_note, with_journals


def note(stack: str, *words: str, left_open: bool = False) -> str:
    entry = BootEntry(title="Start", kernel="/vmlinuz", cmdline=words)
    return own_disks_note(Detection(stack=stack, distro="Ember", entries=(entry,)), entry, left_open=left_open)


def test_an_initrd_that_is_told_the_stick_touches_no_other_disk() -> None:
    assert note("archiso", f"img_dev=UUID={STICK_UUID}", f"img_loop={ISO_PATH}") == ""


def test_a_system_that_runs_from_ram_looks_for_no_file() -> None:
    assert note("RAM disk", "quiet") == ""


def test_where_an_initrd_searches_our_overlay_closes_the_other_disks() -> None:
    for stack in ("Alpine initrd", "casper", "dmsquash-live", "live-boot", "Linux Live Kit"):
        assert "keeps the computer's own closed" in note(stack, f"findiso={ISO_PATH}")


def test_a_word_that_the_initrd_passes_over_does_not_count() -> None:
    assert "keeps the computer's own closed" in note("miso", f"img_dev=UUID={STICK_UUID}", f"img_loop={ISO_PATH}")


def test_a_search_before_our_overlay_or_without_one_is_warned_of() -> None:
    assert "cannot be closed" in note("knoppix", f"bootfrom=/mnt-iso/{ISO_PATH}")


def test_disks_that_the_user_has_left_open_are_not_said_to_be_closed() -> None:
    assert note("casper", f"findiso={ISO_PATH}", left_open=True).endswith("the option own_disks is open.")
    assert note("archiso", f"img_dev=UUID={STICK_UUID}", f"img_loop={ISO_PATH}", left_open=True) == ""


@pytest.mark.parametrize(
    ("programs", "says"),
    [(("dmsetup", "losetup"), "nothing of that is lost."), (("losetup",), "before that, it does not start live.")],
)
def test_a_live_run_replays_a_journal_only_in_a_layer_of_the_whole_disk(programs: tuple[str, ...], says: str) -> None:
    prediction = Prediction(path="/boot/disk/debian.raw", answer=Answer.BOOTS, notes=("other",))
    initrds = (InitrdFacts(size=1, programs=programs),)
    told, other = with_journals(prediction, (2, 3), initrds).notes
    assert told.startswith("It was switched off while it ran (partition 2, 3): ")
    assert told.endswith(says)
    assert other == "other"
    assert with_journals(prediction, (), initrds) == prediction
