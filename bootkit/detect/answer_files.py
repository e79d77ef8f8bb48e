"""Answer files: what an installer erases without a question, told by the text that answers for the user.

Source: pykickstart 3.48 (clearpart, zerombr, ignoredisk, autopart, %include, %pre); partman's and partman-auto's templates in
Debian 12, preseed/early_command; AutoYaST's guide (drive: initialize, use); subiquity's autoinstall reference
(interactive-sections); Windows' answer file (DiskConfiguration: DiskID, WillWipeDisk).
"""

import re
from collections.abc import Callable

ALL_DISKS = "It erases all disks without a question, the stick too."
A_DISK = "It erases a disk without a question, which may be the stick."
UNATTENDED = "It installs by itself, by an answer file from the network, which may erase disks."
BY_ANSWERS = "It installs by itself, by an answer file of this stick, which may erase disks."
BY_INITRD = "It installs by itself, by an answer file in its initrd, which may erase disks."
PUT_TOGETHER = "It installs by itself, by an answer file that is put together when it starts, which may erase disks."
BY_TITLE = "Its title says that it erases; whether it asks before is not known."
NETWORK = re.compile(r"(?:https?|ftp|tftp|nfs):", re.IGNORECASE)
"""What begins the place of a file that is not on the medium."""

_INCLUDE = re.compile(r"^\s*%(?:include|ksappend)\s+(\S+)", re.MULTILINE)
_CLEARING = ("--all", "--linux", "--drives=", "--list=")
_CLEARS = re.compile(r"\bclearpart\b[^\n#\"']*?--(all|linux|list|drives)\b")
_OVERWRITES = re.compile(
    r"\b(?:wipefs|sgdisk|sfdisk|blkdiscard|shred|mkfs(?:\.\w+)?|parted|nwipe)\s[^\n#]*/dev/|\bdd\s[^\n#]*\bof=/dev/(?!null)"
)
"""What scripts erase a disk with."""


def kickstart(text: str) -> str:
    """What a kickstart erases, in a sentence; empty if it asks first.

    Files that it includes are looked at where they stand in its text; one that is still named comes from elsewhere.
    """
    lines = [line.split("#")[0] for line in text.splitlines()]
    commands = {words[0]: words[1:] for line in lines if (words := line.split())}
    clear = commands.get("clearpart", [])
    if any(option.startswith(_CLEARING) for option in clear):
        return _cleared(clear, commands.get("ignoredisk", []))
    code = "\n".join(lines)
    if _OVERWRITES.search(code):
        return A_DISK
    if found := _CLEARS.search(code):
        return ALL_DISKS if found[1] == "all" else A_DISK
    if "--none" in clear or (elsewhere := _INCLUDE.search(code)) is None:
        return ""
    return UNATTENDED if NETWORK.match(elsewhere[1]) else PUT_TOGETHER


def _cleared(clear: list[str], ignore: list[str]) -> str:
    partitions = next((option for option in clear if option.startswith("--list=")), "")
    only = next((option for option in ignore if option.startswith("--only-use=")), "")
    drives = partitions or only or next((option for option in clear if option.startswith("--drives=")), "")
    if drives:
        return _erases(drives.partition("=")[2])
    return ALL_DISKS if "--all" in clear else "It erases the Linux partitions of all disks without a question."


def with_includes(text: str, read: Callable[[str], str], depth: int = 4) -> str:
    """A kickstart with the text of the files that it includes, which ``read`` gives; empty for one that is not there."""

    def included(match: re.Match[str]) -> str:
        inner = read(match[1]) if depth and not NETWORK.match(match[1]) else ""
        return with_includes(inner, read, depth - 1) if inner else match[0]

    return _INCLUDE.sub(included, text)


def preseed(text: str) -> str:
    """What answers for debian-installer or ubiquity erase, in a sentence; empty if they leave the question."""
    method = re.search(r"^\s*\S+\s+partman-auto/method\s+string\s+\w", text, re.MULTILINE)
    agrees = re.search(r"^\s*\S+\s+partman(?:-\w+)?/confirm\w*\s+boolean\s+true", text, re.MULTILINE)
    disk = re.search(r"^\s*\S+\s+partman-auto/disk\s+string\s+(\S.*)", text, re.MULTILINE)
    if method and agrees:
        return _erases(disk[1].strip() if disk else "")
    commands = re.findall(r"^\s*\S+\s+(?:preseed|partman)/early_command\s+string\s+((?:.*\\\n)*.*)", text, re.MULTILINE)
    return A_DISK if any(_OVERWRITES.search(command) for command in commands) else ""


def autoyast(text: str) -> str:
    """What a profile of AutoYaST erases, in a sentence; empty if it asks first."""
    erases = re.search(r"<initialize[^>]*>\s*true|<use>\s*all\s*<", text)
    asks = re.search(r"<confirm[^>]*>\s*true", text)
    disks = re.findall(r"<drive\b[^>]*>(?:(?!</drive>).)*?<device>\s*([^<\s]+)", text, re.DOTALL)
    return _erases(" and ".join(disks)) if erases and not asks else ""


def autoinstall(text: str) -> str:
    """What subiquity erases by its answers, in a sentence; empty if it asks for the storage."""
    asks = re.search(
        r"interactive-sections:\s*(?:\[[^\]]*(?:storage|\*)|(?:\n\s*-.*)*?\n\s*-\s*[\"']?(?:storage|\*))", text
    )
    if asks:
        return ""
    disk = re.search(r"^[\s{-]*(?:path|serial):\s*[\"']?([^\s\"',}]+)", text, re.MULTILINE)
    largest = "the largest disk" if re.search(r"size:\s*[\"']?largest", text) else ""
    return _erases(disk[1] if disk else largest)


def unattend(text: str) -> str:
    """What Windows Setup erases by its answers, in a sentence."""
    if not re.search(r"<WillWipeDisk>\s*true", text, re.IGNORECASE):
        return ""
    disks = re.findall(r"<Disk\b(?:(?!</Disk>).)*?<DiskID>\s*(\d+)", text, re.DOTALL)
    return _erases(" and ".join(f"disk {number}" for number in disks))


def _erases(disks: str) -> str:
    return f"It erases {disks} without a question, which may be the stick." if disks else A_DISK
