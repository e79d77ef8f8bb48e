"""What lies inside an image's initrd and root file system, through the view on the image."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from bootkit.errors import FormatError
from bootkit.formats.rootfs import read_root
from bootkit.model.initrd import KernelModules
from bootkit.model.iso import NotRecorded, RecordedIso
from bootkit.model.record import facts_from_json, facts_to_json
from bootkit.overlay.pack import Symlink, pack
from bootkit.probe.image import open_image

VERSION = "6.1.0-9-amd64"
MODULES = f"usr/lib/modules/{VERSION}"
ROOT = {
    "usr/lib/os-release": "ID=debian\n",
    f"{MODULES}/kernel/fs/exfat/exfat.ko": "exfat's code",
    f"{MODULES}/kernel/fs/ext4/ext4.ko.xz": "ext4's code",
    f"{MODULES}/kernel/lib/crc16.ko": "crc16's code",
    f"{MODULES}/modules.dep": (
        "kernel/fs/exfat/exfat.ko:\nkernel/fs/ext4/ext4.ko.xz: kernel/fs/jbd2/jbd2.ko kernel/lib/crc16.ko\n"
    ),
    f"{MODULES}/modules.builtin": "kernel/fs/isofs/isofs.ko\n",
    f"{MODULES}/modules.alias": "alias fs-exfat exfat\n",
}


def ran(*argv: str | Path) -> None:
    subprocess.run(argv, check=True, capture_output=True, timeout=60)


def planted(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A live-boot image in small: an initrd without exFAT, a root with it, and the root again as Fedora nests it."""
    folder = tmp_path_factory.mktemp("contents")
    root = planted(folder / "root", ROOT)
    (root / "etc").mkdir()
    (root / "etc/os-release").symlink_to("../usr/lib/os-release")
    (root / "lib").symlink_to("usr/lib")
    tree = planted(folder / "tree", {"live/notes.txt": "nothing\n"})
    initrd = pack({
        "conf/initramfs.conf": b"",
        "lib": Symlink(target="usr/lib"),
        f"{MODULES}/kernel/fs/ext4/ext4.ko": b"",
        f"{MODULES}/modules.builtin": b"kernel/fs/isofs/isofs.ko\n",
    })  # fmt: skip
    (tree / "live/initrd.img").write_bytes(initrd)
    squash = ("-quiet", "-no-progress", "-all-root", "-noappend")
    ran("mksquashfs", root, tree / "live/filesystem.squashfs", "-comp", "xz", *squash)
    (folder / "nest/LiveOS").mkdir(parents=True)
    ran("mke2fs", "-q", "-t", "ext4", "-d", root, folder / "nest/LiveOS/rootfs.img", "8M")
    ran("mksquashfs", folder / "nest", tree / "live/nested.img", "-comp", "zstd", *squash)
    iso = folder / "live.iso"
    ran("xorriso", "-as", "mkisofs", "-quiet", "-R", "-V", "LIVE", "-o", iso, tree)
    return iso


def test_an_initrd_is_read_out_of_the_image(image: Path) -> None:
    with open_image(image) as iso:
        facts = iso.initrd("/LIVE/INITRD.IMG")
        assert facts is not None
        assert facts.maker == "initramfs-tools"
        assert facts.kernels == (VERSION,)
        assert facts.links == {"lib": "usr/lib"}
        assert facts.support("ext4").is_readable
        assert facts.support("exfat").by == "no"
        assert facts.support("iso9660").by == "builtin"
        assert iso.initrd("/live/none.img") is None
        assert list(iso.facts.initrds) == ["/live/initrd.img"]


@pytest.mark.parametrize(
    ("path", "compression", "inner"),
    [("/live/filesystem.squashfs", "xz", ""), ("/live/nested.img", "zstd", "/LiveOS/rootfs.img")],
)
def test_the_root_has_what_the_initrd_lacks(path: str, compression: str, inner: str, image: Path) -> None:
    with open_image(image) as iso:
        facts = iso.root(path)
        assert facts is not None
        assert (facts.filesystem, facts.compression, facts.inner) == ("squashfs", compression, inner)
        assert facts.os_release == "ID=debian\n"
        assert not facts.warnings
        modules = facts.kernels[VERSION]
        folder = f"/{MODULES}/kernel"
        assert modules == KernelModules(
            modules=("crc16", "exfat", "ext4"),
            builtin=("isofs",),
            depends={"exfat": (), "ext4": ("crc16", "jbd2")},
            aliases={"exfat": "exfat"},
            paths={
                "crc16": f"{folder}/lib/crc16.ko",
                "exfat": f"{folder}/fs/exfat/exfat.ko",
                "ext4": f"{folder}/fs/ext4/ext4.ko.xz",
            },
        )
        assert iso.open_root(path).tree.read(modules.paths["exfat"], 100) == b"exfat's code"


def test_what_is_no_root_is_said_so(image: Path) -> None:
    with open_image(image) as iso:
        facts = iso.root("/live/notes.txt")
        assert facts is not None
        assert facts.filesystem == ""
        assert facts.warnings == ("the root file system cannot be read: it is no squashfs, EROFS or ext4 image",)
        assert iso.root("/live") is None
        with pytest.raises(FormatError, match="no squashfs, EROFS or ext4"):
            iso.open_root("/live/notes.txt")


def test_a_root_without_lists_is_searched(tmp_path: Path) -> None:
    root = planted(tmp_path / "root", {name: text for name, text in ROOT.items() if "/modules." not in name})
    ran("mksquashfs", root, tmp_path / "image", "-quiet", "-no-progress")
    with (tmp_path / "image").open("rb") as fh:
        modules = read_root(fh, 0).kernels[VERSION]
    assert modules.modules == ("exfat", "ext4")
    assert modules.builtin is None


@pytest.mark.skipif(not shutil.which("mkfs.erofs"), reason="erofs-utils is not installed")
def test_names_are_known_where_contents_are_not(tmp_path: Path) -> None:
    """Fedora 42 and later compress an EROFS image, of which the directories stay readable."""
    root = planted(tmp_path / "root", {name: text * 2000 for name, text in ROOT.items()})
    ran("mkfs.erofs", "--quiet", "-z", "lz4hc", tmp_path / "image", root)
    with (tmp_path / "image").open("rb") as fh:
        facts = read_root(fh, 0)
    assert facts.filesystem == "erofs"
    assert facts.kernels[VERSION].modules == ("exfat", "ext4")
    assert facts.kernels[VERSION].paths == {}, "no cure can be made of them"
    assert facts.kernels[VERSION].builtin is None
    assert any("os-release is compressed" in warning for warning in facts.warnings)


def test_the_record_keeps_what_was_looked_into(image: Path) -> None:
    with open_image(image) as iso:
        asked = {path: iso.root(path) for path in ("/live/filesystem.squashfs", "/live/notes.txt")}
        initrd = iso.initrd("/live/initrd.img")
        facts = facts_from_json(json.loads(json.dumps(facts_to_json(iso.facts))))
        assert facts == iso.facts
    recorded = RecordedIso(facts)
    assert recorded.initrd("/live/initrd.img") == initrd
    assert {path: recorded.root(path) for path in asked} == asked
    assert recorded.root("/live/none") is None
    with pytest.raises(NotRecorded, match=r"nobody looked into /live/nested\.img"):
        recorded.root("/live/nested.img")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"initrds": {"/i": {"size": 1, "segments": [{"offset": 0}]}}}, r"initrds\['/i'\].segments\[0\].size"),
        ({"initrds": {"/i": {}}}, r"initrds\['/i'\].size is not a number"),
        ({"initrds": {"i": {"size": 1}}}, "'i' is not a path"),
        ({"initrds": {"/i": {"size": 1, "drivers": {"depends": {"x": "y"}}}}}, "is not a list"),
        ({"initrds": {"/i": {"size": 1, "allowed": "vfat"}}}, "allowed is not a list"),
        ({"roots": {"/r": {"size": 1, "kernels": {"6.1": {"speed": 1}}}}}, "unknown field 'speed'"),
        ({"roots": {"/r": {"size": 1, "inner": None}}}, "inner is not a string"),
        ({"roots": []}, "roots is not an object"),
    ],
)
def test_a_wrong_record_is_refused(value: dict[str, object], words: str) -> None:
    with pytest.raises(FormatError, match=words):
        facts_from_json({"name": "x.iso", "size": 1, **value})
