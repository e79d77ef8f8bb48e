"""A stick for ARM64 machines as well, made on a PC: loaders out of downloaded packages, and Debian's installer for them."""

import gzip
import os
import re
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
from bootkit.model.testboot import Stage, TestFirmware
from bootkit.system.apply import apply_plan
from bootkit.system.boot import boot
from bootkit.system.changes import apply_changes
from bootkit.system.sticks import open_stick
from bootkit.system.witness import MENU_LINE
from bootkit.units import MIB
from tests.boots.live_iso import apt_settings

pytestmark = pytest.mark.boots

NETBOOT = Path("/usr/lib/debian-installer/images/12/arm64/text/debian-installer/arm64")
SAYS_SO = 'echo "Linux version 6.12 that unpacks itself"\nsleep 10000\n'
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
def folder() -> Generator[Path]:
    with tempfile.TemporaryDirectory(prefix="bootkit-") as name:
        yield Path(name)


@pytest.fixture(scope="module")
def stick(loaders: Path, folder: Path) -> Path:
    return stick_with(loaders, installer(folder, "image", NETBOOT / "linux"))


@pytest.fixture(scope="module")
def stick_of_packed(loaders: Path, folder: Path) -> Path:
    packed, unpacking = folder / "packed", folder / "unpacking"
    packed.write_bytes(gzip.compress((NETBOOT / "linux").read_bytes(), 1))
    unpacking.write_bytes(zboot(loaders, folder))
    return stick_with(loaders, installer(folder, "gzip", packed), installer(folder, "zboot", unpacking))


def stick_with(loaders: Path, *images: Path) -> Path:
    stick = images[0].with_suffix(".img")
    apply_plan(plan_preparation(stick, size=360 * MIB, loaders_from=loaders))
    with open_stick(stick, writing=True) as opened:
        add_images(opened.volume, plan_additions(opened.volume, images))
        apply_changes(plan_generation(opened.volume).plan, opened.volume)
    return stick


def zboot(loaders: Path, folder: Path) -> bytes:
    """What stands for a kernel that unpacks itself: a program for ARM64 that has no more of a kernel's header than zboot has."""
    config, program = folder / "says.cfg", folder / "says.efi"
    config.write_text(SAYS_SO)
    modules = loaders / "usr/lib/grub/arm64-efi"
    argv = ["grub-mkimage", "-O", "arm64-efi", "-d", str(modules), "-c", str(config), "-p", "/", "-o", str(program)]
    subprocess.run([*argv, "echo", "sleep"], check=True)
    content = bytearray(program.read_bytes())
    content[4:8] = b"zimg"
    return bytes(content)


def installer(folder: Path, name: str, kernel: Path) -> Path:
    """Debian's netboot installer as a mini.iso has it: kernel, initrd and menu at the top."""
    tree = folder / f"tree-{name}"
    (tree / "boot/grub").mkdir(parents=True)
    shutil.copy(kernel, tree / "linux")
    shutil.copy(NETBOOT / "initrd.gz", tree / "initrd.gz")
    menu = (NETBOOT / "grub/grub.cfg").read_text().replace("/debian-installer/arm64/", "/")
    (tree / "boot/grub/grub.cfg").write_text(menu)
    path = folder / f"{name}.iso"
    argv = ["xorriso", "-as", "mkisofs", "-quiet", "-R", "-V", f"Debian 12 {name}", "-o", str(path), str(tree)]
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


@pytest.mark.long
@pytest.mark.parametrize(("name", "until"), [("gzip", Stage.INITRD), ("zboot", Stage.KERNEL)])
def test_kernels_that_are_packed_start_as_predicted(name: str, until: Stage, stick_of_packed: Path) -> None:
    said: list[str] = []
    with open_stick(stick_of_packed) as opened:
        (prediction,) = check_stick(opened, [f"{name}.iso"], firmwares=[TestFirmware.ARM64]).predictions
        (target,) = choose_targets(opened.volume, [f"{name}.iso"], every=False)
    assert prediction.boots, prediction.line
    result = boot(stick_of_packed, entry=target.id_path, firmware=TestFirmware.ARM64, until=until, heard=said.append)
    assert result.ok, (result.reason, *result.tail)
    before, menu, _ = "".join(said).partition(MENU_LINE)
    assert menu
    assert not re.search("no such module|no structure matched", before)
