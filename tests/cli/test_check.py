"""The command line of ``check``, and the verdicts that the other commands show."""

import json
from pathlib import Path

import pytest

from bootkit.model.filesystem import DataFs
from bootkit.overlay.pack import pack
from bootkit.plan import cures
from tests.app.conftest import LIVE_BOOT, UNKNOWN, MakeIso
from tests.cli.conftest import Bootkit
from tests.conftest import Prepared

EXT4_ONLY = pack({
    "conf/initramfs.conf": b"",
    "usr/lib/live/boot/9990-main.sh": b"",
    "usr/lib/modules/6.1.0/kernel/fs/ext4/ext4.ko": b"",
    "usr/lib/modules/6.1.0/modules.builtin": b"kernel/drivers/block/loop.ko\n",
}).decode("latin-1")  # fmt: skip
LIVE = {**LIVE_BOOT, "live/initrd.img": EXT4_ONLY}


@pytest.fixture(autouse=True)
def no_cures(monkeypatch: pytest.MonkeyPatch) -> None:
    """What an image does by itself."""
    monkeypatch.setattr(cures, "CURES", ())


@pytest.fixture
def stick(prepared: Prepared, tmp_path: Path) -> Path:
    return prepared(tmp_path / "stick.img")


def test_a_good_stick_is_good(bootkit: Bootkit, stick: Path, make_iso: MakeIso) -> None:
    assert (
        "boots: Its initrd has a driver for ext4."
        in bootkit("add", make_iso("debian-live.iso", LIVE), "--stick", stick).stderr
    )
    done = bootkit("check", "--stick", stick)
    assert (done.returncode, done.stderr) == (0, "")
    head, row, *rest = done.stdout.splitlines()
    assert head.split("  ")[0] == "IMAGE"
    assert row.split()[:3] == ["debian-live.iso", "boots", "ext4"]
    assert "Secure Boot, debian-live.iso: Its kernel is not signed." in " ".join(rest)


def test_a_fat_stick_says_what_to_do(bootkit: Bootkit, prepared: Prepared, tmp_path: Path, make_iso: MakeIso) -> None:
    stick = prepared(tmp_path / "fat.img", DataFs.FAT32)
    added = bootkit("add", make_iso("debian-live.iso", LIVE), "--stick", stick)
    line = "boots only from ext4: Its initrd has no driver for FAT32."
    cure = "copy it to a stick with ext4: bootkit prepare TARGET --data-fs ext4"
    assert f"{line} To do: {cure}" in added.stderr
    assert added.stderr.count(line) == 1, added.stderr.splitlines()
    assert "0 of 1 images boot from it" in added.stderr

    done = bootkit("check", "--stick", stick)
    assert done.returncode == 7
    assert "not from FAT32" in done.stdout
    assert f"debian-live.iso: Its initrd has no driver for FAT32.\n  To do: {cure}" in done.stdout
    assert done.stderr.splitlines()[0] == "bootkit: 1 of 1 images do not boot from this stick"

    document = json.loads(bootkit("check", "--stick", stick, "--json").stdout)
    assert document["stick"]["filesystem"] == "vfat"
    (image,) = document["images"]
    assert (image["answer"], image["basis"], image["filesystems"]) == ("elsewhere", "initrd", ["ext4"])
    assert f"{image['verdict']}: {image['reason']}" == line

    (listed,) = json.loads(bootkit("list", "--stick", stick, "--json").stdout)["images"]
    assert (listed["verdict"], listed["reason"], listed["cure"]) == (image["verdict"], image["reason"], cure)
    assert "boots only from ext4  Its initrd has no driver for FAT32." in bootkit("list", "--stick", stick).stdout
    assert f"from this stick: {line}" in bootkit("explain", "--why", "debian-live.iso", "--stick", stick).stdout


def test_the_exit_status_is_the_worst_verdict(bootkit: Bootkit, stick: Path, make_iso: MakeIso) -> None:
    isos = [make_iso("debian-live.iso", LIVE), make_iso("pictures.iso", UNKNOWN)]
    assert bootkit("add", *isos, "--stick", stick).returncode == 0
    expected = {
        "": 6,
        "live": 0,
        "live --memory 100": 8,
        "live --memory 1G --firmware bios": 0,
        "live --firmware secureboot": 8,
        "fedora": 1,
        "--firmware openboot": 2,
        "--memory much": 2,
    }
    assert {words: bootkit("check", *words.split(), "--stick", stick).returncode for words in expected} == expected


def test_a_check_of_what_is_known_writes_nothing(bootkit: Bootkit, stick: Path, make_iso: MakeIso) -> None:
    assert bootkit("add", make_iso("debian-live.iso", LIVE), "--stick", stick).returncode == 0
    before = stick.read_bytes()
    assert bootkit("check", "--stick", stick).returncode == 0
    assert stick.read_bytes() == before


def test_an_empty_stick_says_so(bootkit: Bootkit, stick: Path) -> None:
    done = bootkit("check", "--stick", stick)
    assert (done.returncode, done.stdout) == (0, "")
    assert "No images on" in done.stderr


def test_a_cure_is_part_of_the_verdict(
    bootkit: Bootkit, prepared: Prepared, tmp_path: Path, make_iso: MakeIso, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cures, "CURES", (cures.by_modules, cures.by_finder, cures.by_map))
    stick = prepared(tmp_path / "fat.img", DataFs.FAT32)
    assert bootkit("add", make_iso("debian-live.iso", LIVE), "--stick", stick).returncode == 0
    done = bootkit("check", "--stick", stick)
    assert done.returncode == 0
    assert "boots with overlay map" in done.stdout


def test_explain_tells_of_a_file_from_where_it_would_boot(bootkit: Bootkit, make_iso: MakeIso) -> None:
    iso = make_iso("debian-live.iso", LIVE)
    short = bootkit("explain", iso).stdout
    assert "  stick with  ext4; not FAT32, exFAT, NTFS, btrfs\n" in short
    assert short.splitlines()[-1] == f"How that is known, and with which words it starts: bootkit explain --why {iso}"
    said = bootkit("explain", "--why", iso).stdout
    assert "- from ext4: yes. Its initrd has a driver for ext4." in said
    assert "- from exFAT: no. Its initrd has no driver for exFAT." in said
    assert "by BIOS: yes." in said
