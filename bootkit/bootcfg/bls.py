"""Boot Loader Specification entries, as systemd-boot reads them.

Source: The Boot Loader Specification (uapi-group.org), "Type #1 Boot Loader Specification Entries".
"""

import fnmatch
import posixpath
import re

from bootkit.bootcfg.cmdline import split_words, without_initrds, word_values
from bootkit.bootcfg.menu import Files, Menu, MenuEntry, normal_path, seconds
from bootkit.model.boot import IN_EFI
from bootkit.values import dataclass

_MAX_ENTRIES = 100
_ARCHITECTURES = {"x64": "x86_64", "ia32": "i686", "aa64": "aarch64"}


@dataclass(frozen=True, slots=True, kw_only=True)
class LoaderEntry:
    """One ``*.conf`` file. Paths are as written: from the root of the partition that holds the file."""

    path: str
    title: str = ""
    version: str = ""
    sort_key: str = ""
    architecture: str = ""
    """``x86_64``, ``i686``, ``aarch64``, or as written."""
    linux: str = ""
    initrds: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    efi: str = ""
    """An EFI application: a kernel image with all in it, or one that needs nothing; ``uki`` says the same."""
    devicetree: str = ""


def parse_bls(text: str, *, path: str) -> LoaderEntry:
    """A loader entry. ``initrd`` and ``options`` may come several times, of all else the last counts.

    ``initrd=`` among the options is the kernel's own word for a file on the same partition, with either slash.
    """
    values: dict[str, str] = {}
    initrds: list[str] = []
    options: list[str] = []
    for line in text.splitlines():
        key, _, value = line.strip().replace("\t", " ").partition(" ")
        value = value.strip()
        if key == "initrd":
            initrds.extend(value.split())
        elif key == "options":
            words = split_words(value)
            options.extend(without_initrds(words))
            initrds.extend(word_values(words, "initrd"))
        elif key and not key.startswith("#"):
            values[key] = value
    architecture = values.get("architecture", "").lower()
    return LoaderEntry(
        path=path,
        title=values.get("title", ""),
        version=values.get("version", ""),
        sort_key=values.get("sort-key", ""),
        architecture=_ARCHITECTURES.get(architecture, architecture),
        linux=values.get("linux", ""),
        initrds=tuple(initrds),
        options=tuple(options),
        efi=values.get("efi") or values.get("uki", ""),
        devicetree=values.get("devicetree", ""),
    )


def read_loader_entries(files: Files, folder: str) -> Menu:
    """The menu of a ``loader/entries`` folder, in file name order, with the default of the ``loader.conf`` beside it.

    File name order is not quite systemd-boot's, which sorts by ``sort-key`` and version where entries have them;
    images number their files (``01-archiso-linux.conf``).
    """
    paths = files.glob(f"{folder}/*.conf")[:_MAX_ENTRIES]
    found = [parse_bls(files.text(path), path=path) for path in paths]
    # systemd-boot passes over entries for machines that it does not run on
    of_a_pc = [entry for entry in found if entry.architecture in ("", "x86_64", "i686")]
    entries = tuple(_menu_entry(entry, files) for entry in of_a_pc or found)
    settings = _settings(files.text(f"{posixpath.dirname(folder)}/loader.conf"))
    wanted = settings.get("default", "").removesuffix(".conf")
    default = next((entry for entry in entries if wanted and fnmatch.fnmatchcase(entry.id, wanted)), None)
    return Menu(
        entries=entries,
        default=default or (entries[0] if entries else None),
        timeout=seconds(settings.get("timeout", "")),
        sources=paths,
    )


def _settings(text: str) -> dict[str, str]:
    pairs = (
        re.split(r"\s+", line.strip(), maxsplit=1) for line in text.splitlines() if line.strip()[:1] not in ("", "#")
    )
    return {pair[0]: pair[1] for pair in pairs if len(pair) == 2}


def _menu_entry(entry: LoaderEntry, files: Files) -> MenuEntry:
    # where the partition is mounted that the entry lies on
    partition = posixpath.dirname(entry.path).removesuffix("/loader/entries")
    name = posixpath.basename(entry.path).removesuffix(".conf")

    def place(path: str) -> str:
        plain = normal_path("/" + path.replace("\\", "/").lstrip("/"))
        return partition + plain if partition == IN_EFI or files.is_file(partition + plain) else plain

    # a kernel is an EFI application, and one that gets initrds is no program of another kind
    kernel = entry.linux or (entry.efi if entry.initrds else "")
    return MenuEntry(
        title=" ".join(part for part in (entry.title or name, entry.version) if part),
        id=name,
        loader="linux" if kernel else "",
        kernel=place(kernel) if kernel else "",
        initrds=tuple(place(path) for path in entry.initrds),
        cmdline=entry.options,
        chainloader=place(entry.efi) if entry.efi and not kernel else "",
        devicetree=place(entry.devicetree) if entry.devicetree else "",
        source=entry.path,
    )
