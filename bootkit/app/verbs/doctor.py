"""``doctor``: which external programs and boot loaders are there, where the others come from, and what they are for."""

from dataclasses import dataclass
from pathlib import Path

from bootkit.formats.elf import is_static
from bootkit.system.loaders import find_loaders
from bootkit.system.run import which
from bootkit.system.tools import FAMILIES, INSTALL, LOADER_PACKAGES, TOOLS, Tool, host_family


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that bootkit uses and does not bring along."""

    name: str
    where: str
    """Empty if it is not there."""
    without_it: str
    packages: dict[str, str]
    """By family: debian, fedora, arch, opensuse; empty where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    family: str
    """The host's; empty if it is none that we know."""
    findings: tuple[Finding, ...]

    @property
    def missing(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if not finding.where)

    @property
    def command(self) -> str:
        """What installs all that is missing, to be typed; empty if nothing is, or the host is not known."""
        packages = {word for finding in self.missing for word in finding.packages.get(self.family, "").split()}
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
    return Diagnosis(family=host_family(), findings=(*programs, *_loaders()))


def _will_do(tool: Tool, found: str) -> bool:
    return not tool.is_static or is_static(Path(found).read_bytes())


def _loaders() -> tuple[Finding, ...]:
    host = find_loaders()
    signed = ", ".join(f"{loader.vendor} ({loader.firmware})" for loader in host.signed)
    found = {platform.name: platform.directory for platform in host.platforms} | {"": signed}
    return tuple(
        Finding(
            name=loaders.what,
            where=found.get(loaders.platform, ""),
            without_it=loaders.without_it,
            packages=loaders.packages,
        )
        for loaders in LOADER_PACKAGES
    )
