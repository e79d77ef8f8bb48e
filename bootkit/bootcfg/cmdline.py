"""Kernel command lines as tuples of words.

A word is ``name`` or ``name=value``, unquoted: ``foo="a b"`` on a command line is the word ``foo=a b``. Everything here
takes words and gives new words. ``-`` and ``_`` in names differ: the kernel takes them for the same, but initrds do not.
"""

import fnmatch
from collections.abc import Iterable, Sequence

Words = tuple[str, ...]

SEPARATORS = ("---", "--")
"""What stands before the words that casper and d-i leave to the installed system."""


def split_words(text: str) -> Words:
    """The words of a command line. Only double quotes count, and nothing escapes them.

    Source: Linux 6.12, lib/cmdline.c, next_arg().
    """
    if '"' not in text:
        return tuple(text.split())
    words: list[str] = []
    word: list[str] = []
    quoted = begun = False
    for character in text:
        if character == '"':
            quoted, begun = not quoted, True
        elif character.isspace() and not quoted:
            if begun:
                words.append("".join(word))
                word.clear()
            begun = False
        else:
            word.append(character)
            begun = True
    if begun:
        words.append("".join(word))
    return tuple(words)


def join_words(words: Iterable[str]) -> str:
    """The command line that ``split_words`` reads back; quotes go round the whole word, as GRUB puts them."""
    return " ".join(f'"{word}"' if word == "" or any(map(str.isspace, word)) else word for word in words)


def name_of(word: str) -> str:
    return word.partition("=")[0]


def has_word(words: Iterable[str], name: str) -> bool:
    """Whether ``name`` or ``name=...`` is there."""
    return any(name_of(word) == name for word in words)


def word_values(words: Iterable[str], name: str) -> Words:
    """The values of all ``name=...``, in order."""
    return tuple(word.partition("=")[2] for word in words if word.startswith(f"{name}="))


def word_value(words: Iterable[str], name: str, default: str = "") -> str:
    """The value of the last ``name=...``: the one that most readers heed."""
    return next(reversed(word_values(words, name)), default)


def without(words: Iterable[str], *names: str) -> Words:
    """Without every ``name`` and ``name=...``; a name may hold ``*``, and ``name=value`` means just that word."""
    exact = {name for name in names if "*" not in name}
    patterns = [name for name in names if "*" in name]
    return tuple(
        word
        for word in words
        if word not in exact
        and name_of(word) not in exact
        and not any(fnmatch.fnmatchcase(name_of(word), pattern) for pattern in patterns)
    )


def without_values(words: Iterable[str], *fragments: str) -> Words:
    """Without the words in which one of ``fragments`` occurs: ``{iso_path}`` finds all that carry the path."""
    return tuple(word for word in words if not any(fragment in word for fragment in fragments))


def with_words(words: Iterable[str], *new: str) -> Words:
    """``new`` at the end, each only if that very word is not there yet."""
    return unique((*words, *new))


def before_separator(words: Sequence[str], *new: str) -> Words:
    """``new`` before ``---`` (or ``--``), at the end if there is none; each only if it is not there yet.

    casper and debian-installer hand what follows the separator to the installed system's boot loader.
    """
    place = next((index for index, word in enumerate(words) if word in SEPARATORS), len(words))
    kept = words[:place]
    return (*kept, *(word for word in unique(new) if word not in kept), *words[place:])


def replaced(words: Iterable[str], name: str, value: str) -> Words:
    """``name=value`` in place of the first ``name`` or ``name=...``, further ones dropped; at the end if there is none."""
    new = f"{name}={value}"
    done = False
    result: list[str] = []
    for word in words:
        if name_of(word) != name:
            result.append(word)
        elif not done:
            result.append(new)
            done = True
    return tuple(result) if done else (*result, new)


def unique(words: Iterable[str]) -> Words:
    """Each word once, at its first place. Separators stay as they are."""
    seen: set[str] = set()
    result: list[str] = []
    for word in words:
        if word not in seen or word in SEPARATORS:
            result.append(word)
        seen.add(word)
    return tuple(result)


def without_initrds(words: Iterable[str]) -> Words:
    """The words without those that name initrds, which an entry has by themselves."""
    return tuple(word for word in words if not names_initrd(word))


def names_initrd(word: str) -> bool:
    """Whether a word is the boot loader's affair: GRUB needs no ``initrd=`` and writes ``BOOT_IMAGE=`` itself."""
    return word.startswith(("initrd=", "BOOT_IMAGE="))
