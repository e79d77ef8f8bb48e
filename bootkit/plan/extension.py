"""Where the files of an extension belong, and what it says of itself.

Every system of today has /bin, /sbin and /lib as links into /usr; a real folder of that name in an extension would hide
them, and every program with them. So what is made here has all of it below /usr.
"""

import posixpath
import re

from bootkit.errors import UsageError
from bootkit.i18n import tr
from bootkit.model.extension import ANY, MERGED, RELEASE_FOLDER, Release
from bootkit.values import dataclass

_LEFT_OUT = ("dev", "proc", "sys", "run", "tmp", "lost+found")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+~-]{0,63}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """Where a member of a source goes."""

    path: str
    """Relative, without a leading slash; empty for what is left out."""
    target: str = ""
    """Of a link."""


def placed(path: str, *, link: str = "") -> Placed:
    """The place of a file, or of a symbolic link to ``link``."""
    clean = posixpath.normpath("/" + path).strip("/")
    top = clean.partition("/")[0]
    if not clean or top in _LEFT_OUT or (link and clean in MERGED):
        return Placed(path="")
    moved = merged(clean)
    if link and moved != clean and not link.startswith("/"):
        # the link lies one folder deeper now
        meant = merged(posixpath.normpath(posixpath.join("/", posixpath.dirname(clean), link)).strip("/"))
        link = posixpath.relpath("/" + meant, "/" + posixpath.dirname(moved))
    return Placed(path=moved, target=link)


def merged(path: str) -> str:
    return f"usr/{path}" if path.partition("/")[0] in MERGED else path


def release_path(name: str) -> str:
    return f"{RELEASE_FOLDER}/extension-release.{name}".lstrip("/")


def release_text(release: Release) -> str:
    """An extension-release file."""
    rows = [("ID", release.id), ("VERSION_ID", release.version_id), ("SYSEXT_LEVEL", release.level)]
    rows.append(("ARCHITECTURE", release.machine))
    return "".join(f"{key}={value}\n" for key, value in rows if value)


def wanted_release(*, ident: str, version_id: str, anywhere: bool, machine: str) -> Release | None:
    """What the user says of the system that an extension is for; ``None`` if nothing.

    Raises:
        UsageError: it makes no sense.
    """
    if anywhere and (ident or version_id):
        raise UsageError(tr("--any and --id are two answers"), hint=tr("give one of them"))
    if version_id and not ident:
        raise UsageError(tr("--version-id is of what?"), hint=tr("name the system, too: --id debian"))
    for value in (ident, version_id):
        if value and not re.fullmatch(r"[A-Za-z0-9._+-]+", value):
            raise UsageError(
                tr("{value} is nothing that an os-release file says", value=repr(value)),
                hint=tr("as in /etc/os-release there: debian, 12"),
            )
    if anywhere:
        return Release(id=ANY, machine=machine)
    return Release(id=ident, version_id=version_id, machine=machine) if ident else None


def require_extension_name(name: str) -> str:
    """Refuse a name that is no good for a file and its extension-release.

    Raises:
        UsageError: it is one.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(
            tr("{name} is no name for an extension", name=repr(name)),
            hint=tr("letters, digits and ._+~- inside: --name tools"),
        )
    return name
