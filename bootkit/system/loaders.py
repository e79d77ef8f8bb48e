"""Boot loaders of the host: GRUB's modules, and the signed shim and GRUB where the distribution has them.

Sources: file lists of shim-signed and grub-efi-*-signed (Debian 12, 13; Ubuntu 22.04, 24.04), shim-x64 and grub2-efi-x64
(Fedora 41), grub (Arch); shim.spec and grub2.spec of openSUSE Tumbleweed, which say aarch64 and arm64-efi for the same places.
Fedora 44 keeps what goes to /boot/efi in folders by version below /usr/lib/efi: Gentoo's ebuild of sys-boot/shim 16.1, which
unpacks shim-x64, shim-ia32 and shim-aa64. The folder where a signed GRUB looks for its
configuration is read out of the image itself: its prefix stands in the PE section ``mods``.
"""

import re
from collections.abc import Iterable, Iterator
from functools import cmp_to_key
from pathlib import Path

from bootkit.errors import BootkitError
from bootkit.formats.efi import read_efi
from bootkit.i18n import tr
from bootkit.model.boot import Firmware
from bootkit.model.efi import EfiFacts
from bootkit.model.prepare import GrubPlatform, HostFile, HostLoaders, SignedLoader
from bootkit.plan.versions import is_newer
from bootkit.system.run import run, which
from bootkit.system.tools import UNPACK, host_family

MKIMAGE_PROGRAMS = ("grub-mkimage", "grub2-mkimage")
_PLATFORMS = ("i386-pc", "x86_64-efi", "i386-efi", "arm64-efi")
_MODULE_FOLDERS = ("usr/lib/grub", "usr/share/grub2", "usr/lib/grub2", "usr/share/grub")
_PREFIX = re.compile(rb"\0/EFI/([A-Za-z0-9_-]{1,32})\0")
_IMAGE_LIMIT = 32 << 20

_SUFFIXES = {
    Firmware.UEFI_X64: ("x64", "x86_64"),
    Firmware.UEFI_IA32: ("ia32", "i386"),
    Firmware.UEFI_ARM64: ("aa64", "arm64"),
}
_RPM_ARCH = {"arm64": "aarch64"}


_FONTS = ("usr/share/grub/unicode.pf2", "usr/share/grub2/unicode.pf2", "boot/grub2/fonts/unicode.pf2")


def menu_font(root: Path = Path("/")) -> bytes | None:
    """GRUB's own Unicode font, without which the menu stays in text mode; ``None`` if the host does not have it."""
    for name in _FONTS:
        try:
            return (root / name).read_bytes()
        except OSError:
            continue
    return None


def find_loaders(root: Path = Path("/"), *, extra: Path | None = None) -> HostLoaders:
    """All that the host has; package names are filled in where its package manager answers.

    ``extra`` is a folder into which packages were unpacked: what is there goes before the host's own.

    Raises:
        BootkitError: there is no loader in that folder.
    """
    host = _loaders_below(root)
    if extra is None:
        return host
    found = _loaders_below(extra)
    if not found.platforms and not found.signed:
        hint = tr("unpack packages into it: {get}", get=UNPACK.get(host_family(), UNPACK["debian"]))
        raise BootkitError(
            tr("{extra} holds neither GRUB's modules nor a signed shim and GRUB", extra=extra), hint=hint
        )
    return HostLoaders(
        platforms=(*found.platforms, *host.platforms), signed=(*found.signed, *host.signed)
    )  # the first of a kind is taken


def _loaders_below(root: Path) -> HostLoaders:
    platforms = [*_platforms(root)]
    signed = [loader for firmware in _SUFFIXES if (loader := _signed(root, firmware)) is not None]
    packages = packages_of(_paths(platforms, signed))
    return HostLoaders(
        platforms=tuple(
            GrubPlatform(
                name=platform.name,
                directory=platform.directory,
                modules=platform.modules,
                package=packages.get(f"{platform.directory}/normal.mod", ""),
            )
            for platform in platforms
        ),
        signed=tuple(
            SignedLoader(
                firmware=loader.firmware,
                vendor=loader.vendor,
                shim=_with_package(loader.shim, packages),
                grub=_with_package(loader.grub, packages),
                mok_manager=loader.mok_manager and _with_package(loader.mok_manager, packages),
                shim_facts=efi_of(loader.shim.path),
            )
            for loader in signed
        ),
    )


def efi_of(path: str) -> EfiFacts | None:
    """What Secure Boot looks at in a program of the host; ``None`` if it cannot be read, or is none."""
    try:
        with Path(path).open("rb") as fh:
            return read_efi(fh)
    except (BootkitError, OSError):
        return None


def mkimage_program() -> str:
    """grub-mkimage under the name that it has here."""
    return next((name for name in MKIMAGE_PROGRAMS if which(name)), MKIMAGE_PROGRAMS[0])


def packages_of(paths: Iterable[str]) -> dict[str, str]:
    """Package and version of each file, as far as dpkg, rpm or pacman knows it."""
    names = sorted(set(paths))
    if not names:
        return {}
    for program, ask in (("dpkg-query", _ask_dpkg), ("rpm", _ask_rpm), ("pacman", _ask_pacman)):
        if which(program):
            return ask(names)
    return {}


def _platforms(root: Path) -> Iterator[GrubPlatform]:
    for name in _PLATFORMS:
        for folder in _MODULE_FOLDERS:
            directory = root / folder / name
            modules = frozenset(path.stem for path in directory.glob("*.mod"))
            # the kernel is what makes a folder of modules useful, and some packages bring modules without it
            if modules and (directory / "kernel.img").exists():
                yield GrubPlatform(name=name, directory=str(directory), modules=modules)
                break


def _signed(root: Path, firmware: Firmware) -> SignedLoader | None:
    suffix, arch = _SUFFIXES[firmware]
    for shims, grubs, managers in _places(suffix, arch):
        shim, grub = _first(root, shims), _first(root, grubs)
        if shim is not None and grub is not None:
            manager = _first(root, managers)
            return SignedLoader(
                firmware=firmware,
                vendor=_vendor(grub),
                shim=HostFile(path=str(shim)),
                grub=HostFile(path=str(grub)),
                mok_manager=HostFile(path=str(manager)) if manager is not None else None,
            )
    return None


def _places(suffix: str, arch: str) -> Iterator[tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]]:
    """Where each distribution keeps its shim, its signed GRUB and its key manager; ``*`` is a version."""
    yield (
        (f"usr/lib/shim/shim{suffix}.efi.signed.latest", f"usr/lib/shim/shim{suffix}.efi.signed"),
        (f"usr/lib/grub/{arch}-efi-signed/grub{suffix}.efi.signed",),
        (f"usr/lib/shim/mm{suffix}.efi.signed", f"usr/lib/shim/mm{suffix}.efi"),
    )
    for shims, grubs in (("usr/lib/efi/shim/*/EFI", "usr/lib/efi/grub2/*/EFI"), ("boot/efi/EFI", "boot/efi/EFI")):
        for vendor in ("fedora", "centos", "rocky", "almalinux", "redhat"):
            shim, grub = f"{shims}/{vendor}", f"{grubs}/{vendor}"
            yield (f"{shim}/shim{suffix}.efi",), (f"{grub}/grub{suffix}.efi",), (f"{shim}/mm{suffix}.efi",)
    folder = f"usr/share/efi/{_RPM_ARCH.get(arch, arch)}"
    yield (f"{folder}/shim.efi",), (f"{folder}/grub.efi",), (f"{folder}/MokManager.efi",)


def _first(root: Path, candidates: tuple[str, ...]) -> Path | None:
    return next((path for name in candidates for path in _newest_first(root, name) if _is_readable(path)), None)


def _newest_first(root: Path, name: str) -> list[Path]:
    before, star, _ = name.partition("*")
    if not star:
        return [root / name]

    def order(one: Path, other: Path) -> int:
        version, than = (path.relative_to(root / before).parts[0] for path in (one, other))
        return is_newer(than, version) - is_newer(version, than)

    return sorted(root.glob(name), key=cmp_to_key(order))


def _is_readable(path: Path) -> bool:
    try:
        with path.open("rb") as fh:
            return fh.read(2) == b"MZ"
    except OSError:
        return False


def _vendor(grub: Path) -> str:
    with grub.open("rb") as fh:
        found = _PREFIX.findall(fh.read(_IMAGE_LIMIT))
    return found[-1].decode("ascii") if found else ""


def _paths(platforms: Iterable[GrubPlatform], signed: Iterable[SignedLoader]) -> Iterator[str]:
    for platform in platforms:
        yield f"{platform.directory}/normal.mod"
    for loader in signed:
        yield from (file.path for file in (loader.shim, loader.grub, loader.mok_manager) if file is not None)


def _with_package(file: HostFile, packages: dict[str, str]) -> HostFile:
    return HostFile(path=file.path, package=packages.get(file.path, ""))


def _ask_dpkg(paths: list[str]) -> dict[str, str]:
    # status 1: some of the files belong to no package
    owners = _lines(["dpkg-query", "-S", *paths])
    found = {path: names.split(",")[0] for names, _, path in (line.partition(": ") for line in owners) if path in paths}
    if not found:
        return {}
    show = "${binary:Package} ${Package} ${Version}\n"
    versions: dict[str, str] = {}
    for line in _lines(["dpkg-query", "-W", f"-f={show}", *sorted(set(found.values()))]):
        with_arch, plain, version = [*line.split(" "), "", ""][:3]
        versions |= {with_arch: f"{plain} {version}", plain: f"{plain} {version}"}
    return {path: versions.get(name, name) for path, name in found.items()}


def _ask_rpm(paths: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for path in paths:
        lines = _lines(["rpm", "-qf", "--qf", "%{NAME} %{VERSION}-%{RELEASE}\n", path])
        if lines and not lines[0].startswith(("error", "file ")):
            found[path] = lines[0]
    return found


def _ask_pacman(paths: list[str]) -> dict[str, str]:
    # "/usr/lib/grub/i386-pc/normal.mod is owned by grub 2:2.12-3"
    owners = (line.partition(" is owned by ") for line in _lines(["pacman", "-Qo", *paths]))
    return {path: owner for path, _, owner in owners if owner}


def _lines(argv: list[str]) -> list[str]:
    try:
        return run(argv, ok=(0, 1), timeout=20).decode(errors="replace").splitlines()
    except BootkitError:
        # the answer is good to have, and a broken package database no reason to stop
        return []
