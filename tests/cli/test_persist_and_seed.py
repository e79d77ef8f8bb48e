"""Kept changes and answer files, from the command to the menu."""

import json
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from bootkit.model.places import MENU
from bootkit.overlay.pack import pack
from bootkit.render.parts import parts_of_menu
from tests.app.conftest import LIVE_BOOT, MakeIso
from tests.cli.conftest import Bootkit

MINI: Mapping[str, str] = {
    "linux": "kernel",
    "initrd.gz": "initrd",
    ".disk/info": "Debian GNU/Linux 12 amd64 mini.iso\n",
    "boot/grub/grub.cfg": (
        'menuentry "Install" {\n  linux /linux vga=788 --- quiet\n  initrd /initrd.gz\n}\n'
        'menuentry "Rescue" {\n  linux /linux rescue/enable=true --- quiet\n  initrd /initrd.gz\n}\n'
    ),
}
UBUNTU: Mapping[str, str] = {
    "casper/vmlinuz": "kernel",
    "casper/initrd": "initrd",
    "casper/minimal.squashfs": "squashfs",
    ".disk/info": 'Ubuntu-Server 24.04.1 LTS "Noble Numbat" - Release amd64 (20240827)\n',
    "boot/grub/grub.cfg": (
        'menuentry "Install Ubuntu Server" {\n  linux /casper/vmlinuz iso-scan/filename=${iso_path} ---\n'
        "  initrd /casper/initrd\n}\n"
    ),
}
PRESEED = "d-i debian-installer/locale string de_DE\n"


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    folder = tmp_path / "stick"
    (folder / "boot/bootkit").mkdir(parents=True)
    (folder / "boot/bootkit/stick.toml").write_text("")
    return folder


def menu_of(stick: Path) -> str:
    """Both files of it."""
    parts = parts_of_menu((stick / "boot/grub/grub.cfg").read_bytes())
    assert parts is not None
    return "".join((stick / path.lstrip("/")).read_text() for path in (MENU, parts))


def default_of(menu: str) -> str:
    """The lines that say which entry of an image starts by itself."""
    return "\n".join(line for line in menu.splitlines() if line.lstrip().startswith("offer "))


def members(archive: Path) -> list[str]:
    out = subprocess.run(["cpio", "-t", "--quiet"], input=archive.read_bytes(), check=True, capture_output=True).stdout
    return out.decode().split()


def test_live_boot_keeps_its_changes_in_a_file_beside_the_image(
    bootkit: Bootkit, stick: Path, make_iso: MakeIso
) -> None:
    bootkit("add", make_iso("live.iso"), "--stick", stick)
    done = bootkit("persist", "create", "live", "--size", "64M", "--stick", stick)
    assert done.returncode == 0
    file = stick / "boot/persistence/live.iso/persistence"
    assert done.stdout == "/boot/persistence/live.iso/persistence\n"
    assert file.stat().st_size == 64 << 20
    conf = subprocess.run(["debugfs", "-R", "cat persistence.conf", file], check=True, capture_output=True, text=True)
    assert conf.stdout == "/ union\n"
    assert members(stick / "boot/bootkit/added/live_boot_persistence.cpio") == [
        "lib/live/boot/9999-bootkit-persistence"
    ]
    menu = menu_of(stick)
    assert "bootkit.persistence=/boot/persistence/live.iso/persistence" in menu
    assert menu.index("'Live system (amd64), changes are kept'") < menu.index("'Live system (amd64)'")
    assert menu.count("bootkit.persistence=") == 1
    assert bootkit("options", "set", "persistence", "no", "--image", "live", "--stick", stick).returncode == 0
    assert ">entry-live-system-amd64" in default_of(menu_of(stick))
    assert bootkit("options", "set", "persistence", "yes", "--image", "live", "--stick", stick).returncode == 0
    assert menu_of(stick) == menu
    (row,) = json.loads(bootkit("persist", "list", "--stick", stick, "--json").stdout)["kept"]
    assert row["image"] == "live.iso"
    assert len(json.loads(bootkit("list", "--stick", stick, "--json").stdout)["images"]) == 1
    assert bootkit("persist", "create", "live", "--size", "64M", "--stick", stick).returncode == 1
    assert bootkit("persist", "remove", "live", "--stick", stick).returncode == 4
    assert bootkit("persist", "remove", "live", "--yes", "--stick", stick).returncode == 0
    assert not file.exists()
    assert not list((stick / "boot/bootkit/added").iterdir())
    assert "changes are kept" not in menu_of(stick)


def with_cryptsetup(files: Mapping[str, str]) -> Mapping[str, str]:
    """The same image, made where the package cryptsetup-initramfs was installed."""
    initrd = pack({"usr/sbin/cryptsetup": b"#!", "usr/lib/cryptsetup/askpass": b"#!"})
    return {**files, "live/initrd.img": initrd.decode("ascii")}


@pytest.mark.usefixtures("light_keys")
def test_changes_are_encrypted_where_the_initrd_can_ask_for_the_passphrase(
    bootkit: Bootkit, stick: Path, make_iso: MakeIso, tmp_path: Path
) -> None:
    words = tmp_path / "words"
    words.write_text("correct horse\n")
    bootkit("add", make_iso("live.iso", with_cryptsetup(LIVE_BOOT)), "--stick", stick)
    create = ("persist", "create", "live", "--size", "40M", "--encrypt", "--passphrase-file", words, "--stick", stick)
    assert bootkit(*create, "--dry-run").stdout.startswith(
        "make /boot/persistence/live.iso/persistence, encrypted ext4"
    )
    assert bootkit(*create).returncode == 0
    file = stick / "boot/persistence/live.iso/persistence"
    assert file.stat().st_size == 40 << 20
    opened: list[str | Path] = ["cryptsetup", "open", "--test-passphrase", "--disable-locks", "--key-file", "-", file]
    assert subprocess.run(opened, input=b"correct horse", capture_output=True).returncode == 0
    line = next(line for line in menu_of(stick).splitlines() if "bootkit.persistence=" in line)
    assert "persistence-encryption=luks" in line
    assert "40.0 MiB, encrypted" in bootkit("persist", "list", "--stick", stick).stdout
    assert bootkit("generate", "--dry-run", "--stick", stick).stdout == "nothing to do\n"
    listed = bootkit("explain", "live.iso", "--overlay", "--stick", stick).stdout
    assert "9999-bootkit-persistence" in listed


def test_changes_are_not_encrypted_where_nobody_could_open_them(
    bootkit: Bootkit, stick: Path, make_iso: MakeIso
) -> None:
    bootkit("add", make_iso("live.iso"), "--stick", stick)
    done = bootkit("persist", "create", "live", "--size", "40M", "--encrypt", "--stick", stick)
    assert done.returncode == 1
    assert "its initrd was made without the package cryptsetup-initramfs" in done.stderr
    assert "bootkit home create NAME --size 4G --encrypt" in done.stderr
    assert not (stick / "boot/persistence").exists()


def test_more_room_than_the_stick_has_is_told(bootkit: Bootkit, make_iso: MakeIso, tmp_path: Path) -> None:
    stick = tmp_path / "stick.img"
    assert bootkit("prepare", stick, "--size", "200M", "--yes").returncode == 0
    assert bootkit("add", make_iso("live.iso"), "--stick", stick).returncode == 0
    done = bootkit("persist", "create", "live", "--size", "1G", "--dry-run", "--stick", stick)
    assert done.returncode == 0
    assert "the file for changes cannot be filled before there is more room" in done.stderr
    gone = bootkit("persist", "remove", "live", "--stick", stick)
    assert gone.stderr.endswith("bootkit persist list\n")


DRACUT: Mapping[str, str] = {
    "images/pxeboot/vmlinuz": "kernel",
    "images/pxeboot/initrd.img": "initrd",
    "LiveOS/squashfs.img": "squashfs",
    "EFI/BOOT/grub.cfg": (
        'menuentry "Start Fedora-Live" {\n  linux /images/pxeboot/vmlinuz root=live:CDLABEL=LIVE rd.live.image quiet\n'
        "  initrd /images/pxeboot/initrd.img\n}\n"
    ),
}


def test_dracut_gets_an_overlay_whose_folders_are_of_root(bootkit: Bootkit, stick: Path, make_iso: MakeIso) -> None:
    bootkit("add", make_iso("fedora.iso", DRACUT), "--stick", stick)
    assert bootkit("persist", "create", "fedora", "--size", "40M", "--stick", stick).returncode == 0
    file = stick / "boot/persistence/fedora.iso/overlay.img"
    for folder in ("overlayfs", "ovlwork"):
        said = subprocess.run(["debugfs", "-R", f"stat {folder}", file], check=True, capture_output=True, text=True)
        assert re.search(r"Type: directory +Mode: +0755", said.stdout)
        assert re.search(r"User: +0 +Group: +0", said.stdout)
    (line,) = (line for line in menu_of(stick).splitlines() if "fedora.iso/overlay.img" in line)
    assert "rd.live.overlay.overlayfs=1" in line


def test_a_dry_run_keeps_nothing(bootkit: Bootkit, stick: Path, make_iso: MakeIso) -> None:
    bootkit("add", make_iso("live.iso"), "--stick", stick)
    done = bootkit("persist", "create", "live", "--size", "1G", "--dry-run", "--stick", stick)
    assert done.stdout == "make /boot/persistence/live.iso/persistence, ext4 of 1.0 GiB\nwrite the menu\n"
    assert not (stick / "boot/persistence").exists()
    assert bootkit("persist", "create", "live", "--stick", stick).returncode == 2


def test_an_installer_gets_an_entry_for_each_answer_file(
    bootkit: Bootkit, stick: Path, make_iso: MakeIso, tmp_path: Path
) -> None:
    bootkit("add", make_iso("mini.iso", MINI), "--stick", stick)
    for name in ("lab", "office"):
        (tmp_path / f"{name}.cfg").write_text(PRESEED)
        assert bootkit("seed", "add", "mini", tmp_path / f"{name}.cfg", "--stick", stick).returncode == 0
    seeds = json.loads(bootkit("seed", "list", "--stick", stick, "--json").stdout)["seeds"]
    assert [seed["path"] for seed in seeds] == [
        f"/boot/seeds/mini.iso/preseed/{name}/preseed.cfg" for name in ("lab", "office")
    ]
    archives = sorted((stick / "boot/bootkit/added").iterdir())
    assert [members(archive) for archive in archives] == [["preseed.cfg"], ["preseed.cfg"]]
    menu = menu_of(stick)
    assert "'Install, with preseed lab'" in menu
    line = next(line for line in menu.splitlines() if "auto=true" in line)
    assert line.index("vga=788") < line.index("priority=critical") < line.index("---")
    assert all(archive.name in menu for archive in archives)
    assert bootkit("generate", "--dry-run", "--stick", stick).stdout == "nothing to do\n"
    (stick / "boot/seeds/mini.iso/preseed/lab/preseed.cfg").write_text(PRESEED + "# changed\n")
    assert "/boot/bootkit/added/seed_" in bootkit("generate", "--dry-run", "--stick", stick).stdout
    choose = ("options", "set", "seed", "--image", "mini", "--stick", stick)
    assert "preseed/lab, preseed/office" in bootkit(*choose, "loft").stderr
    assert bootkit(*choose, "office").returncode == 0
    assert ">entry-install-with-preseed-office" in default_of(menu_of(stick))
    assert "preseed/office" in bootkit("options", "get", "seed", "--image", "mini", "--stick", stick).stdout
    assert bootkit("seed", "remove", "mini", "lab", "--stick", stick).returncode == 0
    assert "with preseed lab" not in menu_of(stick)
    assert len(list((stick / "boot/bootkit/added").iterdir())) == 1


def test_an_answer_file_for_a_live_system_is_refused_with_the_reason(
    bootkit: Bootkit, stick: Path, make_iso: MakeIso, tmp_path: Path
) -> None:
    bootkit("add", make_iso("live.iso"), "--stick", stick)
    (tmp_path / "a.cfg").write_text(PRESEED)
    done = bootkit("seed", "add", "live", tmp_path / "a.cfg", "--stick", stick)
    assert done.returncode == 1
    assert "it is a live system, whose installer reads none" in done.stderr


def test_subiquity_finds_its_answers_on_the_stick(
    bootkit: Bootkit, stick: Path, make_iso: MakeIso, tmp_path: Path
) -> None:
    bootkit("add", make_iso("server.iso", UBUNTU), "--stick", stick)
    (tmp_path / "web.yaml").write_text("version: 1\nidentity:\n  hostname: web\n")
    assert bootkit("seed", "add", "server", tmp_path / "web.yaml", "--stick", stick).returncode == 0
    folder = stick / "boot/seeds/server.iso/autoinstall/web"
    assert (folder / "user-data").read_text() == (
        "#cloud-config\nautoinstall:\n  version: 1\n  identity:\n    hostname: web\n"
    )
    assert (folder / "meta-data").read_text() == ""
    line = next(line for line in menu_of(stick).splitlines() if "autoinstall/web" in line and "nocloud" in line)
    assert "'ds=nocloud;s=file:///isodevice/boot/seeds/server.iso/autoinstall/web/'" in line
    assert line.index("nocloud") < line.index("---")


def test_all_of_it_works_on_a_fat_stick_in_a_file(bootkit: Bootkit, make_iso: MakeIso, tmp_path: Path) -> None:
    stick, tree = tmp_path / "stick.img", tmp_path / "tree"
    assert bootkit("prepare", stick, "--size", "600M", "--layout", "single", "--yes").returncode == 0
    (tree / "bin").mkdir(parents=True)
    (tree / "bin/tool").write_text("#!/bin/sh\n")
    bootkit("ext", "create", tree, "--name", "tool", "--any", "--output", tmp_path / "tool.raw")
    assert bootkit("ext", "add", tmp_path / "tool.raw", "--stick", stick).returncode == 0
    assert [
        row["name"] for row in json.loads(bootkit("ext", "list", "--stick", stick, "--json").stdout)["extensions"]
    ] == ["tool.raw"]
    assert bootkit("ext", "verify", "--stick", stick).returncode == 0
    assert bootkit("home", "create", "anna", "--size", "64M", "--stick", stick).returncode == 0
    assert bootkit("add", make_iso("server.iso", UBUNTU), "--stick", stick).returncode == 0
    assert bootkit("persist", "create", "server", "--size", "40M", "--stick", stick).returncode == 0
    (row,) = json.loads(bootkit("persist", "list", "--stick", stick, "--json").stdout)["kept"]
    assert (row["path"], row["size"]) == ("/boot/persistence/server.iso/writable", 40 << 20)
    (line,) = json.loads(bootkit("home", "list", "--stick", stick, "--json").stdout)["homes"]
    assert (line["name"], line["state"]) == ("anna", "clean")
    assert bootkit("persist", "remove", "server", "--yes", "--stick", stick).returncode == 0
    assert bootkit("ext", "remove", "tool", "--stick", stick).returncode == 0


def test_the_function_for_live_boot_names_the_loop_device_of_the_file(tmp_path: Path) -> None:
    script = Path(__file__).parents[2] / "initrd_overlays/live_boot_persistence/files/persistence.sh"
    place = tmp_path / "findiso"
    (place / "boot").mkdir(parents=True)
    (place / "boot/keep").write_text("")
    text = (
        script.read_text().replace("/run/live/findiso", str(place)).replace("/proc/cmdline", str(tmp_path / "cmdline"))
    )
    (tmp_path / "cmdline").write_text("boot=live persistence bootkit.persistence=/boot/keep quiet\n")
    (tmp_path / "9999").write_text(text)
    helpers = 'mount() { echo "mount $*"; }; setup_loop() { echo "/dev/loop7"; }'
    command = f"{helpers}; . {tmp_path}/9999; find_persistence_media persistence"

    def answer(more: str) -> tuple[str, str]:
        argv = ["busybox", "sh", "-c", f"{more}; {command}"]
        done = subprocess.run(argv, check=True, capture_output=True, text=True)
        return done.stdout, done.stderr

    assert answer("PERSISTENCE_ENCRYPTION=none") == (
        "persistence=/dev/loop7\n",
        f"mount -o remount,rw,noatime {place}\n",
    )
    encrypted = 'PERSISTENCE_ENCRYPTION=luks; losetup() { echo "losetup $*" >&2; }'
    opened, _ = answer(f"{encrypted}; open_luks_device() {{ echo /dev/mapper/${{1##*/}}; }}")
    assert opened == "persistence=/dev/mapper/loop7\n"
    nothing, said = answer(f"{encrypted}; open_luks_device() {{ return 2; }}")
    assert nothing == ""
    assert said.endswith("losetup -d /dev/loop7\n")
