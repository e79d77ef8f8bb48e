"""elilo's menu: ``elilo.conf``, in the manner of LILO.

Source: elilo 3.16, docs/elilo.txt, "The config file".
"""

import posixpath
import shlex

from bootkit.bootcfg.cmdline import split_words, without_initrds
from bootkit.bootcfg.menu import Menu, MenuEntry, place_beside, seconds

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
    tenths = seconds(head.get("timeout", ""))
    return Menu(
        entries=entries,
        default=named or (entries[0] if entries else None),
        timeout=None if tenths is None else tenths // 10,
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
        kernel=place_beside(source, options["image"]),
        initrds=tuple(place_beside(source, path) for path in initrds),
        cmdline=without_initrds(words),
        source=source,
    )
