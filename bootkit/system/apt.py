"""Packages with all they need, through the host's apt, into a folder of our own: no root, nothing installed.

apt is given a status file of ours instead of the host's: what it lists is what the live system has already.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote

from bootkit.errors import BootkitError, CommandFailed
from bootkit.i18n import tr
from bootkit.system.run import LONG, run
from bootkit.values import dataclass

BASE = "?or(?essential,?priority(required),?priority(important))"
"""What every Debian has, live or not; a pattern of apt 2.0 (2020)."""
_URI = re.compile(r"^'(?P<uri>[^']+)' (?P<file>\S+) (?P<size>\d+)")
_PACKAGE = re.compile(r"[a-z0-9][a-z0-9+.-]+(?::[a-z0-9]+)?(?:=[A-Za-z0-9.+:~-]+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """One package file as apt would fetch it."""

    name: str
    version: str
    machine: str
    """Debian's name of it; ``all`` for every one."""
    size: int

    @property
    def words(self) -> str:
        """The package as apt-get download wants it named."""
        return f"{self.name}{'' if self.machine == 'all' else ':' + self.machine}={self.version}"


class Apt:
    """apt with state and cache in ``work``; ``options`` are further ones of apt.conf."""

    def __init__(self, work: Path, *, options: Sequence[str] = ()) -> None:
        self._work = work
        (work / "partial").mkdir(parents=True, exist_ok=True)
        self._options = options

    def needed(self, names: Sequence[str], *, status: bytes = b"") -> tuple[Package, ...]:
        """The packages with everything they depend on that ``status`` does not list as installed.

        Raises:
            BootkitError: apt does not know them, or they cannot be installed there.
        """
        file = self._work / "status"
        file.write_bytes(status)
        try:
            out = run(
                [*self._argv(), "-o", f"Dir::State::status={file}", "--print-uris", "-qq", "-y", "install", *names]
            )
        except CommandFailed as error:
            reasons = [line.strip() for line in error.stderr.splitlines() if line.startswith("E:")]
            hint = tr("renew the lists of this computer: sudo apt update")
            raise BootkitError(f"apt: {(reasons or [error.message])[0].removeprefix('E: ')}", hint=hint) from error
        found = [match for line in out.decode().splitlines() if (match := _URI.match(line))]
        return tuple(sorted((_package(match) for match in found), key=lambda package: package.name))

    def download(self, packages: Sequence[Package]) -> tuple[Path, ...]:
        """The package files; apt compares them with the checksums of its signed lists."""
        if packages:
            try:
                run(
                    [*self._argv(), "-qq", "download", *(package.words for package in packages)],
                    cwd=self._work,
                    timeout=LONG,
                )
            except CommandFailed as error:
                raise BootkitError(f"apt: {error.message}", hint=tr("is this computer on the network?")) from error
        return tuple(sorted(self._work.glob("*.deb")))

    def _argv(self) -> list[str]:
        settings = (
            f"Dir::Cache={self._work}",
            f"Dir::Cache::archives={self._work}/",
            "Debug::NoLocking=1",
            "APT::Sandbox::User=root",
            "APT::Install-Recommends=0",
            *self._options,
        )
        return ["apt-get", *(word for setting in settings for word in ("-o", setting))]


def require_package_names(names: Sequence[str]) -> None:
    """Refuse what is no package name: apt might take it for an option or a pattern.

    Raises:
        BootkitError: one of ``names`` is none.
    """
    for name in names:
        if not _PACKAGE.fullmatch(name):
            raise BootkitError(
                tr("{name} is no name of a Debian package", name=repr(name)),
                hint=tr("as apt shows it: apt search WORD"),
            )


def _package(match: re.Match[str]) -> Package:
    name, version, machine = unquote(match["file"]).removesuffix(".deb").split("_", 2)
    return Package(name=name, version=version, machine=machine, size=int(match["size"]))
