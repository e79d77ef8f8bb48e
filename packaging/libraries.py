"""The libraries of a Debian package: which are there in this release, and which have to come along from PyPI.

    packaging/libraries.py TREE

Writes the names of the former into ``TREE/debian/control`` and puts the wheels of the latter into ``TREE/wheels``. A
library that comes along brings what it needs itself, unless the release has that.
"""

import subprocess
import sys
import tomllib
from collections.abc import Iterator
from email.parser import HeaderParser
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

from packaging.requirements import Requirement
from packaging.version import InvalidVersion, Version

NAMES = {
    "jinja2": "python3-jinja2",
    "lz4": "python3-lz4",
    "markdown-it-py": "python3-markdown-it",
    "mdurl": "python3-mdurl",
    "platformdirs": "python3-platformdirs",
    "pygments": "python3-pygments",
    "pyudev": "python3-pyudev",
    "rich": "python3-rich",
    "textual": "python3-textual",
    "tomlkit": "python3-tomlkit",
    "typing-extensions": "python3-typing-extensions",
}
"""What Debian calls the libraries that it has."""


def main(tree: Path) -> None:
    project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
    known: set[str] = set()
    theirs: dict[str, str] = {}
    wanted = [Requirement(text) for text in project["dependencies"]]
    while wanted:
        requirement = wanted.pop()
        if requirement.name.lower() in known or (requirement.marker and not requirement.marker.evaluate({"extra": ""})):
            continue
        known.add(requirement.name.lower())
        if package := in_debian(requirement):
            theirs[package] = f"{package} (>= {least(requirement)})" if least(requirement) else package
        else:
            wanted += fetch(requirement, tree / "wheels")
    python = f"python3 (>= {sys.version_info[0]}.{sys.version_info[1]})"
    binary = any("none-any" not in wheel.name for wheel in (tree / "wheels").iterdir())
    # compiled libraries fit this Python and no later one
    below = [f"python3 (<< {sys.version_info[0]}.{sys.version_info[1] + 1})"] if binary else []
    depends = ", ".join([python, *below, *sorted(theirs.values())])
    control = tree / "debian/control"
    text = control.read_text(encoding="utf-8")
    text = text.replace("@ARCHITECTURE@", "any" if binary else "all").replace("@LIBRARIES@", depends)
    control.write_text(text, encoding="utf-8")


def in_debian(requirement: Requirement) -> str:
    """The package that fulfils a requirement in this release; empty if none does."""
    package = NAMES.get(requirement.name.lower(), "")
    if not package:
        return ""
    policy = subprocess.run(["apt-cache", "policy", package], capture_output=True, text=True, check=True).stdout
    candidate = next((line.split()[-1] for line in policy.splitlines() if "Candidate:" in line), "(none)")
    upstream = candidate.partition(":")[2] or candidate
    try:
        version = Version(upstream.partition("-")[0].partition("+")[0])
    except InvalidVersion:
        return ""
    return package if version in requirement.specifier else ""


def least(requirement: Requirement) -> str:
    return next((one.version for one in requirement.specifier if one.operator == ">="), "")


def fetch(requirement: Requirement, folder: Path) -> Iterator[Requirement]:
    """Download one wheel; what it needs in turn."""
    with TemporaryDirectory() as name:
        subprocess.run(
            [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", "--dest", name,
             "--disable-pip-version-check", str(requirement).partition(";")[0]],
            check=True,
        )  # fmt: skip
        (wheel,) = Path(name).iterdir()
        with ZipFile(wheel) as archive:
            (metadata,) = [path for path in archive.namelist() if path.endswith(".dist-info/METADATA")]
            headers = HeaderParser().parsestr(archive.read(metadata).decode())
        wheel.rename(folder / wheel.name)
    return (Requirement(text) for text in headers.get_all("Requires-Dist", []))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
