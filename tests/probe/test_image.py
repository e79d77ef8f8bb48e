"""Views on images: what a detector sees of them, what it costs, and what is said about what is no image."""

import gzip
import io
import json
import os
import subprocess
from pathlib import Path

import pytest

from bootkit.errors import BootkitError, FormatError
from bootkit.formats.iso9660 import Iso9660
from bootkit.model.iso import TEXT_LIMIT, RecordedIso
from bootkit.model.record import facts_from_json, facts_to_json
from bootkit.probe.image import open_image


def run(*argv: str | Path) -> str:
    env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "MTOOLS_SKIP_CHECK": "1"}
    return subprocess.run(argv, check=True, capture_output=True, text=True, timeout=60, env=env).stdout


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A live system with thousands of files, and a FAT image for UEFI with a menu of its own."""
    root = tmp_path_factory.mktemp("tree")
    for name, content in {
        "casper/vmlinuz": os.urandom(50_000),
        "casper/initrd": os.urandom(90_000),
        "boot/grub/grub.cfg": b"menuentry 'Try' {\n\tlinux /casper/vmlinuz\n}\n",
        "boot/grub/latin1.cfg": "# größer\n".encode("latin-1"),
        "boot/grub/huge.cfg": b"#" * (TEXT_LIMIT + 5),
        "bios.img": bytes(2048),
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    for number in range(2000):
        folder = root / f"pool/{number % 20:02}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"a-package-with-a-name-of-usual-length_{number}.1-2_amd64.deb").touch()
    efi = root / "boot/efi.img"
    run("mkfs.fat", "-C", efi, "1440")
    run("mmd", "-i", efi, "::/EFI", "::/EFI/BOOT")
    run("mcopy", "-i", efi, root / "boot/grub/grub.cfg", "::/EFI/BOOT/grub.cfg")
    return root


@pytest.fixture(scope="module")
def image(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("image") / "live.iso"
    run(
        "xorriso", "-as", "mkisofs", "-R", "-J", "-V", "Live 24.04 amd64", "-sysid", "LINUX", "-publisher", "Nobody",
        "--modification-date=2024082715330700", "-b", "bios.img", "-no-emul-boot", "-boot-load-size", "4",
        "-eltorito-alt-boot", "-e", "boot/efi.img", "-no-emul-boot", "-isohybrid-gpt-basdat", "-o", path, tree,
    )  # fmt: skip
    return path


class Counted(io.FileIO):
    """A file that knows how many bytes were read from it."""

    read_bytes_so_far = 0

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(-1 if size is None else size)
        self.read_bytes_so_far += len(data or b"")
        return data or b""


def test_the_usual_questions_cost_less_than_64_kib(image: Path) -> None:
    fh = Counted(image)
    with open_image(fh, name="live.iso") as iso:
        assert iso.exists("/casper/vmlinuz")
        assert iso.glob("/casper/initrd*") == ("/casper/initrd",)
        assert not iso.exists("/live")
        assert iso.text("/boot/grub/grub.cfg").startswith("menuentry")
        assert iso.facts.el_torito
        assert fh.read_bytes_so_far < 64 << 10
        assert iso.text("efi:/efi/boot/grub.cfg").startswith("menuentry")
        assert fh.read_bytes_so_far < 80 << 10


def test_facts_name_the_volume_as_blkid_does(image: Path) -> None:
    told = dict(line.split("=", 1) for line in run("blkid", "-p", "-o", "udev", image).splitlines())
    with open_image(image) as iso:
        facts = iso.facts
    assert facts.name == "live.iso"
    assert facts.size == image.stat().st_size
    assert facts.filesystem == "rock_ridge"
    assert facts.volume_id == facts.joliet_volume_id == "Live 24.04 amd64"
    assert facts.uuid == told["ID_FS_UUID"] == "2024-08-27-15-33-07-00"
    assert facts.system_id == told["ID_FS_SYSTEM_ID"] == "LINUX"
    # blkid takes this one from Joliet, where small letters are allowed.
    assert facts.publisher_id == told["ID_FS_PUBLISHER_ID"].upper() == "NOBODY"
    assert [(entry.platform, entry.size) for entry in facts.el_torito] == [("bios", 2048), ("efi", 1440 << 10)]
    assert facts.warnings == ()
    assert facts.dirs == {}


def test_facts_hold_what_was_looked_at_and_no_more(image: Path) -> None:
    with open_image(image) as iso:
        assert iso.facts.dirs == {}
        before = iso.facts
        iso.text("/BOOT/grub/GRUB.CFG")
        iso.listdir("efi:/EFI")
        facts = iso.facts
    assert before.dirs == {}
    assert sorted(facts.dirs) == ["/", "/boot", "/boot/grub", "efi:/", "efi:/EFI"]
    assert list(facts.texts) == ["/boot/grub/grub.cfg"]


def test_a_recorded_view_answers_like_the_live_one(image: Path) -> None:
    questions = ("/", "/casper", "/boot/grub/*.cfg", "/nothing/here", "efi:/EFI/BOOT/*", "/*/*.img")
    with open_image(image) as iso:
        live = [iso.glob(question) for question in questions]
        texts = [iso.text(path) for path in iso.glob("/boot/grub/*.cfg")]
        facts = iso.facts
    recorded = RecordedIso(facts_from_json(json.loads(json.dumps(facts_to_json(facts)))))
    assert [recorded.glob(question) for question in questions] == live
    assert [recorded.text(path) for path in recorded.glob("/boot/grub/*.cfg")] == texts


def test_texts_are_cut_and_never_fail_to_decode(image: Path) -> None:
    with open_image(image) as iso:
        assert iso.text("/boot/grub/latin1.cfg") == "# gr\ufffd\ufffder\n"
        assert len(iso.text("/boot/grub/huge.cfg")) == TEXT_LIMIT
        assert iso.text("/boot/grub/none.cfg") == ""
        assert iso.text("/boot/grub") == ""


def test_binary_members_are_files(image: Path, tree: Path) -> None:
    with open_image(image) as iso:
        assert iso.read("/Casper/VMLINUZ", 100) == (tree / "casper/vmlinuz").read_bytes()[:100]
        with iso.open("/casper/initrd") as file:
            file.seek(-10, os.SEEK_END)
            assert file.read() == (tree / "casper/initrd").read_bytes()[-10:]
        assert iso.read("efi:/EFI/BOOT/GRUB.CFG", 9) == b"menuentry"
        with pytest.raises(FormatError, match=r"live\.iso has no file /casper/none"):
            iso.open("/casper/none")


def test_an_image_without_its_padding_is_whole_and_one_that_ends_inside_of_a_small_file_is_not(tmp_path: Path) -> None:
    (tmp_path / "tree" / "live").mkdir(parents=True)
    (tmp_path / "tree" / "live" / "root.img").write_bytes(bytes(9000))
    path = tmp_path / "small.iso"
    run("xorriso", "-as", "mkisofs", "-R", "-o", path, tmp_path / "tree")
    whole = path.stat().st_size
    with path.open("rb") as fh:
        ((start, length),) = Iso9660(fh).extents("/live/root.img")
        assert start is not None
    sectors, torn = start + length + -length % 2048, start + length - 1
    for end, missing in ((whole, 0), (sectors, 0), (torn, whole - torn)):
        os.truncate(path, end)
        with open_image(path) as view:
            assert (view.missing, view.facts.missing) == (missing, missing)
            assert bool(missing) == any("not complete" in warning for warning in view.facts.warnings)


def test_a_truncated_image_says_so_and_gives_what_is_there(image: Path, tmp_path: Path) -> None:
    short = tmp_path / "short.iso"
    with image.open("rb") as fh:
        short.write_bytes(fh.read(800_000))
    with open_image(short) as iso:
        assert iso.exists("/casper/vmlinuz")
        iso.listdir("/pool/19")
        iso.text("/boot/grub/huge.cfg")
        assert "an incomplete download?" in " ".join(iso.facts.warnings)


@pytest.mark.parametrize("table", [(), ("-appended_part_as_gpt",)], ids=["mbr", "gpt"])
def test_the_esp_of_a_hybrid_table_counts_without_el_torito(table: tuple[str, ...], tree: Path, tmp_path: Path) -> None:
    image = tmp_path / "x.iso"
    appended: tuple[str | Path, ...] = ("-append_partition", "2", "0xef", tree / "boot/efi.img", *table)
    run("xorriso", "-as", "mkisofs", "-R", *appended, "-o", image, tree / "casper")
    with open_image(image) as iso:
        assert iso.facts.el_torito == ()
        assert iso.text("efi:/EFI/BOOT/grub.cfg").startswith("menuentry")


def test_an_image_without_an_esp_has_no_efi_tree(tree: Path, tmp_path: Path) -> None:
    run("xorriso", "-as", "mkisofs", "-R", "-o", tmp_path / "x.iso", tree / "casper")
    with open_image(tmp_path / "x.iso") as iso:
        assert not iso.exists("efi:/EFI")
        assert iso.listdir("efi:/") == ()


@pytest.mark.parametrize("size", [100, 20_000, 33_000, 34_000, 36_000, 40_000])
def test_the_first_bytes_of_an_image_are_no_reason_to_fall_over(size: int, image: Path) -> None:
    with image.open("rb") as fh:
        start = io.BytesIO(fh.read(size))
    if size < 32768 + 847:
        with pytest.raises(FormatError, match=r"^live\.iso is not an ISO image"):
            open_image(start, name="live.iso")
        return
    with open_image(start, name="live.iso") as iso:
        assert iso.listdir("/casper") == ()
        assert iso.volume_id == "Live 24.04 amd64"
        assert iso.facts.warnings


def test_udf_is_shown_where_iso9660_has_only_a_stub(tree: Path, tmp_path: Path) -> None:
    image = tmp_path / "win.iso"
    windows = tmp_path / "windows"
    (windows / "sources").mkdir(parents=True)
    (windows / "sources/boot.wim").write_bytes(b"wim")
    (windows / "bootmgr").write_bytes(b"mgr")
    run("genisoimage", "-quiet", "-udf", "-V", "CCCOMA", "-hide", "*", "-o", image, windows)
    with open_image(image) as iso:
        assert iso.facts.filesystem == "udf"
        assert iso.is_file("/sources/boot.wim")
        assert iso.volume_id == "CCCOMA"
    run("genisoimage", "-quiet", "-udf", "-R", "-o", image, windows)
    with open_image(image) as iso:
        assert iso.facts.filesystem == "rock_ridge"
        assert f"ID_FS_UUID={iso.uuid}\n" in run("blkid", "-p", "-o", "udev", image)


@pytest.mark.parametrize(
    ("content", "hint"),
    [
        (gzip.compress(bytes(100_000), mtime=0), "gunzip"),
        (b"<!DOCTYPE html><title>404</title>", "web page"),
        (bytes(100_000), "empty"),
        (b"", "empty"),
        (b"\xfa" * 510 + b"\x55\xaa" + bytes(100_000), "sudo cp FILE /dev/sdX"),
    ],
    ids=["gzip", "html", "zeros", "nothing", "disk"],
)
def test_what_is_no_image_is_refused_with_a_hint(content: bytes, hint: str, tmp_path: Path) -> None:
    path = tmp_path / "x.iso"
    path.write_bytes(content)
    with pytest.raises(FormatError, match=r"^x\.iso is not an ISO image") as refused:
        open_image(path)
    assert hint in refused.value.hint


def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    with pytest.raises(BootkitError, match=r"none\.iso cannot be opened: No such file"):
        open_image(tmp_path / "none.iso")
    with pytest.raises(BootkitError, match="cannot be opened: Is a directory"):
        open_image(tmp_path)


def test_grub_mkrescue_makes_an_image_that_is_read(tmp_path: Path) -> None:
    (tmp_path / "tree/boot/grub").mkdir(parents=True)
    (tmp_path / "tree/boot/grub/grub.cfg").write_text("echo hello\n")
    modules = "--install-modules=normal"
    run("grub-mkrescue", modules, "--locales=", "--fonts=", "--themes=", "-o", tmp_path / "x.iso", tmp_path / "tree")
    with open_image(tmp_path / "x.iso") as iso:
        assert iso.text("/boot/grub/grub.cfg") == "echo hello\n"
        assert {entry.platform for entry in iso.facts.el_torito} == {"bios", "efi"}
        assert iso.is_file("efi:/EFI/BOOT/BOOTX64.EFI")
        assert iso.facts.warnings == ()


@pytest.mark.parametrize(
    ("package", "path", "menu", "platforms"),
    [
        ("grub-rescue-pc", "/usr/lib/grub-rescue/grub-rescue-cdrom.iso", "/boot/grub/grub.cfg", ["bios"]),
        ("ipxe", "/usr/lib/ipxe/ipxe.iso", "/isolinux.cfg", ["bios", "efi"]),
        ("memtest86+", "/usr/lib/memtest86+/memtest86+x64.iso", "efi:/EFI/BOOT/bootx64.efi", ["bios", "efi"]),
    ],
)
def test_images_in_distribution_packages(package: str, path: str, menu: str, platforms: list[str]) -> None:
    if not Path(path).exists():
        pytest.skip(f"{package} is not installed")
    with open_image(Path(path)) as iso:
        assert iso.is_file(menu)
        assert iso.read(menu, 64)
        assert [entry.platform for entry in iso.facts.el_torito] == platforms
        assert f"ID_FS_UUID={iso.uuid}\n" in run("blkid", "-p", "-o", "udev", path)
        assert iso.facts.warnings == ()
