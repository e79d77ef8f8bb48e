import hashlib
import os
from pathlib import Path

import pytest

from bootkit.app.stick.images import image_named
from bootkit.app.stick.records import read_records
from bootkit.app.verbs.generate import plan_generation
from bootkit.app.verbs.images import add_images, plan_additions, plan_removal
from bootkit.app.verbs.verify import verify_images
from bootkit.errors import BootkitError, FormatError
from bootkit.system.changes import apply_changes
from bootkit.system.volume import Volume
from tests.app.conftest import LIVE_BOOT, UNKNOWN, MakeIso


def _add(volume: Volume, *isos: Path, **options: object) -> None:
    add_images(volume, plan_additions(volume, isos, **options))  # type: ignore[arg-type]


def test_an_image_is_copied_and_its_checksum_kept(volume: Volume, stick: Path, make_iso: MakeIso) -> None:
    iso = make_iso("debian.iso")
    (item,) = add_images(volume, plan_additions(volume, [iso]))
    assert (stick / "boot/iso/debian.iso").read_bytes() == iso.read_bytes()
    assert item.sha256 == hashlib.sha256(iso.read_bytes()).hexdigest()
    assert item.recognition is not None
    assert item.recognition.detector == "live-boot"
    assert [answer.verdict for answer in verify_images(volume, [])] == ["good"]


def test_a_folder_becomes_part_of_the_path(volume: Volume, stick: Path, make_iso: MakeIso) -> None:
    _add(volume, make_iso("debian.iso"), folder="rescue/old")
    assert (stick / "boot/iso/rescue/old/debian.iso").exists()


def test_a_name_that_no_initrd_takes_is_refused_with_a_better_one(
    volume: Volume, stick: Path, make_iso: MakeIso
) -> None:
    iso = make_iso("my debian (1).iso")
    with pytest.raises(BootkitError, match="a blank") as caught:
        plan_additions(volume, [iso])
    assert "--rename copies it as my-debian-1.iso" in caught.value.hint
    _add(volume, iso, rename=True)
    assert [file.name for file in (stick / "boot/iso").iterdir()] == ["my-debian-1.iso"]


def test_what_is_there_already_is_not_overwritten(volume: Volume, stick: Path, make_iso: MakeIso) -> None:
    _add(volume, make_iso("debian.iso"))
    before = (stick / "boot/iso/debian.iso").stat()
    with pytest.raises(BootkitError, match="on the stick already"):
        plan_additions(volume, [make_iso("debian.iso", folder="again")])
    assert (stick / "boot/iso/debian.iso").stat() == before


def test_two_images_of_one_name_are_refused_before_the_first_is_copied(
    volume: Volume, stick: Path, make_iso: MakeIso
) -> None:
    with pytest.raises(BootkitError, match="two of the images"):
        plan_additions(volume, [make_iso("debian.iso"), make_iso("debian.iso", folder="again")])
    assert not (stick / "boot/iso").exists()


def test_a_file_that_is_no_image_is_refused(volume: Volume, tmp_path: Path) -> None:
    page = tmp_path / "debian.iso"
    page.write_text("<html>404</html>" * 3000)
    with pytest.raises(FormatError, match=r"debian\.iso"):
        plan_additions(volume, [page])


def test_a_missing_file_and_a_folder_are_named(volume: Volume, tmp_path: Path) -> None:
    with pytest.raises(BootkitError, match="No such file"):
        plan_additions(volume, [tmp_path / "nothing.iso"])
    with pytest.raises(BootkitError, match="is a folder"):
        plan_additions(volume, [tmp_path])


def test_an_image_nobody_knows_is_taken(volume: Volume, make_iso: MakeIso) -> None:
    (item,) = add_images(volume, plan_additions(volume, [make_iso("pictures.iso", UNKNOWN)]))
    assert item.recognition is not None
    assert item.recognition.detection is None


def test_a_checksum_file_beside_the_image_must_agree(volume: Volume, stick: Path, make_iso: MakeIso) -> None:
    iso = make_iso("debian.iso")
    sums = iso.with_name("SHA256SUMS")
    sums.write_text(f"{'00' * 32}  debian.iso\n")
    with pytest.raises(BootkitError, match="does not agree with SHA256SUMS"):
        plan_additions(volume, [iso])
    assert not (stick / "boot/iso").exists()
    sums.write_text(f"{hashlib.sha256(iso.read_bytes()).hexdigest()}  debian.iso\n")
    (addition,) = plan_additions(volume, [iso])
    assert addition.checked_with == "SHA256SUMS"


def test_an_image_damaged_on_the_stick_is_found(volume: Volume, stick: Path, make_iso: MakeIso) -> None:
    _add(volume, make_iso("debian.iso"))
    copy = stick / "boot/iso/debian.iso"
    stat = copy.stat()
    content = bytearray(copy.read_bytes())
    content[70000] ^= 1
    copy.write_bytes(content)
    os.utime(copy, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert [answer.verdict for answer in verify_images(volume, ["debian"])] == ["damaged"]


def test_an_image_that_came_without_add_gets_its_checksum_from_the_first_verify(
    volume: Volume, stick: Path, make_iso: MakeIso
) -> None:
    target = stick / "boot/iso/debian.iso"
    target.parent.mkdir(parents=True)
    target.write_bytes(make_iso("debian.iso").read_bytes())
    assert [answer.verdict for answer in verify_images(volume, [])] == ["unknown"]
    apply_changes(plan_generation(volume).plan, volume)
    assert [answer.verdict for answer in verify_images(volume, [])] == ["unknown"]
    assert [answer.verdict for answer in verify_images(volume, [])] == ["good"]


def test_removing_takes_the_image_and_its_record(volume: Volume, stick: Path, make_iso: MakeIso) -> None:
    _add(volume, make_iso("debian.iso"), make_iso("fedora.iso"))
    apply_changes(plan_removal(volume, ["debian"]), volume)
    left = sorted(str(file.relative_to(stick)) for file in stick.rglob("*") if file.is_file())
    assert left == ["boot/bootkit/state/images.jsonl", "boot/bootkit/stick.toml", "boot/iso/fedora.iso"]
    assert read_records(volume).paths == ("/boot/iso/fedora.iso",)


def test_a_name_that_fits_several_images_or_none_is_refused(volume: Volume, make_iso: MakeIso) -> None:
    _add(volume, *(make_iso(f"debian-{number}.iso") for number in (1, 11, 12)))
    assert image_named(volume, "12") == "/boot/iso/debian-12.iso"
    assert image_named(volume, "Debian-1") == "/boot/iso/debian-1.iso"
    assert image_named(volume, "debian-11.iso") == "/boot/iso/debian-11.iso"
    with pytest.raises(BootkitError, match="fits several images"):
        image_named(volume, "debian")
    with pytest.raises(BootkitError, match="no image on the stick is called fedora"):
        image_named(volume, "fedora")


def test_an_incomplete_download_is_refused(volume: Volume, stick: Path, make_iso: MakeIso) -> None:
    iso = make_iso("debian.iso", {**LIVE_BOOT, "live/more": "x" * 1_000_000})
    with iso.open("r+b") as file:
        file.truncate(500_000)
    with pytest.raises(BootkitError, match=r"debian\.iso is not complete: .* are missing"):
        plan_additions(volume, [iso])
    assert not (stick / "boot/iso").exists()
