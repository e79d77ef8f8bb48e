"""An initrd as Linux unpacks it: archives one after the other, each plain or compressed in its own way.

Source: Linux 6.1, init/initramfs.c (unpack_to_rootfs, flush_buffer, do_header): zeros between archives are padding, a
plain archive begins at a multiple of 4, several may be in one compressed stream, and the first damage ends it all.
"""

import fnmatch
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import BinaryIO

from bootkit.errors import FormatError
from bootkit.formats.compression import Budget, detect
from bootkit.formats.cpio import MAGICS, CpioMember, read_cpio
from bootkit.formats.initrdmarks import MAKERS, MarkReader, ScriptReader, program_of, without_comments
from bootkit.formats.kmodules import (
    LIST_LIMIT,
    aliases,
    builtin_drivers,
    compressions,
    dependencies,
    displays,
    module_name,
    softdeps,
    usual_charset,
)
from bootkit.formats.stream import Plain, Stream, Unpacked
from bootkit.model.filesystem import FILE_SYSTEMS
from bootkit.model.initrd import CHARSET_MODULES, UNPACKERS, InitrdFacts, InitrdSegment, KernelModules
from bootkit.model.stack import ScriptMark

OUTPUT_LIMIT = 1 << 30
"""Bytes to which an initrd may unpack; those of installers with their whole system inside have 400 MiB."""
TIME_LIMIT = 30.0
MEMBER_LIMIT = 200_000
SEGMENT_LIMIT = 64
_KEPT_LIMIT = 16 << 20
_KERNEL_LIMIT = 16
_MODULE_LIMIT = 20_000
_MODULE_NAME = 56
"""Bytes of a module's name at most. Source: Linux 6.1, include/linux/module.h."""
_LINK_LIMIT = 4096

_KERNEL = re.compile(r"lib/modules/([^/]+)(?:/.*)?")
_TEXT = re.compile(
    r"lib/modules/[^/]+/modules\.(alias|builtin|dep|softdep)|scripts/(casper|lupin)-helpers|lib/live/boot/9990-misc-helpers\.sh"
    r"|lib/dracut/dracut-[^/]+|(lib|etc)/initrd-release|VERSION"
)
_PLACE = re.compile(r"(?:(?:nix|gnu)/store/[^/]+/)?(?:usr/)?")
"""What stands before the usual places: NixOS and Guix have each package in a folder of its own."""
_READ_MODULES = CHARSET_MODULES | UNPACKERS
_LINK = re.compile(r"(usr/)?[^/]+|(usr/)?lib/dracut/hooks")
_LINKS = 64
_DRACUT = re.compile(r"\bdracut-([0-9][\w.+~-]*)")
# case ${fstype} in vfat|iso9660|udf|...) return 0: casper 1.340 to 1.498, scripts/casper-helpers.
_IS_SUPPORTED_FS = re.compile(r"^is_supported_fs ?\(\)", re.MULTILINE)
_FUNCTION_LIMIT = 2000
_RETURNS_TRUE = re.compile(r"(?:\bin\b|;;)\s*\(?([^()]+)\)\s*(?:return 0|true|:)(?=\s|;|$)")
_GLOB = re.compile(r"[*?\[]")

Wanted = Callable[[str, int, int], bool]


class Initrd:
    """Walks the archives of an initrd of ``size`` bytes. What was met on the way stands in the lists."""

    def __init__(self, fh: BinaryIO, size: int, *, budget: Budget | None = None) -> None:
        self._fh = fh
        self._size = size
        self._budget = budget or Budget(output=OUTPUT_LIMIT, seconds=TIME_LIMIT)
        self._members = 0
        self.segments: list[InitrdSegment] = []
        self.warnings: list[str] = []

    def members(self, wanted: Wanted) -> Iterator[CpioMember]:
        """All members in order; a later one replaces an earlier one of the same name. Damage ends it with a warning.

        ``wanted`` is asked for name, mode and size which contents to keep.
        """
        try:
            yield from self._walk(wanted)
        except FormatError as error:
            self.warnings.append(f"the initrd cannot be read to its end: {error.message}")

    def _walk(self, wanted: Wanted) -> Iterator[CpioMember]:
        at = 0
        while True:
            stream: Stream = Plain(self._fh, at, self._size, budget=self._budget)
            stream.skip_zeros()
            start, magic = stream.position, stream.peek(6)
            if not magic:
                return
            if len(self.segments) == SEGMENT_LIMIT:
                raise FormatError(f"it has more than {SEGMENT_LIMIT} archives: the rest is not looked at")
            compression = "none" if magic in MAGICS and start % 4 == 0 else detect(magic)
            if not compression:
                raise FormatError("there is neither an archive nor anything compressed", offset=start)
            if compression != "none":
                stream = Unpacked(self._fh, start, self._size, name=compression, budget=self._budget)
            before = self._members
            try:
                yield from self._archive(stream, wanted)
                if compression != "none":
                    yield from self._further(stream, wanted)
            finally:
                at = min(stream.file_position, self._size)
                members = self._members - before
                self.segments.append(
                    InitrdSegment(offset=start, size=at - start, compression=compression, members=members)
                )

    def _further(self, stream: Stream, wanted: Wanted) -> Iterator[CpioMember]:
        """The archives behind the first one of a compressed stream, to its end."""
        while True:
            stream.skip_zeros()
            if not stream.peek(1):
                return
            yield from self._archive(stream, wanted)

    def _archive(self, stream: Stream, wanted: Wanted) -> Iterator[CpioMember]:
        magic = stream.peek(6)
        if magic not in MAGICS:
            raise FormatError("it does not unpack to a cpio archive")
        if magic == b"070707":
            self.warnings.append("an archive has the old odc format, which Linux does not unpack")
        for member in read_cpio(stream, wanted):
            self._members += 1
            if self._members > MEMBER_LIMIT:
                raise FormatError(f"it has more than {MEMBER_LIMIT} members: the rest is not looked at")
            yield member


def read_initrd(
    fh: BinaryIO,
    size: int,
    *,
    markers: Mapping[str, tuple[str, ...]] | None = None,
    scripts: Mapping[str, ScriptMark] | None = None,
    budget: Budget | None = None,
) -> InitrdFacts:
    """What the initrd of ``size`` bytes at the start of ``fh`` holds. Damage gives what is in front of it, and a warning.

    ``markers`` are the paths of files by which boot stacks are known, by the marker that each stands for; ``usr/`` in front
    of them is left out, and they may hold ``*``. ``scripts`` are what their scripts say, in the same way.
    """
    initrd = Initrd(fh, size, budget=budget)
    findings = _Findings(MarkReader(markers or {}), ScriptReader(scripts or {}))
    for member in initrd.members(findings.wanted):
        findings.add(member)
    return InitrdFacts(
        size=size,
        unpacked=findings.unpacked,
        segments=tuple(initrd.segments),
        maker=findings.maker,
        maker_version=findings.versions.get(findings.maker, ""),
        markers=tuple(sorted(findings.markers | findings.scripts.markers)),
        kernels=tuple(sorted(findings.kernels)),
        drivers=KernelModules(
            modules=tuple(sorted(findings.modules)),
            builtin=findings.builtin,
            depends=findings.depends,
            aliases=findings.aliases,
            charsets=findings.charsets,
            unpacks=findings.unpacks,
            softdeps=findings.softdeps,
            displays=findings.displays,
        ),
        programs=tuple(sorted(findings.programs)),
        allowed=findings.allowed,
        links=findings.links,
        warnings=tuple(dict.fromkeys(initrd.warnings)),
    )


class _Findings:
    def __init__(self, marks: MarkReader, scripts: ScriptReader) -> None:
        self._marks = marks
        self.scripts = scripts
        self._has_lupin = False
        self.unpacked = 0
        self.makers: set[str] = set()
        self.versions: dict[str, str] = {}
        self.markers: set[str] = set()
        self.kernels: set[str] = set()
        self.modules: set[str] = set()
        self.builtin: tuple[str, ...] | None = None
        self.depends: dict[str, tuple[str, ...]] = {}
        self.aliases: dict[str, str] = {}
        self.charsets: dict[str, str] = {}
        self.unpacks: dict[str, tuple[str, ...]] = {}
        self.softdeps: dict[str, tuple[str, ...]] = {}
        self.displays: tuple[str, ...] | None = None
        self.programs: set[str] = set()
        self.allowed: tuple[str, ...] | None = None
        self.links: dict[str, str] = {}
        self._kept = _KEPT_LIMIT

    @property
    def maker(self) -> str:
        return next((name for name in MAKERS if name in self.makers), "")

    def wanted(self, name: str, mode: int, size: int) -> bool:
        path = name.lstrip("./")
        if mode & 0xF000 == 0xA000:
            return size <= _LINK_LIMIT and len(self.links) < _LINKS and _LINK.fullmatch(path) is not None
        placed = _placed(path)
        is_read = module_name(path) in _READ_MODULES or _TEXT.fullmatch(placed) or self.scripts.wants(placed)
        if size > min(LIST_LIMIT, self._kept) or not is_read:
            return False
        self._kept -= size
        return True

    def add(self, member: CpioMember) -> None:
        self.unpacked += member.size
        spelled = member.name.lstrip("./")
        path = _placed(spelled)
        if member.is_link and member.data is not None:
            self.links[_text(spelled)] = _text(member.data)
        elif member.data is not None and (module := module_name(path)):
            self._read_module(module, member.data)
        elif member.data is not None:
            text = member.data.decode("utf-8", "replace")
            if _TEXT.fullmatch(path):
                self._read(path, text)
            if self.scripts.wants(path):
                self.scripts.read(path, text)
        if len(self.kernels) < _KERNEL_LIMIT and (kernel := _KERNEL.fullmatch(path)):
            self.kernels.add(_text(kernel[1]))
        if module := module_name(path):
            if len(self.modules) < _MODULE_LIMIT:
                self.modules.add(_text(module[:_MODULE_NAME]))
            return
        makers, markers = self._marks.read(path)
        self.makers.update(makers)
        self.markers.update(markers)
        if program := program_of(path):
            self.programs.add(program)

    def _read_module(self, name: str, content: bytes) -> None:
        if name in UNPACKERS:
            if found := compressions(content):
                self.unpacks[name] = found
        elif charset := usual_charset(content):
            self.charsets[name] = charset

    def _read(self, path: str, text: str) -> None:
        match path.rpartition("/")[2]:
            case "modules.alias" | "modules.builtin" | "modules.dep" | "modules.softdep" as name:
                self._read_list(name, text)
            case "casper-helpers" | "lupin-helpers":
                if "root_persistence_label" in text:
                    self.markers.add("casper-writable")
                # The script that looks for the image file sources lupin's, where there are both.
                self._has_lupin |= "lupin" in path
                if "lupin" in path or not self._has_lupin:
                    self.allowed = _allowed(text) or self.allowed
            case "9990-misc-helpers.sh":
                if "type ntfs-3g" in text:
                    self.markers.add("live-boot-ntfs-3g")
            case "VERSION":
                self.versions["mkinitcpio"] = text.strip()[:64]
            case name:
                found = _DRACUT.search(text) or _DRACUT.search(name)
                if found:
                    self.makers.add("dracut")
                    self.versions.setdefault("dracut", found[1])

    def _read_list(self, name: str, text: str) -> None:
        if name == "modules.alias":
            self.aliases.update(aliases(text))
        elif name == "modules.softdep":
            self.softdeps.update(softdeps(text))
        elif name == "modules.builtin":
            self.builtin = tuple(sorted({*(self.builtin or ()), *builtin_drivers(text)}))
            found = displays(text)
            self.displays = self.displays if found is None else tuple(sorted({*(self.displays or ()), *found}))
        else:
            for module, needed in dependencies(text):
                self.depends[module_name(module)] = tuple(module_name(path) for path in needed)


def _placed(path: str) -> str:
    """Where a file would be on a distribution that keeps to the usual places."""
    place = _PLACE.match(path)
    return path[place.end() :] if place is not None else path


def _allowed(script: str) -> tuple[str, ...] | None:
    # defined twice in casper 1.470 (jammy): the shell takes the last
    function = next(reversed(list(_IS_SUPPORTED_FS.finditer(script))), None)
    if function is None:
        return None
    body = without_comments(script[function.end() : function.end() + _FUNCTION_LIMIT].partition("\n}")[0])
    patterns = [one for case in _RETURNS_TRUE.finditer(body) for one in re.split(r"[|\s\"']+", case[1]) if one]
    names = {name for pattern in patterns for name in _named(pattern)}
    return tuple(sorted(names)) or None


def _named(pattern: str) -> Iterable[str]:
    """The file systems that a pattern of the shell means; a name means itself."""
    if not _GLOB.search(pattern):
        return (pattern,)
    known = (name for one in FILE_SYSTEMS for name in (one.name, *one.aliases))
    return (name for name in known if fnmatch.fnmatchcase(name, pattern))


def _text(value: str | bytes) -> str:
    """A name as text that can be read and is fit for JSON, whatever bytes it has."""
    raw = value if isinstance(value, bytes) else value.encode("utf-8", "surrogateescape")
    return raw.rstrip(b"\0").decode("utf-8", "backslashreplace")
