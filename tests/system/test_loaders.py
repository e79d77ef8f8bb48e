"""Where distributions keep their boot loaders."""

from pathlib import Path

import pytest

from bootkit.model.boot import Firmware
from bootkit.system.loaders import find_loaders
from bootkit.system.tools import TOOLS, hint_for, host_family

SIGNED = b"MZ" + bytes(100) + b"\0/EFI/%s\0"


def put(root: Path, path: str, content: bytes = b"MZ") -> None:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)


@pytest.mark.parametrize(
    ("vendor", "paths"),
    [
        ("debian", ("usr/lib/shim/shimx64.efi.signed", "usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed")),
        ("ubuntu", ("usr/lib/shim/shimx64.efi.signed.latest", "usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed")),
        ("fedora", ("boot/efi/EFI/fedora/shimx64.efi", "boot/efi/EFI/fedora/grubx64.efi")),
        (
            "fedora",
            ("usr/lib/efi/shim/16.1-5/EFI/fedora/shimx64.efi", "usr/lib/efi/grub2/2.12-64.fc44/EFI/fedora/grubx64.efi"),
        ),
        ("opensuse", ("usr/share/efi/x86_64/shim.efi", "usr/share/efi/x86_64/grub.efi")),
    ],
)
def test_the_vendor_is_read_out_of_the_signed_grub(vendor: str, paths: tuple[str, str], tmp_path: Path) -> None:
    put(tmp_path, paths[0])
    put(tmp_path, paths[1], SIGNED % vendor.encode())
    (loader,) = find_loaders(tmp_path).signed
    assert (loader.firmware, loader.vendor, loader.mok_manager) == (Firmware.UEFI_X64, vendor, None)


@pytest.mark.parametrize(
    ("vendor", "shim", "grub"),
    [
        ("debian", "usr/lib/shim/shimaa64.efi.signed", "usr/lib/grub/arm64-efi-signed/grubaa64.efi.signed"),
        (
            "fedora",
            "usr/lib/efi/shim/16.1-7/EFI/fedora/shimaa64.efi",
            "usr/lib/efi/grub2/2.12-64.fc44/EFI/fedora/grubaa64.efi",
        ),
        ("opensuse", "usr/share/efi/aarch64/shim.efi", "usr/share/efi/aarch64/grub.efi"),
    ],
)
def test_loaders_for_arm64_are_found_where_their_packages_have_them(
    vendor: str, shim: str, grub: str, tmp_path: Path
) -> None:
    put(tmp_path, shim)
    put(tmp_path, grub, SIGNED % vendor.encode())
    (loader,) = find_loaders(tmp_path).signed
    assert (loader.firmware, loader.vendor) == (Firmware.UEFI_ARM64, vendor)


def test_the_newest_of_several_versions_is_taken(tmp_path: Path) -> None:
    for version in ("16.1-7", "16.1-10", "15.8-3"):
        put(tmp_path, f"usr/lib/efi/shim/{version}/EFI/fedora/shimx64.efi")
        put(tmp_path, f"usr/lib/efi/shim/{version}/EFI/fedora/mmx64.efi")
    put(tmp_path, "usr/lib/efi/grub2/2.12-64.fc44/EFI/fedora/grubx64.efi", SIGNED % b"fedora")
    (loader,) = find_loaders(tmp_path).signed
    assert loader.mok_manager is not None
    for file in (loader.shim, loader.mok_manager):
        assert "/16.1-10/" in file.path


def test_a_shim_without_its_grub_is_no_loader(tmp_path: Path) -> None:
    put(tmp_path, "usr/lib/shim/shimx64.efi.signed")
    assert find_loaders(tmp_path).signed == ()


def test_a_file_that_is_no_program_for_uefi_is_no_loader(tmp_path: Path) -> None:
    put(tmp_path, "usr/lib/shim/shimx64.efi.signed", b"text")
    put(tmp_path, "usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed")
    assert find_loaders(tmp_path).signed == ()


@pytest.mark.parametrize("folder", ["usr/lib/grub", "usr/share/grub2"])
def test_modules_are_found_where_debian_and_opensuse_keep_them(folder: str, tmp_path: Path) -> None:
    for name in ("kernel.img", "normal.mod", "search.mod"):
        put(tmp_path, f"{folder}/i386-pc/{name}")
    (platform,) = find_loaders(tmp_path).platforms
    assert platform.name == "i386-pc"
    assert sorted(platform.modules) == ["normal", "search"]


def test_modules_without_a_kernel_build_nothing(tmp_path: Path) -> None:
    put(tmp_path, "usr/lib/grub/i386-pc/normal.mod")
    assert find_loaders(tmp_path).platforms == ()


@pytest.mark.parametrize(
    ("text", "family", "hint"),
    [
        ("ID=debian\n", "debian", "sudo apt install grub-common"),
        ('ID=linuxmint\nID_LIKE="ubuntu debian"\n', "debian", "sudo apt install grub-common"),
        ("ID=fedora\n", "fedora", "sudo dnf install grub2-tools"),
        ("ID=manjaro\nID_LIKE=arch\n", "arch", "sudo pacman -S grub"),
        ('ID="opensuse-tumbleweed"\nID_LIKE="opensuse suse"\n', "opensuse", "sudo zypper install grub2"),
    ],
)
def test_a_missing_program_is_named_with_its_package(text: str, family: str, hint: str, tmp_path: Path) -> None:
    os_release = tmp_path / "os-release"
    os_release.write_text(text)
    assert host_family(os_release) == family
    assert hint_for("grub2-mkimage", os_release) == hint_for("grub-mkimage", os_release) == hint


def test_an_unknown_host_is_told_all_names(tmp_path: Path) -> None:
    hint = hint_for("mkfs.btrfs", tmp_path / "nothing")
    assert hint == "install btrfs-progs (Debian), btrfs-progs (Fedora), btrfs-progs (Arch) or btrfsprogs (openSUSE)"
    assert "frobnicate" in hint_for("frobnicate", tmp_path / "nothing")


def test_every_program_that_the_source_starts_is_known_to_doctor() -> None:
    """The programs of the host's own package manager are the only ones that nobody can install."""
    import ast

    known = {name for tool in TOOLS for name in tool.names} | {"dpkg-query", "rpm", "pacman"}
    started: set[str] = set()
    for path in (Path(__file__).parents[2] / "bootkit").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in {"run", "popen", "feed"}
            ):
                first = node.args[0] if node.args else None
                program = first.elts[0] if isinstance(first, ast.List) and first.elts else None
                if isinstance(program, ast.Constant) and isinstance(program.value, str):
                    started.add(program.value)
    assert "sfdisk" in known
    assert started
    assert started <= known
