"""``doctor``: which external programs and boot loaders are there, where the others come from, and what they are for."""

from pathlib import Path

from bootkit.app.verbs.loaders import secure_boot_notes
from bootkit.formats.elf import is_static
from bootkit.model.prepare import HostLoaders
from bootkit.system.efivars import machine_keys
from bootkit.system.loaders import find_loaders
from bootkit.system.run import which
from bootkit.system.tools import FAMILIES, INSTALL, LOADER_PACKAGES, TOOLS, Tool, host_family
from bootkit.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that bootkit uses and does not bring along."""

    name: str
    where: str
    """The path of what was found; empty if it is not there."""
    without_it: str
    packages: dict[str, str]
    """By family: debian, fedora, arch, opensuse; empty where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    family: str
    """The host's family of distributions; empty if it is none that we know."""
    findings: tuple[Finding, ...]
    secure_boot: tuple[str, ...] = ()
    """What this computer's firmware makes of the loaders, and of what comes; sentences."""

    @property
    def missing(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if not finding.where)

    @property
    def foreign(self) -> tuple[str, ...]:
        """Missing packages of other architectures, which the package manager does not install by themselves."""
        names = (word for finding in self.missing for word in finding.packages.get(self.family, "").split())
        return tuple(sorted({name for name in names if ":" in name}))

    @property
    def command(self) -> str:
        """What installs all that is missing, to be typed; empty if nothing is, or the host is not known."""
        names = (word for finding in self.missing for word in finding.packages.get(self.family, "").split())
        packages = {name for name in names if ":" not in name}
        return f"{INSTALL[self.family]} {' '.join(sorted(packages))}" if packages and self.family else ""


def examine() -> Diagnosis:
    """Look for everything, start nothing of it."""
    programs = tuple(
        Finding(
            name=tool.program,
            where=next((found for name in tool.names if (found := which(name)) and _will_do(tool, found)), ""),
            without_it=tool.without_it,
            packages={family: tool.package(family) for family in FAMILIES},
        )
        for tool in TOOLS
    )
    host = find_loaders()
    return Diagnosis(
        family=host_family(),
        findings=(*programs, *_loaders(host)),
        secure_boot=tuple(secure_boot_notes(host, machine_keys())),
    )


def _will_do(tool: Tool, found: str) -> bool:
    return not tool.is_static or is_static(Path(found).read_bytes())


def _loaders(host: HostLoaders) -> tuple[Finding, ...]:
    signed = {f"signed:{loader.firmware}": loader.shim.path for loader in host.signed}
    found = {platform.name: platform.directory for platform in host.platforms} | signed
    return tuple(
        Finding(
            name=loaders.what,
            where=found.get(loaders.platform, ""),
            without_it=loaders.without_it,
            packages=loaders.packages,
        )
        for loaders in LOADER_PACKAGES
    )
