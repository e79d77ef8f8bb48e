"""The command line of ``add``, ``list``, ``generate``, ``inspect``, ``explain``, ``verify`` and ``remove``."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.app.conftest import UNKNOWN, MakeIso
from tests.cli.conftest import Bootkit
from tests.conftest import Prepared


@pytest.fixture(params=["folder", "image"])
def stick(request: pytest.FixtureRequest, prepared: Prepared, tmp_path: Path) -> Path:
    """A stick that is mounted somewhere, and one that is an image file."""
    if request.param == "image":
        return prepared(tmp_path / "stick.img")
    folder = tmp_path / "mounted"
    (folder / "boot/bootkit").mkdir(parents=True)
    (folder / "boot/bootkit/stick.toml").write_text("")
    return folder


def test_an_image_lives_its_life(
    bootkit: Bootkit, stick: Path, make_iso: MakeIso, monkeypatch: pytest.MonkeyPatch
) -> None:
    iso = make_iso("debian.iso")
    dry = bootkit("add", iso, "--stick", stick, "--dry-run")
    assert (dry.returncode, dry.stdout.splitlines()[0]) == (0, f"copy {iso} to /boot/iso/debian.iso")
    assert json.loads(bootkit("list", "--stick", stick, "--json").stdout)["images"] == []

    added = bootkit("add", iso, "--stick", stick)
    assert added.returncode == 0
    assert "debian.iso: Debian" in added.stderr
    digest = subprocess.run(["sha256sum", iso], check=True, capture_output=True, text=True).stdout.split()[0]
    assert added.stdout == f"/boot/iso/debian.iso  {digest}\n"

    (listed,) = json.loads(bootkit("list", "--stick", stick, "--json").stdout)["images"]
    assert (listed["path"], listed["sha256"]) == ("/boot/iso/debian.iso", digest)
    assert listed["recognition"]["detector"] == "live-boot"
    assert "live-boot" in bootkit("list", "--stick", stick).stdout
    assert "findiso=/boot/iso/debian.iso" in bootkit("explain", "--why", "debian.iso", "--stick", stick).stdout
    monkeypatch.chdir(iso.parent)  # where a file of that name lies
    assert "from this stick" in bootkit("explain", "--why", "debian.iso", "--stick", stick).stdout
    assert "from this stick" not in bootkit("explain", "--why", "debian.iso").stdout

    again = bootkit("generate", "--stick", stick)
    assert (again.returncode, again.stdout) == (0, "")
    assert "up to date" in again.stderr
    assert json.loads(bootkit("generate", "--stick", stick, "--json").stdout)["steps"] == []

    (verified,) = json.loads(bootkit("verify", "--stick", stick, "--json").stdout)["images"]
    assert verified == {"path": "/boot/iso/debian.iso", "verdict": "good", "sha256": digest}
    assert bootkit("remove", "debian", "--stick", stick).returncode == 0
    assert json.loads(bootkit("list", "--stick", stick, "--json").stdout)["images"] == []


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("list", "--stick", "nothing"), 1, "No such file"),
        (("list", "--stick", "downloads"), 1, "is not a bootkit stick"),
        (("list", "--stick", "downloads/debian.iso"), 1, "is not a bootkit stick"),
        (("add", "missing.iso"), 1, "missing.iso"),
        (("remove", "fedora"), 1, "no image on the stick is called fedora"),
        (("explain", "fedora"), 1, "no image on the stick is called fedora"),
        (("inspect", "missing.iso"), 1, "missing.iso cannot be opened"),
        (("inspect", "downloads/pictures.iso"), 3, "no detector knows pictures.iso"),
        (("generate", "--bogus"), 2, "--bogus"),
        (("frobnicate",), 2, "frobnicate"),
    ],
)
def test_a_mistake_gets_one_clear_message(
    bootkit: Bootkit,
    make_iso: MakeIso,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    status: int,
    said: str,
) -> None:
    make_iso("debian.iso")
    make_iso("pictures.iso", UNKNOWN)
    stick = tmp_path / "mounted"
    (stick / "boot/bootkit").mkdir(parents=True)
    (stick / "boot/bootkit/stick.toml").write_text("")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BOOTKIT_STICK", "mounted")
    done = bootkit(*words)
    assert done.returncode == status
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_full_stick_says_so_and_keeps_what_it_has(
    bootkit: Bootkit, prepared: Prepared, tmp_path: Path, make_iso: MakeIso
) -> None:
    image = prepared(tmp_path / "stick.img")
    assert bootkit("add", make_iso("debian.iso"), "--stick", image).returncode == 0
    large = make_iso("large.iso")
    with large.open("r+b") as file:
        file.truncate(200 << 20)
    done = bootkit("add", large, "--stick", image)
    assert done.returncode == 1
    assert "free" in done.stderr
    assert [item["path"] for item in json.loads(bootkit("list", "--stick", image, "--json").stdout)["images"]] == [
        "/boot/iso/debian.iso"
    ]


def test_explain_shows_what_is_loaded_behind_the_initrds(bootkit: Bootkit, stick: Path, make_iso: MakeIso) -> None:
    assert bootkit("add", make_iso("debian.iso"), "--stick", stick).returncode == 0
    assert bootkit("options", "set", "language", "de_DE.UTF-8", "--stick", stick).returncode == 0
    listed = bootkit("explain", "debian", "--overlay", "--stick", stick)
    assert listed.returncode == 0
    rows = [line.split() for line in listed.stdout.splitlines()]
    assert rows[0] == ["MODE", "SIZE", "NAME", "ARCHIVE"]
    assert ["drwxr-xr-x", "0", "bootkit", "/boot/bootkit/overlays/live-boot.cpio"] in rows
    assert rows[-1][2] == "bootkit/choices"
    printed = bootkit("explain", "debian", "--file", "bootkit/choices", "--stick", stick)
    assert "BK_LANGUAGE='de_DE.UTF-8'\n" in printed.stdout
    (one,) = json.loads(bootkit("explain", "debian", "--file", "bootkit/choices", "--stick", stick, "--json").stdout)[
        "files"
    ]
    assert one["content"] == printed.stdout
    unknown = bootkit("explain", "debian", "--file", "bootkit/nothing", "--stick", stick)
    assert (unknown.returncode, "no file 'bootkit/nothing' is loaded" in unknown.stderr) == (1, True)


def test_explain_says_where_nothing_is_loaded(bootkit: Bootkit, stick: Path, make_iso: MakeIso) -> None:
    assert bootkit("add", make_iso("holiday.iso", UNKNOWN), "--stick", stick).returncode in (0, 4)
    done = bootkit("explain", "holiday", "--overlay", "--stick", stick)
    assert done.returncode == 1
    assert "nothing is loaded behind its initrds" in done.stderr


def test_an_image_that_was_cut_short_cannot_boot_and_says_so_first_and_once(
    bootkit: Bootkit, tmp_path: Path, make_iso: MakeIso
) -> None:
    iso = make_iso("debian.iso")
    content = iso.read_bytes()
    short = tmp_path / "short.iso"
    short.write_bytes(content[: len(content) - (1 << 20)] if len(content) > 2 << 20 else content)
    if short.stat().st_size == len(content):  # a small image: its volume claims more than the file has
        at = 16 * 2048 + 80
        blocks = len(content) // 2048 + 1000
        both = blocks.to_bytes(4, "little") + blocks.to_bytes(4, "big")
        short.write_bytes(content[:at] + both + content[at + 8 :])
    said = " ".join(bootkit("explain", short).stdout.split())
    assert "It cannot boot as it is: The file is not complete:" in said.partition("Why")[0]
    assert said.count("not complete") == 1
    assert "it boots from a file" not in said


def test_the_table_is_filtered_by_words(bootkit: Bootkit) -> None:
    said = bootkit("list", "--supported", "UBUNTU", "boots").stdout
    assert "casper: boots" in said
    assert "archiso" not in said
    rows = json.loads(bootkit("list", "--supported", "pop!_os", "--json").stdout)["stacks"]
    assert [row["stack"] for row in rows] == ["casper", "dmsquash-live"]
    of_xfs = json.loads(bootkit("list", "--supported", "xfs", "bios", "--json").stdout)["stacks"]
    assert of_xfs
    assert all("xfs" in (*row["filesystems"], *row["some_filesystems"]) for row in of_xfs)
    nothing = bootkit("list", "--supported", "quark")
    assert (nothing.returncode, nothing.stdout) == (0, "")
    assert "Nothing is known by quark" in nothing.stderr
    assert bootkit("list", "fedora").returncode == 2
