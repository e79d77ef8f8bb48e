"""GRUB as a program."""

from pathlib import Path

import pytest

from bootkit.system.grubemu import run_menu
from bootkit.system.run import run, which

needs_grub = pytest.mark.skipif(
    which("grub-emu") is None or which("mke2fs") is None, reason="grub-emu or mke2fs is not installed"
)


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    menu = tmp_path / "tree" / "boot" / "grub" / "grub.cfg"
    menu.parent.mkdir(parents=True)
    menu.write_text(
        'menuentry good --id good {\n  linux /boot/grub/grub.cfg "two words" $given $grub_platform-$grub_cpu\n'
        "  initrd /boot/grub/grub.cfg /no/initrd\n}\nmenuentry bad --id bad {\n  if linux /no/kernel; then echo yes; fi\n}\n"
    )
    disk = tmp_path / "disk.img"
    with disk.open("wb") as fh:
        fh.truncate(4 << 20)
    run(["mke2fs", "-q", "-F", "-t", "ext2", "-d", tmp_path / "tree", disk])
    return disk


@needs_grub
def test_writes_down_what_linux_and_initrd_were_given(disk: Path) -> None:
    got = run_menu(disk, entry="good", presets={"given": "a b"})
    assert got.linux == ("/boot/grub/grub.cfg", "two words", "a", "b", "pc-i386")
    assert got.initrd == ("/boot/grub/grub.cfg", "/no/initrd")


@needs_grub
def test_a_kernel_that_is_not_there_is_an_error_to_the_menu(disk: Path) -> None:
    got = run_menu(disk, entry="bad")
    assert got.linux == ("/no/kernel",)
    assert "yes" not in got.screen


@needs_grub
def test_types_commands_when_nothing_is_chosen(disk: Path) -> None:
    got = run_menu(disk, commands=("echo root=$root",))
    assert got.linux is None
    assert "root=hd0" in got.screen
