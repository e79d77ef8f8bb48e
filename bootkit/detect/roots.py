"""Where the root file systems of an image lie: the patterns that its boot stack declares, with the words of its kernel line."""

import fnmatch
import glob
import re
from collections.abc import Iterable

from bootkit.bootcfg.cmdline import word_value
from bootkit.model.iso import IsoView

_SLOT = re.compile(r"\{([\w.-]+):([^{}]*)\}")
"""``{word:default}`` in a pattern of :attr:`bootkit.model.stack.Stack.roots`."""


def files_at(view: IsoView, patterns: Iterable[str], words: tuple[str, ...]) -> tuple[str, ...]:
    """The files that match ``patterns``, in their order, each once."""
    filled = dict.fromkeys(_filled(pattern, words) for pattern in patterns)
    return tuple(dict.fromkeys(path for pattern in filled for path in view.glob(pattern) if view.is_file(path)))


def matches(path: str, patterns: Iterable[str], words: tuple[str, ...]) -> bool:
    """Whether ``path`` is one of the files that ``patterns`` stand for."""
    return any(_is_like(path, _filled(pattern, words)) for pattern in patterns)


def _is_like(path: str, pattern: str) -> bool:
    names, wanted = path.lower().split("/"), pattern.lower().split("/")
    return len(names) == len(wanted) and all(map(fnmatch.fnmatchcase, names, wanted))


def _filled(pattern: str, words: tuple[str, ...]) -> str:
    """A pattern with the values that the kernel words have for its slots; what an image says is no pattern."""
    return _SLOT.sub(lambda slot: glob.escape(word_value(words, slot[1], slot[2]).strip("/")), pattern)
