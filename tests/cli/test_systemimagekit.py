"""A stick in the layout of SystemImageKit: boot/iso, boot/customize/<machine>/*ExtensionImage, boot/customize/init."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.app.conftest import MakeIso
from tests.boots.clean import require_clean_data
from tests.cli.conftest import Bootkit

INIT = '#!/bin/sh\n# SystemImageKit\nmount -o loop "$1" /ext\n'


def test_it_is_understood_as_it_is(bootkit: Bootkit, make_iso: MakeIso, tmp_path: Path) -> None:
    stick, tree = tmp_path / "stick", tmp_path / "tree"
    for folder in ("boot/iso", "boot/grub"):
        (stick / folder).mkdir(parents=True)
    (tree / "usr/bin").mkdir(parents=True)
    (tree / "usr/bin/tool").write_text("#!/bin/sh\n")
    shutil.copy(make_iso("debian-live.iso"), stick / "boot/iso")
    refused = bootkit("list", "--stick", stick)
    assert refused.returncode == 1
    assert "is not a bootkit stick" in refused.stderr
    (stick / "boot/customize/x86_64").mkdir(parents=True)
    extension = stick / "boot/customize/x86_64/hello.ExtensionImage"
    subprocess.run(["mksquashfs", tree, extension, "-quiet"], check=True, capture_output=True)
    (stick / "boot/customize/init").write_text(INIT)
    (stick / "boot/grub/grub.cfg").write_text("# written by SystemImageKit\n")
    (image,) = json.loads(bootkit("list", "--stick", stick, "--json").stdout)["images"]
    assert image["path"] == "/boot/iso/debian-live.iso"
    assert image["recognition"]["detection"]["stack"] == "live-boot"
    (row,) = json.loads(bootkit("ext", "list", "--stick", stick, "--json").stdout)["extensions"]
    assert (row["path"], row["enabled"], row["facts"]["programs"]) == (
        "/boot/customize/x86_64/hello.ExtensionImage", True, ["tool"],
    )  # fmt: skip
    assert bootkit("generate", "--stick", stick).returncode == 0
    assert "image:" in (stick / "boot/grub/grub.cfg").read_text()
    assert (stick / "boot/grub/grub.cfg.old").read_text() == "# written by SystemImageKit\n"
    assert (stick / "boot/customize/init").read_text() == INIT
    assert (stick / "boot/bootkit/overlays/live-boot.cpio").is_file()
    assert bootkit("options", "set", "timeout", "5", "--stick", stick).returncode == 0
    assert "timeout = 5" in (stick / "boot/bootkit/stick.toml").read_text()


@pytest.fixture
def old_stick(make_iso: MakeIso, tmp_path: Path) -> Path:
    """As its install.sh leaves one: an active FAT32 behind an MBR, GRUB in the gap, and what the user has put there since.

    It is a clone of the repository, and each new menu left the one before it beside it.
    Source: probonopd/SystemImageKit (0205298), install.sh, boot/bin/detect.
    """
    image, tree = tmp_path / "old.img", tmp_path / "old"
    for folder in (
        "boot/iso/additional-initramfs",
        "boot/customize/x86_64",
        "boot/grub/i386-pc",
        "boot/bin",
        "boot/deltadir/usr/sbin",
        "EFI/BOOT",
        ".git/objects/02",
        "Applications",
    ):
        (tree / folder).mkdir(parents=True)
    shutil.copy(make_iso("debian-live.iso"), tree / "boot/iso")
    files = {
        "boot/customize/init": INIT,
        ".git/HEAD": "ref: refs/heads/master\n",
        ".git/objects/02/0529b3af78405be4d8c1544fc76cc79ef7196a": "an object",
        "README.md": "SystemImageKit\n",
        "install.sh": "#!/bin/bash\n",
        "boot/bin/detect": "#!/bin/bash\n# writes the menu\n",
        "boot/deltadir/usr/sbin/livesys": "#!/bin/bash\n",
        "boot/iso/additional-initramfs/initramfs": "an initrd",
        "boot/grub/device.map": "(hd0) /dev/sda\n",
        "boot/grub/i386-pc/normal.mod": "a module of an old GRUB",
        "boot/grub/grub.cfg": "# written by SystemImageKit\n",
        "boot/grub/grub.cfg.old": "# the menu before that\n",
        "boot/grub/grubenv": "# GRUB Environment Block\n".ljust(1024, "#"),
        "boot/generate": "#!/bin/bash\n# SystemImageKit's own\n",
        "EFI/BOOT/bootx64.efi": "an old loader",
        "EFI/BOOT/grub.cfg": "# an old configuration\n",
        "Applications/Viewer.AppImage": "an application",
        "holiday.txt": "pictures",
    }
    for path, text in files.items():
        (tree / path).write_text(text)
    with image.open("wb") as file:
        file.truncate(120 << 20)
    subprocess.run(["sfdisk", "-q", image], input="start=2048, type=0b, bootable\n", text=True, check=True)
    subprocess.run(
        ["mkfs.fat", "-F", "32", "-n", "STICK", "--offset", "2048", image, str((119 << 20) >> 10)],
        check=True,
        capture_output=True,
    )
    subprocess.run(["mcopy", "-s", "-Q", "-i", f"{image}@@1M", *tree.iterdir(), "::/"], check=True)
    with image.open("r+b") as file:
        file.write(b"\xeb\x63old boot code")
        file.seek(512)
        file.write(b"the core image of an old GRUB")
    return image


def everything_on(image: Path, folder: Path) -> dict[str, bytes]:
    folder.mkdir()
    subprocess.run(["mcopy", "-s", "-n", "-Q", "-i", f"{image}@@1M", "::/", folder], check=True, capture_output=True)
    return {
        path.relative_to(folder).as_posix().lower(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def test_upgrade_takes_it_over_and_touches_nothing_of_the_users(
    bootkit: Bootkit, old_stick: Path, tmp_path: Path
) -> None:
    before, table = everything_on(old_stick, tmp_path / "before"), old_stick.read_bytes()[440:512]
    asked = bootkit("upgrade", old_stick)
    assert asked.returncode == 4
    assert "was made by SystemImageKit" in asked.stderr
    assert everything_on(old_stick, tmp_path / "asked") == before
    done = bootkit("upgrade", old_stick, "--yes")
    assert done.returncode == 0, done.stderr
    assert "every file of yours stays where it is" in done.stderr
    after = everything_on(old_stick, tmp_path / "after")
    moved = {
        "efi/boot/bootx64.efi": "efi/boot/before/bootx64.efi",
        "efi/boot/grub.cfg": "efi/boot/before/grub.cfg",
        "boot/grub/grub.cfg": "boot/grub/grub.cfg.systemimagekit",
        "boot/grub/grub.cfg.old": "boot/grub/grub.cfg.systemimagekit.old",
        "boot/generate": "boot/generate.old",
    }
    assert {path: after[moved.get(path, path)] for path in before} == before
    assert old_stick.read_bytes()[440:512] == table
    assert b"/boot/iso/debian-live.iso" in after["boot/grub/grub.cfg"]
    assert {"boot/bootkit/stick.toml", "boot/bootkit/program/bootkit.pyz", "efi/boot/bootkit.json"} <= set(after)
    again = bootkit("upgrade", old_stick)
    assert again.returncode == 0, again.stderr
    assert "SystemImageKit" not in again.stderr
    assert bootkit("options", "set", "timeout", "5", "--stick", old_stick).returncode == 0
    require_clean_data(old_stick, "vfat")


def test_one_that_is_laid_out_otherwise_is_understood_as_it_is(bootkit: Bootkit, tmp_path: Path) -> None:
    image = tmp_path / "two.img"
    with image.open("wb") as file:
        file.truncate(120 << 20)
    table = "start=2048, size=81920, type=0b\nstart=83968, type=83\n"
    subprocess.run(["sfdisk", "-q", image], input=table, text=True, check=True)
    subprocess.run(
        ["mkfs.fat", "-F", "32", "-s", "1", "--offset", "2048", image, "40960"], check=True, capture_output=True
    )
    subprocess.run(["mmd", "-i", f"{image}@@1M", "::/boot", "::/boot/iso", "::/boot/customize"], check=True)
    refused = bootkit("upgrade", image, "--yes")
    assert refused.returncode == 4
    assert "is not a stick that bootkit prepared" in refused.stderr
    assert bootkit("list", "--stick", image).returncode == 0
