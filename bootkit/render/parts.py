"""The file beside grub.cfg: texts of GRUB script, each read only when somebody asks for it.

GRUB reads a file device by sectors: after ``loopback``, ``source (device)12+3`` runs what stands in three sectors from the
twelfth on. So a thousand images are one file, and take no more time before the menu is shown than one.

Source: grub 2.06, grub-core/kern/fs.c (grub_fs_blocklist), docs/grub.texi, "Block list syntax".
"""

import hashlib
import re
from dataclasses import dataclass, field
from itertools import pairwise

from bootkit.model.places import GRUB_FOLDER

SECTOR = 512
_NAME = re.compile(rb"^ +(?:if ! )?loopback (menu_[0-9a-f]{12}) ", re.MULTILINE)


@dataclass(slots=True)
class Parts:
    """What was written so far."""

    _content: bytearray = field(default_factory=bytearray)
    _ends: list[int] = field(default_factory=list[int])

    def add(self, text: str) -> str:
        """Where the text stands, as ``START+COUNT`` in sectors. A comment fills its last one."""
        return self.add_script(text.encode("utf-8", "surrogateescape"))

    def add_script(self, script: bytes) -> str:
        """The same of a text in bytes, which may have the comment behind it already."""
        start = len(self._content) // SECTOR
        self._content += script
        if missing := -len(self._content) % SECTOR:
            self._content += b"#" * (missing - 1) + b"\n"
        self._ends.append(len(self._content))
        return f"{start}+{len(self._content) // SECTOR - start}"

    @property
    def content(self) -> bytes:
        return bytes(self._content)

    @property
    def texts(self) -> tuple[bytes, ...]:
        """What was added, each with the comment behind it."""
        content = self.content
        return tuple(content[start:end] for start, end in pairwise((0, *self._ends)))

    @property
    def device(self) -> str:
        """A name for it that no other content has."""
        return _device(self._content)

    @property
    def path(self) -> str:
        return parts_path(self.device)


def parts_path(device: str) -> str:
    """The file that is opened by that name."""
    return f"{GRUB_FOLDER}/{device}.cfg"


def is_parts(content: bytes, path: str) -> bool:
    """Whether a file that is called so is one that was written as it is."""
    return parts_path(_device(content)) == path


def _device(content: bytes | bytearray) -> str:
    return f"menu_{hashlib.sha256(content).hexdigest()[:12]}"


def script_at(content: bytes, place: str) -> bytes:
    """The script that stands at ``START+COUNT``.

    Raises:
        ValueError: that is no place in the file.
    """
    start, count = map(int, place.split("+"))
    script = content[start * SECTOR : (start + count) * SECTOR]
    if not count or len(script) != count * SECTOR:
        raise ValueError(place)
    return script


def parts_of_menu(grub_cfg: bytes) -> str | None:
    """Which file stands beside a menu; ``None`` for one of a program that had no such file."""
    named = _NAME.search(grub_cfg)
    return parts_path(named[1].decode()) if named else None


def is_parts_file(name: str) -> bool:
    """Whether a file of GRUB's folder is one that stands beside a menu."""
    return re.fullmatch(r"menu_[0-9a-f]{12}\.cfg", name) is not None
