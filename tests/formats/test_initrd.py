"""Initrds as the tools of the distributions make them, and damaged ones."""

import io
import lzma
import random
import subprocess
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from bootkit.detect.registry import markers
from bootkit.formats.compression import Budget
from bootkit.formats.initrd import Initrd, read_initrd
from bootkit.model.initrd import InitrdFacts, InitrdSegment, KernelModules
from bootkit.overlay.pack import pack

Run = Callable[..., str]
MODULES = "usr/lib/modules/6.1.0-9-amd64"

PACKERS = {
    "gzip": ("gzip", "-n"),
    "xz": ("xz", "--check=crc32"),
    "lzma": ("lzma",),
    "bzip2": ("bzip2",),
    "lz4": ("lz4", "-l"),
    "zstd": ("zstd", "-19"),
}


def planted(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def archived(root: Path, kind: str = "newc") -> bytes:
    """A tree as ``cpio`` itself packs it."""
    names = sorted(str(path.relative_to(root)) for path in root.rglob("*"))
    return subprocess.run(
        ("cpio", "-o", "-H", kind, "--quiet"),
        cwd=root, input="\n".join([".", *names]).encode(), capture_output=True, check=True, timeout=60,
    ).stdout  # fmt: skip


def packed(data: bytes, compression: str) -> bytes:
    if compression == "none":
        return data
    done = subprocess.run((*PACKERS[compression], "-c"), input=data, capture_output=True, check=True, timeout=60)
    return done.stdout


def padded(data: bytes, alignment: int = 4) -> bytes:
    return data + bytes(-len(data) % alignment)


def facts_of(data: bytes) -> InitrdFacts:
    return read_initrd(io.BytesIO(data), len(data), markers=markers())


def nothing(name: str, mode: int, size: int) -> bool:
    """No content is wanted."""
    return False


def names_in(data: bytes) -> list[str]:
    return [member.name for member in Initrd(io.BytesIO(data), len(data)).members(nothing)]


@pytest.fixture(scope="session")
def live_tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What initramfs-tools, live-boot and a Debian kernel leave in an initrd, in small."""
    root = planted(
        tmp_path_factory.mktemp("live"),
        {
            "conf/initramfs.conf": "MODULES=most\n",
            "usr/bin/busybox": "ELF",
            "usr/lib/live/boot/9990-main.sh": "#!/bin/sh\n",
            "usr/lib/live/boot/9990-misc-helpers.sh": "if type ntfs-3g >/dev/null 2>&1; then\n",
            f"{MODULES}/kernel/fs/fat/vfat.ko": "ELF" * 5000,
            f"{MODULES}/kernel/fs/fat/fat.ko": "ELF",
            f"{MODULES}/kernel/fs/nls/nls_cp437.ko": "ELF",
            f"{MODULES}/kernel/fs/nls/nls_iso8859-1.ko": "ELF",
            f"{MODULES}/kernel/fs/ext4/ext4.ko.xz": "ELF",
            f"{MODULES}/kernel/drivers/net/ethernet/e1000-e.ko.zst": "ELF",
            f"{MODULES}/modules.builtin": "kernel/fs/isofs/isofs.ko\nkernel/lib/crc16.ko\n",
            f"{MODULES}/modules.dep": (
                "kernel/fs/ext4/ext4.ko.xz: kernel/fs/jbd2/jbd2.ko kernel/lib/crc16.ko\n"
                "kernel/drivers/net/ethernet/e1000-e.ko.zst:\n"
            ),
            f"{MODULES}/modules.alias": "alias fs-ext3 ext4\nalias pci:v1 e1000-e\n",
        },
    )
    for name in ("bin", "lib", "sbin"):
        (root / name).symlink_to(f"usr/{name}")
    return root


@pytest.mark.parametrize("compression", ["none", *PACKERS])
def test_an_initrd_tells_the_same_whatever_its_compression(compression: str, live_tree: Path) -> None:
    archive = archived(live_tree)
    data = packed(archive, compression)
    facts = facts_of(data)
    members = archive.count(b"070701") - 1
    assert facts.segments[0] == InitrdSegment(
        offset=0, size=facts.segments[0].size, compression=compression, members=members
    )
    assert len(facts.segments) == 1
    assert not facts.warnings
    assert facts.maker == "initramfs-tools"
    assert facts.markers == ("live-boot", "live-boot-ntfs-3g")
    assert facts.programs == ("busybox",)
    assert facts.links == {"bin": "usr/bin", "lib": "usr/lib", "sbin": "usr/sbin"}
    assert facts.kernels == ("6.1.0-9-amd64",)
    assert facts.drivers == KernelModules(
        modules=("e1000_e", "ext4", "fat", "nls_cp437", "nls_iso8859_1", "vfat"),
        builtin=("isofs",),
        depends={"ext4": ("crc16", "jbd2")},
        aliases={"ext3": "ext4"},
    )


def test_names_are_those_that_cpio_and_bsdtar_list(live_tree: Path, tmp_path: Path, run: Run) -> None:
    image = tmp_path / "initrd"
    image.write_bytes(archived(live_tree))
    with image.open("rb") as fh:
        members = {m.name: m.size for m in Initrd(fh, image.stat().st_size).members(nothing)}
    assert sorted(members) == sorted(run("bsdtar", "-tf", image).replace("/\n", "\n").split())
    assert sorted(members) == sorted(run("sh", "-c", 'cpio -t --quiet < "$1"', "sh", image).split())
    assert members[f"{MODULES}/kernel/fs/fat/vfat.ko"] == 15000


def test_microcode_in_front_and_an_overlay_behind_are_archives_of_their_own(live_tree: Path) -> None:
    microcode = pack({"kernel/x86/microcode/GenuineIntel.bin": b"ucode" * 1000})
    overlay = pack({"bootkit/exfat.ko": b"ELF"})
    main = packed(archived(live_tree), "zstd")
    data = padded(microcode, 512) + padded(main) + overlay
    facts = facts_of(data)
    assert [segment.compression for segment in facts.segments] == ["none", "zstd", "none"]
    assert [segment.members for segment in facts.segments][::2] == [1, 1]
    assert facts.segments[1].offset == len(padded(microcode, 512))
    assert facts.segments[1].size == len(main)
    assert facts.segments[2].offset == len(data) - len(overlay)
    assert "exfat" in facts.drivers.modules
    assert not facts.warnings


def test_lz4_swallows_what_follows_without_four_zeros(live_tree: Path) -> None:
    """As in Linux: the legacy format has no end, so the next archive is taken for a block."""
    main = padded(packed(archived(live_tree), "lz4"))
    overlay = pack({"bootkit/exfat.ko": b"ELF"})
    assert "exfat" in facts_of(main + bytes(4) + overlay).drivers.modules
    facts = facts_of(main + overlay)
    assert "exfat" not in facts.drivers.modules
    assert "the lz4 data are damaged" in facts.warnings[0]


def test_a_store_is_looked_through_to_the_usual_places(tmp_path: Path) -> None:
    nixos = "nix/store/1zb7-linux-6.12.41-modules-shrunk/lib/modules/6.12.41"
    files = {f"{nixos}/kernel/fs/fat/vfat.ko.xz": "ELF", f"{nixos}/modules.builtin": "kernel/fs/isofs/isofs.ko\n"}
    facts = facts_of(archived(planted(tmp_path / "nixos", files)))
    assert (facts.kernels, facts.drivers.modules, facts.drivers.builtin) == (("6.12.41",), ("vfat",), ("isofs",))
    guix = facts_of(archived(planted(tmp_path / "guix", {"gnu/store/9l1k-linux-modules/isofs.ko": "ELF"})))
    assert (guix.kernels, guix.drivers.modules) == ((), ("isofs",))


def test_two_archives_in_one_compressed_stream_are_both_read(live_tree: Path) -> None:
    second = pack({"scripts/casper": b""})
    facts = facts_of(packed(archived(live_tree) + second, "gzip"))
    assert "casper" in facts.markers
    assert len(facts.segments) == 1
    assert not facts.warnings


def test_modules_in_a_plain_archive_in_front_count(live_tree: Path) -> None:
    """What is compressed already, dracut 112 leaves out of the compressed archive."""
    plain = pack({f"{MODULES}/kernel/fs/exfat/exfat.ko.xz": b"\xfd7zXZ\0"})
    dracut = pack({"usr/lib/dracut/dracut-112-7": b"dracut-112-7\n", "usr/sbin/iso-scan": b"#!/bin/sh\n"})
    facts = facts_of(padded(plain, 512) + packed(dracut, "zstd"))
    assert (facts.maker, facts.maker_version) == ("dracut", "112-7")
    assert facts.markers == ("iso-scan",)
    assert facts.drivers.modules == ("exfat",)


@pytest.mark.parametrize(
    ("files", "maker", "version"),
    [
        ({"usr/lib/initrd-release": b'VERSION="12 (bookworm)dracut-059-4"\n'}, "dracut", "059-4"),
        ({"init_functions": b"", "VERSION": b"6.1.9-arch1-1\n", "hooks/archiso_loop_mnt": b""}, "mkinitcpio", "6.1.9-arch1-1"),
        ({"buildconfig": b"", "lib/systemd/systemd": b"", "VERSION": b"7.0.1-arch1-1\n"}, "mkinitcpio", "7.0.1-arch1-1"),
        ({"sbin/nlplug-findfs": b""}, "mkinitfs", ""),
        ({"lib/debian-installer.d/S10syslog": b""}, "debian-installer", ""),
        ({"etc/linuxrc.d/10_x": b""}, "installation-images", ""),
        ({"linuxrc": b"", "bin/busybox": b""}, "", ""),
    ],
)  # fmt: skip
def test_the_maker_is_known_by_its_files(files: dict[str, bytes], maker: str, version: str) -> None:
    facts = facts_of(pack(files))
    assert (facts.maker, facts.maker_version) == (maker, version)


def test_caspers_list_of_file_systems_is_read_out_of_its_script() -> None:
    helpers = b"""
is_supported_fs(){
    fstype="${1}"
    case ${fstype} in
        vfat|iso9660|udf|ext2|ext3|ext4|btrfs|xfs|jfs|reiserfs|ntfs)
            return 0
            ;;
    esac
    return 1
}
"""
    modules = {f"{MODULES}/kernel/fs/{name}/{name}.ko": b"" for name in ("exfat", "ext4")}
    facts = facts_of(pack({"scripts/casper": b"", "scripts/casper-helpers": helpers, **modules}))
    assert "casper-writable" not in facts.markers
    newer = helpers + b"root_persistence_label () {\n    echo writable\n}\n"
    assert "casper-writable" in facts_of(pack({"scripts/casper-helpers": newer})).markers
    assert facts.allowed is not None
    assert "exfat" not in facts.allowed
    assert {"vfat", "ntfs", "ext4"} <= set(facts.allowed)
    assert facts.support("exfat").by == "no"
    assert facts.support("ext4").is_readable


def facts_with(*modules: str, programs: tuple[str, ...] = (), markers: tuple[str, ...] = ()) -> InitrdFacts:
    drivers = KernelModules(modules=modules, builtin=("isofs",), aliases={"ext4": "ext4"})
    return InitrdFacts(size=0, drivers=drivers, programs=programs, markers=markers)


def test_fat_needs_its_code_page_and_a_character_set() -> None:
    assert facts_with("vfat", "fat").support("vfat").lacks == ("nls_cp437", "nls_ascii")
    assert not facts_with("vfat", "nls_cp437").support("vfat").is_readable
    assert facts_with("vfat", "nls_cp437", "nls_utf8").support("vfat").is_readable
    assert facts_with("vfat").support("vfat", builtin=("nls_cp437", "nls_ascii")).is_readable


def test_what_is_built_into_the_kernel_needs_no_module() -> None:
    assert facts_with().support("iso9660").by == "builtin"
    assert facts_with().support("xfs").by == "no"
    unknown = InitrdFacts(size=0, drivers=KernelModules(modules=("ext4",)))
    assert unknown.support("xfs").by == "unknown"
    assert unknown.support("xfs", builtin=("ext4",)).by == "no"
    assert unknown.support("xfs", builtin=("xfs",)).by == "builtin"


def test_ntfs_is_read_by_a_driver_that_answers_to_its_name_or_by_a_helper() -> None:
    assert facts_with("ntfs3").support("ntfs").lacks == ("fs-ntfs",)
    named = InitrdFacts(size=0, drivers=KernelModules(modules=("ntfs3",), aliases={"ntfs": "ntfs3"}))
    assert named.support("ntfs").is_readable
    assert facts_with(programs=("mount.ntfs",)).support("ntfs").by == "helper"
    assert facts_with(programs=("ntfs-3g",)).support("ntfs").by == "no"
    assert facts_with("ntfs3", markers=("live-boot-ntfs-3g",)).support("ntfs").by == "no"
    assert facts_with(programs=("ntfs-3g",), markers=("live-boot-ntfs-3g",)).support("ntfs").by == "helper"


def test_old_archives_are_read_and_doubted(live_tree: Path) -> None:
    facts = facts_of(archived(live_tree, "odc"))
    assert facts.maker == "initramfs-tools"
    assert facts.warnings == ("an archive has the old odc format, which Linux does not unpack",)
    assert facts_of(archived(live_tree, "crc")).warnings == ()


DAMAGES: tuple[tuple[Callable[[bytes], bytes], str], ...] = (
    (lambda data: data[: len(data) * 2 // 3], "ends"),
    (lambda data: data[: data.rindex(b"070701")], "without its trailer"),
    (lambda data: b"070701" + b"F" * 104 + b"x" * 4096, "a cpio name of 4294967295 bytes"),
    (lambda data: b"070701" + b"0" * 88 + b"00000000" + b"0" * 8, "a cpio name of 0 bytes"),
    (lambda data: b"070701" + b"-1234567" * 13 + bytes(200), "a cpio header is damaged"),
    (lambda data: data.replace(b"usr/bin/busybox\0", b"usr/bin/busybox!"), "a cpio name has no end"),
    (lambda data: b"an old ramdisk image", "neither an archive nor anything compressed"),
    (lambda data: zlib.compress(data), "neither an archive nor anything compressed"),
    (lambda data: b"\x1f\x8b" + b"garbage" * 9, "the gzip data are damaged"),
    (lambda data: b"\x89LZO\0\r\n\x1a\n", "lzo compression is not read"),
    (lambda data: b"\0" + data, "neither an archive nor anything compressed"),
)


@pytest.mark.parametrize(("damage", "words"), DAMAGES)
def test_damage_gives_one_warning(damage: Callable[[bytes], bytes], words: str, live_tree: Path) -> None:
    facts = facts_of(damage(padded(archived(live_tree), 1024)))
    assert len(facts.warnings) == 1
    assert words in facts.warnings[0]


@pytest.mark.parametrize("compression", PACKERS)
def test_a_truncated_initrd_gives_what_is_in_front(compression: str, live_tree: Path) -> None:
    archive = archived(planted(live_tree, {"zz/last": random.Random(1).randbytes(60_000).hex()}))
    data = packed(archive, compression)
    facts = facts_of(data[: len(data) * 9 // 10])
    assert len(facts.warnings) == 1
    assert facts.maker == "initramfs-tools" or compression in ("bzip2", "lz4")


def test_noise_and_flipped_bytes_give_an_answer(live_tree: Path) -> None:
    dice = random.Random(7)
    whole = {name: packed(archived(live_tree), name) for name in ("none", *PACKERS)}
    for turn in range(350):
        data = bytearray(whole[dice.choice([*whole])])
        for _ in range(dice.choice((1, 4, 40))):
            data[dice.randrange(len(data))] = dice.randrange(256)
        assert facts_of(bytes(data[: dice.randrange(len(data))] if turn % 3 == 0 else data)).size
    assert facts_of(dice.randbytes(100_000)).warnings
    assert facts_of(b"") == InitrdFacts(size=0)


class Spent(Budget):
    """A budget that knows how many bytes were unpacked."""

    spent = 0

    def spend(self, size: int) -> None:
        self.spent += size
        super().spend(size)


@pytest.mark.parametrize("compression", ["gzip", "zstd", "xz", "lz4", "bzip2"])
def test_a_bomb_is_put_out(compression: str) -> None:
    fields = (1, 0o100644, 0, 0, 1, 0, 0xF0000000, 0, 0, 0, 0, len(b"bomb\0"), 0)
    start = b"070701" + b"".join(b"%08X" % field for field in fields) + b"bomb\0" + bytes(1)
    bomb = packed(start + bytes(40 << 20), compression)
    budget = Spent(output=16 << 20, seconds=30)
    initrd = Initrd(io.BytesIO(bomb), len(bomb), budget=budget)
    assert not list(initrd.members(nothing))
    assert initrd.warnings == [
        "the initrd cannot be read to its end: it unpacks to more than 16 MiB: the rest is not looked at"
    ]
    assert 16 << 20 < budget.spent <= 24 << 20, "at most one block of lz4 more"


def test_time_is_bounded_too(live_tree: Path) -> None:
    data = packed(archived(live_tree), "gzip")
    facts = read_initrd(io.BytesIO(data), len(data), budget=Budget(output=1 << 30, seconds=-1))
    assert "takes longer" in facts.warnings[0]


def test_endless_archives_come_to_an_end() -> None:
    many = pack({"a": b""}) * 100
    assert "more than 64 archives" in facts_of(many).warnings[0]
    assert names_in(many) == ["a"] * 64


def test_a_script_that_never_ends_is_searched_once() -> None:
    # once for each of its lines would be hours
    script = b"is_supported_fs()\n in " * 40_000
    facts = facts_of(pack({"scripts/casper-helpers": script}))
    assert facts.allowed is None


@pytest.mark.parametrize("suffix", ["", ".xz"])
def test_a_driver_names_the_character_set_that_its_kernel_was_made_with(suffix: str, tmp_path: Path) -> None:
    """In small: the strings of Debian's fat.ko and of Ubuntu's."""
    for charset in ("ascii", "iso8859-1"):
        tree = tmp_path / charset
        module = tree / f"lib/modules/6.1/kernel/fs/fat/fat.ko{suffix}"
        module.parent.mkdir(parents=True)
        strings = b"\x7fELF\0iocharset\0" + charset.encode() + b"\0codepage\0"
        module.write_bytes(lzma.compress(strings) if suffix else strings)
        assert facts_of(archived(tree)).drivers.charsets == {"fat": charset}


def test_of_a_function_that_is_defined_twice_the_last_counts(tmp_path: Path) -> None:
    """As in casper-helpers of jammy."""
    body = "is_supported_fs() {\n    case ${1} in\n        %s)\n            return 0\n            ;;\n    esac\n    return 1\n}\n"
    helpers = tmp_path / "scripts/casper-helpers"
    helpers.parent.mkdir()
    helpers.write_text(body % "vfat|udf" + body % "vfat|xfs")
    assert facts_of(archived(tmp_path)).allowed == ("vfat", "xfs")


def test_early_displays_are_those_that_the_kernel_has_built_in(tmp_path: Path) -> None:
    folder = tmp_path / "lib/modules/6.12"
    folder.mkdir(parents=True)
    assert facts_of(archived(tmp_path)).drivers.displays is None
    many = "".join(f"kernel/lib/part{number}.ko\n" for number in range(100))
    (folder / "modules.builtin").write_text("kernel/drivers/video/fbdev/efifb.ko\n")
    assert facts_of(archived(tmp_path)).drivers.displays is None  # no kernel's whole list
    (folder / "modules.builtin").write_text(f"{many}kernel/drivers/video/fbdev/efifb.ko\n")
    assert facts_of(archived(tmp_path)).drivers.displays == ("efifb",)
    (folder / "modules.builtin").write_text(many)
    assert facts_of(archived(tmp_path)).drivers.displays == ()


@pytest.mark.parametrize("suffix", ["", ".xz"])
def test_a_driver_tells_by_the_functions_that_it_calls_what_it_unpacks(suffix: str, tmp_path: Path) -> None:
    """In small: squashfs.ko names all compressions, also those that it was made without."""
    module = tmp_path / f"lib/modules/6.1/kernel/fs/squashfs/squashfs.ko{suffix}"
    module.parent.mkdir(parents=True)
    content = b"\x7fELF\0lz4\0lzo\0xz\0zlib\0zstd\0squashfs_zlib_inflate\0xz_dec_run\0"
    module.write_bytes(lzma.compress(content) if suffix else content)
    assert facts_of(archived(tmp_path)).drivers.unpacks == {"squashfs": ("gzip", "xz")}


def test_checksums_are_what_a_file_system_asks_for_softly(tmp_path: Path) -> None:
    """As kmod 30 writes them, and as kmod before 20 did."""
    softdep = tmp_path / "lib/modules/6.1/modules.softdep"
    softdep.parent.mkdir(parents=True)
    softdep.write_text(
        "# Soft dependencies extracted from modules themselves.\n"
        "softdep ext4 pre: crypto-crc32c\nsoftdep btrfs pre: sha256\nsoftdep btrfs pre: crypto-crc32c\n"
        "softdep f2fs pre: crc32 post: other\nsoftdep lrw pre: ecb\n"
    )
    found = facts_of(archived(tmp_path)).drivers.softdeps
    assert found == {"ext4": ("crc32c",), "btrfs": ("crc32c",), "f2fs": ("crc32",)}


@pytest.mark.parametrize(
    ("branches", "allowed"),
    [
        ("\"vfat\"|'ext4' | xfs) return 0 ;;", ("ext4", "vfat", "xfs")),
        ("(vfat | ext4) return 0;;", ("ext4", "vfat")),
        ("vfat) return 0 ;;\n ext4) # exfat) return 0\n return 0 ;;\n ntfs) return 1 ;;", ("ext4", "vfat")),
        ("ext[34]|vfat) return 0 ;;", ("ext3", "ext4", "vfat")),
        ("*) return 1 ;;", None),
    ],
)
def test_caspers_list_is_read_as_the_shell_reads_it(branches: str, allowed: tuple[str, ...] | None) -> None:
    helpers = f"is_supported_fs ()\n{{\n case $1 in\n {branches}\n esac\n return 1\n}}\n"
    assert facts_of(pack({"scripts/casper-helpers": helpers.encode()})).allowed == allowed
