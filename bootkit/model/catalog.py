"""What is on a stick: its images, and what is known of each."""

from collections.abc import Mapping
from dataclasses import field

from bootkit.model.boot import Detection, Firmware, Recognition
from bootkit.model.iso import IsoFacts
from bootkit.model.places import IMAGE_FOLDER
from bootkit.values import dataclass

DARK, LIGHT, PLAIN = "dark", "light", "plain"
"""Themes of the graphical menu: two of our own, and GRUB's plain one."""
MENU_LANGUAGES = ("en", "de", "es", "fr", "zh")
"""Languages that the menu speaks, as GRUB's ``lang`` names them."""
LAST = "last"
"""Stands for the entry that was started last, where an image can be named as the default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """A vendor's shim that the menu starts before it loads a kernel, where Secure Boot is on."""

    firmware: Firmware
    name: str
    """The same for the same shim in two images."""
    image: str
    """Path on the stick of the image that it is in."""
    path: str
    """In that image, or in its FAT image for UEFI."""
    efi_blocks: str = ""
    """Where that FAT image lies in the image, as GRUB's list of blocks; empty if the shim is not in there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageItem:
    """One image on the stick, with what was found out about it."""

    path: str
    """From the root of the data partition: ``/boot/iso/rescue/grml.iso``."""
    size: int
    mtime_ns: int
    facts: IsoFacts | None = None
    """``None`` if it could not be read; then ``error`` says why."""
    recognition: Recognition | None = None
    error: str = ""
    unsettled: bool = False
    """Whether the error is one of the medium or of this program, and another look may find something else."""
    sha256: str = ""
    """Lower-case hex, where ``add`` or ``verify`` computed it."""
    hops: Mapping[str, Hop] = field(default_factory=dict[str, Hop])
    """By the kernels that are not accepted without; decided for one stick, and in no record."""
    refused: frozenset[Firmware] = frozenset()
    """Where Secure Boot refuses its default entry; decided in the same way."""

    @property
    def folder(self) -> str:
        """Folder below the image folder, for the menu's submenus: ``rescue``; empty at its top."""
        below = self.path.removeprefix(IMAGE_FOLDER + "/") if self.path.startswith(IMAGE_FOLDER + "/") else ""
        return below.rpartition("/")[0]

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def detection(self) -> Detection | None:
        return self.recognition.detection if self.recognition else None

    @property
    def stack(self) -> str:
        """The boot stack by which it starts; empty if nobody knows it."""
        return self.detection.stack if self.detection else ""

    @property
    def is_written(self) -> bool:
        """Whether it changes with each run, as the disk of an installed system does: a sum of today calls it damaged tomorrow."""
        return self.detection is not None and self.detection.is_written

    @property
    def title(self) -> str:
        """What it is; ``?`` if nobody knows."""
        return self.detection.title if self.detection else "?"

    @property
    def problem(self) -> str:
        """What keeps it from booting from the menu; empty if nothing does."""
        if self.error:
            return self.error
        if self.detection is None:
            return f"no detector knows it: bootkit explain {self.name}"
        return "" if self.detection.entries else self.detection.obstacle


@dataclass(frozen=True, slots=True, kw_only=True)
class Additions:
    """What is loaded from the stick together with an image: all of it or, where a file is missing, none."""

    initrds: tuple[str, ...] = ()
    """Paths on the stick, in the order in which they are loaded."""
    first: bool = False
    """Whether in front of the image's own, not behind them."""
    words: tuple[str, ...] = ()
    """Kernel words that they want."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageAppearance:
    """How the user wants one image to stand in the menu."""

    alias: str = ""
    """Its name; empty for what it was recognised as."""
    tip: str = ""
    """A few words beside its name."""
    order: int = 0
    """Lower numbers stand higher; images with the same number are in the order of their names."""
    hidden: bool = False
    entry: str = ""
    """Title of the entry that starts by itself; empty for the first that can."""
    locked: bool = False
    """Whether starting it asks for the password."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuSettings:
    """What the menu itself is told; the user's choices for the kernels are in the images' entries already."""

    timeout: int = 30
    """Seconds until the default entry starts; -1 waits for ever."""
    default: str = ""
    """Path of the image that starts by itself; empty for the first, ``LAST`` for what was started last."""
    serial: bool = False
    beep: bool = False
    """Whether two tones say that the menu is there."""
    to_ram: bool = False
    """Whether the menu starts with this choice switched on; so the next."""
    safe_graphics: bool = False
    password: str = ""
    """PBKDF2 digest in GRUB's own notation; empty for a menu that asks for none."""
    protect_all: bool = False
    """Whether starting an entry asks for the password, too."""
    language: str = MENU_LANGUAGES[0]
    theme: str = DARK
    """A theme of our own, ``PLAIN``, or the path of a theme.txt on the stick."""
    large_letters: bool = False
    """Of the menu in a theme of our own."""
    has_fonts: bool = False
    """Whether the stick has the fonts of :mod:`bootkit.model.menufont`, with all letters of the language."""
    appearances: Mapping[str, ImageAppearance] = field(default_factory=dict[str, ImageAppearance])
    """By the path of the image."""

    def appearance(self, path: str) -> ImageAppearance:
        return self.appearances.get(path, ImageAppearance())
