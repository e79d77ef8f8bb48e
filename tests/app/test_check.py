"""``check`` on a stick: real initrds, kept records, and what hostile images may cost."""

import json
import os
import random
import resource
import subprocess
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import pytest

from bootkit.app.stick.facts import stick_facts
from bootkit.app.verbs.check import check_stick, keep_records
from bootkit.app.verbs.generate import plan_generation
from bootkit.app.verbs.images import add_images, plan_additions
from bootkit.model.boot import Firmware
from bootkit.model.check import Answer, Prediction, StickLoader
from bootkit.model.places import IMAGES_FILE, LOADERS_FILE
from bootkit.model.plan import WriteFile
from bootkit.overlay.pack import pack
from bootkit.plan import cures
from bootkit.plan.check import predict
from bootkit.system.changes import apply_changes
from bootkit.system.sticks import Stick
from bootkit.system.volume import Volume
from bootkit.system.volumes.folder import FolderVolume
from tests.app.conftest import LIVE_BOOT, MakeIso
from tests.work import counted

VERSION = "6.1.0-9-amd64"
MODULES = f"usr/lib/modules/{VERSION}"
PACKERS = {
    "none": ("cat",),
    "gzip": ("gzip", "-n"),
    "xz": ("xz", "--check=crc32"),
    "lz4": ("lz4", "-l"),
    "zstd": ("zstd", "-3"),
}
TREE = {
    "conf/initramfs.conf": "MODULES=most\n",
    "usr/lib/live/boot/9990-main.sh": "#!/bin/sh\n",
    f"{MODULES}/kernel/fs/ext4/ext4.ko": "ELF",
    f"{MODULES}/kernel/fs/fat/vfat.ko": "ELF",
    f"{MODULES}/kernel/fs/nls/nls_cp437.ko": "ELF",
    f"{MODULES}/kernel/fs/nls/nls_ascii.ko": "ELF",
    f"{MODULES}/modules.builtin": "kernel/drivers/block/loop.ko\n",
}


@pytest.fixture(autouse=True)
def no_cures(monkeypatch: pytest.MonkeyPatch) -> None:
    """What an image does by itself."""
    monkeypatch.setattr(cures, "CURES", ())


def made(data: bytes, *argv: str, cwd: Path | None = None) -> bytes:
    return subprocess.run(argv, input=data, cwd=cwd, check=True, capture_output=True, timeout=60).stdout


def initrd(folder: Path, files: dict[str, str], compression: str) -> bytes:
    """As ``cpio`` and the compressor make it."""
    root = folder / f"initrd-{compression}"
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    names = "\n".join(sorted(str(path.relative_to(root)) for path in root.rglob("*"))).encode()
    archive = made(names, "cpio", "-o", "-H", "newc", "--quiet", cwd=root)
    return made(archive, *PACKERS[compression], "-c" if compression != "none" else "-")


def squashed(root: Path, *options: str) -> bytes:
    root.mkdir(exist_ok=True)
    image = root.with_suffix(".squashfs")
    made(b"", "mksquashfs", str(root), str(image), "-quiet", "-no-progress", "-noappend", *options)
    return image.read_bytes()


@pytest.fixture
def opened(volume: Volume, stick: Path) -> Stick:
    return Stick(where=stick, volume=volume)


def live_iso(make_iso: MakeIso, tmp_path: Path, name: str, **files: bytes) -> Path:
    """A live-boot image; ``files`` are ``initrd`` and ``root``."""
    tree = tmp_path / f"{name}.tree" / "live"
    tree.mkdir(parents=True)
    (tree / "initrd.img").write_bytes(files["initrd"])
    (tree / "filesystem.squashfs").write_bytes(files.get("root") or squashed(tmp_path / "plain"))
    return make_iso(name, {path: text for path, text in LIVE_BOOT.items() if not (tree.parent / path).exists()})


def judged_on(filesystem: str, volume: Volume, stick: Stick) -> Prediction:
    """The only image, as if the stick had that file system."""
    from bootkit.app.stick.catalog import read_catalog
    from bootkit.app.stick.images import find_images

    (item,) = read_catalog(volume, find_images(volume), insides=True).items
    return predict(item, replace(stick_facts(stick, [item]), filesystem=filesystem))


@pytest.mark.parametrize("compression", PACKERS)
def test_what_a_real_initrd_lacks_is_found_whatever_its_compression(
    compression: str, opened: Stick, make_iso: MakeIso, tmp_path: Path
) -> None:
    volume = opened.volume
    iso = live_iso(make_iso, tmp_path, "live.iso", initrd=initrd(tmp_path, TREE, compression))
    add_images(volume, plan_additions(volume, [iso]))
    assert judged_on("ext4", volume, opened).verdict == "boots"
    prediction = judged_on("exfat", volume, opened)
    assert prediction.line == "boots only from ext4, FAT32: Its initrd has no driver for exFAT."
    assert prediction.cure == "copy it to a stick with ext4: bootkit prepare TARGET --data-fs ext4"


class _NoIso(FolderVolume):
    """Refuses to give away a byte of an image."""

    def open(self, path: str) -> BinaryIO:
        assert not path.endswith(".iso"), f"{path} was opened"
        return super().open(path)


def test_twenty_images_are_judged_from_their_records_alone(
    opened: Stick, stick: Path, make_iso: MakeIso, tmp_path: Path
) -> None:
    iso = live_iso(make_iso, tmp_path, "live.iso", initrd=initrd(tmp_path, TREE, "zstd"))
    (stick / "boot/iso").mkdir(parents=True)
    for number in range(20):
        os.link(iso, stick / f"boot/iso/live-{number:02}.iso")
    told: list[str] = []
    first = check_stick(opened, told=told.append)
    assert len(told) == 20
    assert [step.path for step in first.plan.steps if isinstance(step, WriteFile)] == [IMAGES_FILE]
    apply_changes(plan_generation(opened.volume).plan, opened.volume)
    again = check_stick(Stick(where=stick, volume=_NoIso(stick)), told=told.append)
    assert len(told) == 20
    assert len(again.predictions) == 20
    assert again.predictions == first.predictions
    assert "The menu is not up to date" in first.notes[-1]
    assert len(again.notes) == 1
    assert "have the same label, LIVE" in again.notes[0]
    assert not again.plan.steps


def test_a_record_that_lacks_something_is_completed(opened: Stick, stick: Path, make_iso: MakeIso) -> None:
    volume = opened.volume
    add_images(volume, plan_additions(volume, [make_iso("live.iso")]))
    record = stick / IMAGES_FILE.lstrip("/")
    whole = record.read_bytes()
    kernels, pair = whole.split(b"\n\n")
    head, rest, _ = pair.split(b"\n")
    document = json.loads(rest)
    del document["facts"]["initrds"]
    rest = json.dumps(document).encode()
    head = json.dumps({**json.loads(head), "rest": zlib.crc32(rest), "insides": False}).encode()
    record.write_bytes(kernels + b"\n\n" + b"\n".join((head, rest, b"")))
    checked = check_stick(opened)
    assert [type(step).__name__ for step in checked.plan.steps] == ["WriteFile"]
    assert keep_records(opened, checked.plan) == ""
    assert record.read_bytes() == whole
    assert not check_stick(opened).plan.steps


def test_a_stick_that_cannot_be_written_is_judged_all_the_same(
    opened: Stick, stick: Path, make_iso: MakeIso, monkeypatch: pytest.MonkeyPatch
) -> None:
    volume = opened.volume
    add_images(volume, plan_additions(volume, [make_iso("live.iso")]))
    record = stick / IMAGES_FILE.lstrip("/")
    record.write_text("{")
    checked = check_stick(opened)
    assert len(checked.predictions) == 1

    def refused(*_words: object, **_options: object) -> int:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("bootkit.system.volumes.folder.os.rename", refused)
    assert "Read-only file system" in keep_records(opened, checked.plan)
    assert record.read_text() == "{"


class _Exfat(FolderVolume):
    """Says that it is exFAT, and where files lie on it."""

    def __init__(self, root: Path, pieces: tuple[tuple[int, int], ...] | None) -> None:
        super().__init__(root)
        self.filesystem = "exfat"
        self._pieces = pieces

    def extents(self, path: str) -> tuple[tuple[int | None, int], ...] | None:
        return self._pieces


@pytest.mark.parametrize(
    ("pieces", "programs", "verdict", "cure"),
    [
        (1, (), "boots with overlay map", ""),
        (2, ("dmsetup",), "boots with overlay map", ""),
        (2, (), "cannot boot", "copy it once more"),
        (99, ("dmsetup",), "cannot boot", "copy it once more"),
        (0, (), "unknown", "run it as root: sudo bootkit generate"),
    ],
)
def test_a_file_can_be_mapped_only_if_it_lies_in_few_known_pieces_that_its_initrd_joins(
    pieces: int,
    programs: tuple[str, ...],
    verdict: str,
    cure: str,
    opened: Stick,
    make_iso: MakeIso,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    files = {**TREE, **{f"usr/sbin/{name}": "ELF" for name in programs}}
    iso = live_iso(make_iso, tmp_path, "live.iso", initrd=initrd(tmp_path, files, "none"))
    add_images(opened.volume, plan_additions(opened.volume, [iso]))
    monkeypatch.setattr(cures, "CURES", (cures.by_map,))
    lies = tuple((4096 * piece, 512) for piece in range(pieces)) or None
    stick = Stick(where=opened.where, volume=_Exfat(opened.where, lies))
    (prediction,) = check_stick(stick).predictions
    assert prediction.verdict == verdict
    assert prediction.cure.startswith(cure)


def test_named_images_alone_are_looked_into(opened: Stick, stick: Path, make_iso: MakeIso) -> None:
    (stick / "boot/iso").mkdir(parents=True)
    for name in ("one.iso", "two.iso"):
        (stick / "boot/iso" / name).write_bytes(make_iso(name).read_bytes())
    told: list[str] = []
    checked = check_stick(opened, ["one"], told=told.append)
    assert ([prediction.path for prediction in checked.predictions], told) == (["/boot/iso/one.iso"],) * 2
    assert checked.stick.labels == {"LIVE": ("/boot/iso/one.iso", "/boot/iso/two.iso")}


def test_the_sticks_own_list_of_loaders_is_read(opened: Stick, stick: Path) -> None:
    assert check_stick(opened).stick.loaders is None
    listed = stick / LOADERS_FILE.lstrip("/")
    listed.parent.mkdir(parents=True)
    listed.write_text(
        '{"loaders": [{"firmware": "bios", "kind": "built", "package": "grub-pc-bin 2.06"},'
        ' {"firmware": "uefi", "kind": "signed", "path": "/EFI/BOOT/BOOTX64.EFI"}, {"firmware": "riscv"}, 7]}'
    )
    assert check_stick(opened).stick.loaders == (
        StickLoader(firmware=Firmware.BIOS, package="grub-pc-bin 2.06"),
        StickLoader(firmware=Firmware.UEFI_X64, signed=True),
    )
    for nonsense in ("", "{", "[]", '{"loaders": 3}'):
        listed.write_text(nonsense)
        assert check_stick(opened).stick.loaders is None


def _bomb() -> bytes:
    """A member of 3.9 GiB, of which 64 MiB of zeros follow in 300 KiB."""
    fields = (1, 0o100644, 0, 0, 1, 0, 0xF0000000, 0, 0, 0, 0, len(b"bomb\0"), 0)
    start = b"070701" + b"".join(b"%08X" % field for field in fields) + b"bomb\0" + bytes(1)
    return made(start + bytes(64 << 20), "gzip", "-1")


def _endless() -> bytes:
    """More archives than any initrd has."""
    return pack({"a": b""}) * 5000


def _damaged_root(damage: Callable[[bytearray], None], folder: Path) -> bytes:
    root = folder / "root"
    for number in range(40):
        (root / f"usr/lib/modules/{VERSION}/kernel/fs/{number}").mkdir(parents=True)
    (root / f"usr/lib/modules/{VERSION}/modules.dep").write_text("kernel/fs/exfat/exfat.ko:\n" * 5000)
    data = bytearray(squashed(root, "-noI", "-noD", "-noF"))
    damage(data)
    return bytes(data)


def _truncated(data: bytearray) -> None:
    del data[len(data) // 2 :]


def _cyclic(data: bytearray) -> None:
    """The inode table begins where the directory table does: directories lead into each other."""
    data[0x40:0x48] = data[0x48:0x50]


def _noisy(data: bytearray) -> None:
    dice = random.Random(3)
    for _ in range(400):
        data[dice.randrange(96, len(data))] = dice.randrange(256)


HOSTILE: dict[str, Callable[[Path], dict[str, bytes]]] = {
    "a truncated initrd": lambda at: {"initrd": initrd(at, TREE, "gzip")[:-200]},
    "a bomb of zeros": lambda _: {"initrd": _bomb()},
    "endless archives": lambda _: {"initrd": _endless()},
    "a truncated root": lambda at: {"initrd": initrd(at, TREE, "gzip"), "root": _damaged_root(_truncated, at)},
    "a cyclic root": lambda at: {"initrd": initrd(at, TREE, "gzip"), "root": _damaged_root(_cyclic, at)},
    "a noisy root": lambda at: {"initrd": initrd(at, TREE, "gzip"), "root": _damaged_root(_noisy, at)},
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_image_costs_little_and_gets_one_warning(
    kind: str, opened: Stick, make_iso: MakeIso, tmp_path: Path
) -> None:
    volume = opened.volume
    iso = live_iso(make_iso, tmp_path, "live.iso", **HOSTILE[kind](tmp_path))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with counted() as work:
        add_images(volume, plan_additions(volume, [iso]))
        prediction = judged_on("exfat", volume, opened)
    assert work.calls < 1_000_000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak < 128 << 10  # KiB
    assert prediction.answer in (Answer.ELSEWHERE, Answer.UNKNOWN)
    assert len(prediction.notes) == 1
    assert "/live/" in prediction.notes[0]
