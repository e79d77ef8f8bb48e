"""``ext create``: an extension out of folders, archives, packages or an AppImage."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import field, replace
from pathlib import Path

from bootkit.app.stick.recognition import answered, with_insides
from bootkit.bootcfg.osrelease import OsRelease, parse_os_release
from bootkit.errors import BootkitError, FormatError, UsageError
from bootkit.i18n import tr
from bootkit.model.catalog import ImageItem
from bootkit.model.extension import ANY, Architecture, ExtensionFacts, Release, find_machine, machine_named
from bootkit.plan.extension import release_path, release_text, require_extension_name, wanted_release
from bootkit.probe.extension import elf_machine, machine_inside, read_extension
from bootkit.probe.image import open_image
from bootkit.system.apt import BASE, Apt, Package, require_package_names
from bootkit.system.makeext import COMPRESSIONS, is_appimage, make_extension
from bootkit.system.run import run
from bootkit.system.volumes.raw import scratch
from bootkit.values import dataclass

_STATUS = "/var/lib/dpkg/status"
_STATUS_LIMIT = 32 << 20
_OS_RELEASE = Path("/etc/os-release")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtensionWish:
    """What the user asked for."""

    name: str
    output: Path
    sources: tuple[Path, ...] = ()
    packages: tuple[str, ...] = ()
    """By name, from apt."""
    without: tuple[str, ...] = ()
    """Packages that the live system has, with all they need."""
    onto: Path | None = None
    """The ISO file of the live system: what it has is left out."""
    id: str = ""
    version_id: str = ""
    anywhere: bool = False
    machine: str = ""
    compression: str = "gzip"


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeExtension:
    path: Path
    size: int
    facts: ExtensionFacts
    packages: tuple[Package, ...] = ()
    """What apt brought."""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtensionPlan:
    """What ``ext create`` would do."""

    wish: ExtensionWish
    release: Release | None
    packages: tuple[Package, ...] = ()
    kernels: tuple[str, ...] = ()
    """Versions of Linux in the live system of ``--onto``."""


def plan_extension(wish: ExtensionWish, *, apt_options: Sequence[str] = ()) -> ExtensionPlan:
    """Check what was asked for, and ask apt what the packages need.

    Raises:
        BootkitError: it cannot be done.
    """
    require_extension_name(wish.name)
    if wish.compression not in COMPRESSIONS:
        raise UsageError(
            tr("there is no compression {compression}", compression=repr(wish.compression)),
            hint=tr("one of {compressions}", compressions=", ".join(COMPRESSIONS)),
        )
    if not wish.sources and not wish.packages:
        raise UsageError(
            tr("nothing to make it of"), hint=tr("a folder, an archive, .deb files, an AppImage, or --from-apt PACKAGE")
        )
    require_package_names((*wish.packages, *wish.without))
    if wish.output.exists():
        raise BootkitError(
            tr("{output} is there already", output=wish.output),
            hint=tr("remove it, or choose another one: --output FILE"),
        )
    missing = next((source for source in wish.sources if not source.exists()), None)
    if missing is not None:
        raise BootkitError(
            tr("there is no {missing}", missing=missing),
            hint=tr("packages are fetched by name with --from-apt PACKAGE"),
        )
    live = _live_system(wish.onto, packages=bool(wish.packages)) if wish.onto else _LiveSystem()
    release = _release(wish, live.release)
    if not wish.packages:
        return ExtensionPlan(wish=wish, release=release, kernels=live.kernels)
    with scratch() as work:
        packages = _needed(Apt(work, options=apt_options), wish, live.status)
    return ExtensionPlan(wish=wish, release=release, packages=packages, kernels=live.kernels)


def make(
    plan: ExtensionPlan, *, told: Callable[[str], None] = lambda _: None, apt_options: Sequence[str] = ()
) -> MadeExtension:
    """Carry it out: the file is there when it is complete and was looked into."""
    wish = plan.wish
    with scratch() as work:
        debs: tuple[Path, ...] = ()
        if plan.packages:
            told(f"fetching {len(plan.packages)} packages")
            debs = Apt(work, options=apt_options).download(plan.packages)
        told(f"packing {wish.output.name}")
        release = plan.release
        if release is not None and not release.machine:
            release = replace(release, machine=_machine_of((*wish.sources, *debs)))
        text = None if release is None else (release_path(wish.name), release_text(release))
        warnings = make_extension(
            (*wish.sources, *debs), wish.output, name=wish.name, release=text, compression=wish.compression
        )
    with wish.output.open("rb") as fh:
        facts = read_extension(fh, wish.output.name)
        inside = machine_inside(fh)
    if facts.release is None:
        wish.output.unlink()
        raise UsageError(
            tr("nothing says for which system it is"), hint=tr("--id debian --version-id 12, or --any for every system")
        )
    if inside is not None and facts.release.machine not in ("", ANY, inside.systemd):
        warnings = (*warnings, f"its programs are for {inside.uname}")
    if wish.onto and facts.kernels and plan.kernels and not {*facts.kernels} & {*plan.kernels}:
        versions = " and ".join(plan.kernels)
        warnings = (*warnings, f"its kernel modules do not fit {wish.onto.name}, which has Linux {versions}")
    return MadeExtension(
        path=wish.output, size=wish.output.stat().st_size, facts=facts, packages=plan.packages, warnings=warnings
    )


def _release(wish: ExtensionWish, system: OsRelease) -> Release | None:
    """For which system it will be; ``None`` if a source has to say so."""
    machine = machine_named(wish.machine).systemd if wish.machine else ""
    said = wanted_release(ident=wish.id, version_id=wish.version_id, anywhere=wish.anywhere, machine=machine)
    if said is not None:
        return said
    if not system.id and wish.packages:
        system = parse_os_release(_OS_RELEASE.read_text(errors="replace")) if _OS_RELEASE.is_file() else system
    if system.id:
        level = system.values.get("SYSEXT_LEVEL", "")
        return Release(id=system.id, version_id=system.version_id, level=level, machine=machine)
    # an AppImage is made to run anywhere; what a folder or a package holds belongs to one system
    if wish.sources and all(map(_is_appimage, wish.sources)):
        return Release(id=ANY, machine=machine)
    if any(source.suffix == ".deb" for source in wish.sources):
        raise UsageError(
            tr("for which system are these packages?"),
            hint=tr("--id debian --version-id 12, or --any for every system"),
        )
    return None


def _is_appimage(source: Path) -> bool:
    if not source.is_file():
        return False
    with source.open("rb") as fh:
        return is_appimage(fh.read(16))


def _needed(apt: Apt, wish: ExtensionWish, status: bytes) -> tuple[Package, ...]:
    wanted = apt.needed(wish.packages, status=status)
    has = {package.name for package in (() if status else apt.needed((BASE,)))}
    if wish.without:
        has |= {package.name for package in apt.needed(wish.without)}
    named = {name.partition(":")[0].partition("=")[0] for name in wish.packages}
    left = tuple(package for package in wanted if package.name in named or package.name not in has)
    if not left:
        raise BootkitError(
            tr("the live system has all of these packages already"),
            hint=tr("leave --onto out to carry them all the same"),
        )
    return left


def _machine_of(sources: Sequence[Path]) -> str:
    """What packages and AppImages are for; empty where they do not say, or several."""
    found: set[str] = set()
    for source in sources:
        if source.suffix == ".deb":
            name = run(["dpkg-deb", "--field", source, "Architecture"]).decode().strip()
            machine = find_machine(name)
        else:
            machine = _machine_of_program(source)
        found |= {machine.systemd} if machine else set()
    return found.pop() if len(found) == 1 else ""


def _machine_of_program(source: Path) -> Architecture | None:
    if not source.is_file():
        return None
    with source.open("rb") as fh:
        return elf_machine(fh.read(20))


@dataclass(frozen=True, slots=True, kw_only=True)
class _LiveSystem:
    status: bytes = b""
    """dpkg's list of installed packages."""
    release: OsRelease = field(default_factory=OsRelease)
    kernels: tuple[str, ...] = ()


def _live_system(iso: Path, *, packages: bool) -> _LiveSystem:
    """What the live system in an ISO file says of itself, its kernels, and its installed packages.

    Raises:
        BootkitError: its root is not found, or its ``packages`` are asked for and it has no list of Debian's kind.
    """
    if not iso.is_file():
        raise BootkitError(tr("there is no ISO file {iso}", iso=iso))
    with open_image(iso) as view:
        item = with_insides(answered(ImageItem(path=f"/{iso.name}", size=iso.stat().st_size, mtime_ns=0), view), view)
        facts = item.facts
        best, system, kernels = b"", OsRelease(), set[str]()
        for path, root in sorted(facts.roots.items()) if facts else ():
            system = parse_os_release(root.os_release) if root.os_release else system
            kernels |= root.kernels.keys()
            with suppress(FormatError):
                best = max(best, view.open_root(path).tree.read(_STATUS, _STATUS_LIMIT), key=len)
    if not best and (packages or not system.id):
        missing = tr("{status} that bootkit finds: it is no live system of Debian's kind", status=_STATUS)
        raise BootkitError(
            tr(
                "{iso} has no {missing}",
                iso=iso.name,
                missing=missing if packages else tr("live system that bootkit finds"),
            ),
            hint=tr("leave --onto out, and name what it has with --without PACKAGE")
            if packages
            else tr("leave --onto out"),
        )
    return _LiveSystem(status=best, release=system, kernels=tuple(sorted(kernels)))
