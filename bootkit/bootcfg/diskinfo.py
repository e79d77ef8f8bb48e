"""``/.disk/info``, the one line with which Debian's and Ubuntu's images and those made like them name themselves."""

import re

from bootkit.values import dataclass

_CODENAME = re.compile(r'"([^"]*)"')
_VERSION = re.compile(
    r"(?<![\w.])v?(\d+(?:\.\d+)*(?:[-~]?(?:alpha|beta|rc)\d*)?)(?![\w.]*[/:])(?![A-Za-z0-9])", re.IGNORECASE
)
_DATE = re.compile(r"(20\d\d-?[01]\d-?[0-3]\d)(?:[-T. ]?(\d\d:\d\d(?::\d\d)?|\d+))?")
_ARCHITECTURES = {
    "amd64": "x86_64", "x86_64": "x86_64", "x64": "x86_64", "64bit": "x86_64", "64-bit": "x86_64",
    "i386": "i686", "i486": "i686", "i586": "i686", "i686": "i686", "686": "i686", "32bit": "i686", "32-bit": "i686",
    "arm64": "aarch64", "aarch64": "aarch64", "riscv64": "riscv64", "ppc64el": "ppc64le", "s390x": "s390x",
}  # fmt: skip
_ARCHITECTURE = re.compile(
    rf"(?<![A-Za-z0-9])(?:{'|'.join(map(re.escape, sorted(_ARCHITECTURES, key=len, reverse=True)))})(?![A-Za-z0-9])",
    re.IGNORECASE,
)
_NOISE = frozenset({
    "-", "binary", "build", "daily", "mac", "official", "release", "snapshot", "stable", "testing", "unofficial",
})  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskInfo:
    """The parts that could be told apart; ``text`` has it all."""

    text: str = ""
    name: str = ""
    """``Ubuntu``, ``Debian GNU/Linux``, ``Linux Mint``: what stands before the version."""
    version: str = ""
    """``24.04.1 LTS`` with its LTS, ``12.5.0``."""
    codename: str = ""
    arch: str = ""
    """As the kernel names it: ``x86_64``, ``i686``, ``aarch64``."""
    edition: str = ""
    """What is left behind the architecture or the version: ``NETINST``, ``gnome``, ``Cinnamon``."""
    date: str = ""
    """``20240827`` or ``2024-02-10``, as written."""


def parse_disk_info(text: str) -> DiskInfo:
    """``Ubuntu 24.04.1 LTS "Noble Numbat" - Release amd64 (20240827.1)`` and its many cousins."""
    line = next((line.strip() for line in text.splitlines() if line.strip()), "")[:500]
    codename = _CODENAME.search(line)
    date = _DATE.search(line)
    rest = _DATE.sub(" ", _CODENAME.sub(" ", line)).replace("()", " ")
    version = _VERSION.search(rest)
    arch = _ARCHITECTURE.search(rest)
    name, tail = (rest[: version.start()], rest[version.end() :]) if version is not None else _without_version(rest)
    long_term = tail.lstrip().upper().startswith("LTS")
    number = version[1] if version is not None else ""
    return DiskInfo(
        text=line,
        name=" ".join(name.split()).strip(" -").removeprefix("Official "),
        version=f"{number} LTS" if number and long_term else number,
        codename=codename[1] if codename is not None else "",
        arch=_ARCHITECTURES[arch[0].lower()] if arch is not None else "",
        edition=_edition(tail.lstrip()[3:] if long_term else tail),
        date=date[1] if date is not None else "",
    )


def _without_version(rest: str) -> tuple[str, str]:
    name, _, tail = rest.partition(" - ")
    return name, tail


def _edition(tail: str) -> str:
    words = re.split(r"[\s()\[\],_+]+", _ARCHITECTURE.sub(" ", tail))
    return " ".join(word.strip("-/") for word in words if word.lower() not in _NOISE).strip()
