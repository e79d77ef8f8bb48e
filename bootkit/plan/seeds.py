"""How each installer is given an answer file of the stick.

Most get it as a file in the root of their initrd, which works on every file system and without a network. Source: appendix
on preseeding of Debian's installation guide; anaconda's documentation of boot options; linuxrc's of ``autoyast=``;
subiquity's of autoinstall and cloud-init's of NoCloud; archiso's and SystemRescue's of ``script=`` and ``sysrescuecfg=``.
"""

from dataclasses import dataclass

from bootkit.errors import BootkitError, UsageError
from bootkit.model.catalog import ImageItem
from bootkit.model.variants import SEED_FOLDER, Seed
from bootkit.plan.persistence import first_linux

_PATH = "{path}"
_FOLDER = "{folder}"
_IMG_DEV = "/run/archiso/img_dev"
"""Where archiso leaves the stick; it lets go of it when the system is copied to RAM."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedKind:
    """One way to answer the questions of an installer."""

    name: str
    stacks: tuple[str, ...]
    file: str
    """What the file is called on the stick."""
    words: tuple[str, ...]
    """Kernel words, with the slots ``{path}`` and ``{folder}``."""
    member: str = ""
    """Its name in the root of the initrd, for those that want it there."""
    beside: tuple[tuple[str, str], ...] = ()
    """Files that belong to it, by name."""
    suffixes: tuple[str, ...] = ()
    """Ends of names by which it is known."""
    marks: tuple[str, ...] = ()
    """What one of its first lines begins with."""
    needs_word: str = ""
    """A part of the words of images that understand it."""
    without_word: str = ""
    """A part of the words of images that do not."""
    distro: str = ""
    """A part of the names of the distributions that do."""


KINDS: tuple[SeedKind, ...] = (
    SeedKind(
        name="preseed",
        stacks=("debian-installer",),
        file="preseed.cfg",
        member="preseed.cfg",
        words=("auto=true", "priority=critical"),
        suffixes=(".seed", ".preseed", "preseed.cfg"),
        marks=("d-i ", "#_preseed_V1"),
    ),
    SeedKind(
        name="preseed",
        stacks=("casper",),
        file="preseed.cfg",
        member="preseed.cfg",
        words=("automatic-ubiquity", "noprompt"),
        suffixes=(".seed", ".preseed", "preseed.cfg"),
        marks=("d-i ", "ubiquity ", "#_preseed_V1"),
        needs_word="ubiquity",
    ),
    SeedKind(
        name="kickstart",
        stacks=("anaconda",),
        file="ks.cfg",
        member="ks.cfg",
        words=("inst.ks=file:/ks.cfg",),
        suffixes=(".ks", "ks.cfg"),
        marks=("%packages", "autopart", "clearpart", "rootpw", "#version=", "ostreesetup"),
    ),
    SeedKind(
        name="autoyast",
        stacks=("linuxrc",),
        file="autoinst.xml",
        member="autoinst.xml",
        words=("autoyast=file:///autoinst.xml",),
        suffixes=(".xml",),
        marks=("<!DOCTYPE profile", "<profile"),
    ),
    SeedKind(
        name="autoinstall",
        stacks=("casper",),
        file="user-data",
        words=("autoinstall", f"ds=nocloud;s=file:///isodevice{_FOLDER}/"),
        beside=(("meta-data", ""),),
        suffixes=("user-data", ".yaml", ".yml"),
        marks=("#cloud-config", "autoinstall:"),
        without_word="ubiquity",
        distro="ubuntu",
    ),
    SeedKind(
        name="archinstall",
        stacks=("archiso",),
        file="config.json",
        words=(f"script={_IMG_DEV}{_FOLDER}/run.sh", "copytoram=n"),
        beside=(("run.sh", f"#!/bin/sh\nexec archinstall --config {_IMG_DEV}{_FOLDER}/config.json\n"),),
        suffixes=(".json",),
        marks=("{",),
    ),
    SeedKind(
        name="script",
        stacks=("archiso",),
        file="script",
        words=(f"script={_IMG_DEV}{_PATH}", "copytoram=n"),
        suffixes=(".sh", ".py"),
        marks=("#!",),
    ),
    SeedKind(
        name="sysrescuecfg",
        stacks=("sysrescue",),
        file="settings.yaml",
        words=(f"sysrescuecfg={_IMG_DEV}{_PATH}",),
        suffixes=(".yaml", ".yml"),
        marks=("---", "global:", "autorun:", "sysconfig:", "autoterminal:"),
    ),
)
_CANNOT = {
    "agama": "agama looks for it on the network or on a partition labelled OEMDRV only",
    "live-boot": "it is a live system, whose installer reads none",
    "dmsquash-live": "the installer of a live system ignores it",
    "liveiso": "the installer of a live system ignores it",
    "kiwi-live": "it is a live system, whose installer reads none",
}


def seed_kinds(item: ImageItem) -> tuple[SeedKind, ...]:
    """The kinds that an image understands.

    Raises:
        BootkitError: there is none; the message says why.
    """
    detection = item.detection
    if detection is None or not detection.entries:
        raise BootkitError(f"{item.name} does not start from the menu", hint=f"why: bootkit explain {item.name}")
    lines = [word for entry in detection.entries for word in entry.cmdline]
    kinds = tuple(kind for kind in KINDS if detection.stack in kind.stacks and _fits(kind, detection.distro, lines))
    if not kinds or first_linux(item) is None:
        reason = _CANNOT.get(detection.stack, f"no way is known by which {detection.stack} takes one")
        raise BootkitError(f"{item.name} takes no answer file: {reason}")
    return kinds


def chosen_kind(item: ImageItem, file_name: str, head: str, wanted: str = "") -> SeedKind:
    """The kind that the user names, or that the file's own beginning or name tells.

    Raises:
        BootkitError: the image takes no such file.
    """
    kinds = seed_kinds(item)
    names = ", ".join(kind.name for kind in kinds)
    if wanted:
        found = next((kind for kind in kinds if kind.name == wanted), None)
        if found is None:
            raise UsageError(f"{item.name} takes no {wanted} file", hint=f"it takes: {names}")
        return found
    lines = [line.strip() for line in head.splitlines()]
    by_content = [kind for kind in kinds if any(line.startswith(kind.marks) for line in lines)]
    by_name = [kind for kind in kinds if file_name.endswith(kind.suffixes)]
    found = next(iter(by_content or by_name), None)
    if found is None:
        raise UsageError(
            f"{file_name} does not look like one of: {names}", hint=f"say what it is: --kind {kinds[0].name}"
        )
    return found


def seed_path(image: str, kind: str, name: str, file: str) -> str:
    return f"{SEED_FOLDER}/{image}/{kind}/{name}/{file}"


def filled(text: str, seed: Seed) -> str:
    return text.replace(_PATH, seed.path).replace(_FOLDER, seed.folder)


def _fits(kind: SeedKind, distro: str, words: list[str]) -> bool:
    if kind.distro not in distro.lower():
        return False
    if kind.needs_word and not any(kind.needs_word in word for word in words):
        return False
    return not (kind.without_word and any(kind.without_word in word for word in words))
