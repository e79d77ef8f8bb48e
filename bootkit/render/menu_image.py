"""Images and entries as the templates of the menu take them."""

from bootkit.model.boot import ANY_FIRMWARE, BootEntry, Firmware
from bootkit.model.catalog import Additions, Hop, ImageAppearance
from bootkit.render.grub import grub_quote
from bootkit.render.names import OWN_NAME
from bootkit.values import dataclass

_PLAIN = ImageAppearance()
_NOTHING = Additions()
GO = "go"
"""The id of the line that starts an entry which asks once more."""
RED, AMBER = "erases", "installs"
"""The classes of what changes a disk: without a question, and when it was asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """Files that an entry loads, by the place where they lie."""

    image: tuple[str, ...] = ()
    efi: tuple[str, ...] = ()
    efi_blocks: str = ""
    """Where the FAT image for UEFI lies in the image, as GRUB's list of blocks."""
    stick: tuple[str, ...] = ()
    """Beside the image."""
    unified: tuple[str, str] | None = None
    """The unified kernel image that the entry loads parts of: its partition as GRUB calls it behind the name of the disk
    (``,gpt1``), and its path there."""

    @property
    def of_image(self) -> bool:
        """Whether GRUB has to look into the image."""
        return bool(self.image or self.efi)


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """One more command of GRUB that loads a file."""

    command: str
    path: str
    words: tuple[str, ...] = ()
    name: str = ""
    """Name for the file in the archive that ``initrd16`` makes of it."""
    takes_choices: bool = False
    """The words of the user's choices come behind its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GrubEntry:
    """An entry of an image: what GRUB loads, where it can, and what it says instead."""

    title: str
    id: str
    condition: str = ""
    """GRUB script that is true where the entry can start; empty if that is everywhere."""
    explanation: tuple[str, ...] = ()
    """Lines to show instead of booting."""
    warning: tuple[str, ...] = ()
    """What it destroys: lines of a question that is asked before it starts."""
    installs: bool = False
    """Whether it is there to write to one of the computer's disks."""
    own_menu: str = ""
    """The image's own menu to hand over to instead of booting."""
    needs: Needs = Needs()
    kernel: str = ""
    """For GRUB's ``linux``; empty if ``loads`` says all."""
    initrds: tuple[str, ...] = ()
    devicetree: str = ""
    """For GRUB's ``devicetree``, which only ARM's has. Where it cannot be loaded the firmware's counts, as in the image's own menu."""
    newest_in: tuple[str, str] | None = None
    """Of an installed system: the partition as GRUB calls it behind the name of the disk (``,gpt3``), and the folder on it in
    which the newest kernel is looked for, with a slash at its end."""
    lists_kernels: bool = False
    """Whether it is no entry, but a list of all kernels that are there, to be started as the image's first entry does."""
    loads: tuple[Load, ...] = ()
    """Commands other than ``linux`` and ``initrd``: the first loads the kernel, the others what it takes along."""
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    """Words from ``---`` on: what comes behind it is for the installed system, so ours go before it."""
    to_ram: str = ""
    safe: str = ""
    hop: Hop | None = None
    source: BootEntry | None = None
    additions: Additions = _NOTHING

    @property
    def picture(self) -> str:
        """The class by which a theme finds its picture; empty if it has none."""
        return RED if self.warning else AMBER if self.installs else ""

    @property
    def id_path(self) -> str:
        """Where in the image's menu it is that something starts."""
        return f"{self.id}>{GO}" if self.warning else self.id


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuImage:
    """An image's line in the menu, and the entries behind it."""

    path: str
    title: str
    id: str
    id_path: str
    """As GRUB's ``default`` takes it: the ids of the folders above, and its own."""
    loop: str
    classes: tuple[str, ...]
    comment: str
    explanation: tuple[str, ...] = ()
    entries: tuple[GrubEntry, ...] = ()
    appearance: ImageAppearance = _PLAIN
    refused: frozenset[Firmware] = frozenset()
    """Where Secure Boot refuses its default entry."""
    only_installs: bool = False

    @property
    def key(self) -> str:
        """Its short name where many are named: the end of ``loop``, in characters that no pattern takes for something else."""
        return self.loop.removeprefix(OWN_NAME)

    @property
    def judged(self) -> str:
        """What the menu's ``judge`` is told, to mark the image where it does not start; empty if it starts everywhere."""
        sources = [entry.source for entry in self.entries if entry.source is not None]
        starts = frozenset(firmware for source in sources for firmware in source.firmware)
        machines = "" if not sources or starts == ANY_FIRMWARE else firmware_names(starts) or "none"
        return f" {grub_quote(firmware_names(self.refused))} {grub_quote(machines)}" if self.refused or machines else ""

    @property
    def default(self) -> str:
        """The entry that the user wants to start by itself, or the first that can, as GRUB's ``default`` takes it."""
        wanted = (entry.id for entry in self.entries if entry.source and entry.source.title == self.appearance.entry)
        return f"{self.id_path}>{next(wanted, 0)}"

    @property
    def installs(self) -> bool:
        """Whether it starts, and does nothing but install."""
        return self.only_installs and bool(self.entries)

    @property
    def is_disk(self) -> bool:
        """Whether an entry looks into an installed system for what it starts."""
        return any(entry.newest_in or entry.needs.unified for entry in self.entries)

    @property
    def offers_itself(self) -> bool:
        """Whether a time-out may start it: never an installer, unless the user chose what of it is to start."""
        return bool(self.entries) and (not self.only_installs or bool(self.appearance.entry))


def firmware_names(firmware: frozenset[Firmware]) -> str:
    """Those of ``firmware`` as the menu's ``$firmware`` has them, with blanks between."""
    return " ".join(one.value for one in Firmware if one in firmware)
