"""A machine's worth of GRUB that plays any boot by printing its lines."""

import tempfile
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from bootkit.app.stick.catalog import read_catalog
from bootkit.app.stick.images import find_images
from bootkit.app.verbs.supported import supported
from bootkit.system.qemu import Accelerator, choose_accelerator
from bootkit.system.run import run
from bootkit.system.sticks import open_stick

SECTOR = 512
Proves = Callable[[Path, str], None]


@pytest.fixture
def proves(request: pytest.FixtureRequest) -> Proves:
    """Ties a claim to a test: the boot stack of that image of a stick names the running test as the one that boots it."""

    def check(stick: Path, image: str) -> None:
        with open_stick(stick) as opened:
            items = read_catalog(opened.volume, find_images(opened.volume)).items
        (stack,) = {item.detection.stack for item in items if item.path.endswith(image) and item.detection is not None}
        claims = {row.stack.booted for row in supported() if row.stack.name == stack}
        assert claims == {request.node.nodeid.partition("[")[0]}, stack

    return check


@pytest.fixture
def work() -> Generator[Path]:
    # QEMU's sockets lie in a folder beside it, and the path of a socket is short
    with tempfile.TemporaryDirectory(prefix="bootkit-") as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def accelerator() -> Accelerator:
    return choose_accelerator()


@pytest.fixture
def grub_disk(tmp_path: Path) -> Callable[[str], Path]:
    """Makes a disk that starts GRUB in a BIOS; the given commands are all it does."""

    def make(commands: str) -> Path:
        config = tmp_path / "embedded.cfg"
        config.write_text(f"serial --unit=0 --speed=115200\nterminal_output serial\n{commands}")
        core = tmp_path / "core.img"
        modules = ("biosdisk", "echo", "halt", "read", "serial", "sleep", "terminal")
        run(["grub-mkimage", "-O", "i386-pc", "-c", config, "-p", "/", "-o", core, *modules])
        boot = bytearray(Path("/usr/lib/grub/i386-pc/boot.img").read_bytes())
        boot[0x66:0x68] = b"\x90\x90"  # the drive is what the BIOS says; see GRUB, boot/i386/pc/boot.S
        disk = tmp_path / "disk.img"
        disk.write_bytes(bytes(boot[:SECTOR]) + core.read_bytes() + bytes(4 << 20))
        return disk

    return make
