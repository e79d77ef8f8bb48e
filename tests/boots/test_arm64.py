"""A stick for ARM64 machines as well, made on a PC: loaders out of downloaded packages, and Debian's installer for them."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest

from bootkit.app.verbs.check import check_stick
from bootkit.app.verbs.generate import plan_generation
from bootkit.app.verbs.images import add_images, plan_additions
from bootkit.app.verbs.prepare import plan_preparation
from bootkit.app.verbs.test import boot_targets, choose_targets
from bootkit.model.check import Answer
from bootkit.model.testboot import TestFirmware
from bootkit.system.apply import apply_plan
from bootkit.system.changes import apply_changes
from bootkit.system.sticks import open_stick
from bootkit.units import MIB
from tests.boots.live_iso import apt_settings

pytestmark = [pytest.mark.boots, pytest.mark.long]

NETBOOT = Path("/usr/lib/debian-installer/images/12/arm64/text/debian-installer/arm64")
PACKAGES = ("shim-signed", "shim-helpers-arm64-signed", "grub-efi-arm64-signed", "grub-efi-arm64-bin")


@pytest.fixture(scope="module")
def loaders() -> Path:
    """The packages with loaders for ARM64, unpacked; kept from one run to the next."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "bootkit" / "arm64-loaders"
    if not (cache / "root").is_dir():
        download(cache)
    return cache / "root"


def download(cache: Path) -> None:
    """With an apt of our own beside the machine's, which knows nothing of another architecture, and is left so."""
    shutil.rmtree(cache, ignore_errors=True)
    for name in ("lists/partial", "archives/partial", "new"):
        (cache / name).mkdir(parents=True)
    (cache / "status").touch()
    settings = (
        f'Dir::State::Lists "{cache}/lists"',
        f'Dir::Cache::Archives "{cache}/archives"',
        f'Dir::State::status "{cache}/status"',
        'APT::Architectures { "amd64"; "arm64"; }',
        *(line.removesuffix(";") for line in apt_settings()),
    )
    config = cache / "apt.conf"
    config.write_text("".join(f"{line};\n" for line in settings))
    environment = {**os.environ, "APT_CONFIG": str(config)}
    subprocess.run(["apt-get", "-qq", "update"], env=environment, check=True)
    subprocess.run(
        ["apt-get", "-qq", "download", *(f"{name}:arm64" for name in PACKAGES)], env=environment, cwd=cache, check=True
    )
    for package in cache.glob("*.deb"):
        subprocess.run(["dpkg-deb", "-x", package, cache / "new"], check=True)
    (cache / "new").rename(cache / "root")


@pytest.fixture(scope="module")
def stick(loaders: Path) -> Generator[Path]:
    with tempfile.TemporaryDirectory(prefix="bootkit-") as name:
        folder = Path(name)
        image = folder / "stick.img"
        apply_plan(plan_preparation(image, size=360 * MIB, loaders_from=loaders))
        with open_stick(image, writing=True) as opened:
            add_images(opened.volume, plan_additions(opened.volume, [installer(folder)]))
            apply_changes(plan_generation(opened.volume).plan, opened.volume)
        yield image


def installer(folder: Path) -> Path:
    """Debian's netboot installer as a mini.iso has it: kernel, initrd and menu at the top."""
    tree = folder / "tree"
    (tree / "boot/grub").mkdir(parents=True)
    for name in ("linux", "initrd.gz"):
        shutil.copy(NETBOOT / name, tree / name)
    menu = (NETBOOT / "grub/grub.cfg").read_text().replace("/debian-installer/arm64/", "/")
    (tree / "boot/grub/grub.cfg").write_text(menu)
    path = folder / "mini-arm64.iso"
    argv = ["xorriso", "-as", "mkisofs", "-quiet", "-R", "-V", "Debian 12 mini", "-o", str(path), str(tree)]
    subprocess.run(argv, check=True, capture_output=True)
    return path


def test_debians_installer_for_arm64_starts_as_predicted(stick: Path, tmp_path: Path) -> None:
    with open_stick(stick) as opened:
        (prediction,) = check_stick(opened).predictions
        answers = {answer.firmware: answer.answer for answer in prediction.firmware}
        assert prediction.boots, prediction.line
        assert {one for one, answer in answers.items() if answer is Answer.BOOTS} == {TestFirmware.ARM64}
        targets = choose_targets(opened.volume, [], every=False)
        (booted,) = boot_targets(opened, targets, [TestFirmware.ARM64], pictures=tmp_path)
    assert booted.result.ok, (booted.result.reason, *booted.result.tail)
