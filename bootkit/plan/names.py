"""Names that every initrd can cope with.

The path of an image travels through GRUB's quoting, the kernel's command line and the shell of the distribution's
initrd, and none of them undoes what the one before did. casper, live-boot, antiX and Proxmox split at blanks; dracut hands
the path to a shell unquoted; liveslak cuts at ``:`` and ``=``, ALT at ``,``; anaconda wants ``.iso`` in lower case.

Source: booted with dracut 059 and 112 (blanks, brackets); read in casper 1.498, live-boot 20230131, anaconda 45.21.
"""

import re
import unicodedata

_GOOD_PATH = re.compile(r"[A-Za-z0-9._+~@/-]+")
_BAD_RUN = re.compile(r"[^A-Za-z0-9._+~@-]+")
NAME_LIMIT = 200
"""Bytes of a file name; exFAT and ext4 end at 255, and the name gets a prefix and a suffix while it is copied."""


def name_problem(path: str) -> str | None:
    """Why a path on the stick cannot be booted from, as a clause; ``None`` if it can."""
    name = path.rpartition("/")[2]
    if not {".", ".."}.isdisjoint(path.split("/")):
        return "its path has . or .. in it"
    if not _GOOD_PATH.fullmatch(path):
        bad = sorted({char for char in path if not _GOOD_PATH.fullmatch(char)})
        shown = ", ".join("a blank" if char == " " else repr(char) for char in bad[:5])
        return f"its path has {shown}, which boot systems do not cope with"
    if name.startswith((".", "-")):
        return f"its name begins with {name[0]!r}"
    if not name.endswith(".iso") and name.lower().endswith(".iso"):
        return "some installers take a file for an image only if its name ends in .iso in small letters"
    return "its name is too long" if len(name) > NAME_LIMIT else None


def bad_folder(folder: str) -> str:
    """The outermost of the folders on the way to ``folder`` (``/boot/iso/My Linux``) whose name is a problem; empty if none is."""
    parts = folder.split("/")
    paths = ("/".join(parts[:end]) for end in range(2, len(parts) + 1))
    return next((path for path in paths if not _GOOD_PATH.fullmatch(path)), "")


def better_folder(name: str) -> str:
    """A name near that of a folder, which has no problem."""
    return _plain(name) or "folder"


def better_path(path: str) -> tuple[str, int]:
    """A path near that of an image that has no problem, and how many of its parts had one."""
    *folders, name = path.split("/")
    parts = [part if not part or _GOOD_PATH.fullmatch(part) else better_folder(part) for part in folders]
    parts.append(name if name_problem(f"/{name}") is None else better_name(name))
    return "/".join(parts), sum(new != old for new, old in zip(parts, [*folders, name], strict=True))


def file_name_problem(name: str) -> str | None:
    """Why no file of the stick should be called so, other than an image; a clause, ``None`` if it may."""
    if not _GOOD_PATH.fullmatch(name) or "/" in name:
        return "only letters, digits and ._+~@- are passed on unharmed by everything on the way"
    if name.startswith((".", "-")):
        return f"it begins with {name[0]!r}"
    return "it is too long" if len(name) > NAME_LIMIT else None


def better_name(name: str) -> str:
    """A name near ``name`` that has no problem."""
    stem, dot, suffix = _ascii(name).rpartition(".")
    clean = _plain(stem if dot else name) or "image"
    return f"{clean[: NAME_LIMIT - 10]}.{suffix.lower() if dot else 'iso'}"


def _ascii(name: str) -> str:
    return unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()


def _plain(name: str) -> str:
    return _BAD_RUN.sub("-", _ascii(name)).strip("-.")
