"""The layout of a stick is said once, in ``bootkit/model/places.py``; what is written in other languages agrees with it."""

import ast
import re
from functools import cache
from pathlib import Path

from bootkit.model import places
from tests.meta.parsed import nodes

ROOT = Path(__file__).parents[2]
SAID_IN = ROOT / "bootkit" / "model" / "places.py"
OF_IMAGES = ("bootcfg", "detect", "detectors", "formats", "probe")
"""Packages whose paths are those inside of images."""
KNOWN = {value for name, value in vars(places).items() if name.isupper()}
GUIDS = {value.upper() for name, value in vars(places).items() if name.startswith("TYPE_")}
PATH = re.compile(r"/boot(?:/[\w.-]*\w)+")


@cache
def literals(module: Path) -> tuple[str, ...]:
    """The text constants of a module, docstrings left out."""
    docs = {
        id(node.value) for node in nodes(module) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    return tuple(
        node.value
        for node in nodes(module)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs
    )


def modules() -> list[Path]:
    found = [path for path in sorted((ROOT / "bootkit").rglob("*.py")) if path != SAID_IN]
    return [path for path in found if path.relative_to(ROOT / "bootkit").parts[0] not in OF_IMAGES]


def is_known(path: str) -> bool:
    """A place, or below one that is a folder of its own for what varies."""
    return any(
        path == place or path.startswith(f"{place}/") for place in KNOWN if place not in ("/boot", "/boot/bootkit")
    )


def test_no_module_spells_a_path_of_the_stick() -> None:
    assert len(modules()) > 100
    found = {
        f"{module.relative_to(ROOT)}: {text}"
        for module in modules()
        for text in literals(module)
        if " " not in text and re.match(r"/(?:boot|apps|EFI/BOOT)(?:/|$)", text)
    }
    # folders of the running system, and of programs in images
    of_others = {
        "bootkit/app/verbs/disk_encrypt.py: /boot",
        "bootkit/plan/safety.py: /boot",
        "bootkit/plan/safety.py: /boot/",
        "bootkit/plan/wanted_files.py: /EFI/BOOT",
        "bootkit/plan/wanted_files.py: /EFI/BOOT/",
        "bootkit/system/diskcrypt.py: /boot",
    }
    assert found - of_others == set()


def test_what_users_are_told_of_paths_is_true() -> None:
    told = {path for module in modules() for text in literals(module) if " " in text for path in PATH.findall(text)}
    assert told
    assert {path for path in told if not is_known(path)} == set()


def test_every_type_of_a_partition_is_said_once() -> None:
    everywhere = [path for path in sorted((ROOT / "bootkit").rglob("*.py")) if path != SAID_IN]
    found = [path for path in everywhere for text in literals(path) if text.upper() in GUIDS]
    assert len(GUIDS) == 5
    assert found == []


def test_overlays_and_templates_agree() -> None:
    """Their paths begin where the stick is: ``$BK_STICK``, a device of GRUB, or a name for the partition."""
    on_stick = re.compile(r"(?:\$BK_STICK|\$bk_stick|\(\$?\w+\)|\$\w*prefix)(/boot(?:/[\w.-]*\w)+)")
    files = [*(ROOT / "initrd_overlays").rglob("files/*"), *(ROOT / "grub_templates").glob("*.j2")]
    found = {path: file.name for file in files if file.is_file() for path in on_stick.findall(file.read_text())}
    assert {places.LOG_FOLDER, places.HOME_FOLDER, places.EXTENSION_FOLDER, places.GRUB_FOLDER} <= found.keys()
    assert {path: name for path, name in found.items() if not is_known(path)} == {}


def test_translations_name_the_folder_of_the_images() -> None:
    for catalogue in (ROOT / "grub_templates" / "locale").glob("*.po"):
        paths = set(PATH.findall(catalogue.read_text()))
        assert paths == {places.IMAGE_FOLDER}, catalogue
