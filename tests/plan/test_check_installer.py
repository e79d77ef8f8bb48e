from dataclasses import replace

import pytest

from bootkit.model.boot import ISO_PATH, BootEntry, Detection, Recognition
from bootkit.model.catalog import ImageItem
from bootkit.model.check import StickFacts
from bootkit.model.iso import IsoFacts
from bootkit.model.options import STICK, Choices, Place, image_place, stack_place
from bootkit.plan.check import predict
from bootkit.plan.check_installer import installer_note


def note(stack: str, *, guarded: bool = False, wants_disk: bool = False) -> str:
    entry = BootEntry(title="Start", kernel="/vmlinuz", cmdline=(f"findiso={ISO_PATH}",))
    detection = Detection(stack=stack, distro="Ember", entries=(entry,), wants_disk=wants_disk)
    return installer_note(detection, entry, guarded=guarded)


@pytest.mark.parametrize("stack", ["agama", "linuxrc", "debian-installer", "RAM disk"])
def test_installers_that_leave_out_a_disk_in_use_do_not_offer_the_stick(stack: str) -> None:
    assert note(stack) == ""


def test_others_may_offer_it_unless_it_is_guarded_and_they_mind_that() -> None:
    assert note("dmsquash-live") == (
        "Its installer may offer this stick, where that is Anaconda or Calamares: do not choose it. "
        "Anaconda and Calamares would not with the option guard_stick."
    )
    assert note("dmsquash-live", guarded=True) == ""
    assert note("archiso", guarded=True) == (
        "Its installer may offer this stick, where that is archinstall: do not choose it."
    )


def test_no_guard_is_promised_where_no_overlay_could_keep_it() -> None:
    assert note("anaconda", guarded=True).endswith("where that is Anaconda: do not choose it.")


def test_a_disk_made_of_the_file_leaves_the_stick_unseen_and_so_free_to_take() -> None:
    assert "setup-disk" in note("Alpine initrd", wants_disk=True)


IMAGE = ImageItem(
    path="/boot/iso/x.iso",
    size=1,
    mtime_ns=1,
    facts=IsoFacts(name="x.iso", size=1),
    recognition=Recognition(
        detection=Detection(
            stack="miso",
            distro="Ember",
            entries=(BootEntry(title="Start", kernel="/vmlinuz", cmdline=(f"img_loop={ISO_PATH}",)),),
        )
    ),
)


@pytest.mark.parametrize(
    "place", [STICK, stack_place("miso"), image_place(IMAGE.path)], ids=["stick", "stack", "image"]
)
def test_what_is_chosen_for_stick_stack_or_image_is_what_is_said(place: Place) -> None:
    said = predict(IMAGE, StickFacts(filesystem="vfat"))
    assert "keeps the computer's own closed" in said.own_disks
    assert "Calamares" in said.installer
    choices = Choices(values={place: {"own_disks": "open", "guard_stick": True}})
    said = predict(IMAGE, replace(StickFacts(filesystem="vfat"), choices=choices))
    assert "own_disks is open" in said.own_disks
    assert said.installer == ""
