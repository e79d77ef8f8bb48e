"""What bootkit does itself about an initrd that cannot read the stick, as predictions see it."""

import pytest

from bootkit.model.boot import ISO_PATH, BootEntry, Detection, Recognition, Role
from bootkit.model.catalog import ImageItem
from bootkit.model.check import Answer, Cure, StickFacts
from bootkit.model.initrd import InitrdFacts, KernelModules
from bootkit.model.iso import IsoFacts
from bootkit.plan import cures
from bootkit.plan.check import predict

LIVE = BootEntry(
    title="Live",
    kernel="/live/vmlinuz",
    initrds=("/live/initrd.img",),
    cmdline=("boot=live", f"findiso={ISO_PATH}"),
    role=Role.DEFAULT,
)
INITRD = InitrdFacts(
    size=9,
    maker="initramfs-tools",
    markers=("live-boot",),
    drivers=KernelModules(modules=("ext4",), builtin=("loop",)),
)
ITEM = ImageItem(
    path="/boot/iso/live.iso",
    size=9,
    mtime_ns=0,
    facts=IsoFacts(name="live.iso", size=9, initrds={"/live/initrd.img": INITRD}),
    recognition=Recognition(detection=Detection(stack="live-boot", distro="Debian", entries=(LIVE,))),
)
MODULES = Cure(overlay="modules", reason="The overlay brings exfat.ko from the image's own root.")


def cures_exfat(_detection: Detection, _entry: BootEntry, _facts: IsoFacts, filesystem: str) -> Cure | None:
    return MODULES if filesystem == "exfat" else None


def cures_all(_detection: Detection, _entry: BootEntry, _facts: IsoFacts, _filesystem: str) -> Cure:
    return MODULES


def test_an_image_boots_with_the_overlay_that_brings_what_its_initrd_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cures, "CURES", (cures_exfat,))
    prediction = predict(ITEM, StickFacts(filesystem="exfat"))
    assert (prediction.answer, prediction.verdict) == (Answer.BOOTS, "boots with overlay modules")
    assert prediction.reason == MODULES.reason
    assert prediction.filesystems == ("ext4", "exfat")


def test_nothing_is_cured_that_boots_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cures, "CURES", (cures_all,))
    prediction = predict(ITEM, StickFacts(filesystem="ext4"))
    assert prediction.verdict == "boots"


def test_without_a_cure_the_image_boots_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cures, "CURES", ())
    prediction = predict(ITEM, StickFacts(filesystem="exfat"))
    assert prediction.verdict == "boots only from ext4"
    assert prediction.reason == "Its initrd has no driver for exFAT."
