"""The command line of ``prepare``, ``upgrade``, ``restore``, ``devices`` and ``doctor``."""

import json
import os
from pathlib import Path

import pytest

from tests.cli.conftest import Bootkit

pytestmark = pytest.mark.skipif(not Path("/usr/lib/grub/i386-pc/boot.img").exists(), reason="needs grub-pc-bin")


def test_dry_run_prints_the_steps_and_makes_nothing(bootkit: Bootkit, tmp_path: Path) -> None:
    done = bootkit("prepare", tmp_path / "stick.img", "--size", "1G", "--dry-run")
    assert done.returncode == 0
    assert " 1. take /usr/lib/shim" in done.stdout or " 1. build" in done.stdout
    assert "write the boot sector" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_json_is_one_document_with_every_sector(bootkit: Bootkit, tmp_path: Path) -> None:
    done = bootkit("prepare", tmp_path / "stick.img", "--size", "1G", "--dry-run", "--json")
    plan = json.loads(done.stdout)
    (table,) = [step["table"] for step in plan["steps"] if step["step"] == "WriteTable"]
    assert [part["start_sector"] for part in table["partitions"]] == [135168, 4096, 2048]
    assert plan["action"] == "prepare"


def test_a_stick_lives_its_life(bootkit: Bootkit, tmp_path: Path) -> None:
    image = tmp_path / "stick.img"
    assert bootkit("prepare", image, "--size", "180M").returncode == 0
    again = bootkit("prepare", image)
    assert again.returncode == 4
    assert "bootkit upgrade" in again.stderr
    assert "bootkit restore" in again.stderr
    unasked = bootkit("restore", image, "--yes")
    assert unasked.returncode == 4
    assert "--yes --expect stick.img" in unasked.stderr
    assert bootkit("upgrade", image, "--yes", "--expect", "other.img").returncode == 4
    upgraded = bootkit("upgrade", image)  # nothing is lost: nobody is asked, a script neither
    assert upgraded.returncode == 0
    assert "The menu is that of this version" in upgraded.stderr
    assert f"bootkit upgrade {image} --back" in upgraded.stderr
    assert bootkit("restore", image, "--fs", "fat32", "--yes", "--expect", "stick.img").returncode == 0
    assert bootkit("upgrade", image, "--yes", "--expect", "stick.img").returncode == 4


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("new.img",), 2, "--size 8G"),
        (("new.img", "--size", "20M"), 4, "too small"),
        (("new.img", "--size", "lots"), 2, "not a size"),
        (("new.img", "--size", "1G", "--layout", "single", "--data-fs", "ext4"), 2, "single"),
        (("new.img", "--size", "1G", "--data-fs", "exfat", "--loader", "signed"), 2, "do not read exfat"),
        (("missing/new.img", "--size", "1G"), 1, "no folder"),
        (("/dev/bootkit-nothing", "--size", "1G"), 4, "there is no /dev/bootkit-nothing"),
        (("/dev/null",), 4, "neither a disk nor a file"),
        (("old.iso", "--yes"), 4, "--yes --expect old.iso"),
        (("old.iso",), 4, "holds something"),
    ],
)
def test_what_cannot_be_is_refused_with_a_way_out(
    bootkit: Bootkit, words: tuple[str, ...], status: int, said: str, tmp_path: Path
) -> None:
    old = tmp_path / "old.iso"
    old.write_bytes(b"precious")
    os.truncate(old, 256 << 20)
    first = words[0] if words[0].startswith("/") else tmp_path / words[0]
    done = bootkit("prepare", first, *words[1:])
    assert done.returncode == status
    assert said in done.stderr
    with old.open("rb") as file:
        assert file.read(8) == b"precious"


def test_a_hostile_file_name_is_a_name(bootkit: Bootkit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = "-rf \x1b[2J$(id)@@1M;.img"
    monkeypatch.chdir(tmp_path)
    done = bootkit("prepare", "--size", "180M", "--", name)
    assert done.returncode == 0
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_restore_refuses_what_bootkit_did_not_prepare(bootkit: Bootkit, tmp_path: Path) -> None:
    (tmp_path / "other.img").write_bytes(bytes(1 << 20))
    done = bootkit("restore", tmp_path / "other.img", "--yes", "--expect", "other.img")
    assert done.returncode == 4
    assert "not a stick that bootkit prepared" in done.stderr
    assert "nothing was changed" in done.stderr


@pytest.mark.parametrize("command", ["restore", "upgrade"])
def test_an_iso_file_is_not_said_to_be_prepared(bootkit: Bootkit, command: str, tmp_path: Path) -> None:
    iso = tmp_path / "live system.iso"
    iso.write_bytes(bytes(1 << 20))
    done = bootkit(command, iso)
    assert (done.returncode, "prepare " in done.stderr) == (4, False)
    assert f"bootkit add '{iso}'" in done.stderr


@pytest.mark.parametrize("label", ["", "-x", "a/b", "much too long label"])
def test_restore_takes_no_label_that_a_file_system_would_not(bootkit: Bootkit, label: str, tmp_path: Path) -> None:
    (tmp_path / "x.img").write_bytes(bytes(1 << 20))
    assert bootkit("restore", tmp_path / "x.img", f"--label={label}").returncode == 2


def test_devices_lists_disks_as_json(bootkit: Bootkit) -> None:
    done = bootkit("devices", "--json")
    assert done.returncode == 0
    assert isinstance(json.loads(done.stdout)["devices"], list)


def test_doctor_names_four_packages_and_what_fails(bootkit: Bootkit) -> None:
    findings = json.loads(bootkit("doctor", "--json").stdout)["findings"]
    (row,) = [row for row in findings if row["name"] == "mkfs.fat"]
    assert row["packages"] == dict.fromkeys(("debian", "fedora", "arch", "opensuse"), "dosfstools")
    assert row["without_it"].startswith("prepare cannot")
    assert "WITHOUT IT" in bootkit("doctor").stdout
