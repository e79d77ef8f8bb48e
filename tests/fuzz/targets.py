"""Every reader of what somebody else wrote, with sound inputs made by the real tools."""

import gzip
import io
import json
import shutil
import struct
import subprocess
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from bootkit.app.stick.recognition import answered, with_insides
from bootkit.app.stick.records import Record, Records, record_of
from bootkit.app.verbs import verify
from bootkit.bootcfg.bls import parse_bls
from bootkit.bootcfg.cmdline import split_words
from bootkit.bootcfg.diskinfo import parse_disk_info
from bootkit.bootcfg.elilo import parse_elilo
from bootkit.bootcfg.grub import parse_grub
from bootkit.bootcfg.grub_legacy import parse_grub_legacy
from bootkit.bootcfg.grubenv import parse_grubenv
from bootkit.bootcfg.limine import parse_limine
from bootkit.bootcfg.osrelease import parse_os_release
from bootkit.bootcfg.refind import parse_refind
from bootkit.bootcfg.syslinux import parse_syslinux
from bootkit.bootcfg.treeinfo import parse_treeinfo
from bootkit.detect.registry import recognise
from bootkit.errors import BootkitError
from bootkit.formats.authenticode import read_signatures
from bootkit.formats.efi import read_efi
from bootkit.formats.elf import elf_size
from bootkit.formats.erofs import Erofs
from bootkit.formats.exfat import Exfat
from bootkit.formats.ext4 import Ext4
from bootkit.formats.fat import Fat
from bootkit.formats.implanted import read_implanted_md5
from bootkit.formats.initrd import read_initrd
from bootkit.formats.iso9660 import Iso9660, read_volume_descriptors
from bootkit.formats.kernel import read_kernel
from bootkit.formats.ntfs import Ntfs
from bootkit.formats.partitions import read_partitions
from bootkit.formats.pe import read_pe
from bootkit.formats.pf2 import characters
from bootkit.formats.rootfs import read_root
from bootkit.formats.squashfs import Squashfs
from bootkit.formats.tree import Tree
from bootkit.formats.udf import Udf
from bootkit.model.catalog import ImageItem
from bootkit.model.check import StickFacts
from bootkit.model.fields import json_list, json_number, json_object, parse_json
from bootkit.model.iso import NotRecorded, RecordedIso
from bootkit.model.record import facts_from_json
from bootkit.plan.check import predict
from bootkit.probe.checksum import read_sidecar
from bootkit.probe.extension import machine_inside, read_extension
from bootkit.probe.image import open_image
from bootkit.probe.settings import read_choices, read_user_choices
from bootkit.system.volume import FileStat
from tests.fuzz.mutate import Mutator, bytes_of, json_of, text_of

CASES = Path(__file__).parent / "cases"
DETECTORS = Path(__file__).parents[1] / "detectors"
_ENTRIES = 60
_PIECE = 64 << 10
EXFAT_SIZE = 2 << 20


@dataclass(frozen=True, slots=True)
class FuzzTarget:
    name: str
    seeds: Sequence[bytes]
    read: Callable[[bytes], object]
    mutate: Mutator = bytes_of


def explored(tree: Tree, path: str = "", depth: int = 8, left: list[int] | None = None) -> None:
    """Look at what a caller might want, bounded as callers bound it."""
    left = [_ENTRIES] if left is None else left
    for entry in tree.listdir(path) or ():
        left[0] -= 1
        if left[0] < 0:
            return
        inner = f"{path}/{entry.name}"
        if not entry.is_dir:
            with suppress(BootkitError):
                tree.read(inner, _PIECE)
            with suppress(BootkitError):
                tree.extents(inner)
        elif depth:
            explored(tree, inner, depth - 1, left)


def in_file(read: Callable[[BinaryIO], object]) -> Callable[[bytes], object]:
    return lambda data: read(io.BytesIO(data))


def in_text(read: Callable[[str], object]) -> Callable[[bytes], object]:
    return lambda data: read(data.decode("utf-8", "replace"))


def tree_of(opened: Callable[[BinaryIO], Tree]) -> Callable[[bytes], object]:
    return in_file(lambda fh: explored(opened(fh)))


def made(work: Path) -> dict[str, list[bytes]]:
    """Sound inputs by kind; tools that are not there leave their kind out."""
    tree = _tree(work / "tree")
    seeds: dict[str, list[bytes]] = {}

    def run(kind: str, output: Path, *argv: str | Path) -> None:
        if shutil.which(str(argv[0])) is None:
            return
        done = subprocess.run(argv, capture_output=True, check=False)
        if done.returncode == 0 and output.exists():
            seeds.setdefault(kind, []).append(output.read_bytes())

    for number, compression in enumerate(("gzip", "xz", "zstd", "lzo", "lz4", "lzma")):
        image = work / f"{number}.squashfs"
        run("squashfs", image, "mksquashfs", tree, image, "-quiet", "-noappend", "-comp", compression, "-b", "4096")
    if seeds.get("squashfs"):
        (tree / "live/filesystem.squashfs").write_bytes(seeds["squashfs"][0])
    run(
        "iso",
        work / "a.iso",
        "xorriso",
        "-as",
        "mkisofs",
        "-quiet",
        "-R",
        "-J",
        "-V",
        "LIVE",
        "-e",
        "efi.img",
        "-no-emul-boot",
        "-isohybrid-gpt-basdat",
        "-o",
        work / "a.iso",
        tree,
    )
    run("iso", work / "b.iso", "xorriso", "-as", "mkisofs", "-quiet", "-U", "-o", work / "b.iso", tree / "boot")
    run("udf", work / "u.iso", "genisoimage", "-quiet", "-udf", "-o", work / "u.iso", tree / "boot")
    run(
        "ext4",
        work / "e4",
        "mke2fs",
        "-q",
        "-t",
        "ext4",
        "-b",
        "1024",
        "-O",
        "inline_data",
        "-d",
        tree,
        work / "e4",
        "2M",
    )
    run("ext4", work / "e2", "mke2fs", "-q", "-t", "ext2", "-b", "1024", "-d", tree / "boot", work / "e2", "1M")
    run("erofs", work / "er", "mkfs.erofs", "-zlz4", work / "er", tree)
    run("erofs", work / "er0", "mkfs.erofs", work / "er0", tree)
    _with_files(work, tree, seeds)
    return seeds


def _with_files(work: Path, tree: Path, seeds: dict[str, list[bytes]]) -> None:
    """File systems that mtools or our own writers fill."""
    for size in ("720", "40000"):
        fat = work / f"fat{size}"
        subprocess.run(["mkfs.fat", "-C", fat, size], capture_output=True, check=True)
        subprocess.run(["mcopy", "-s", "-i", fat, tree / "boot", "::/"], capture_output=True, check=True)
        seeds.setdefault("fat", []).append(fat.read_bytes()[: 1 << 20])
    if shutil.which("mkfs.exfat"):
        from bootkit.model.plan import WriteFile
        from bootkit.system.exfat import fill_exfat

        image = work / "exfat"
        with image.open("wb") as fh:
            fh.truncate(EXFAT_SIZE)
        subprocess.run(["mkfs.exfat", "-c", "512", "-b", "4096", image], capture_output=True, check=True)
        with image.open("r+b", buffering=0) as fh:
            fill_exfat(
                cast("BinaryIO", fh),
                EXFAT_SIZE,
                ["/boot/iso"],
                [WriteFile(path="/boot/iso/x.iso", content=b"x" * 5000)],
            )
        seeds["exfat"] = [image.read_bytes()]
    if shutil.which("mkfs.ntfs"):
        image = work / "ntfs"
        with image.open("wb") as fh:
            fh.truncate(2 << 20)
        subprocess.run(["mkfs.ntfs", "-Q", "-F", "-q", image], capture_output=True, check=True)
        seeds["ntfs"] = [image.read_bytes()]


def _tree(root: Path) -> Path:
    """A live image of a real shape, its initrd a real archive."""
    for folder in ("boot/grub", "isolinux", "live", "loader/entries", "usr/bin", ".disk"):
        (root / folder).mkdir(parents=True)
    (root / "live/vmlinuz").write_bytes(_kernel())
    (root / "live/initrd.img").write_bytes(initrds()[1])
    (root / ".disk/info").write_text('Debian GNU/Linux 12.5.0 "Bookworm" - Official amd64 LIVE Binary 20240210-11:51\n')
    (root / "boot/grub/grub.cfg").write_text(GRUB_CFG)
    (root / "boot" / ("long name " * 20)).write_bytes(b"x" * 3000)
    (root / "boot/link").symlink_to("../boot/grub")
    (root / "isolinux/isolinux.cfg").write_text(ISOLINUX_CFG)
    (root / "loader/entries/a.conf").write_text(BLS)
    (root / "usr/bin/program").write_bytes(
        b"\x7fELF\x02\x01\x01".ljust(16, b"\0") + struct.pack("<HH", 2, 62) + bytes(100)
    )
    (root / "md5sum.txt").write_text(f"{'0' * 32}  ./live/vmlinuz\n")
    subprocess.run(["mkfs.fat", "-C", root / "efi.img", "320"], capture_output=True, check=True)
    return root


GRUB_CFG = """set default=0
if [ "${grub_platform}" = "efi" ]; then set x=1; fi
for i in a b c; do menuentry "Live $i" --class debian { linux /live/vmlinuz boot=live findiso=${iso_path} quiet
 initrd /live/initrd.img
}; done
submenu "More" { source /boot/grub/more.cfg
 menuentry 'x' { chainloader /EFI/BOOT/BOOTX64.EFI } }
function f { echo $1; }
f "a b" 'c'
while [ $n -lt 3 ]; do set n=4; done
"""
ISOLINUX_CFG = """DEFAULT live
INCLUDE menu.cfg
LABEL live
  MENU LABEL ^Live system
  KERNEL /live/vmlinuz
  APPEND initrd=/live/initrd.img boot=live quiet
MENU BEGIN x
LABEL b
  COM32 chain.c32
  APPEND hd0
MENU END
"""
BLS = "title Fedora Linux 42\nversion 6.14\nlinux /vmlinuz-6.14\ninitrd /a.img /b.img\noptions root=live:CDLABEL=F rd.live.image\n"
LIMINE = "timeout: 5\n/Arch\n    protocol: linux\n    path: boot():/vmlinuz\n    cmdline: quiet\n    module_path: boot():/initrd\n"
MENU_LST = """default 1
timeout 9
title One \\n more
  kernel (cd)/vmlinuz "a=b c"
  initrd (cd)/initrd.gz
title Two
  chainloader /x.efi
  configfile /menu.lst
"""
ELILO = """default=a
append="quiet"
image=vmlinuz
  label=a
  description="An entry"
  initrd=initrd.gz
  read-only
image=\\b
"""
REFIND = 'timeout 20\nmenuentry "Arch" {\n  loader /vmlinuz\n  initrd /initrd\n  options "root=x quiet"\n  submenuentry "s" {\n add_options "1"\n }\n}\n'
STICK_TOML = '[stick]\nlayout = "split"\n[menu]\ntimeout = 5\n[options]\nlanguage = "de_DE.UTF-8"\nextra_words = ["a", "b"]\n[image."/boot/iso/x.iso"]\nhidden = true\n[stack.casper]\nto_ram = true\n'
TREEINFO = "[general]\nfamily = Fedora\nversion = 42\narch = x86_64\n[release]\nname = Fedora\n[images-x86_64]\nkernel = images/pxeboot/vmlinuz\n"
OS_RELEASE = 'NAME="Debian GNU/Linux"\nID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian 12"\nBAD=\'x"\n'
SUMS = f"{'ab' * 32}  x.iso\nSHA512 (x.iso) = {'cd' * 64}\n-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nMD5 (x.iso) = {'ef' * 16}\n-----BEGIN PGP SIGNATURE-----\n\nabc\n-----END PGP SIGNATURE-----\n"


def cpio_of(files: Sequence[tuple[bytes, bytes]]) -> bytes:
    """A newc archive; the numbers in its heads are hexadecimal text."""
    archive = b""
    for number, (name, content) in enumerate((*files, (b"TRAILER!!!", b""))):
        fields = (number, 0o100644, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name) + 1, 0)
        head = b"070701" + b"".join(b"%08X" % field for field in fields) + name + b"\0"
        archive += head + bytes(-len(head) % 4) + content + bytes(-len(content) % 4)
    return archive + bytes(-len(archive) % 512)


def initrds() -> list[bytes]:
    plain = cpio_of(
        [
            (b"init", b"#!/bin/sh\nexec /sbin/init\n"),
            (b"usr/lib/modules/6.1.0/modules.dep", b"kernel/fs/ext4.ko: kernel/lib/crc.ko\n"),
            (b"usr/lib/modules/6.1.0/kernel/fs/ext4.ko", b"\x7fELF" + bytes(60)),
            (b"scripts/live", b"boot=live\n"),
        ]
    )
    return [plain, gzip.compress(plain, mtime=0), plain + gzip.compress(plain, mtime=0)]


def _kernel() -> bytes:
    """The head of a bzImage: the boot protocol's fields, and a PE header in it."""
    head = bytearray(4096)
    head[0:2], head[0x1FE:0x200], head[0x202:0x206] = b"MZ", b"\x55\xaa", b"HdrS"
    struct.pack_into("<H", head, 0x206, 0x20F)
    struct.pack_into("<I", head, 0x22C, 0x7FFFFFFF)
    struct.pack_into("<I", head, 0x3C, 0x400)
    head[0x400:0x404] = b"PE\0\0"
    struct.pack_into("<HHIIIHH", head, 0x404, 0x8664, 2, 0, 0, 0, 0xF0, 0x206)
    struct.pack_into("<H", head, 0x418, 0x20B)
    return bytes(head)


def _gpt() -> list[bytes]:
    disk = bytearray(1 << 20)
    script = "label: gpt\nsize=100,type=L\nsize=100,type=U\n"
    return [
        *_disk(disk, script),
        *_disk(bytearray(1 << 20), "label: dos\nsize=100\nsize=500,type=5\nsize=50\nsize=50\n"),
    ]


def _disk(content: bytearray, script: str) -> Iterator[bytes]:
    import tempfile

    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        subprocess.run(["sfdisk", "-q", file.name], input=script.encode(), capture_output=True, check=True)
        yield Path(file.name).read_bytes()


def image_seen(data: bytes) -> None:
    """A whole look, as ``check`` takes it."""
    with open_image(io.BytesIO(data), name="x.iso") as view:
        item = with_insides(answered(ImageItem(path="/boot/iso/x.iso", size=len(data), mtime_ns=0), view), view)
        predict(item, StickFacts())
        record_of(item)


def record_believed(data: bytes) -> None:
    """The records of a stick, of one image, and what follows from them. Whoever forges one makes its sum agree."""
    both = json_object(parse_json(data, "record"), "record")
    document, rest = json_object(both.get("head"), "head"), json.dumps(both.get("rest")).encode()
    head = json.dumps({**document, "rest": zlib.crc32(rest)}).encode()
    shared = {name: json.dumps(kernel).encode() for name, kernel in json_object(both.get("shared"), "shared").items()}
    kept = (
        Records(b"")
        .changed(put={"/boot/iso/x.iso": Record(head=head, rest=rest, shared=shared)})
        .find("/boot/iso/x.iso", _stat_of(document))
    )
    if kept is None:
        return
    predict(kept.item, StickFacts())
    if kept.item.facts is not None:
        record_of(answered(kept.item, RecordedIso(kept.item.facts)))


def _stat_of(document: Mapping[str, object]) -> FileStat:
    size, mtime_ns = (json_number(document.get(key), key) for key in ("size", "mtime_ns"))
    return FileStat(name="x.iso", is_dir=False, size=size, mtime_ns=mtime_ns)


def records() -> list[bytes]:
    found: list[bytes] = []
    for path in sorted(DETECTORS.glob("*/*.facts.json"))[::12]:
        document = json.loads(path.read_text())
        document.pop("about", None)
        facts = facts_from_json(document)
        try:
            recognised = recognise(RecordedIso(facts))
        except NotRecorded:
            continue  # a detector asks for more than was recorded then
        item = ImageItem(
            path=f"/boot/iso/{facts.name}", size=facts.size, mtime_ns=0, facts=facts, recognition=recognised
        )
        record = record_of(item)
        kernels = b",".join(b'"%b":%b' % (name.encode(), text) for name, text in record.shared.items())
        found.append(b'{"head":%b,"rest":%b,"shared":{%b}}' % (record.head, record.rest, kernels))
    return found


def verify_notes(data: bytes) -> None:
    json_list(parse_json(data, "x"), "x", verify._row)  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]


def targets(work: Path) -> tuple[FuzzTarget, ...]:
    """All of them, with inputs made in ``work``."""
    seeds = made(work)
    fixed = {path.name.removesuffix(".gz"): gzip.decompress(path.read_bytes()) for path in sorted(CASES.glob("*.gz"))}
    seeds.setdefault("squashfs", []).append(fixed["extension-cycle.raw"])
    notes = [
        {
            "path": "/boot/iso/x.iso",
            "verdict": "good",
            "sha256": "ab",
            "findings": [{"source": "a", "outcome": "good", "detail": ""}],
            "size": 1,
            "mtime_ns": 2,
        }
    ]
    binary: list[tuple[str, Sequence[bytes], Callable[[bytes], object]]] = [
        ("image", [*seeds.get("iso", []), *seeds.get("udf", []), fixed["seek-past-2-63.iso"]], image_seen),
        ("iso9660", seeds.get("iso", []), tree_of(lambda fh: Iso9660(fh, read_volume_descriptors(fh)))),
        ("udf", seeds.get("udf", []), tree_of(Udf)),
        ("fat", seeds.get("fat", []), tree_of(Fat)),
        ("exfat", seeds.get("exfat", []), tree_of(Exfat)),
        ("ext4", seeds.get("ext4", []), tree_of(Ext4)),
        ("ntfs", seeds.get("ntfs", []), tree_of(Ntfs)),
        ("erofs", seeds.get("erofs", []), tree_of(Erofs)),
        ("squashfs", seeds.get("squashfs", []), tree_of(Squashfs)),
        ("extension", seeds.get("squashfs", []), in_file(lambda fh: (read_extension(fh, "x.raw"), machine_inside(fh)))),
        (
            "root",
            [*seeds.get("squashfs", []), *seeds.get("ext4", []), *seeds.get("erofs", [])],
            lambda data: read_root(io.BytesIO(data), len(data)),
        ),
        ("initrd", initrds(), lambda data: read_initrd(io.BytesIO(data), len(data))),
        (
            "initrd, packed",
            initrds()[:1],
            lambda data: read_initrd(io.BytesIO(packed := gzip.compress(data, 1)), len(packed)),
        ),
        ("kernel", [_kernel()], lambda data: read_kernel(io.BytesIO(data), len(data))),
        ("pe", [_kernel()], in_file(lambda fh: (read_pe(fh), read_efi(fh), read_signatures(fh)))),
        ("partitions", [*_gpt(), fixed["gpt-entry-at-2-55.img"]], in_file(read_partitions)),
        ("elf", [b"\x7fELF\x02\x01\x01".ljust(16, b"\0") + bytes(64)], in_file(elf_size)),
        (
            "pf2",
            [b"FILE\0\0\0\x04PFF2NAME\0\0\0\x04abc\0CHIX\0\0\0\x09\0\0\0a\0\0\0\0\x10DATA\xff\xff\xff\xff"],
            characters,
        ),
        ("implanted MD5", seeds.get("iso", []), in_file(read_implanted_md5)),
    ]
    texts: list[tuple[str, str, Callable[[str], object]]] = [
        ("grub.cfg", GRUB_CFG, lambda text: parse_grub(text, path="/boot/grub/grub.cfg")),
        ("isolinux.cfg", ISOLINUX_CFG, parse_syslinux),
        ("loader entry", BLS, lambda text: parse_bls(text, path="/loader/entries/a.conf")),
        ("limine.conf", LIMINE, lambda text: parse_limine(text, path="/limine.conf")),
        ("refind.conf", REFIND, lambda text: parse_refind(text, path="/refind.conf")),
        ("menu.lst", MENU_LST, lambda text: parse_grub_legacy(text, path="/boot/grub/menu.lst")),
        ("elilo.conf", ELILO, lambda text: parse_elilo(text, path="/elilo.conf")),
        ("grubenv", "# GRUB Environment Block\nlast=a\nx=y\n####", parse_grubenv),
        ("treeinfo", TREEINFO, parse_treeinfo),
        ("os-release", OS_RELEASE, parse_os_release),
        (".disk/info", 'Ubuntu 24.04.1 LTS "Noble Numbat" - Release amd64 (20240827.1)', parse_disk_info),
        ("kernel line", 'boot=live "a b" findiso=/x quiet --- x', split_words),
        ("stick.toml", STICK_TOML, read_choices),
        (
            "config.toml",
            '[options]\nlanguage = "de_DE.UTF-8"\n',
            lambda text: read_user_choices(text, source="config.toml"),
        ),
        ("checksum file", SUMS, lambda text: read_sidecar("x.iso", "SHA256SUMS", text.encode("utf-8", "replace"))),
    ]
    trees: list[tuple[str, Sequence[bytes], Callable[[bytes], object]]] = [
        ("record", [*records(), b'{"facts": ' + fixed["record-lone-surrogate.json"] + b"}"], record_believed),
        ("notes of verify", [json.dumps(notes).encode()], verify_notes),
    ]
    return (
        *(FuzzTarget(name, tuple(found), read) for name, found, read in binary if found),
        *(FuzzTarget(name, (text.encode(),), in_text(read), text_of) for name, text, read in texts),
        *(FuzzTarget(name, tuple(found), read, json_of) for name, found, read in trees),
    )
