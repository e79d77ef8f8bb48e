"""What all tests share."""

import os
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from bootkit.model.filesystem import DataFs

ROOT = Path(__file__).parents[1]
Prepared = Callable[..., Path]


def pytest_configure() -> None:
    """Keep compiled modules where they are in nobody's way: hundreds of tests start the program, which else compiles it anew.

    And speak English, whoever runs the tests.
    """
    os.environ["LC_ALL"] = "C.UTF-8"
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix = os.fspath(ROOT / ".pytest_cache" / "compiled")
    sys.dont_write_bytecode = False
    for name in ("detectors", "grub_templates", "initrd_overlays"):  # an archive of the source has no links
        if not (link := ROOT / "bootkit" / name).exists():
            link.symlink_to(Path("..", name))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write the golden files instead of comparing them")


@cache
def detector_names() -> frozenset[str]:
    """Of the modules in ``detectors/``."""
    return frozenset(path.stem for path in (ROOT / "detectors").glob("[!_]*.py"))


def pytest_itemcollected(item: pytest.Item) -> None:
    """``-k`` with the name of a detector selects what compares it with all others as well."""
    if item.get_closest_marker("every_detector"):
        item.extra_keyword_matches.update(detector_names())


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    """Whether golden files are to be written; what they say then is reviewed in the diff."""
    return bool(request.config.getoption("--update-golden"))


@pytest.fixture(autouse=True)
def no_user_configuration(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keeps the configuration of whoever runs the tests out; the folder that stands in for it."""
    folder = tmp_path_factory.getbasetemp() / "no-config"
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder))
    return folder


def copy_with_holes(source: Path, target: Path) -> None:
    """A file or a folder, with its times."""
    subprocess.run(["cp", "-a", "--sparse=always", source, target], check=True)


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """``prepared(image, data_fs)``: a new image file of 200 MiB that is a stick, prepared once and then copied."""
    made: dict[DataFs, Path] = {}

    def put(image: Path, data_fs: DataFs = DataFs.EXT4) -> Path:
        if data_fs not in made:
            from bootkit.app.verbs.prepare import prepare_image

            made[data_fs] = tmp_path_factory.mktemp("prepared") / "stick.img"
            prepare_image(made[data_fs], 200 << 20, data_fs=data_fs)
        copy_with_holes(made[data_fs], image)
        return image

    return put


@pytest.fixture
def light_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys that cost no second of processor each time that they are derived from a passphrase."""
    least = ("--pbkdf-memory", "32", "--pbkdf-parallel", "1", "--pbkdf-force-iterations", "4")
    monkeypatch.setattr("bootkit.system.luks._ARGON2", least)
