"""An image whose initrd opens no file gets a busybox of this computer, keeps it, or says what is missing."""

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from bootkit.app.menu import busybox
from bootkit.app.menu.busybox import MEMBER, busybox_archive, busybox_path
from bootkit.app.verbs.check import check_stick
from bootkit.app.verbs.generate import plan_generation
from bootkit.app.verbs.overlay_files import loaded_files
from bootkit.errors import BootkitError
from bootkit.formats.elf import is_static
from bootkit.model.check import Answer
from bootkit.overlay.pack import pack
from bootkit.system.changes import apply_changes
from bootkit.system.sticks import Stick, open_stick
from bootkit.system.volume import read_file
from tests.app.conftest import menu_on

STORE = "nix/store/1zb7-linux-6.12.41-modules-shrunk"
IMAGE = "/boot/iso/nixos.iso"
BUSYBOX = Path(shutil.which("busybox") or "/bin/busybox")
NIXOS: Mapping[str, bytes] = {
    "nix-store.squashfs": b"hsqs",
    "boot/bzImage": b"kernel",
    "boot/initrd": pack(
        {
            f"{STORE}/lib/modules/6.12.41/kernel/fs/fat/vfat.ko.xz": b"vfat",
            f"{STORE}/lib/modules/6.12.41/kernel/drivers/block/loop.ko.xz": b"loop",
        }
    ),
    "EFI/BOOT/grub.cfg": (
        b"menuentry 'NixOS 26.05 Installer' {\n"
        b"  linux /boot/bzImage init=/nix/store/5v2x-nixos-system-nixos-26.05/init root=fstab\n"
        b"  initrd /boot/initrd\n}\n"
    ),
}

pytestmark = pytest.mark.skipif(not BUSYBOX.exists() or not is_static(BUSYBOX.read_bytes()), reason="busybox-static")


@pytest.fixture
def nixos(stick: Path, tmp_path: Path) -> Path:
    """A stick in a folder, with an image of NixOS whose initrd is made of systemd units."""
    for path, content in NIXOS.items():
        (tmp_path / "tree" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "tree" / path).write_bytes(content)
    iso = stick / IMAGE[1:]
    iso.parent.mkdir(parents=True)
    argv = ["xorriso", "-as", "mkisofs", "-quiet", "-R", "-V", "nixos-minimal", "-o", str(iso), str(tmp_path / "tree")]
    subprocess.run(argv, check=True, capture_output=True)
    return stick


def generate(opened: Stick) -> tuple[str, ...]:
    """The warnings."""
    plan = plan_generation(opened.volume).plan
    apply_changes(plan, opened.volume)
    return plan.warnings


def without_busybox(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(_name: str) -> None:
        return None

    monkeypatch.setattr(busybox, "which", nowhere)


def test_it_is_loaded_in_front_of_the_overlay_that_runs_on_it(nixos: Path) -> None:
    with open_stick(nixos) as opened:
        assert generate(opened) == ()
        files = loaded_files(opened.volume, "nixos.iso")
        menu = menu_on(opened.volume)
    archives = list(dict.fromkeys(file.archive.rpartition("/")[2] for file in files))
    assert archives[:2] == ["busybox_x86_64.cpio", "nixos_systemd_stage-1.cpio"]
    (program,) = (file for file in files if file.name == MEMBER)
    assert (program.mode & 0o777, program.content) == (0o755, BUSYBOX.read_bytes())
    assert b"rdinit=/bootkit/init" in menu
    # it never starts without them: GRUB says what is missing
    assert b"need_on_stick /boot/bootkit/overlays/busybox_x86_64.cpio" in menu
    assert b"without what is on the stick" not in menu.lower()


def test_a_computer_without_it_says_so_in_the_menu_and_beforehand(nixos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_busybox(monkeypatch)
    with open_stick(nixos) as opened:
        (warning,) = generate(opened)
        menu = menu_on(opened.volume)
        (prediction,) = check_stick(opened).predictions
        assert "a static busybox for x86_64 is not on this computer" in warning
        assert b"A static busybox" in menu or b"a static busybox" in menu
        assert b"load_kernel" not in menu.partition(b"function image_")[2].partition(b"\n}")[0]
        assert prediction.answer is Answer.CANNOT
        assert prediction.cure.endswith("then: bootkit generate")
        assert plan_generation(opened.volume).plan.warnings, "it is looked for again the next time"


def test_what_is_on_the_stick_already_is_kept(nixos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_stick(nixos) as opened:
        generate(opened)
        old = read_file(opened.volume, busybox_path("x86_64"), 1 << 24)
        without_busybox(monkeypatch)
        opened.volume.write({"/boot/bootkit/stick.toml": b"[menu]\ntimeout = 9\n"})
        assert generate(opened) == ()
        assert read_file(opened.volume, busybox_path("x86_64"), 1 << 24) == old
        assert check_stick(opened).predictions[0].boots


@pytest.mark.parametrize(
    ("arch", "program", "why"),
    [
        ("x86_64", "env", "needs libraries"),
        ("aarch64", "busybox", "is for x86_64"),
    ],
)
def test_one_that_would_not_run_there_is_refused(arch: str, program: str, why: str) -> None:
    with pytest.raises(BootkitError, match=f"a static busybox for {arch} is not on this computer .*{why}"):
        busybox_archive(arch, (program,))


def test_what_is_no_program_is_not_static() -> None:
    head = BUSYBOX.read_bytes()[:4096]
    assert is_static(head)
    assert not any(
        is_static(data) for data in (b"", b"\x7fELF", b"#!/bin/sh\n".ljust(80), head[:70], head[:64] + b"\0")
    )
