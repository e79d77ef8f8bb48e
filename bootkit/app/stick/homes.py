"""The homes that lie on a stick, each one file."""

from dataclasses import dataclass

from bootkit.errors import BootkitError, FormatError
from bootkit.formats.ext4 import read_superblock
from bootkit.system.fsimage import (
    is_encrypted,
)
from bootkit.system.volume import Volume, read_file

HOME_FOLDER = "/boot/home"
SUFFIX = ".home"
_RECOVER = 0x4


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    name: str
    path: str
    size: int
    encrypted: bool = False
    used: int = 0
    """Bytes taken in its file system; 0 where that is not known."""
    state: str = ""
    """``clean``, ``in use`` (it was not unmounted), ``encrypted`` or ``damaged``."""


def find_homes(volume: Volume) -> tuple[Home, ...]:
    files = [stat for stat in volume.listdir(HOME_FOLDER) if stat.name.endswith(SUFFIX) and not stat.is_dir]
    return tuple(_home(volume, stat.name.removesuffix(SUFFIX), stat.size) for stat in files if stat.name[0] != ".")


def home_named(volume: Volume, name: str) -> Home:
    """Raises BootkitError: there is none."""
    homes = find_homes(volume)
    found = next((home for home in homes if home.name == name.removesuffix(SUFFIX)), None)
    if found is None:
        there = ", ".join(home.name for home in homes)
        raise BootkitError(
            f"there is no home {name}", hint=f"there are: {there}" if there else "bootkit home create NAME --size 4G"
        )
    return found


def home_path(name: str) -> str:
    return f"{HOME_FOLDER}/{name}{SUFFIX}"


def _home(volume: Volume, name: str, size: int) -> Home:
    home = Home(name=name, path=home_path(name), size=size)
    if is_encrypted(read_file(volume, home.path, 8) or b""):
        return Home(name=name, path=home.path, size=size, encrypted=True, state="encrypted")
    try:
        with volume.open(home.path) as fh:
            superblock = read_superblock(fh)
    except FormatError:
        return Home(name=name, path=home.path, size=size, state="damaged")
    used = (superblock.blocks - superblock.free_blocks) * superblock.block_size
    state = "in use" if superblock.incompat & _RECOVER else "clean"
    return Home(name=name, path=home.path, size=size, used=used, state=state)
