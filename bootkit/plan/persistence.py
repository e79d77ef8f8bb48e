"""How each boot stack keeps the changes to its system beside the ISO file, or why it cannot.

Source: booted: live-boot 20230131, kiwi-live, dracut 059, casper 1.498 (in an initrd of Debian's). Read: casper 1.461
scripts/casper-helpers (root_persistence_label), mkinitcpio-archiso 73 hooks/archiso, antiX's init (mx-iso-template 26.05),
kiwi 10 kiwi-live-lib.sh.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from bootkit.bootcfg.cmdline import has_word
from bootkit.errors import BootkitError
from bootkit.model.boot import STICK_UUID, BootEntry, EntryKind
from bootkit.model.catalog import ImageItem
from bootkit.model.initrd import InitrdFacts
from bootkit.model.variants import ADDED_FOLDER, FOLDER_MARK, PERSISTENCE_FOLDER, Kept

LIVE_BOOT_OVERLAY = "live_boot_persistence"
LIVE_BOOT_INITRD = f"{ADDED_FOLDER}/{LIVE_BOOT_OVERLAY}.cpio"
_FOLDER = "{folder}"
_UNIX = ("ext4", "btrfs", "xfs")
_HOME = "a home keeps the user's own files on every system: bootkit home create NAME --size 4G"
_ENCRYPTED_HOME = "a home asks for its passphrase on every system: bootkit home create NAME --size 4G --encrypt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """What a boot stack wants."""

    file: str
    """Name of an ext4 image, or :data:`FOLDER_MARK` where a folder is all."""
    words: tuple[str, ...]
    """Kernel words, with the slots ``{folder}`` and ``{stick_uuid}``."""
    label: str = "bootkit"
    texts: Mapping[str, str] = field(default_factory=dict[str, str])
    """Files that have to be in the image."""
    folders: tuple[str, ...] = ()
    """Empty folders of root's that have to be in its top."""
    initrds: tuple[str, ...] = ()
    """On the stick."""
    filesystems: tuple[str, ...] = ()
    """Of the stick, on which it works; empty for all."""
    because: str = ""
    """Why not on others."""
    unlock: tuple[str, ...] = ()
    """Kernel words with which its initrd opens an encrypted file; none where no way is known."""
    unlocked_by: frozenset[str] = frozenset()
    """Programs and markers that the initrd must have for it."""
    locked_out: str = ""
    """What it means that it has not."""
    note: str = ""

    @property
    def is_folder(self) -> bool:
        return self.file == FOLDER_MARK


_UPPER = "the changed files of an overlay need a file system of Linux"
STACKS: Mapping[str, Keeping] = {
    "casper": Keeping(
        file="writable",
        label="writable",
        words=("persistent", f"persistent-path={_FOLDER}"),
        filesystems=("vfat",),
        because="casper looks for a file with changes on FAT only",
    ),
    "live-boot": Keeping(
        file="persistence",
        label="persistence",
        texts={"persistence.conf": "/ union\n"},
        words=("persistence", f"bootkit.persistence={_FOLDER}/persistence"),
        initrds=(LIVE_BOOT_INITRD,),
        # 9990-cmdline-old passes over the word where one of them is missing
        unlock=("persistence-encryption=luks",),
        unlocked_by=frozenset({"cryptsetup", "cryptsetup-askpass"}),
        locked_out="its initrd was made without the package cryptsetup-initramfs",
    ),
    "kiwi-live": Keeping(
        file="live_system.cow",
        label="cow",
        words=("rd.live.overlay.persistent", f"rd.live.cowfile.path={_FOLDER}/live_system.cow"),
        note="KIWI before 10 does not know this place: it makes /live_system.cow, which all its images share",
    ),
    # the changed files of an overlay rather than a snapshot: it serves both layouts of LiveOS, and its size is no trap
    "dmsquash-live": Keeping(
        file="overlay.img",
        folders=("overlayfs", "ovlwork"),
        words=(f"rd.live.overlay=UUID={STICK_UUID}:{_FOLDER}/overlay.img", "rd.live.overlay.overlayfs=1"),
    ),
    "archiso": Keeping(
        file=FOLDER_MARK,
        words=(f"cow_device=/dev/disk/by-uuid/{STICK_UUID}", f"cow_directory={_FOLDER}", "copytoram=n"),
        filesystems=_UNIX,
        because=_UPPER,
    ),
    "antiX": Keeping(
        file="rootfs",
        label="rootfs",
        words=("persist_static_root", f"puuid={STICK_UUID}", f"pdir={_FOLDER}"),
    ),
    "porteus": Keeping(
        file=FOLDER_MARK,
        words=(f"changes=UUID:{STICK_UUID}{_FOLDER}",),
        filesystems=_UNIX,
        because=_UPPER,
    ),
}
OLD_CASPER = "casper-rw"
"""What casper before 20.04 looks for instead of ``writable``, as a label and as a file."""
_CANNOT: Mapping[str, str] = {
    "sysrescue": "its initrd cannot write to the partition that its ISO file lies on",
    "anaconda": "it is an installer",
    "debian-installer": "it is an installer",
    "linuxrc": "it is an installer",
    "agama": "it is an installer",
    "miso": "its initrd keeps nothing of a system that starts from an ISO file",
    "artix": "its initrd keeps nothing of a system that starts from an ISO file",
    "nixos stage-1": "its initrd keeps nothing of a system that starts from an ISO file",
    "genkernel": "its initrd keeps nothing of a system that starts from an ISO file",
}


def kept_folder(image: str) -> str:
    """Where the changes of an image lie, by its file name."""
    return f"{PERSISTENCE_FOLDER}/{image}"


def keeping_of(item: ImageItem, filesystem: str) -> Keeping:
    """How an image keeps its changes on a stick with this file system.

    Raises:
        BootkitError: it cannot; the message says why.
    """
    detection = item.detection
    if detection is None or not detection.entries:
        raise BootkitError(f"{item.name} does not start from the menu", hint=f"why: bootkit explain {item.name}")
    keeping = STACKS.get(detection.stack)
    if keeping is None:
        reason = _CANNOT.get(detection.stack, f"no way is known by which {detection.stack} does so beside an ISO file")
        raise BootkitError(f"{item.name} cannot keep its changes: {reason}", hint=_HOME)
    first = first_linux(item)
    if first is None or has_word(first.cmdline, "nopersistence") or has_word(first.cmdline, "nopersistent"):
        raise BootkitError(f"{item.name} cannot keep its changes: its own menu forbids it", hint=_HOME)
    if keeping.filesystems and filesystem not in keeping.filesystems:
        message = f"{item.name} cannot keep its changes on this stick, which has {filesystem}: {keeping.because}"
        raise BootkitError(message, hint=_HOME)
    return replace(keeping, file=OLD_CASPER, label=OLD_CASPER) if _is_old_casper(item) else keeping


def _is_old_casper(item: ImageItem) -> bool:
    """By its scripts, where they were read: its relatives count their versions in other ways."""
    markers = {marker for initrd in _read_initrds(item) for marker in initrd.markers}
    return "casper" in markers and "casper-writable" not in markers


def require_unlock(item: ImageItem, keeping: Keeping) -> None:
    """Raises BootkitError: the initrd of an image, which was looked into, cannot open an encrypted file."""
    stack = item.detection.stack if item.detection else ""
    if not keeping.unlock:
        message = (
            f"{item.name} cannot open an encrypted file: no way is known by which {stack} does so beside an ISO file"
        )
        raise BootkitError(message, hint=_ENCRYPTED_HOME)
    found = {name for initrd in _read_initrds(item) for name in (*initrd.programs, *initrd.markers)}
    if not keeping.unlocked_by <= found:
        raise BootkitError(f"{item.name} cannot open an encrypted file: {keeping.locked_out}", hint=_ENCRYPTED_HOME)


def _read_initrds(item: ImageItem) -> tuple[InitrdFacts, ...]:
    first = first_linux(item)
    initrds = item.facts.initrds if item.facts else {}
    return tuple(initrds[path] for path in (first.initrds if first else ()) if path in initrds)


def first_linux(item: ImageItem) -> BootEntry | None:
    """The entry that starts by itself, if it is a Linux."""
    entries = item.detection.entries if item.detection else ()
    return next((entry for entry in entries if entry.kind is EntryKind.LINUX), None)


def words_of(keeping: Keeping, kept: Kept) -> tuple[str, ...]:
    words = (*keeping.words, *(keeping.unlock if kept.encrypted else ()))
    return tuple(word.replace(_FOLDER, kept_folder(kept.image)) for word in words)
