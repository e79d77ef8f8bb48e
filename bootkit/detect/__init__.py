"""All that a detector may import.

A detector is one *boot stack* (casper, live-boot, dmsquash-live, ...) in one module of ``detectors/``, ending in
``DETECTOR = Detector(...)``. Its function looks at an image through an :class:`IsoView` and answers with a
:class:`Detection`, or with :class:`NotMine` and the reason.
"""

from collections.abc import Callable

from bootkit.bootcfg.cmdline import (
    before_separator,
    has_word,
    join_words,
    replaced,
    split_words,
    unique,
    with_words,
    without,
    without_values,
    word_value,
    word_values,
)
from bootkit.bootcfg.diskinfo import DiskInfo, parse_disk_info
from bootkit.bootcfg.find import read_loopback, read_menu, read_menus
from bootkit.bootcfg.grub import parse_grub
from bootkit.bootcfg.grubenv import parse_grubenv
from bootkit.bootcfg.menu import Menu, MenuEntry
from bootkit.bootcfg.osrelease import OsRelease, parse_os_release
from bootkit.bootcfg.treeinfo import TreeInfo, parse_ini, parse_treeinfo
from bootkit.detect.destroys import PRESEEDED
from bootkit.detect.entries import (
    boot_entries,
    clean_title,
    initrd_beside,
    is_microcode,
    loadable,
    menuless,
    role_of,
    usable_entries,
    without_loader_words,
)
from bootkit.detect.identity import (
    Identity,
    NamePattern,
    arch_of,
    build_date,
    identify,
    image_name,
    plain_arch,
    version_tuple,
)
from bootkit.detect.labels import by_label
from bootkit.detect.linux import (
    ANY_FILESYSTEM,
    ISO_NAME_NOTE,
    KEEPS_NOTHING,
    LINUX_FILESYSTEMS,
    MAKES_A_DISK,
    NEEDS_LINUX_FILESYSTEM,
    NO_MENU_NOTE,
    NOT_WHOLE,
    ON_A_DISK,
    SYSTEMD_WORDS,
)
from bootkit.detect.own_menu import (
    loopback_evidence,
    memory_tests,
    own_menu,
)
from bootkit.model.boot import (
    ANY_FIRMWARE,
    IMAGE_FILE,
    IN_EFI,
    ISO_PATH,
    ON_STICK,
    STICK_UUID,
    BootEntry,
    Detection,
    EntryKind,
    Firmware,
    Module,
    NotMine,
    Role,
)
from bootkit.model.installers import (
    AGAMA,
    ANACONDA,
    ARCHINSTALL,
    CALAMARES,
    LIVE_INSTALLER,
    SETUP_DISK,
    SUBIQUITY,
    UBIQUITY,
    YAST,
)
from bootkit.model.iso import FileKind, IsoView, Node
from bootkit.model.places import MEMDISK, WIMBOOT
from bootkit.model.stack import (
    AnswerFile,
    ChoiceWords,
    FileFinder,
    LookedAt,
    OlderName,
    Persistence,
    RootEncryption,
    ScriptMark,
    Stack,
)
from bootkit.model.support import Verdict
from bootkit.model.variants import FOLDER_MARK
from bootkit.values import dataclass

__all__ = [
    "AGAMA",
    "ANACONDA",
    "ANY_FILESYSTEM",
    "ANY_FIRMWARE",
    "ARCHINSTALL",
    "CALAMARES",
    "FOLDER_MARK",
    "IMAGE_FILE",
    "IN_EFI",
    "ISO_NAME_NOTE",
    "ISO_PATH",
    "KEEPS_NOTHING",
    "LINUX_FILESYSTEMS",
    "LIVE_INSTALLER",
    "MAKES_A_DISK",
    "MEMDISK",
    "NEEDS_LINUX_FILESYSTEM",
    "NOT_WHOLE",
    "NO_MENU_NOTE",
    "ON_A_DISK",
    "ON_STICK",
    "PRESEEDED",
    "SETUP_DISK",
    "STICK_UUID",
    "SUBIQUITY",
    "SYSTEMD_WORDS",
    "UBIQUITY",
    "WIMBOOT",
    "YAST",
    "AnswerFile",
    "BootEntry",
    "ChoiceWords",
    "Detection",
    "Detector",
    "DiskInfo",
    "EntryKind",
    "FileFinder",
    "FileKind",
    "Firmware",
    "Identity",
    "IsoView",
    "LookedAt",
    "Menu",
    "MenuEntry",
    "Module",
    "NamePattern",
    "Node",
    "NotMine",
    "OlderName",
    "OsRelease",
    "Persistence",
    "QuickRule",
    "Role",
    "RootEncryption",
    "ScriptMark",
    "Stack",
    "TreeInfo",
    "Verdict",
    "arch_of",
    "before_separator",
    "boot_entries",
    "build_date",
    "by_label",
    "clean_title",
    "has_word",
    "identify",
    "image_name",
    "initrd_beside",
    "is_microcode",
    "join_words",
    "loadable",
    "loopback_evidence",
    "memory_tests",
    "menuless",
    "own_menu",
    "parse_disk_info",
    "parse_grub",
    "parse_grubenv",
    "parse_ini",
    "parse_os_release",
    "parse_treeinfo",
    "plain_arch",
    "read_loopback",
    "read_menu",
    "read_menus",
    "replaced",
    "role_of",
    "split_words",
    "unique",
    "usable_entries",
    "version_tuple",
    "with_words",
    "without",
    "without_loader_words",
    "without_values",
    "word_value",
    "word_values",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class QuickRule:
    """As much of a detector as a GRUB script can test, for images that came after the last ``generate``.

    Every path may hold ``*``; the first match counts. Words may hold ``{iso_path}``, ``{stick_uuid}`` and
    ``{volume_id}`` (read by GRUB's ``probe --label``).
    """

    requires: tuple[str, ...]
    """Paths in the image that must all be there."""
    kernel: tuple[str, ...]
    """Candidates, the best first."""
    initrd: tuple[str, ...]
    cmdline: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Detector:
    """A boot stack's module, as the registry sees it."""

    name: str
    """The stack as upstream spells it."""
    detect: Callable[[IsoView], Detection | NotMine]
    rank: int = 50
    """Place in the queue, low first: a narrow test (one file that only this stack has) comes before a wide one."""
    quick: tuple[QuickRule, ...] = ()
    stacks: tuple[Stack, ...] = ()
    """Those that its detections name, each with all that is known of it."""
