"""The program as one file: what is in it, that it starts by itself, and that the same files give the same archive."""

import ast
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Callable, Iterable
from importlib.metadata import PackageNotFoundError, requires
from io import BytesIO
from pathlib import Path

import pytest

from bootkit import __version__
from bootkit.system.fingerprint import own_fingerprint
from bootkit.system.program import COMPILED, LIBRARIES, SIZE_LIMIT, carried_archive, program_archive, start_script

ROOT = Path(__file__).parents[2]
BUILD = "import sys; from bootkit.system.program import {0}; sys.stdout.buffer.write({0}())"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("program") / "bootkit.pyz"
    path.write_bytes(program_archive())
    return path


def needed(asked: Iterable[str]) -> set[str]:
    """The names of what requirements ask for, and of what that needs in turn."""
    names = {normal(re.split(r"[^\w.-]", text)[0]) for text in asked if "extra ==" not in text}
    return names.union(*(needed(asked_by(name)) for name in names))


def asked_by(project: str) -> list[str]:
    try:
        return requires(project) or []
    except PackageNotFoundError:
        return []


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_every_library_is_in_it_or_is_compiled() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    table = {normal(name) for name in (*LIBRARIES, *COMPILED)}
    assert needed(project["dependencies"]) <= table
    # what an extra of a library asks for
    assert table - needed(project["dependencies"]) <= {"linkify-it-py", "uc-micro-py"}


def test_it_is_small_and_holds_nothing_that_is_compiled(archive: Path) -> None:
    assert archive.stat().st_size < SIZE_LIMIT / 2
    with zipfile.ZipFile(archive) as opened:
        names = opened.namelist()
    assert not [name for name in names if name.endswith((".so", ".pyc"))]
    assert {"__main__.py", "bootkit/detectors/casper.py", "bootkit/initrd_overlays/common/overlay.toml"} <= set(names)
    licences = {name.partition("-")[0] for name in names if "LICEN" in name or "COPYING" in name}
    assert {"jinja2", "textual", "pygments", "rich"} <= licences


@pytest.mark.parametrize("made", [program_archive, carried_archive])
def test_two_processes_make_the_same_bytes(made: Callable[[], bytes]) -> None:
    other = subprocess.run(
        [sys.executable, "-c", BUILD.format(made.__name__)],
        env={**os.environ, "PYTHONHASHSEED": "7"},
        capture_output=True,
        check=True,
    )
    assert other.stdout == made()


def test_byte_code_is_run_by_the_python_that_made_it_and_passed_over_by_others(tmp_path: Path) -> None:
    assert len(carried_archive()) < SIZE_LIMIT
    with zipfile.ZipFile(BytesIO(carried_archive())) as opened:
        contents = {name: opened.read(name) for name in opened.namelist()}
    # whichever of the two is run shows
    contents["bootkit/cli/guard.py"] = b"raise SystemExit('the source')"
    code = contents["bootkit/cli/guard.pyc"]
    assert os.fspath(ROOT).encode() not in code

    def said(code: bytes) -> str:
        contents["bootkit/cli/guard.pyc"] = code
        with zipfile.ZipFile(tmp_path / "other.pyz", "w") as other:
            for name, content in contents.items():
                other.writestr(name, content)
        argv = [sys.executable, "-S", "-E", f"{tmp_path}/other.pyz", "--version"]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        return done.stdout + done.stderr

    assert said(code) == f"bootkit {__version__}\n"
    assert said(b"\xf3\x0d\r\n" + code[4:]) == "the source\n"


def test_the_archive_knows_its_fingerprint(archive: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        assert opened.read("fingerprint").decode() == own_fingerprint()


def test_it_starts_without_any_library_of_the_host_and_gives_itself_back(archive: Path, tmp_path: Path) -> None:
    def run(*words: str) -> str:
        argv = [sys.executable, "-S", "-E", os.fspath(archive), *words]
        return subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, check=True).stdout

    assert run("--version") == f"bootkit {__version__}\n"
    assert "casper" in run("list", "--supported", "ubuntu")
    run("prepare", "stick.img", "--size", "200M", "--yes")
    carried = tmp_path / "carried.pyz"
    shown = ["debugfs", "-R", f"dump /boot/bootkit/program/bootkit.pyz {carried}", f"stick.img?offset={66 << 20}"]
    subprocess.run(shown, cwd=tmp_path, capture_output=True, check=True)
    assert carried.read_bytes() == archive.read_bytes()


def test_a_python_that_is_too_old_is_told_so_in_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    text = start_script("main.py").decode()
    ast.parse(text, feature_version=(3, 0))
    monkeypatch.setattr(sys, "version_info", (3, 9, 2))
    with pytest.raises(SystemExit, match=r"^bootkit needs Python 3\.11 or newer, and this system has 3\.9: ") as end:
        exec(compile(text, "main.py", "exec"), {})
    assert "\n" not in str(end.value)


def test_a_system_without_python_is_told_so_in_a_line(tmp_path: Path) -> None:
    folder = tmp_path / "boot/bootkit/program"
    folder.mkdir(parents=True)
    # what a system has that has no Python
    text = start_script("bootkit.sh").decode().replace("/usr/bin/python3", "/nowhere/python3")
    (folder / "bootkit").write_text(text.replace("/usr/local/bin", "/nowhere"))
    (tmp_path / "boot/generate").write_bytes(start_script("generate.sh"))
    (tmp_path / "bin").mkdir()
    for name in ("sh", "dirname", "readlink"):
        (tmp_path / "bin" / name).symlink_to(f"/usr/bin/{name}")
    argv = ["/bin/sh", f"{tmp_path}/boot/generate"]
    done = subprocess.run(argv, env={"PATH": f"{tmp_path}/bin"}, capture_output=True, text=True, check=False)
    assert done.returncode == 5
    assert done.stderr == "bootkit needs Python 3.11 or newer, and this system has none: start another one\n"


def test_the_archive_can_be_listed_from_memory() -> None:
    assert zipfile.ZipFile(BytesIO(program_archive())).testzip() is None
