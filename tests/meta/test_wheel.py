"""What is in the checkout is in the wheel, and what is installed from it works by itself."""

import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

from bootkit import __version__

ROOT = Path(__file__).parents[2]
SHIPPED = ("detectors", "grub_templates", "initrd_overlays")

pytestmark = pytest.mark.wheel


def run(*argv: str | Path, cwd: Path) -> str:
    done = subprocess.run(argv, cwd=cwd, check=False, capture_output=True, text=True)
    assert done.returncode == 0, f"{argv}\n{done.stdout}{done.stderr}"
    return done.stdout


def files_below(folder: Path) -> set[str]:
    found = {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}
    return {path.as_posix() for path in found if "__pycache__" not in path.parts}


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an sdist and the wheel that was built from it."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, ROOT, cwd=folder)
    return folder


@pytest.fixture(scope="module")
def wheel(dist: Path) -> Path:
    return dist / f"bootkit-{__version__}-py3-none-any.whl"


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel; the libraries it depends on are those of the running interpreter."""
    folder = tmp_path_factory.mktemp("venv")
    venv.create(folder, with_pip=False)
    python = folder / "bin" / "python"
    run(sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index", wheel, cwd=folder)
    # a .pth of a folder that is named in a .pth is not read: an editable install beside the libraries stays out
    (site_packages(folder) / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder


def site_packages(environment: Path) -> Path:
    return next(environment.glob("lib/python*/site-packages"))


def test_the_wheel_holds_every_file_of_the_four_folders(wheel: Path) -> None:
    expected = {f"bootkit/{name}" for name in files_below(ROOT / "bootkit") if not name.startswith(SHIPPED)}
    expected |= {f"bootkit/{folder}/{name}" for folder in SHIPPED for name in files_below(ROOT / folder)}
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert packed == expected


def test_the_sdist_holds_each_file_once_and_no_links(dist: Path) -> None:
    with tarfile.open(dist / f"bootkit-{__version__}.tar.gz") as archive:
        members = archive.getmembers()
    names = [member.name.partition("/")[2] for member in members]
    assert all(member.isfile() for member in members)
    assert len(set(names)) == len(names)
    assert not [name for name in names if name.startswith(tuple(f"bootkit/{folder}/" for folder in SHIPPED))]
    assert {"README.md", "CHANGELOG.md", "LICENSE", "pyproject.toml", "detectors/casper.py"} <= set(names)


def test_nothing_but_the_package_is_installed(installed: Path) -> None:
    names = {path.name for path in site_packages(installed).iterdir()}
    assert names == {"bootkit", f"bootkit-{__version__}.dist-info", "libraries.pth"}


def test_the_installed_program_is_its_own(installed: Path) -> None:
    where = run(installed / "bin" / "python", "-c", "import bootkit; print(bootkit.__file__)", cwd=installed)
    assert Path(where.strip()).is_relative_to(installed)
    assert run(installed / "bin" / "bootkit", "--version", cwd=installed) == f"bootkit {__version__}\n"
    assert "usage: bootkit" in run(installed / "bin" / "bootkit", "--help", cwd=installed)


def test_the_installed_program_makes_a_stick_with_an_image(installed: Path, tmp_path: Path) -> None:
    bootkit = installed / "bin" / "bootkit"
    run(bootkit, "prepare", "stick.img", "--size", "1G", "--yes", cwd=tmp_path)
    for path in ("casper/vmlinuz", "casper/initrd", "casper/filesystem.squashfs", ".disk/casper-uuid-generic"):
        file = tmp_path / "tree" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("small\n")
    run("xorriso", "-as", "mkisofs", "-quiet", "-r", "-V", "Ubuntu 24.04", "-o", "ubuntu.iso", "tree", cwd=tmp_path)
    run(bootkit, "add", "ubuntu.iso", "--stick", "stick.img", cwd=tmp_path)
    run(bootkit, "generate", "--stick", "stick.img", cwd=tmp_path)
    assert "casper" in run(bootkit, "list", "--stick", "stick.img", cwd=tmp_path)
