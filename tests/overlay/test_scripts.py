"""What the overlays run in foreign initrds: small, and in the language of the oldest shell there."""

import re
from pathlib import Path

import pytest

from bootkit.model.options import OPTIONS
from bootkit.overlay.choices import assignments
from bootkit.overlay.manifest import Overlay, overlay_archive, overlay_members, overlays
from bootkit.system.run import run, which

SIZE_LIMIT = 64 << 10
"""Bytes that the scripts of one boot stack may have; GRUB reads them from sticks that are slow in a BIOS."""
SHELLS = (("busybox", "ash"), ("dash",), ("bash", "--posix"))
CHOICES = {
    "BK_LANGUAGE": "de_DE.UTF-8", "BK_KEYBOARD": "de", "BK_KEYBOARD_VARIANT": "nodeadkeys", "BK_TIMEZONE": "Europe/Berlin",
    "BK_HOSTNAME": "it's", "BK_CUSTOMIZE": "no",
}  # fmt: skip
STEPS = """\
BK_HERE=$1
. "$BK_HERE/lib.sh"
. "$BK_HERE/choices"
BK=$2/run BK_STICK=$2/stick BK_ROOT=$2/root BK_WORDS=,nohome
bk_log_folder=$BK_STICK/log
mkdir -p "$BK" "$bk_log_folder" "$BK_ROOT/etc" "$BK_ROOT/usr/share/zoneinfo/Europe"
: >"$BK_ROOT/usr/share/zoneinfo/Europe/Berlin"
echo first.log >"$BK/log-name"
for step in settings apps program home customize start; do bk_run "$step"; done
bk_keep_log
cat "$BK/status"
"""


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """The overlay as it lies in an initrd."""
    folder = tmp_path / "bootkit"
    folder.mkdir()
    for name, content in members().items():
        if name.startswith("bootkit/"):
            (tmp_path / name).write_bytes(content)
    (folder / "choices").write_text(assignments(CHOICES))
    return folder


def served() -> tuple[Overlay, ...]:
    return tuple(overlay for overlay in overlays() if overlay.stacks)


def members() -> dict[str, bytes]:
    """Every file, by its name in the initrd."""
    found: dict[str, bytes] = {}
    for overlay in overlays():
        found |= {name: one for name, one in overlay_members(overlay).items() if isinstance(one, bytes)}
    return found


def scripts() -> dict[str, bytes]:
    """Every file that a shell reads, by its name in the initrd."""
    return {name: content for name, content in members().items() if is_script(content)}


def is_script(content: bytes) -> bool:
    return content.startswith((b"#!/bin/sh", b"# shellcheck shell=sh"))


@pytest.mark.parametrize("overlay", served(), ids=lambda overlay: overlay.name)
def test_the_scripts_of_a_boot_stack_are_small(overlay: Overlay) -> None:
    programs = sum(len(data) for data in overlay_members(overlay).values() if isinstance(data, bytes) and b"\0" in data)
    assert len(overlay_archive(overlay)) - programs < SIZE_LIMIT


def test_each_script_passes_shellcheck(tmp_path: Path) -> None:
    if which("shellcheck") is None:
        pytest.skip("needs shellcheck")
    paths: list[Path] = []
    for name, content in scripts().items():
        paths.append(tmp_path / name.replace("/", "_"))
        paths[-1].write_bytes(content)
    assert len(paths) > len(served())
    run(["shellcheck", "--shell=sh", *paths])


@pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: shell[0])
def test_each_script_is_read_by_the_shells_of_initrds(shell: tuple[str, ...], here: Path) -> None:
    if which(shell[0]) is None:
        pytest.skip(f"needs {shell[0]}")
    for path in here.iterdir():
        if is_script(path.read_bytes()):
            run([*shell, "-n", path])


def test_systemd_gets_a_helper_for_what_it_cannot_unmount(here: Path, tmp_path: Path) -> None:
    systemd = tmp_path / "root/lib/systemd"
    systemd.mkdir(parents=True)
    (systemd / "systemd-shutdown").touch(0o755)
    steps = ". $1/lib.sh; . $1/start.sh; BK_ROOT=$2; bk_clean_at_the_end; bk_clean_at_the_end"
    run(["busybox", "ash", "-c", steps, "sh", here, tmp_path / "root"])
    helper = systemd / "system-shutdown/bootkit"
    assert helper.stat().st_mode & 0o777 == 0o755
    trigger, mounts = tmp_path / "sysrq-trigger", tmp_path / "mounts"
    text = helper.read_text().replace("/proc/sysrq-trigger", str(trigger)).replace("/proc/mounts", str(mounts))
    helper.write_text(text.replace("sleep 1", "echo slept; [ $second -lt 3 ] || sed -i s/rw/ro/ mounts"))
    mounts.write_text("/dev/sda1 /run/live/findiso vfat rw,noatime 0 0\nproc /proc proc rw 0 0\n")
    assert run(["busybox", "ash", "-c", "cd $2; . $1", "sh", helper, tmp_path]).decode().split() == ["slept"] * 3
    assert trigger.read_text() == "u\n"


@pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: shell[0])
def test_the_steps_run_in_the_shells_of_initrds(shell: tuple[str, ...], here: Path, tmp_path: Path) -> None:
    if which(shell[0]) is None:
        pytest.skip(f"needs {shell[0]}")
    app = tmp_path / "stick/apps/Über uns-1.AppImage"
    app.parent.mkdir(parents=True)
    app.write_text("")
    said = run([*shell, "-c", STEPS, "sh", here, tmp_path]).decode().splitlines()
    assert said == [
        "settings ok language de_DE.UTF-8, keyboard de nodeadkeys, time zone Europe/Berlin, host it's",
        "apps ok 1 in the menu",
        "program none the stick carries no bootkit: bootkit upgrade puts it there",
        "home off switched off for this boot",
        "customize off no scripts are chosen for this image",
        "start failed nothing in this system can start the rest: no home, no scripts",
    ]
    root = tmp_path / "root"
    assert (root / "etc/locale.conf").read_text() == "LANG=de_DE.UTF-8\n"
    assert (root / "etc/hostname").read_text() == "it's\n"
    assert (root / "etc/localtime").readlink() == Path("/usr/share/zoneinfo/Europe/Berlin")
    entry = root / "usr/local/share/applications/bootkit-Über uns-1.desktop"
    assert 'Exec="/isodevice/apps/Über uns-1.AppImage" %U' in entry.read_text().splitlines()
    assert (tmp_path / "stick/log/first.log").read_text() == (tmp_path / "run/log").read_text()


@pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: shell[0])
def test_no_appimage_takes_the_place_of_a_program(shell: tuple[str, ...], here: Path, tmp_path: Path) -> None:
    if which(shell[0]) is None:
        pytest.skip(f"needs {shell[0]}")
    apps, bin_folder = tmp_path / "stick/apps", tmp_path / "root/usr/bin"
    apps.mkdir(parents=True)
    bin_folder.mkdir(parents=True)
    for name in ("sudo", "viewer", "ls"):
        (apps / f"{name}.AppImage").write_text("")
    (bin_folder / "sudo").write_text("")
    (bin_folder / "ls").symlink_to("busybox")
    run([*shell, "-c", STEPS, "sh", here, tmp_path])
    run([*shell, "-c", STEPS, "sh", here, tmp_path])
    local = tmp_path / "root/usr/local"
    assert {path.name for path in (local / "bin").iterdir()} == {"viewer", "bootkit-status"}
    assert (local / "bin/viewer").readlink() == Path("/isodevice/apps/viewer.AppImage")
    assert len(list((local / "share/applications").iterdir())) == 3
    assert "sudo is a program of this system" in (tmp_path / "run/log").read_text()


@pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: shell[0])
@pytest.mark.parametrize("python", ["python3.9", "python3.11", "python3.13"])
def test_the_program_of_the_stick_is_a_command_and_in_the_menu(
    shell: tuple[str, ...], python: str, here: Path, tmp_path: Path
) -> None:
    if which(shell[0]) is None:
        pytest.skip(f"needs {shell[0]}")
    program = tmp_path / "stick/boot/bootkit/program/bootkit"
    program.parent.mkdir(parents=True)
    program.write_text("")
    (tmp_path / "root/usr/bin").mkdir(parents=True)
    (tmp_path / "root/usr/bin" / python).symlink_to("/etc/alternatives/python")
    entry = tmp_path / "root/usr/local/share/applications/bootkit.desktop"
    run([*shell, "-c", STEPS, "sh", here, tmp_path])
    # a system that keeps its changes has the link of the last boot
    said = run([*shell, "-c", STEPS, "sh", here, tmp_path]).decode().splitlines()
    assert (tmp_path / "root/usr/local/bin/bootkit").readlink() == Path("/isodevice/boot/bootkit/program/bootkit")
    assert program.stat().st_mode & 0o111
    if python == "python3.9":
        assert "program none bootkit needs Python 3.11 or newer, which this system has not" in said
        assert not entry.exists()
    else:
        assert "program ok bootkit is a command here" in said
        assert "Name=Look after this stick" in entry.read_text().splitlines()


@pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: shell[0])
def test_a_bootkit_that_is_installed_stays_the_command(shell: tuple[str, ...], here: Path, tmp_path: Path) -> None:
    if which(shell[0]) is None:
        pytest.skip(f"needs {shell[0]}")
    (tmp_path / "stick/boot/bootkit/program").mkdir(parents=True)
    (tmp_path / "stick/boot/bootkit/program/bootkit").write_text("")
    (tmp_path / "root/usr/bin").mkdir(parents=True)
    (tmp_path / "root/usr/bin/bootkit").write_text("")
    said = run([*shell, "-c", STEPS, "sh", here, tmp_path]).decode().splitlines()
    assert "program none this system has a bootkit of its own" in said
    assert not (tmp_path / "root/usr/local/bin/bootkit").exists()


def test_every_option_that_the_overlays_get_is_read_by_them() -> None:
    texts = [
        content for overlay in overlays() for content in overlay_members(overlay).values() if isinstance(content, bytes)
    ]
    variables = {spec.variable for spec in OPTIONS if spec.variable}
    assert "BK_HOSTNAME" in variables
    assert {
        name for name in variables if not any(re.search(rb"\b%s\b" % name.encode(), text) for text in texts)
    } == set()
