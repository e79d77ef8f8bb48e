"""``generate`` puts on the stick what an image needs to find its file there."""

import gzip
import lzma
import re
import subprocess
from collections.abc import Generator, Mapping
from contextlib import closing
from pathlib import Path

import pytest

from bootkit.app.menu.overlays import own_path
from bootkit.app.verbs.check import check_stick
from bootkit.app.verbs.generate import plan_generation
from bootkit.app.verbs.images import add_images, plan_additions
from bootkit.model.check import Answer
from bootkit.model.filesystem import DataFs
from bootkit.overlay.pack import pack
from bootkit.system.changes import apply_changes
from bootkit.system.sticks import open_stick
from bootkit.system.volume import Volume, read_file
from tests.app.conftest import LIVE_BOOT, menu_on
from tests.conftest import Prepared

IMAGE = "/boot/iso/live.iso"
KERNEL = "6.1.0-9-amd64"
MODULES = f"usr/lib/modules/{KERNEL}"
ROOT = {
    f"{MODULES}/kernel/fs/exfat/exfat.ko.xz": lzma.compress(b"the code of exfat"),
    f"{MODULES}/modules.dep": b"kernel/fs/exfat/exfat.ko.xz:\n",
    f"{MODULES}/modules.alias": b"alias fs-exfat exfat\n",
    f"{MODULES}/modules.builtin": b"",
}
INITRD = pack(
    {
        "usr/lib/live/boot/9990-main.sh": b"Live()\n",
        "scripts/live": b"#\n",
        f"{MODULES}/kernel/fs/ext4/ext4.ko": b"ext4",
        f"{MODULES}/modules.builtin": b"kernel/drivers/block/loop.ko\n",
    }
)


def made_iso(folder: Path, root_files: Mapping[str, bytes], initrd: bytes = gzip.compress(INITRD)) -> Path:
    tree, root = folder / "tree", folder / "root"
    for path, content in root_files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
    for path, text in LIVE_BOOT.items():
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        (tree / path).write_text(text)
    (tree / "live/initrd.img").write_bytes(initrd)
    (tree / "live/filesystem.squashfs").unlink()
    subprocess.run(["mksquashfs", root, tree / "live/filesystem.squashfs", "-quiet", "-no-progress"], check=True)
    image = folder / "live.iso"
    argv: list[str | Path] = ["xorriso", "-as", "mkisofs", "-quiet", "-R", "-V", "LIVE", "-o", image, tree]
    subprocess.run(argv, check=True, capture_output=True)
    return image


@pytest.fixture
def iso(tmp_path: Path) -> Path:
    return made_iso(tmp_path, ROOT)


@pytest.fixture(params=[DataFs.EXFAT, DataFs.EXT4])
def volume(request: pytest.FixtureRequest, prepared: Prepared, tmp_path: Path, iso: Path) -> Generator[Volume]:
    stick = tmp_path / "stick.img"
    prepared(stick, request.param)
    with open_stick(stick, writing=True) as opened, closing(opened.volume) as volume:
        add_images(volume, plan_additions(volume, [iso]))
        apply_changes(plan_generation(volume).plan, volume)
        yield volume


def test_the_modules_of_the_images_own_kernel_lie_unpacked_in_its_archive(volume: Volume) -> None:
    archive = read_file(volume, own_path(IMAGE), 1 << 20) or b""
    lines = f"{KERNEL} 01-exfat.ko exfat\n".encode()
    wanted = volume.filesystem == "exfat"
    assert (lines in archive, b"the code of exfat" in archive) == (wanted, wanted)
    assert not plan_generation(volume).plan.steps


def test_an_image_that_is_mapped_is_mapped_again_when_it_has_moved(prepared: Prepared, tmp_path: Path) -> None:
    iso, stick = made_iso(tmp_path, {"etc/os-release": b"ID=ember\n"}), tmp_path / "stick.img"
    prepared(stick, DataFs.EXFAT)
    with open_stick(stick, writing=True) as opened:
        volume = opened.volume
        add_images(volume, plan_additions(volume, [iso]))
        apply_changes(plan_generation(volume).plan, volume)
        assert check_stick(opened).predictions[0].overlay == "map"
        first = _mapped(volume)
        assert not plan_generation(volume).plan.steps

        volume.copy_in(iso, "/boot/iso/new", lambda _: None)
        volume.rename("/boot/iso/new", IMAGE)
        prediction = check_stick(opened).predictions[0]
        assert (prediction.answer, prediction.cure) == (Answer.CANNOT, "bootkit generate")
        apply_changes(plan_generation(volume).plan, volume)
        assert _mapped(volume) != first
        assert check_stick(opened).predictions[0].answer is not Answer.CANNOT


def test_what_is_added_goes_in_front_of_an_initrd_that_would_hide_it(prepared: Prepared, tmp_path: Path) -> None:
    lz4 = subprocess.run(["lz4", "-l", "-q"], input=INITRD, stdout=subprocess.PIPE, check=True).stdout
    iso, stick = made_iso(tmp_path, ROOT, lz4), tmp_path / "stick.img"
    prepared(stick)
    with open_stick(stick, writing=True) as opened:
        volume = opened.volume
        add_images(volume, plan_additions(volume, [iso]))
        apply_changes(plan_generation(volume).plan, volume)
        menu = menu_on(volume).decode()
    entry = menu[menu.index("  choose_additions /boot/") :]
    assert re.search(r"\n +put_additions_first\n +load_initrds ", entry[: entry.index("  start\n")])


def _mapped(volume: Volume) -> str:
    """The pieces of the image, which are the same in its archive."""
    pieces = " ".join(f"{offset}+{length}" for offset, length in volume.extents(IMAGE) or ())
    assert f"BK_ISO_EXTENTS='{pieces}'".encode() in (read_file(volume, own_path(IMAGE), 1 << 20) or b"")
    return pieces
