"""Sentences that were said in English, and what was filled into them: the way back from a text to what it was made of.

What a detector or a prediction answers is kept in records, on the stick and in what ``--json`` prints, all of it in English; a
person gets it in his language nevertheless. So the words are not marked with their parts where they are said, but known again
where they are shown.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from string import Formatter
from typing import NamedTuple

_BETWEEN = tuple(map(re.compile, (r"(?<=[.!?])( )(?=[A-Z])", r"(; )", r"(: )")))
"""What separates things that are said together, the widest first."""
COLON = ": "
LISTED = (" and ", " or ")
JOINTS = (" and ", " or ", "; ", ": ")
"""What stands between them, where a language has a sign or a word of its own for it."""
_LIST = re.compile(r"(/\S+(?:, /\S+)*)( and | or )(/\S+)|([\w-]+(?:, [\w-]+)*)( and | or )([\w-]+)")
"""Paths, or names without a dot; a file may well be called 'this and that.iso'."""


_CJK = "\u2e80"


class Found(NamedTuple):
    template: str
    """A text with ``{name}`` for what was filled in."""
    parts: Mapping[str, str]


class Sentences:
    """Texts to look among, as :class:`string.Formatter` reads them."""

    def __init__(self, templates: Sequence[str]) -> None:
        self._templates = templates

    def find(self, text: str) -> Found | None:
        """The text that ``text`` was made of: of several that would do, the one that leaves the least to be filled in."""
        for template in self._shapes:
            if template.may_be(text) and (match := template.pattern.fullmatch(text)):
                return Found(template.text, match.groupdict())
        return None

    @cached_property
    def _shapes(self) -> "list[_Shape]":
        return sorted(map(_Shape, self._templates), key=lambda shape: -sum(map(len, shape.words)))


class _Shape:
    def __init__(self, text: str) -> None:
        self.text = text
        self._fields = [(literal, name) for literal, name, _, _ in Formatter().parse(text)]
        self.words = [literal for literal, _ in self._fields if literal]

    def may_be(self, text: str) -> bool:
        """Cheaper than the pattern, which is made for few of them."""
        return all(literal in text for literal in self.words)

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        parts = (re.escape(literal) + (f"(?P<{name}>.*?)" if name else "") for literal, name in self._fields)
        return re.compile("".join(parts), re.DOTALL)


def separated(text: str) -> tuple[Sequence[str], str]:
    """What is said together (sentences, a verdict and its reason, ways out, the last two of a list), and what stands between them.

    One thing alone if nothing does.
    """
    for between in _BETWEEN:
        if len(pieces := between.split(text, maxsplit=between.pattern == f"({COLON})")) > 1:
            return pieces[::2], pieces[1]
    match = _LIST.fullmatch(text)
    if match is None:
        return [text], ""
    names, joint, last = filter(None, match.groups())
    return [names, last], joint


def clause_of(sentence: str) -> str:
    """The clause that was made a sentence by a capital letter and a full stop; empty if it is none."""
    is_one = sentence[:1].isupper() and sentence.endswith(".")
    return f"{sentence[0].lower()}{sentence[1:-1]}" if is_one else ""


def sentence_of(clause: str) -> str:
    stop = "\u3002" if clause[-1] >= _CJK else "."
    return f"{clause[0].upper()}{clause[1:]}{stop}"
