"""What is in the checkout is in the wheel, and what is installed from it works by itself."""

import json
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

from bootkit import __version__
from bootkit.cli.completion import SHELLS

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
        packed = {name for name in archive.namelist() if ".dist-info/" not in name and ".data/" not in name}
    assert packed == expected


def test_the_wheel_brings_the_manual_completions_and_what_desktops_want(wheel: Path) -> None:
    data = f"bootkit-{__version__}.data/data/share"
    with zipfile.ZipFile(wheel) as archive:
        names = {name.removeprefix(f"{data}/") for name in archive.namelist() if name.startswith(data)}
        manual = archive.read(f"{data}/man/man1/bootkit.1").decode()
        bash = archive.read(f"{data}/bash-completion/completions/bootkit").decode()
    assert names == {
        "man/man1/bootkit.1", "man/man5/stick.toml.5", "man/man7/bootkit-detector.7",
        "bash-completion/completions/bootkit", "zsh/site-functions/_bootkit", "fish/vendor_completions.d/bootkit.fish",
        "applications/bootkit.desktop", "icons/hicolor/scalable/apps/bootkit.svg",
    }  # fmt: skip
    assert ".TH" in manual
    assert bash == SHELLS["bash"][0]


def test_the_wheel_has_a_bill_of_materials(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        bill = json.loads(archive.read(f"bootkit-{__version__}.dist-info/sboms/bootkit.cdx.json"))
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    assert bill["metadata"]["component"]["purl"] == f"pkg:pypi/bootkit@{__version__}"
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = {re.split(r"[^\w.-]", text)[0].replace(".", "-") for text in project["dependencies"]}
    assert {component["name"] for component in bill["components"]} == asked
    references = {component["bom-ref"] for component in bill["components"]}
    assert set(bill["dependencies"][0]["dependsOn"]) == references


def test_two_builds_are_the_same_bytes(dist: Path, tmp_path: Path) -> None:
    copy = tmp_path / "elsewhere"
    shutil.copytree(
        ROOT, copy, symlinks=True, ignore=shutil.ignore_patterns(".git", ".venv", ".*cache", "__pycache__", "dist")
    )
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", tmp_path / "again", copy, cwd=tmp_path)
    for one in dist.iterdir():
        assert (tmp_path / "again" / one.name).read_bytes() == one.read_bytes(), one.name


def test_the_tests_of_the_sdist_run_out_of_it(dist: Path, installed: Path, tmp_path: Path) -> None:
    """Some of each kind: what reads documents, records of images, templates, overlays, packaging."""
    with tarfile.open(dist / f"bootkit-{__version__}.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    tree = tmp_path / f"bootkit-{__version__}"
    tests = [
        "tests/meta/test_man_pages.py",
        "tests/meta/test_readme.py",
        "tests/meta/test_links.py",
        "tests/overlay/test_scripts.py",
        "tests/render/test_quoting.py",
        "tests/system/test_program.py",
    ]
    said = run(installed / "bin/python", "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests, cwd=tree)
    assert "passed" in said
    assert "failed" not in said


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
