import shutil
from pathlib import Path

import pytest

from bootkit.errors import UsageError
from bootkit.system.run import run, which
from bootkit.system.witness import TEST_UUID, make_test_disk, render_test_cfg, witness_archive

FILES = Path(__file__).parents[2] / "initrd_overlays/witness/files"


def members() -> set[str]:
    return set(run(["cpio", "-it", "--quiet"], stdin=witness_archive()).decode().split())


def test_archive_makes_no_directory_but_its_own() -> None:
    listed = run(["cpio", "-itv", "--quiet"], stdin=witness_archive()).decode().splitlines()
    assert [line.split()[-1] for line in listed if line.startswith("d")] == ["bootkit-witness"]


def test_every_file_of_the_overlay_is_in_the_archive() -> None:
    content = witness_archive()
    assert all(file.read_bytes() in content for file in FILES.iterdir())


def test_dracut_finds_each_hook_under_both_roofs() -> None:
    hooks = {name.partition("/")[2] for name in members() if name.startswith("usr/lib/dracut")}
    assert hooks == {name.partition("/")[2] for name in members() if name.startswith("var/lib/dracut")} != set()


def test_disk_has_the_uuid_and_both_files(tmp_path: Path) -> None:
    disk = tmp_path / "test.img"
    make_test_disk(disk, "debian>safe", words=("quiet",))
    assert TEST_UUID in run(["dumpe2fs", "-h", disk]).decode()
    assert run(["debugfs", "-R", "cat witness.cpio", disk]) == witness_archive()
    assert run(["debugfs", "-R", "cat test.cfg", disk]).decode() == render_test_cfg("debian>safe", words=("quiet",))


def test_test_cfg_is_valid_grub(tmp_path: Path) -> None:
    (tmp_path / "test.cfg").write_text(render_test_cfg("debian>safe"))
    run(["grub-script-check", tmp_path / "test.cfg"])


@pytest.mark.parametrize("entry", ['a"b', "a$b", "a\nb", "a\\b"])
def test_refuses_an_entry_that_grub_would_take_apart(entry: str) -> None:
    with pytest.raises(UsageError):
        render_test_cfg(entry)


@pytest.mark.skipif(which("busybox") is None, reason="the shell of initrds; needs busybox")
def test_hook_puts_itself_before_the_order_of_init_bottom(tmp_path: Path) -> None:
    order = tmp_path / "ORDER"
    order.write_text("/scripts/init-bottom/udev\n")
    for name in ("initramfs-tools.sh", "witness.sh"):
        text = (FILES / name).read_text()
        text = text.replace("/scripts/init-bottom/ORDER", str(order)).replace("/bootkit-witness/", f"{tmp_path}/")
        (tmp_path / name).write_text(text.replace("/dev/kmsg", f"{tmp_path}/kmsg"))
    shutil.copy(order, tmp_path / "before")
    run(["busybox", "sh", "-c", f". {tmp_path}/initramfs-tools.sh; . {tmp_path}/initramfs-tools.sh"])
    first, *rest = order.read_text().splitlines()
    assert first.endswith('bkw_late "$rootmnt"')
    assert rest == (tmp_path / "before").read_text().splitlines()
    assert (tmp_path / "kmsg").read_text() == "<1>bootkit-witness: initrd\n"
