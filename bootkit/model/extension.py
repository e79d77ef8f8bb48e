"""Extensions: squashfs images as systemd-sysext knows them, laid over a live system."""

from bootkit.errors import UsageError
from bootkit.i18n import tr
from bootkit.values import dataclass

RELEASE_FOLDER = "/usr/lib/extension-release.d"
ANY = "_any"
MERGED = ("bin", "sbin", "lib", "lib32", "lib64", "libx32", "libo32")
"""Links into /usr on every system of today."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Architecture:
    """A processor architecture by the names that it goes by."""

    uname: str
    """As ``uname -m`` says it: the name of its folder on the stick."""
    systemd: str
    """As in ``ARCHITECTURE=``."""
    debian: str
    elf: int
    """``e_machine`` of its programs."""


MACHINES = (
    Architecture(uname="x86_64", systemd="x86-64", debian="amd64", elf=62),
    Architecture(uname="aarch64", systemd="arm64", debian="arm64", elf=183),
    Architecture(uname="i686", systemd="x86", debian="i386", elf=3),
    Architecture(uname="armv7l", systemd="arm", debian="armhf", elf=40),
    Architecture(uname="riscv64", systemd="riscv64", debian="riscv64", elf=243),
)
"""ARCHITECTURE= as in systemd 257, src/basic/architecture.c; e_machine as in elf.h."""


def find_machine(name: str) -> Architecture | None:
    """The machine that is called so by any of its names."""
    return next((one for one in MACHINES if name in (one.uname, one.systemd, one.debian)), None)


def machine_named(name: str) -> Architecture:
    """As :func:`find_machine`.

    Raises:
        UsageError: there is none.
    """
    machine = find_machine(name)
    if machine is None:
        known = ", ".join(one.uname for one in MACHINES)
        raise UsageError(
            tr("there is no machine {name}", name=repr(name)), hint=tr("as uname -m says it: {known}", known=known)
        )
    return machine


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """For which system an extension is, as its extension-release file says; see systemd-sysext(8)."""

    id: str
    """As in the system's own os-release; ``_any`` for every one."""
    version_id: str = ""
    level: str = ""
    """SYSEXT_LEVEL; where both sides have one, it counts instead of the version."""
    machine: str = ""
    """ARCHITECTURE; empty or ``_any`` for every one."""

    @property
    def words(self) -> str:
        system = (
            "any system" if self.id in ("", ANY) else " ".join(filter(None, (self.id, self.level or self.version_id)))
        )
        return f"{system}, {self.machine if self.machine not in ('', ANY) else 'any machine'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtensionFacts:
    """What was read out of an extension."""

    compression: str
    release: Release | None = None
    """``None`` if it does not say for which system it is."""
    files: int = 0
    folders: tuple[str, ...] = ()
    """The folders at its top and below /usr: ``etc``, ``usr/bin``."""
    programs: tuple[str, ...] = ()
    """Names of what it adds to the search path."""
    kernels: tuple[str, ...] = ()
    """The versions of Linux that its kernel modules are for."""
    problems: tuple[str, ...] = ()
    """What keeps it from working as it should, each a clause."""
    notes: tuple[str, ...] = ()
    """What is worth knowing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtensionItem:
    """One extension on the stick."""

    path: str
    size: int
    machine: str
    """Of its folder."""

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]
