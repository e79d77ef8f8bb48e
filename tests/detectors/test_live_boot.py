"""What must not be taken for live-boot or casper, although its folders say so."""

import pytest

from bootkit.detect import NotMine
from bootkit.detectors import casper, live_boot
from bootkit.model.iso import IsoFacts, Node, RecordedIso

DETECTORS = {"casper": casper.DETECTOR, "live-boot": live_boot.DETECTOR}


def image(folder: str, words: str) -> RecordedIso:
    files = ("vmlinuz", "initrd.img", "filesystem.squashfs")
    menu = f'menuentry "Start" {{\n linux /{folder}/vmlinuz {words}\n initrd /{folder}/initrd.img\n}}\n'
    return RecordedIso(
        IsoFacts(
            name="x.iso",
            size=1,
            dirs={
                "/": (Node(name=folder, size=None), Node(name="boot", size=None)),
                f"/{folder}": tuple(Node(name=name, size=1) for name in files),
                "/boot": (Node(name="grub", size=None),),
                "/boot/grub": (Node(name="grub.cfg", size=len(menu)),),
            },
            texts={"/boot/grub/grub.cfg": menu},
        )
    )


@pytest.mark.parametrize(
    ("stack", "folder", "words"),
    [
        ("live-boot", "live", "root=live:CDLABEL=kicksecure rd.live.dir=live rd.live.squashimg=filesystem.squashfs"),
        ("live-boot", "live", "boot=casper"),
        ("live-boot", "live", ""),
        ("casper", "casper", "boot=live live-media-path=casper"),
        ("casper", "casper", "root=live:CDLABEL=X rd.live.image"),
    ],
)
def test_the_kernel_line_decides_not_the_folder(stack: str, folder: str, words: str) -> None:
    answer = DETECTORS[stack].detect(image(folder, words))
    assert isinstance(answer, NotMine)


@pytest.mark.parametrize(("stack", "folder", "words"), [("live-boot", "live", "boot=live"), ("casper", "casper", "")])
def test_the_same_image_with_its_own_words_is_taken(stack: str, folder: str, words: str) -> None:
    answer = DETECTORS[stack].detect(image(folder, words))
    assert not isinstance(answer, NotMine)
    assert answer.stack == stack
