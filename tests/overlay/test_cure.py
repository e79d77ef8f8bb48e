"""The cure in an initrd: drivers inserted, the ISO file made a block device, and everything told where it does not work."""

import pytest

from bootkit.overlay.cures import ModuleFile, WayToIso, driver_members, iso_members
from tests.overlay.sandbox import Sandbox
from tests.overlay.small_initrd import unpack

PATH = "/boot/iso/ember.iso"
KERNEL = "6.1.0-9-amd64"
BY_DRIVER = WayToIso(stick_uuid="B007-C177", path=PATH, driver="exfat")
IN_ONE_PIECE = WayToIso(stick_uuid="B007-C177", path=PATH, extents=((1048576, 4096),))
IN_PIECES = WayToIso(stick_uuid="B007-C177", path=PATH, extents=((1048576, 4096), (512, 1024), (9437184, 2048)))
FOUND = ["findfs UUID=B007-C177"]
MOUNTED = ["modprobe exfat", "mount -t exfat -o ro /dev/vda1 /stick"]


@pytest.fixture
def initrd(sandbox: Sandbox) -> Sandbox:
    sandbox.take("cure.sh")
    sandbox.stand_in("uname", f"echo {KERNEL}")
    sandbox.stand_in("findfs", "echo /dev/vda1")
    sandbox.stand_in("losetup", "[ $1 != -f ] || echo /dev/loop5")
    for name in ("insmod", "modprobe", "mount", "dmsetup", "sleep"):
        sandbox.stand_in(name)
    return sandbox


def cure(initrd: Sandbox, *words: str, wait: int = 30) -> tuple[int, list[str]]:
    return initrd.run(f"BK_WAIT={wait}; set -- {' '.join(words)}; . /bootkit/cure.sh")


def bring(initrd: Sandbox, *names: str, kernel: str = KERNEL) -> None:
    """Modules into the initrd, as ``generate`` does it."""
    unpack(driver_members(kernel, [ModuleFile(name=name, content=b"\x7fELF") for name in names]), initrd.root)


def log(initrd: Sandbox) -> list[str]:
    path = initrd.root / "bootkit/cure.log"
    return [line.partition("cure: ")[2] for line in path.read_text().splitlines()] if path.exists() else []


def test_the_modules_of_the_running_kernel_are_inserted_in_their_order(initrd: Sandbox) -> None:
    bring(initrd, "nls_ascii", "exfat")
    assert cure(initrd, "drivers") == (0, [])
    assert initrd.said == ["uname -r", "insmod /bootkit/01-nls_ascii.ko", "insmod /bootkit/02-exfat.ko"]
    assert log(initrd)[-1] == "exfat, which is the ISO's own, was inserted"


def test_modules_of_another_kernel_are_left_alone(initrd: Sandbox) -> None:
    bring(initrd, "nls_ascii", "exfat", kernel="6.1.0-9-rt-amd64")
    assert cure(initrd, "drivers") == (0, [])
    assert initrd.said == ["uname -r"]


def test_a_module_that_is_there_or_is_refused_keeps_no_other_out(initrd: Sandbox) -> None:
    bring(initrd, "loop", "nls_ascii", "exfat")
    initrd.write("sys/module/loop/refcnt", "0\n")
    initrd.stand_in("insmod", "case $1 in *nls*) echo invalid module format; false ;; esac")
    assert cure(initrd, "drivers") == (0, [])
    assert log(initrd) == [
        "loop is there already",
        "nls_ascii cannot be inserted: invalid module format",
        "exfat, which is the ISO's own, was inserted",
    ]
    assert "insmod /bootkit/01-loop.ko" not in initrd.said


def test_an_image_that_needs_no_cure_gets_none(initrd: Sandbox) -> None:
    assert cure(initrd, "drivers") == (0, [])
    assert cure(initrd, "iso", "/stick") == (1, [])
    assert initrd.said == log(initrd) == []


@pytest.mark.parametrize("words", ["bootkit=nocure", "quiet bootkit=nohome,nocure ro"])
def test_it_is_switched_off_on_the_kernels_line(words: str, initrd: Sandbox) -> None:
    initrd.write("proc/cmdline", f"{words}\n")
    bring(initrd, "exfat")
    unpack(iso_members(BY_DRIVER), initrd.root)
    assert cure(initrd, "drivers") == cure(initrd, "iso", "/stick") == (1, [])
    assert initrd.said == []
    assert log(initrd) == ["switched off for this boot"] * 2


def test_the_stick_is_mounted_by_the_driver_and_the_file_opened(initrd: Sandbox) -> None:
    unpack(iso_members(BY_DRIVER), initrd.root)
    assert cure(initrd, "iso", "/stick") == (0, ["/dev/loop5"])
    assert initrd.said == [
        *FOUND, *MOUNTED, "modprobe loop", "losetup -f", f"losetup -r -o 0 /dev/loop5 /stick{PATH}",
    ]  # fmt: skip
    assert log(initrd) == [f"{PATH} is /dev/loop5, found on /dev/vda1, mounted by exfat"]


def test_a_file_in_one_piece_is_a_loop_device_that_begins_there(initrd: Sandbox) -> None:
    unpack(iso_members(IN_ONE_PIECE), initrd.root)
    assert cure(initrd, "iso", "/stick") == (0, ["/dev/loop5"])
    assert initrd.said == [*FOUND, "modprobe loop", "losetup -f", "losetup -r -o 1048576 /dev/loop5 /dev/vda1"]
    assert log(initrd) == [f"{PATH} is /dev/loop5, mapped on /dev/vda1 without its file system"]


def test_the_pieces_of_a_file_are_put_together_in_sectors(initrd: Sandbox) -> None:
    unpack(iso_members(IN_PIECES), initrd.root)
    assert cure(initrd, "iso", "/stick") == (0, ["/dev/mapper/bootkit-iso"])
    assert initrd.said == [*FOUND, "modprobe dm-mod", "dmsetup create --readonly bootkit-iso /bootkit/iso.table"]
    table = (initrd.root / "bootkit/iso.table").read_text().splitlines()
    assert table == ["0 8 linear /dev/vda1 2048", "8 2 linear /dev/vda1 1", "10 4 linear /dev/vda1 18432"]


def test_a_stick_that_takes_its_time_is_waited_for(initrd: Sandbox) -> None:
    unpack(iso_members(IN_ONE_PIECE), initrd.root)
    initrd.stand_in("findfs", "echo . >>/asked; [ $(grep -c . /asked) -ge 3 ] && echo /dev/vda1")
    assert cure(initrd, "iso", "/stick") == (0, ["/dev/loop5"])
    assert initrd.said[:5] == [*FOUND, "sleep 1", *FOUND, "sleep 1", *FOUND]


@pytest.mark.parametrize("wait", [0, 2])
def test_a_stick_that_does_not_come_ends_the_waiting(wait: int, initrd: Sandbox) -> None:
    unpack(iso_members(IN_ONE_PIECE), initrd.root)
    initrd.stand_in("findfs", "false")
    assert cure(initrd, "iso", "/stick", wait=wait) == (1, [])
    assert initrd.said == [*FOUND, *(["sleep 1", *FOUND] * wait)]
    assert log(initrd) == ["no partition has the UUID B007-C177"]


@pytest.mark.parametrize(
    ("way", "program", "told"),
    [
        (BY_DRIVER, "mount", f"{PATH} on /dev/vda1 cannot be opened by exfat"),
        (BY_DRIVER, "losetup", f"{PATH} on /dev/vda1 cannot be opened by exfat"),
        (IN_ONE_PIECE, "losetup", f"{PATH} cannot be mapped on /dev/vda1"),
        (IN_PIECES, "dmsetup", f"{PATH} cannot be mapped on /dev/vda1"),
    ],
)
def test_what_cannot_be_opened_is_told_and_gives_no_device(
    way: WayToIso, program: str, told: str, initrd: Sandbox
) -> None:
    unpack(iso_members(way), initrd.root)
    initrd.stand_in(program, "false")
    assert cure(initrd, "iso", "/stick") == (1, [])
    assert log(initrd)[-1] == told


@pytest.mark.parametrize(("way", "device"), [(BY_DRIVER, "/dev/loop5"), (IN_PIECES, "/dev/mapper/bootkit-iso")])
def test_an_initrd_without_modprobe_has_what_it_needs_built_in(way: WayToIso, device: str, initrd: Sandbox) -> None:
    unpack(iso_members(way), initrd.root)
    initrd.stand_in("modprobe", "false")
    assert cure(initrd, "iso", "/stick") == (0, [device])
