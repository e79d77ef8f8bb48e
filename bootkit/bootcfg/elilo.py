"""elilo's menu: ``elilo.conf``, in the manner of LILO.

Source: elilo 3.16, docs/elilo.txt, "The config file".
"""

import posixpath
import shlex

from bootkit.bootcfg.cmdline import names_initrd, split_words
from bootkit.bootcfg.menu import Menu, MenuEntry, normal_path
from bootkit.model.boot import IN_EFI

_MAX_LINES = 5000
_MAX_ENTRIES = 500
Options = dict[str, str]
"""What an image or the head of the file says, by the name of the option; switches are empty."""


def parse_elilo(text: str, *, path: str) -> Menu:
    """The menu that lies at ``path``. What stands before the first image holds for all that say nothing else."""
    head: Options = {}
    images: list[Options] = []
    for line in text.splitlines()[:_MAX_LINES]:
        key, _, value = line.strip().partition("=")
        key = key.strip().lower()
        if not key or key.startswith("#"):
            continue
        if key == "image" and len(images) < _MAX_ENTRIES:
            images.append({})
        (images[-1] if images else head)[key] = _unquoted(value.strip())
    entries = tuple(_entry({**head, **image}, path) for image in images)
    named = next((entry for entry in entries if entry.id == head.get("default")), None)
    tenths = head.get("timeout", "")
    return Menu(
        entries=entries,
        default=named or (entries[0] if entries else None),
        timeout=int(tenths) // 10 if tenths.isdecimal() and len(tenths) < 9 else None,
        sources=(path,),
    )


def _unquoted(value: str) -> str:
    try:
        return " ".join(shlex.split(value, comments=True)) if value.startswith(('"', "'")) else value
    except ValueError:
        return value.strip("\"'")


def _entry(options: Options, source: str) -> MenuEntry:
    label = options.get("label") or posixpath.basename(options["image"])
    switches = ("read-only", "ro"), ("read-write", "rw")
    words = [f"root={options['root']}"] if options.get("root") else []
    words += [word for switch, word in switches if switch in options]
    words += split_words(options.get("literal") or options.get("append", ""))
    initrds = [options["initrd"]] if options.get("initrd") else []
    return MenuEntry(
        title=" ".join(options.get("description", "").split()) or label,
        id=label,
        loader="linux",
        kernel=_place(source, options["image"]),
        initrds=tuple(_place(source, path) for path in initrds),
        cmdline=tuple(word for word in words if not names_initrd(word)),
        source=source,
    )


def _place(source: str, name: str) -> str:
    """A path in the image, as elilo takes it: from the folder of its configuration, unless it begins with a slash."""
    partition = IN_EFI if source.startswith(IN_EFI) else ""
    folder = posixpath.dirname(source.removeprefix(IN_EFI))
    return partition + normal_path(posixpath.join(folder, name.replace("\\", "/")))
