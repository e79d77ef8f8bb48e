"""``generate`` puts on the stick what an image needs to find its file there."""

import gzip
import lzma
import subprocess
from collections.abc import Generator
from contextlib import closing
from pathlib import Path

import pytest

from bootkit.app.changes import apply_changes
from bootkit.app.generate import plan_generation
from bootkit.app.images import add_images, plan_additions
from bootkit.app.overlays import choices_path
from bootkit.app.prepare import prepare_image
from bootkit.model.prepare import DataFs
from bootkit.overlay.pack import pack
from bootkit.system.sticks import open_stick
from bootkit.system.volume import Volume, read_file
from bootkit.units import MIB
from tests.app.conftest import LIVE_BOOT

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


@pytest.fixture
def iso(tmp_path: Path) -> Path:
    tree, root = tmp_path / "tree", tmp_path / "root"
    for path, content in ROOT.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
    for path, text in LIVE_BOOT.items():
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        (tree / path).write_text(text)
    (tree / "live/initrd.img").write_bytes(gzip.compress(INITRD))
    (tree / "live/filesystem.squashfs").unlink()
    subprocess.run(["mksquashfs", root, tree / "live/filesystem.squashfs", "-quiet", "-no-progress"], check=True)
    image = tmp_path / "live.iso"
    argv: list[str | Path] = ["xorriso", "-as", "mkisofs", "-quiet", "-R", "-V", "LIVE", "-o", image, tree]
    subprocess.run(argv, check=True, capture_output=True)
    return image


@pytest.fixture(params=[DataFs.EXFAT, DataFs.EXT4])
def volume(request: pytest.FixtureRequest, tmp_path: Path, iso: Path) -> Generator[Volume]:
    stick = tmp_path / "stick.img"
    prepare_image(stick, 300 * MIB, data_fs=request.param)
    with open_stick(stick, writing=True) as opened, closing(opened.volume) as volume:
        add_images(volume, plan_additions(volume, [iso]))
        apply_changes(plan_generation(volume).plan, volume)
        yield volume


def test_the_modules_of_the_images_own_kernel_lie_unpacked_in_its_archive(volume: Volume) -> None:
    archive = read_file(volume, choices_path("/boot/iso/live.iso"), 1 << 20) or b""
    lines = f"{KERNEL} 01-exfat.ko exfat\n".encode()
    wanted = volume.filesystem == "exfat"
    assert (lines in archive, b"the code of exfat" in archive) == (wanted, wanted)
    assert not plan_generation(volume).plan.steps
