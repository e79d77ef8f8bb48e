"""The homes that lie on a stick, each one file, and which of them a live system gets."""

from collections.abc import Sequence

from bootkit.errors import BootkitError, FormatError
from bootkit.formats.ext4 import read_superblock
from bootkit.formats.luks import is_encrypted
from bootkit.i18n import tr
from bootkit.model.options import Choices
from bootkit.model.places import HOME_FOLDER
from bootkit.system.volume import Volume, read_file
from bootkit.values import dataclass

SUFFIX = ".home"
NO_HOME = "none"
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


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedHome(Home):
    """A home among the others."""

    on: bool
    """Whether it is the one that systems get."""


def find_homes(volume: Volume) -> tuple[Home, ...]:
    return tuple(_home(volume, name, size) for name, size in _files(volume))


def home_names(volume: Volume) -> tuple[str, ...]:
    """The names of the homes in the order of :func:`find_homes`, without a look into their files."""
    return tuple(name for name, _ in _files(volume))


def home_named(volume: Volume, name: str) -> Home:
    """The home of that name.

    Raises:
        BootkitError: there is none.
    """
    homes = find_homes(volume)
    found = next((home for home in homes if home.name == name.removesuffix(SUFFIX)), None)
    if found is None:
        there = ", ".join(home.name for home in homes)
        raise BootkitError(
            tr("there is no home {name}", name=name),
            hint=tr("there are: {there}", there=there) if there else "bootkit home create NAME --size 4G",
        )
    return found


def home_path(name: str) -> str:
    return f"{HOME_FOLDER}/{name}{SUFFIX}"


def home_that_counts(names: Sequence[str], chosen: str) -> str:
    """The home that a system gets for what was chosen for it; empty for none.

    Where nothing was chosen, it is the only one: of two nobody could tell which is meant (``initrd_overlays/common/files/home.sh``).
    """
    if not chosen:
        return names[0] if len(names) == 1 else ""
    return chosen if chosen in names else ""


def homes_note(names: Sequence[str], choices: Choices) -> str:
    """A sentence where homes are on the stick and live systems start without one that might be expected; else empty."""
    chosen = choices.text("home")
    others = ", ".join(names)
    if chosen not in ("", NO_HOME, *names):
        there = tr("there are {others}", others=others) if names else tr("there is none")
        return f"The home that is chosen, {chosen}, is not on the stick ({there}): bootkit options set home NAME"
    is_chosen_somewhere = any("home" in kept for kept in choices.values.values())
    if len(names) > 1 and not is_chosen_somewhere:
        return f"No home is on: there are several ({others}), and none is chosen. To choose one: bootkit options set home {names[0]}"
    return ""


def _files(volume: Volume) -> tuple[tuple[str, int], ...]:
    files = [stat for stat in volume.listdir(HOME_FOLDER) if stat.name.endswith(SUFFIX) and not stat.is_dir]
    return tuple((stat.name.removesuffix(SUFFIX), stat.size) for stat in files if stat.name[0] != ".")


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
