"""The test bench itself, on machines whose GRUB only prints what a boot would have printed."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from bootkit.model.testboot import Stage
from bootkit.system.boot import boot
from bootkit.system.qemu import Accelerator

pytestmark = pytest.mark.boots

MENU = 'echo "bootkit: menu"\n'
KERNEL = 'echo "Linux version 6.1.0"\n'
INITRD = 'echo "Run /init as init process"\n'
USERSPACE = 'echo "bootkit-witness: root overlay"\necho "bootkit-witness: userspace Ember Live 7"\n'
FOREVER = "sleep 10000\n"
Maker = Callable[[str], Path]


def test_boot_ends_as_soon_as_userspace_is_reached(grub_disk: Maker, accelerator: Accelerator, tmp_path: Path) -> None:
    stages: list[Stage] = []
    verdict = boot(
        grub_disk(MENU + KERNEL + INITRD + USERSPACE + FOREVER),
        entry="any",
        accelerator=accelerator,
        screenshots=tmp_path,
        on_stage=stages.append,
    )
    assert (verdict.ok, verdict.stage, verdict.pretty_name) == (True, Stage.USERSPACE, "Ember Live 7")
    assert stages == list(Stage)[1:]
    assert Path(verdict.screenshots[-1]).read_bytes().startswith(b"\x89PNG")


def test_enter_is_pressed_at_the_menu_after_a_picture_of_it(
    grub_disk: Maker, accelerator: Accelerator, tmp_path: Path
) -> None:
    commands = f"{MENU}read answer\n{KERNEL}{FOREVER}"
    verdict = boot(grub_disk(commands), entry="any", accelerator=accelerator, screenshots=tmp_path, until=Stage.KERNEL)
    assert verdict.ok
    assert [Path(path).name for path in verdict.screenshots] == ["menu.png", "end.png"]


def test_initrd_that_gives_up_ends_the_boot_with_its_own_words(grub_disk: Maker, accelerator: Accelerator) -> None:
    complaint = 'echo "Unable to find a medium containing a live file system"\n'
    verdict = boot(grub_disk(MENU + KERNEL + INITRD + complaint + FOREVER), entry="any", accelerator=accelerator)
    assert (verdict.ok, verdict.stage) == (False, Stage.INITRD)
    assert "Unable to find a medium" in verdict.reason


def test_machine_that_switches_itself_off_is_noticed(grub_disk: Maker, accelerator: Accelerator) -> None:
    verdict = boot(grub_disk(MENU + KERNEL + "halt\n"), entry="any", accelerator=accelerator)
    assert "switched off" in verdict.reason
    assert verdict.tail[-1] == "Linux version 6.1.0"


def test_time_limit_of_a_stage_ends_the_boot(grub_disk: Maker, accelerator: Accelerator) -> None:
    limits = {Stage.FIRMWARE: 10.0, Stage.KERNEL: 0.5}
    verdict = boot(grub_disk(MENU + KERNEL + FOREVER), entry="any", accelerator=accelerator, limits=limits)
    assert verdict.reason == f"nothing happened for {0.5 * accelerator.patience:.0f} s after stage: kernel"


def test_empty_disk_starts_nothing(tmp_path: Path, accelerator: Accelerator) -> None:
    disk = tmp_path / "empty.img"
    disk.write_bytes(bytes(1 << 20))
    verdict = boot(disk, entry="any", accelerator=accelerator, limits={Stage.FIRMWARE: 6})
    assert (verdict.stage, verdict.reason) == (Stage.FIRMWARE, "the firmware found nothing to start")


def test_machine_and_folder_are_gone_when_the_caller_breaks_off(
    grub_disk: Maker, accelerator: Accelerator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))

    def interrupt(_: Stage) -> None:
        raise KeyboardInterrupt

    disk = grub_disk(MENU + FOREVER)
    with pytest.raises(KeyboardInterrupt):
        boot(disk, entry="any", accelerator=accelerator, on_stage=interrupt)
    assert list(scratch.iterdir()) == []
    assert str(disk) not in _command_lines()


def test_what_the_guest_writes_never_reaches_the_stick(grub_disk: Maker, accelerator: Accelerator) -> None:
    disk = grub_disk(MENU + KERNEL + INITRD + USERSPACE)
    disk.chmod(0o444)
    before = disk.read_bytes()
    assert boot(disk, entry="any", accelerator=accelerator).ok
    assert disk.read_bytes() == before


def _command_lines() -> str:
    lines: list[str] = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(path.read_text(errors="replace"))
        except OSError:
            continue  # ended while we looked
    return "\n".join(lines)
