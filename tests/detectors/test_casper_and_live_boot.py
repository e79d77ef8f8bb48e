"""What must not be taken for live-boot or casper, although its folders say so, and how images are called."""

import pytest

from bootkit.detect import NotMine
from bootkit.detectors import casper, live_boot
from bootkit.model.iso import IsoFacts, Node, RecordedIso

DETECTORS = {"casper": casper.DETECTOR, "live-boot": live_boot.DETECTOR}


def image(folder: str, words: str, *, info: str = "", volume_id: str = "", name: str = "x.iso") -> RecordedIso:
    files = ("vmlinuz", "initrd.img", "filesystem.squashfs")
    menu = f'menuentry "Start" {{\n linux /{folder}/vmlinuz {words}\n initrd /{folder}/initrd.img\n}}\n'
    return RecordedIso(
        IsoFacts(
            name=name,
            size=1,
            volume_id=volume_id,
            dirs={
                "/": tuple(Node(name=top, size=None) for top in (folder, "boot", ".disk")),
                "/.disk": (Node(name="info", size=len(info)),),
                f"/{folder}": tuple(Node(name=name, size=1) for name in files),
                "/boot": (Node(name="grub", size=None),),
                "/boot/grub": (Node(name="grub.cfg", size=len(menu)),),
            },
            texts={"/boot/grub/grub.cfg": menu, "/.disk/info": info},
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


@pytest.mark.parametrize(
    ("info", "volume_id", "title"),
    [
        ('Ubuntu-MATE 24.04 LTS "Noble Numbat" - Release amd64 (20240424)', "", "Ubuntu MATE 24.04 LTS (x86_64)"),
        ('Ubuntu-Server 24.04 LTS "Noble Numbat" - Release arm64 (20240423)', "", "Ubuntu 24.04 LTS Server (aarch64)"),
        ('Ubuntu 24.04 LTS "Noble Numbat" - Beta amd64 (20240410)', "", "Ubuntu 24.04 LTS Desktop (x86_64)"),
        ("", "BackBox Linux 8.1 amd64", "BackBox Linux 8.1 (x86_64)"),
        ("", "", "casper live system"),
    ],
)
def test_a_casper_image_is_called_what_its_maker_calls_it(info: str, volume_id: str, title: str) -> None:
    answer = casper.detect(image("casper", "", info=info, volume_id=volume_id))
    assert not isinstance(answer, NotMine)
    assert answer.title == title


@pytest.mark.parametrize(
    ("info", "volume_id", "name", "title"),
    [
        (
            'Debian GNU/Linux "Bookworm" - Official Snapshot amd64 LIVE Binary',
            "",
            "x.iso",
            "Debian Bookworm Live (x86_64)",
        ),
        ("", "SOLYDX12", "solydx_12_64.iso", "SOLYDX12"),
        ("", "devuan-daedalus-live", "devuan_5.0.1_i386_minimal-live.iso", "Devuan 5.0.1 Live (i686)"),
        ("", "", "x.iso", "live-boot system"),
    ],
)
def test_a_live_boot_image_is_called_what_its_maker_calls_it(info: str, volume_id: str, name: str, title: str) -> None:
    answer = live_boot.detect(image("live", "boot=live", info=info, volume_id=volume_id, name=name))
    assert not isinstance(answer, NotMine)
    assert answer.title == title


def test_test_images_of_jammy_are_warned_of() -> None:
    answer = casper.detect(image("casper", "", info='Ubuntu 22.04 LTS "Jammy Jellyfish" - Beta amd64 (20220329.1)'))
    assert not isinstance(answer, NotMine)
    assert answer.notes == ("Test images of 22.04 before 15 April 2022 cannot find an ISO file; the release can.",)
