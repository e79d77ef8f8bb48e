"""The recipes for Arch, Fedora and openSUSE, as far as they can be tried in Debian: by the tools that read them, and by their names.

Source of the names: bmwiedemann/openSUSE (python-Jinja2.spec and python-Babel.spec provide the names in lower case, too), the
``%files`` of grub2.spec in Fedora (grub2-mkfont is in grub2-tools-extra).
"""

import os
import re
import shutil
import subprocess
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from bootkit import __version__
from bootkit.system.run import which
from bootkit.system.tools import TOOLS

ROOT = Path(__file__).parents[2]
PKGBUILD = ROOT / "packaging/arch/PKGBUILD"
SPEC = ROOT / "packaging/rpm/bootkit.spec"
NO_TOOL_OF_OURS = frozenset({"edk2-ovmf", "qemu-system-x86"})
"""What ``bootkit test`` wants; the doctor looks for it by its files."""
OTHERWISE = frozenset({"backports.zstd", "qemu.qmp"})
"""Libraries that no distribution needs to have: libzstd does as well as the first, and the recipes install the second."""
FOLDER = re.compile(r"%\{_(bindir|datadir|mandir|prefix)\}")


def needs(program: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(which(program) is None, reason=f"needs {program}")


@pytest.fixture
def arch_recipe() -> str:
    """What makepkg reads out of the recipe; root may not use it, and others cannot reach root's temporary folders."""
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.geteuid() == 0 else []
    argv = [*nobody, "env", "HOME=/", "PACMAN=true", "makepkg", "--printsrcinfo"]
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        Path(folder).chmod(0o777)
        shutil.copy(PKGBUILD, folder)
        done = subprocess.run(argv, cwd=folder, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def values(text: str, key: str) -> list[str]:
    """The values of a key in what ``makepkg`` or a spec says, without what stands behind a name."""
    found = re.findall(rf"^\s*{key}(?: =|:)\s*(\S+)", text, re.MULTILINE)
    return [re.split(r"[:<>=]", value)[0] for value in found]


def dependencies() -> Iterator[str]:
    """The libraries that pyproject.toml names."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    names = (re.split(r"[\s<>=;\[]", line)[0].lower() for line in project["dependencies"])
    yield from (name for name in names if name not in OTHERWISE)


@needs("makepkg")
def test_makepkg_reads_the_recipe_for_arch(arch_recipe: str) -> None:
    assert values(arch_recipe, "pkgname") == ["bootkit"]
    assert values(arch_recipe, "pkgver") == [__version__]
    libraries = {f"python-{name}".replace("jinja2", "jinja") for name in dependencies()}
    assert libraries <= set(values(arch_recipe, "depends"))
    known = {tool.arch for tool in TOOLS} | NO_TOOL_OF_OURS
    assert set(values(arch_recipe, "optdepends")) <= known


@needs("shellcheck")
def test_the_recipe_for_arch_is_sound_shell() -> None:
    subprocess.run(["shellcheck", PKGBUILD], check=True)


@needs("rpmlint")
def test_rpmlint_finds_only_what_is_meant_so() -> None:
    done = subprocess.run(["rpmlint", SPEC], check=False, capture_output=True, text=True)
    found = re.findall(r"bootkit\.spec(?::\d+)?: ([EW]: \S+)", done.stdout)
    # the archive is made here; Debian's rpm has no macro for the folder that pip installs to
    assert set(found) <= {"W: no-buildroot-tag", "W: invalid-url", "E: hardcoded-library-path"}, done.stdout


@needs("rpmspec")
@pytest.mark.parametrize(("family", "macro"), [("fedora", "fedora 44"), ("opensuse", "suse_version 1600")])
def test_rpm_reads_the_spec(family: str, macro: str) -> None:
    argv = ["rpmspec", "--parse", "--define", macro, str(SPEC)]
    text = subprocess.run(argv, check=True, capture_output=True, text=True).stdout
    assert values(text, "Version") == [__version__]
    libraries = {f"python3-{name}" for name in dependencies()}
    assert libraries <= set(values(text, "Requires"))
    assert set(values(text, "Recommends")) <= {tool.package(family) for tool in TOOLS}


def test_the_spec_has_all_files_that_the_wheel_installs_beside_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    shared = project["tool"]["hatch"]["build"]["targets"]["wheel"]["shared-data"]
    listed = FOLDER.sub(
        lambda match: {"bindir": "bin", "datadir": "share", "mandir": "share/man"}.get(match[1], ""), SPEC.read_text()
    )
    for target in shared.values():
        assert str(target) in listed
