"""A stick in an image file, with real ISO files on it."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import pytest

from bootkit.detect import QuickRule
from bootkit.model.boot import BootEntry, Detection, EntryKind, Firmware, Recognition, Role
from bootkit.model.catalog import Additions, ImageItem, MenuSettings
from bootkit.model.places import GRUBENV, MENU
from bootkit.render.menu import MenuFiles, empty_grubenv, render_menu
from bootkit.system.run import run, which

STICK_UUID = "b007c177-0000-4000-8000-000000000000"

CASPER_RULE = QuickRule(
    requires=("/casper",),
    kernel=("/casper/vmlinuz*",),
    initrd=("/casper/initrd*",),
    cmdline=("boot=casper", "iso-scan/filename={iso_path}", "---", "quiet"),
)
LIVE_RULE = QuickRule(
    requires=("/live/*.squashfs",),
    kernel=("/live/vmlinuz", "/live/vmlinuz-*"),
    initrd=("/live/initrd.img", "/live/initrd.img-*"),
    cmdline=("boot=live", "findiso={iso_path}", "label={volume_id}", "stick={stick_uuid}"),
)
RULES = (("casper", CASPER_RULE), ("live-boot", LIVE_RULE))


def entry(title: str = "Live system", **values: object) -> BootEntry:
    return BootEntry(**{"title": title, "kernel": "/live/vmlinuz", "initrds": ("/live/initrd.img",), **values})  # type: ignore[arg-type]


def item(
    path: str,
    *entries: BootEntry,
    distro: str = "Debian",
    stack: str = "live-boot",
    obstacle: str = "",
    instead: str = "",
) -> ImageItem:
    detection = Detection(stack=stack, distro=distro, entries=entries, obstacle=obstacle, instead=instead)
    return ImageItem(path=path, size=1, mtime_ns=1, recognition=Recognition(detection=detection))


UBUNTU = item(
    "/boot/iso/ubuntu.iso",
    BootEntry(
        title="Try or Install Ubuntu",
        kernel="/casper/vmlinuz",
        initrds=("/casper/initrd",),
        cmdline=("iso-scan/filename={iso_path}", "---", "quiet", "splash"),
        role=Role.DEFAULT,
    ),
    BootEntry(title="Own menu", kernel="/boot/grub/loopback.cfg", kind=EntryKind.CONFIGFILE),
    distro="Ubuntu",
)
DEBIAN = item(
    "/boot/iso/live/debian.iso",
    entry(
        cmdline=("boot=live", "findiso={iso_path}", "stick={stick_uuid}x"),
        to_ram=("toram",),
        initrds=("/live/microcode", "/live/initrd.img"),
    ),
    entry("Installer", cmdline=("a b", "c;d&e|f", "$x", "*", "[a]", "{b}", "#c", "i={iso_path}'"), safe_graphics=()),
    entry("BIOS only", firmware=frozenset({Firmware.BIOS})),
    entry("UEFI only", firmware=frozenset({Firmware.UEFI_X64, Firmware.UEFI_ARM64})),
)
ESXI = item(
    "/boot/iso/esxi.iso",
    distro="ESXi",
    obstacle="It reads its modules by the firmware.",
    instead="Use a stick of its own.",
)
STRANGE = ImageItem(path="/boot/iso/strange.iso", size=1, mtime_ns=1, recognition=Recognition(detection=None))
BROKEN = ImageItem(path="/boot/iso/broken.iso", size=1, mtime_ns=1, error="there is no volume in it")
CATALOG = (BROKEN, DEBIAN, ESXI, STRANGE, UBUNTU)

CASPER_TREE = {
    "casper/vmlinuz": b"kernel",
    "casper/initrd": b"initrd",
    "boot/grub/loopback.cfg": b'echo "loopback $iso_path $rootuuid"\n',
}
LIVE_TREE = {
    "live/vmlinuz": b"kernel",
    "live/initrd.img": b"initrd",
    "live/microcode": b"microcode",
    "live/filesystem.squashfs": b"squashfs",
}


def menu_text(
    items: Sequence[ImageItem],
    settings: MenuSettings,
    rules: Sequence[tuple[str, QuickRule]] = (),
    additions: Mapping[str, Additions] = MappingProxyType({}),
) -> bytes:
    """Both files of the menu, one behind the other."""
    return render_menu(items, settings, rules, additions).text


@dataclass(kw_only=True)
class StickMaker:
    """Makes a stick in an image file out of what is put into it."""

    folder: Path
    files: dict[str, bytes] = field(default_factory=dict[str, bytes])

    def add_iso(self, path: str, tree: Mapping[str, bytes], *, volume_id: str = "LABEL") -> None:
        source = self.folder / f"source-{len(self.files)}"
        for name, content in tree.items():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes(content)
        iso = self.folder / "made.iso"
        iso.unlink(missing_ok=True)
        run(["xorriso", "-as", "mkisofs", "-quiet", "-R", "-V", volume_id, "-o", iso, source])
        self.files[path] = iso.read_bytes()

    def add_menu(self, *items: ImageItem, settings: MenuSettings | None = None) -> None:
        self.put_menu(render_menu(items, settings or MenuSettings(), RULES))

    def put_menu(self, menu: MenuFiles) -> None:
        self.files[MENU] = menu.grub_cfg
        self.files[menu.parts_path] = menu.parts
        self.files.setdefault(GRUBENV, empty_grubenv())

    def make(self) -> Path:
        """The stick as one ext4 file system, which GRUB calls (hd0)."""
        tree = self.folder / "tree"
        shutil.rmtree(tree, ignore_errors=True)
        for path, content in self.files.items():
            target = tree / path.lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        disk = self.folder / "stick.img"
        disk.unlink(missing_ok=True)
        with disk.open("wb") as fh:
            fh.truncate(16 << 20)
        run(["mke2fs", "-q", "-F", "-t", "ext4", "-O", "^has_journal", "-U", STICK_UUID, "-d", tree, disk])
        return disk


@pytest.fixture
def stick(tmp_path: Path) -> StickMaker:
    """An empty stick; the test is skipped where the programs that make and read it are missing."""
    _need("xorriso", "mke2fs", "grub-emu")
    return StickMaker(folder=tmp_path)


@pytest.fixture(scope="module")
def full_stick(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The images of ``CATALOG`` on a stick; the tests that share it do not change it."""
    _need("xorriso", "mke2fs", "grub-emu")
    maker = StickMaker(folder=tmp_path_factory.mktemp("stick"))
    maker.add_iso(UBUNTU.path, CASPER_TREE)
    for path in (DEBIAN.path, ESXI.path, STRANGE.path, BROKEN.path):
        maker.add_iso(path, LIVE_TREE)
    maker.add_menu(*CATALOG)
    return maker.make()


def _need(*programs: str) -> None:
    for program in programs:
        if which(program) is None:
            pytest.skip(f"{program} is not installed")
