"""Homes, looked at by e2fsprogs and cryptsetup."""

import json
import subprocess
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from bootkit.app.stick.homes import find_homes
from bootkit.app.verbs.home import create_home, resize_home
from bootkit.errors import BootkitError
from bootkit.system.fsimage import make_ext4, resize_ext4
from bootkit.system.sticks import open_stick
from bootkit.system.volume import Volume
from bootkit.system.volumes.ext4 import Ext4Volume
from bootkit.system.volumes.fat import FatVolume
from tests.cli.conftest import Bootkit
from tests.conftest import Prepared

MIB = 1 << 20


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    folder = tmp_path / "stick"
    (folder / "boot/bootkit").mkdir(parents=True)
    (folder / "boot/bootkit/stick.toml").write_text("")
    return folder


def is_sound(image: Path) -> bool:
    return subprocess.run(["e2fsck", "-fn", image], capture_output=True).returncode == 0


def put(image: Path, name: str, text: str) -> None:
    source = image.with_name("source")
    source.write_text(text)
    subprocess.run(["debugfs", "-w", "-R", f"write {source} {name}", image], check=True, capture_output=True)


def read(image: Path, name: str) -> str:
    return subprocess.run(["debugfs", "-R", f"cat {name}", image], check=True, capture_output=True, text=True).stdout


def test_a_home_is_a_sparse_ext4_of_that_size_and_of_the_first_user(bootkit: Bootkit, stick: Path) -> None:
    done = bootkit("home", "create", "anna", "--size", "256M", "--stick", stick)
    image = stick / "boot/home/anna.home"
    assert done.stdout == "/boot/home/anna.home  256.0 MiB\n"
    assert is_sound(image)
    status = image.stat()
    assert status.st_size == 256 * MIB
    assert status.st_blocks * 512 < 64 * MIB
    root = subprocess.run(["debugfs", "-R", "stat /", image], check=True, capture_output=True, text=True).stdout
    assert "User:  1000   Group:  1000" in root
    (row,) = json.loads(bootkit("home", "list", "--stick", stick, "--json").stdout)["homes"]
    assert (row["name"], row["state"], row["encrypted"]) == ("anna", "clean", False)


def test_a_home_grows_and_shrinks_with_what_is_in_it(bootkit: Bootkit, stick: Path) -> None:
    bootkit("home", "create", "anna", "--size", "64M", "--stick", stick)
    image = stick / "boot/home/anna.home"
    put(image, "letter", "dear")
    for size in ("160M", "80M"):
        assert bootkit("home", "resize", "anna", "--size", size, "--stick", stick).returncode == 0
        assert image.stat().st_size == int(size[:-1]) * MIB
        assert is_sound(image)
        assert read(image, "letter") == "dear"


def test_a_home_says_how_small_it_can_be(tmp_path: Path) -> None:
    tree, image = tmp_path / "tree", tmp_path / "anna.home"
    tree.mkdir()
    (tree / "big").write_bytes(b"x" * 24 * MIB)
    make_ext4(image, 40 * MIB, label="anna", content=tree)
    with pytest.raises(BootkitError, match=r"the least that resize2fs makes of it is [234]\d\.\d MiB"):
        resize_ext4(image, 12 * MIB)
    assert image.stat().st_size == 40 * MIB


@pytest.mark.usefixtures("light_keys")
def test_an_encrypted_home_opens_by_its_passphrase_only(bootkit: Bootkit, stick: Path, tmp_path: Path) -> None:
    words, wrong = tmp_path / "words", tmp_path / "wrong"
    words.write_text("correct horse\n")
    wrong.write_text("battery\n")
    done = bootkit("home", "create", "safe", "--size", "64M", "--encrypt", "--passphrase-file", words, "--stick", stick)
    assert done.returncode == 0
    image = stick / "boot/home/safe.home"
    assert image.stat().st_size == 64 * MIB
    dump = subprocess.run(["cryptsetup", "luksDump", image], check=True, capture_output=True, text=True).stdout
    assert "Version:       \t2" in dump
    assert "PBKDF:      argon2id" in dump
    opened: list[str | Path] = ["cryptsetup", "open", "--test-passphrase", "--disable-locks", "--key-file", "-", image]
    assert subprocess.run(opened, input=b"correct horse", capture_output=True).returncode == 0
    refused = bootkit("home", "check", "safe", "--passphrase-file", wrong, "--stick", stick)
    assert "the passphrase does not open it" in refused.stderr
    assert bootkit("home", "check", "safe", "--passphrase-file", words, "--stick", stick).stdout == "safe is clean\n"
    assert bootkit("home", "check", "safe", "--stick", stick).returncode == 2


def test_damage_is_told_and_mended(bootkit: Bootkit, stick: Path) -> None:
    bootkit("home", "create", "anna", "--size", "64M", "--stick", stick)
    image = stick / "boot/home/anna.home"
    put(image, "letter", "dear")
    subprocess.run(["debugfs", "-w", "-R", "clri letter", image], check=True, capture_output=True)
    done = bootkit("home", "check", "anna", "--stick", stick)
    assert done.returncode == 1
    assert "home check anna --repair" in done.stderr
    assert not is_sound(image)
    assert bootkit("home", "check", "anna", "--repair", "--stick", stick).returncode == 0
    assert is_sound(image)


def test_a_backup_comes_back(bootkit: Bootkit, stick: Path, tmp_path: Path) -> None:
    bootkit("home", "create", "anna", "--size", "64M", "--stick", stick)
    image = stick / "boot/home/anna.home"
    put(image, "letter", "dear")
    kept = tmp_path / "kept.home"
    assert bootkit("home", "backup", "anna", kept, "--stick", stick).returncode == 0
    assert kept.read_bytes() == image.read_bytes()
    assert kept.stat().st_blocks * 512 < 32 * MIB
    assert bootkit("home", "remove", "anna", "--stick", stick).returncode == 4
    assert bootkit("home", "remove", "anna", "--yes", "--stick", stick).returncode == 0
    assert not image.exists()
    assert bootkit("home", "restore", kept, "--name", "anna", "--stick", stick).returncode == 0
    assert read(image, "letter") == "dear"
    folder = bootkit("home", "backup", "anna", tmp_path, "--stick", stick)
    assert folder.stdout.startswith(f"{tmp_path}/anna.home  ")
    again = bootkit("home", "restore", kept, "--name", "anna", "--stick", stick)
    assert again.returncode == 1
    assert "--replace puts this one in its place" in again.stderr
    (tmp_path / "text.home").write_text("no home")
    assert "is no home" in bootkit("home", "restore", tmp_path / "text.home", "--stick", stick).stderr


def test_a_dry_run_makes_nothing(bootkit: Bootkit, stick: Path) -> None:
    done = bootkit("home", "create", "anna", "--size", "4G", "--encrypt", "--dry-run", "--stick", stick)
    assert done.stdout == "make /boot/home/anna.home, an encrypted ext4 of 4.0 GiB\n"
    assert not (stick / "boot/home").exists()


@pytest.mark.parametrize("name", ["none", "two words", "../up", "-x"])
def test_bad_names_are_refused(bootkit: Bootkit, stick: Path, name: str) -> None:
    assert bootkit("home", "create", "--size", "64M", "--stick", stick, "--", name).returncode == 2


def make_ext4_stick(image: Path) -> Volume:
    subprocess.run(["mke2fs", "-q", "-F", "-t", "ext4", image, "300M"], check=True)
    return Ext4Volume(image, 0, 300 * MIB)


def make_fat_stick(image: Path) -> Volume:
    with image.open("wb") as fh:
        fh.truncate(300 * MIB)
    subprocess.run(["mkfs.fat", "-F", "32", image], check=True, capture_output=True)
    return FatVolume(image, 0, 300 * MIB)


@pytest.mark.parametrize(("make", "holds"), [(make_ext4_stick, True), (make_fat_stick, False)])
def test_a_home_lives_on_a_stick_that_is_not_mounted(
    make: Callable[[Path], Volume], holds: bool, tmp_path: Path
) -> None:
    with closing(make(tmp_path / "stick.img")) as volume:
        before = volume.free()
        home = create_home(volume, "anna", 96 * MIB)
        assert (home.size, home.state) == (96 * MIB, "clean")
        assert (before - volume.free() < 48 * MIB) == holds
        assert resize_home(volume, "anna", 128 * MIB, ask=lambda: b"").size == 128 * MIB
        assert [home.name for home in find_homes(volume)] == ["anna"]


def test_fat32_has_no_home_of_more_than_4_gib(tmp_path: Path) -> None:
    from bootkit.app.verbs.home import plan_home

    with closing(make_fat_stick(tmp_path / "stick.img")) as volume, pytest.raises(BootkitError) as caught:
        plan_home(volume, "anna", 5 << 30)
    assert "FAT32 ends at 4 GiB" in caught.value.message
    assert "--data-fs ext4" in caught.value.hint


@pytest.mark.usefixtures("light_keys")
def test_no_decrypted_home_has_a_name_on_the_host(
    bootkit: Bootkit, stick: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = tmp_path / "words"
    words.write_bytes(b"open sesame\n")
    bootkit("home", "create", "safe", "--size", "64M", "--encrypt", "--passphrase-file", words, "--stick", stick)
    on_host = tmp_path / "tmp"
    on_host.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(on_host))
    seen: list[str] = []

    def resize(path: Path, size: int) -> None:
        plain = path.read_bytes()[0x438:0x43A]
        named = [file for file in on_host.rglob("*") if file.is_file() and file.read_bytes()[0x438:0x43A] == plain]
        seen.extend([plain.hex(), *map(str, named)])
        assert path.stat().st_mode & 0o777 == 0o600
        resize_ext4(path, size)

    monkeypatch.setattr("bootkit.app.verbs.home.resize_ext4", resize)
    done = bootkit("home", "resize", "safe", "--size", "80M", "--passphrase-file", words, "--stick", stick)
    assert done.returncode == 0, done
    assert seen == ["53ef"]
    assert list(on_host.iterdir()) == []


@pytest.mark.parametrize("kind", ["folder", "image"])
def test_nobody_else_may_read_a_home(
    bootkit: Bootkit, kind: str, stick: Path, prepared: Prepared, tmp_path: Path
) -> None:
    where = stick if kind == "folder" else prepared(tmp_path / "stick.img")
    assert bootkit("home", "create", "anna", "--size", "64M", "--stick", where).returncode == 0
    assert bootkit("home", "resize", "anna", "--size", "70M", "--stick", where).returncode == 0
    assert bootkit("home", "backup", "anna", tmp_path / "backup.home", "--stick", where).returncode == 0
    assert (tmp_path / "backup.home").stat().st_mode & 0o777 == 0o600
    if kind == "folder":
        assert (stick / "boot/home/anna.home").stat().st_mode & 0o777 == 0o600
        return
    with open_stick(where) as opened:
        volume = opened.volume
        assert isinstance(volume, Ext4Volume)
        start = volume._offset  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]  # debugfs has to be told
    said = subprocess.run(
        ["debugfs", "-R", "stat /boot/home/anna.home", f"{where}?offset={start}"],
        check=True,
        capture_output=True,
        text=True,
    )
    assert "Mode:  0600" in said.stdout


def test_a_second_home_does_not_switch_off_the_first_in_silence(bootkit: Bootkit, stick: Path) -> None:
    bootkit("home", "create", "anna", "--size", "64M", "--stick", stick)
    assert json.loads(bootkit("home", "list", "--stick", stick, "--json").stdout)["homes"][0]["on"] is True
    said = "No home is on: there are several (anna, bert), and none is chosen"
    assert said in bootkit("home", "create", "bert", "--size", "64M", "--stick", stick).stderr
    assert said in bootkit("home", "list", "--stick", stick).stderr
    assert said in bootkit("generate", "--stick", stick).stderr
    assert said in bootkit("generate", "--stick", stick).stderr
    assert said in json.dumps(json.loads(bootkit("check", "--stick", stick, "--json").stdout)["notes"])

    assert bootkit("options", "set", "home", "bert", "--stick", stick).returncode == 0
    listed = bootkit("home", "list", "--stick", stick)
    assert "No home is on" not in listed.stderr
    assert [line.split()[:2] for line in listed.stdout.splitlines()[1:]] == [["anna", "-"], ["bert", "yes"]]
    assert "No home is on" not in bootkit("generate", "--stick", stick).stderr
    (stick / "boot/home/bert.home").unlink()
    gone = "The home that is chosen, bert, is not on the stick (there are anna)"
    assert gone in bootkit("generate", "--stick", stick).stderr
