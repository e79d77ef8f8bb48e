"""Predictions that a stick keeps: they are what would be predicted anew, and none outlives what it was made from."""

import json
import os
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path

import pytest

from bootkit.app.stick.catalog import Catalog, read_catalog
from bootkit.app.stick.images import find_images
from bootkit.app.stick.predictions import KeptPredictions, PredictionDigests
from bootkit.app.stick.records import record_of, with_sum
from bootkit.app.verbs import check
from bootkit.app.verbs.generate import plan_menu
from bootkit.model.boot import Detection, Firmware, Recognition
from bootkit.model.catalog import ImageItem
from bootkit.model.check import (
    Answer,
    Basis,
    Cure,
    FileAnswer,
    FirmwareAnswer,
    Memory,
    Prediction,
    Problem,
    StickFacts,
    StickLoader,
    Trust,
    VendorShim,
)
from bootkit.model.efi import EfiFacts, MachineKeys
from bootkit.model.initrd import InitrdFacts
from bootkit.model.iso import RecordedIso
from bootkit.model.options import STICK, Choices, image_place, stack_place
from bootkit.model.places import IMAGE_FOLDER, PREDICTIONS_FILE
from bootkit.model.plan import RemoveFile, WriteFile
from bootkit.model.predictionrecord import prediction_from_json, prediction_to_json
from bootkit.model.testboot import TestFirmware
from bootkit.plan.check import ASKED, predict
from bootkit.system.changes import apply_changes
from bootkit.system.sticks import Stick
from bootkit.system.volumes.folder import FolderVolume
from tests.app.conftest import LIVE_BOOT, MakeIso
from tests.records import CLAIMED, FOLDER, by_module, read_record

SHIM = VendorShim(
    image="/boot/iso/a.iso", path="/EFI/BOOT/BOOTX64.EFI", firmware=Firmware.UEFI_X64, efi=EfiFacts(digest="1")
)
ITS_STICK = StickFacts(filesystem="ext4", labels={"LIVE": ("/boot/iso/x.iso",)}, shims=(SHIM,))
CHANGED: dict[str, object] = {
    "filesystem": "vfat",
    "loaders": (StickLoader(firmware=Firmware.UEFI_X64),),
    "old_iso": True,
    "labels": {"LIVE": ("/boot/iso/x.iso", "/boot/iso/y.iso")},
    "shims": (replace(SHIM, efi=EfiFacts(digest="2")),),
    "takes_hops": True,
    "choices": Choices(values={STICK: {"own_disks": "open"}}),
    "machine": MachineKeys(revokes=("00",)),
}
"""Of each fact of a stick another one than :data:`ITS_STICK` has."""


def recorded_items() -> Iterator[ImageItem]:
    yield from map(recorded, CLAIMED)


def recorded(path: Path) -> ImageItem:
    """The image of a record, as its own detector knows it."""
    facts, _ = read_record(path)
    detection = by_module()[path.parent.name].detect(RecordedIso(facts))
    assert isinstance(detection, Detection)
    image = f"{IMAGE_FOLDER}/{path.name.partition('.facts')[0]}.iso"
    recognition = Recognition(detection=detection, detector=path.parent.name, rejections=(("other", "It is none."),))
    return ImageItem(path=image, size=facts.size, mtime_ns=7, facts=facts, recognition=recognition)


def live_item() -> ImageItem:
    item = recorded(FOLDER / "live_boot/debian-12-gnome.facts.json")
    assert item.facts is not None
    return replace(item, path="/boot/iso/x.iso", facts=replace(item.facts, volume_id="LIVE"))


def digest(item: ImageItem, stick: StickFacts = ITS_STICK) -> bytes:
    return PredictionDigests(stick).of(item, record_of(item))


def content(steps: Iterator[WriteFile | RemoveFile]) -> bytes:
    (step,) = steps
    assert isinstance(step, WriteFile)
    return step.content


@pytest.mark.parametrize("filesystem", ["ext4", "vfat", ""])
def test_what_is_kept_of_every_recorded_image_is_what_is_predicted(filesystem: str) -> None:
    stick = StickFacts(filesystem=filesystem, choices=Choices(values={STICK: {"own_disks": "open"}}))
    digests = PredictionDigests(stick)
    made = {digests.of(item, record_of(item)): predict(item, stick) for item in recorded_items()}
    assert len(made) == len(CLAIMED)
    kept = KeptPredictions(content(KeptPredictions(b"").steps(made)))
    assert {one: kept.find(one, prediction.path) for one, prediction in made.items()} == made
    assert not list(kept.steps(made))


def test_every_field_of_a_prediction_is_kept() -> None:
    cure = Cure(overlay="modules", reason="It.", root="r", kernel="k", members=("a", "b"), driver="d")
    prediction = Prediction(
        path="/boot/iso/x.iso",
        answer=Answer.CANNOT,
        basis=Basis.GRUB,
        filesystems=("ext4",),
        problems=(Problem(answer=Answer.CANNOT, reason="r", cure="c"),),
        files=(FileAnswer(filesystem="vfat", readable=False, basis=Basis.INITRD, reason="r", instead="i", cure=cure),),
        firmware=(
            FirmwareAnswer(firmware=TestFirmware.UEFI, answer=Answer.BOOTS, reason="r", cure="c", trust=Trust.HOP),
        ),
        memory=Memory(kernel=1, initrds=2, unpacked=3, start=4, to_ram=5),
        own_disks="o",
        installer="i",
        notes=("n",),
    )
    for value in (prediction, cure, prediction.problems[0], prediction.files[0], prediction.firmware[0]):
        assert all(getattr(value, field.name) != field.default for field in fields(value))
    assert prediction_from_json(json.loads(json.dumps(prediction_to_json(prediction)))) == prediction


@pytest.mark.parametrize("name", CHANGED)
def test_each_fact_of_the_stick_makes_another_digest(name: str) -> None:
    assert CHANGED.keys() == {field.name for field in fields(StickFacts)}
    assert digest(live_item(), replace(ITS_STICK, **{name: CHANGED[name]})) != digest(live_item())  # type: ignore[arg-type]


def test_what_is_known_of_the_image_and_the_program_make_another_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    item = live_item()
    assert item.facts is not None
    assert item.recognition is not None
    assert item.detection is not None
    facts, detection = item.facts, item.detection
    changed = [
        replace(item, path="/boot/iso/z.iso"),
        replace(item, size=item.size + 1),
        replace(item, mtime_ns=8),
        replace(item, error="torn"),
        replace(item, facts=replace(facts, missing=1)),
        replace(item, facts=replace(facts, initrds={"/live/initrd.img": InitrdFacts(size=1)})),
        replace(item, facts=replace(facts, warnings=("odd",))),
        replace(item, recognition=replace(item.recognition, detection=replace(detection, untested=True))),
        replace(item, recognition=replace(item.recognition, detection=None)),
    ]
    digests = [digest(item), *map(digest, changed)]
    assert len(set(digests)) == len(digests)
    for module in ("predictions", "records"):
        monkeypatch.setattr(f"bootkit.app.stick.{module}.program_fingerprint", lambda: "another")
        assert digest(item) not in digests


@pytest.mark.parametrize("place", [STICK, image_place("/boot/iso/x.iso"), stack_place("live-boot")])
@pytest.mark.parametrize(("key", "value"), [("own_disks", "open"), ("guard_stick", True)])
def test_the_options_that_are_asked_for_make_another_digest(place: object, key: str, value: object) -> None:
    assert key in ASKED
    chosen = replace(ITS_STICK, choices=Choices(values={place: {key: value}}))  # type: ignore[dict-item]
    assert digest(live_item(), chosen) != digest(live_item())


def test_what_says_nothing_of_how_an_image_boots_keeps_its_digest() -> None:
    item = live_item()
    summed = PredictionDigests(ITS_STICK).of(item, with_sum(record_of(item), "ab" * 32))
    others = replace(
        ITS_STICK,
        labels={**ITS_STICK.labels, "OTHER": ("/boot/iso/y.iso",)},
        shims=(SHIM, replace(SHIM, image="/boot/iso/y.iso")),
        choices=Choices(values={STICK: {"timeout": 5}, image_place("/boot/iso/y.iso"): {"own_disks": "open"}}),
    )
    assert digest(item) == summed == digest(item, others)


def test_a_damaged_line_is_made_anew() -> None:
    item, stick = live_item(), ITS_STICK
    one = digest(item)
    whole = content(KeptPredictions(b"").steps({one: predict(item, stick)}))
    for torn in (whole[:-9], whole.replace(b"ext4", b"vfat"), whole.replace(b'{"predictions":1}', b"")):
        kept = KeptPredictions(torn)
        assert kept.find(one, item.path) is None
        assert content(kept.steps({one: predict(item, stick)})) == whole


def test_generate_keeps_what_list_then_says_and_predicts_no_other_image_again(
    stick: Path, make_iso: MakeIso, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.iso", "b.iso"):
        make_iso(name, {**LIVE_BOOT, "name": name}, folder="stick/boot/iso")
    opened = Stick(where=stick, volume=FolderVolume(stick))
    plan = plan_menu(opened).plan
    assert PREDICTIONS_FILE in [step.path for step in plan.steps if isinstance(step, WriteFile)]
    apply_changes(plan, opened.volume)
    fresh = check.predictions_of(opened, catalog(opened).items)
    asked: list[str] = []

    def counting(item: ImageItem, facts: StickFacts) -> Prediction:
        asked.append(item.path)
        return predict(item, facts)

    monkeypatch.setattr(check, "predict", counting)
    assert check.predicted(opened, catalog(opened)).predictions == fresh
    assert asked == []
    os.utime(stick / "boot/iso/b.iso", ns=(1, 1))
    again = plan_menu(opened)
    assert asked == ["/boot/iso/b.iso"]
    assert again.predictions == fresh
    apply_changes(again.plan, opened.volume)
    (stick / PREDICTIONS_FILE.lstrip("/")).unlink()
    assert check.predicted(opened, catalog(opened)).predictions == fresh
    assert asked[1:] == ["/boot/iso/a.iso", "/boot/iso/b.iso"]


def catalog(opened: Stick) -> Catalog:
    return read_catalog(opened.volume, find_images(opened.volume))
