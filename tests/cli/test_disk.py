"""``disk``: what the commands answer, and what they say of what is no disk."""

import gzip
from pathlib import Path

import pytest

from tests.app.installed import disk_maker
from tests.cli.conftest import Bootkit
from tests.conftest import Prepared


@pytest.fixture
def stick(tmp_path: Path, prepared: Prepared) -> Path:
    return prepared(tmp_path / "stick.img")


def test_a_disk_that_only_runs_live_says_so_in_its_options(bootkit: Bootkit, stick: Path, tmp_path: Path) -> None:
    disk = disk_maker(tmp_path)()
    assert bootkit("disk", "add", disk, "--stick", stick, "--live-only").stdout == "/boot/disk/debian.raw\n"
    done = bootkit("options", "get", "persistence", "--image", "debian.raw", "--stick", stick)
    assert done.stdout == "no\n"


def test_own_things_go_over_kept_changes_where_that_is_said(bootkit: Bootkit, stick: Path, tmp_path: Path) -> None:
    bootkit("disk", "add", disk_maker(tmp_path)(), "--stick", stick, "--own-things")
    assert bootkit("options", "get", "own_things", "--image", "debian.raw", "--stick", stick).stdout == "yes\n"


@pytest.mark.parametrize("packed", [False, True], ids=["raw", "packed"])
def test_what_is_no_disk_is_called_so(packed: bool, bootkit: Bootkit, stick: Path, tmp_path: Path) -> None:
    content = b"hello" * 1000
    file = tmp_path / ("notes.raw.gz" if packed else "notes.raw")
    file.write_bytes(gzip.compress(content) if packed else content)
    done = bootkit("disk", "add", file, "--stick", stick)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"bootkit: {file.name} is no disk" in done.stderr
    assert "ISO" not in done.stderr.splitlines()[0]


def test_a_disk_of_its_own_is_written_after_it_was_named(bootkit: Bootkit, stick: Path, tmp_path: Path) -> None:
    source = disk_maker(tmp_path)()
    bootkit("disk", "add", source, "--stick", stick)
    target = tmp_path / "target.img"
    target.write_bytes(b"old" * (6 << 20))
    take_out = ("disk", "take-out", "debian", "--to", target, "--stick", stick)
    done = bootkit(*take_out, "--yes")
    assert (done.returncode, target.read_bytes()[:3]) == (4, b"old")
    assert "say that you mean it: --yes --expect target.img" in done.stderr
    planned = bootkit(*take_out, "--dry-run").stdout
    assert "write /boot/disk/debian.raw, 16.0 MiB, its start last, and read it back" in planned
    assert bootkit(*take_out, "--yes", "--expect", "target.img").returncode == 0
    assert target.read_bytes()[1 << 20 : 14 << 20] == source.read_bytes()[1 << 20 : 14 << 20]
    assert bootkit("disk", "take-out", "debian", "--stick", stick).returncode == 2


def test_a_disk_is_not_made_for_a_name_that_is_taken(bootkit: Bootkit, stick: Path, tmp_path: Path) -> None:
    bootkit("disk", "add", disk_maker(tmp_path)(), "--stick", stick)
    done = bootkit("disk", "create", "debian", "--from", tmp_path / "none.iso", "--size", "1G", "--stick", stick)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "bootkit: /boot/disk/debian.raw is on the stick already\n  bootkit disk remove debian\n"


def test_nobody_is_asked_for_a_password_before_all_else_is_known_to_be_possible(
    bootkit: Bootkit, stick: Path, tmp_path: Path
) -> None:
    words = ("--from", tmp_path / "none.iso", "--stick", stick)
    done = bootkit("disk", "create", "a b", "--size", "80M", *words)
    assert (done.returncode, done.stderr.splitlines()[0]) == (
        2,
        "bootkit: 'a b' is no host name, which the system is called by, too",
    )
    done = bootkit("disk", "create", "mine", "--size", "80M", *words)
    assert done.returncode == 1
    assert "none.iso" in done.stderr
    done = bootkit("disk", "create", "mine", "--size", "100G", *words)
    assert done.returncode == 1
    assert "100.1 GiB are needed" in done.stderr or "100.0 GiB are needed" in done.stderr


def test_a_disk_that_may_outgrow_the_stick_is_taken_with_a_word(bootkit: Bootkit, stick: Path, tmp_path: Path) -> None:
    disk = disk_maker(tmp_path)()
    with disk.open("r+b") as fh:
        fh.truncate(100 << 30)
    done = bootkit("disk", "add", disk, "--stick", stick)
    assert (done.returncode, done.stdout) == (0, "/boot/disk/debian.raw\n")
    assert "debian.raw cannot be filled before there is more room" in done.stderr
    assert "unpacking" not in done.stderr
    done = bootkit("disk", "grow", "debian", "200G", "--stick", stick)
    assert done.returncode == 1
    assert "GiB are needed" in done.stderr
