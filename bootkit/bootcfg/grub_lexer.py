"""GRUB script, first step: text to words.

Source: GRUB 2.12, grub-core/script/yylex.l (tokens, quoting) and the manual's chapter "Quoting". ``{``, ``}`` and ``;``
end a word wherever they stand, ``#`` begins a comment only at the start of one.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

WORD, END, OPEN, CLOSE = "word", "end", "{", "}"


class Part(NamedTuple):
    text: str
    """A literal, or a variable's name."""
    variable: bool
    quoted: bool
    """Whether it was quoted: then it is neither split at blanks nor taken for a file name pattern."""


class Arg(NamedTuple):
    """A word after expansion."""

    text: str
    uses: frozenset[str] = frozenset()
    """The variables that it was made of, also by way of other variables."""


class Word(NamedTuple):
    plain: str | None
    """The text, if nothing in it is quoted or a variable; only such a word can be a keyword."""
    parts: tuple[Part, ...]
    fixed: Arg | None
    """What the word becomes, if that hangs on no variable and no file."""


class Token(NamedTuple):
    kind: str
    position: int
    word: Word | None


_TOKEN = re.compile(
    r"""
      (?P<blank> (?: [ \t\r\f\v] | \\\r?\n )++ )
    | (?P<end> [\n;] | [&|<>]++ )
    | (?P<comment> \#[^\n]*+ )
    | (?P<brace> [{}] )
    | (?P<word> (?:
          [^{}|&$;<>\s'"\\]++
        | \\.
        | '[^']*+'
        | \$? "(?: [^"\\]++ | \\. )*+"
        | \$\{ [^}\s]*+ \}
        | \$
      )++ )
    """,
    re.VERBOSE | re.DOTALL,
)
_NAME = r"(?:[A-Za-z_]\w*|\d+|[?*@#])"
_PART = re.compile(
    rf"""
      '(?P<single> [^']* )'
    | \$? "(?P<double> (?: [^"\\]++ | \\. )*+ )"
    | \\(?P<escaped> . )
    | \$\{{ (?P<braced> {_NAME} ) \}}
    | \$ (?P<name> {_NAME} )
    | (?P<literal> [^'"\\$]++ | \$ )
    """,
    re.VERBOSE | re.DOTALL,
)
_IN_DOUBLE = re.compile(
    rf"""
      \\(?P<escaped> [\\"$\n] )
    | \$\{{ (?P<braced> {_NAME} ) \}}
    | \$ (?P<name> {_NAME} )
    | (?P<literal> [^\\$]++ | . )
    """,
    re.VERBOSE | re.DOTALL,
)
_GLOB = re.compile(r"[*?]")
_SPECIAL = re.compile(r"""['"\\$]""")

_BROKEN_QUOTES = 20
"""Unfinished quotes before the rest of a text is given up: each costs a look at all that follows."""

Complain = Callable[[int, str], None]
"""A function that takes a mistake: its position in the text and a clause."""


def tokens(text: str, complain: Complain) -> list[Token]:
    """The tokens of a script; the last is always an ``END``."""
    found: list[Token] = []
    known: dict[str, Word] = {}
    position, broken, size = 0, 0, len(text)
    match_at = _TOKEN.match
    while position < size:
        match = match_at(text, position)
        if match is None:
            broken += 1
            complain(position, "a quote has no end")
            if broken > _BROKEN_QUOTES:
                break
            position = _line_end(text, position)
            continue
        kind = match.lastgroup
        if kind == "word":
            raw = match[0]
            word = known.get(raw)
            if word is None:
                word = known[raw] = _word(raw)
            found.append(Token(WORD, position, word))
        elif kind == "end":
            found.append(Token(END, position, None))
        elif kind == "brace":
            found.append(Token(match[0], position, None))
        position = match.end()
    found.append(Token(END, size, None))
    return found


def _line_end(text: str, position: int) -> int:
    end = text.find("\n", position)
    return len(text) if end < 0 else end


def _word(raw: str) -> Word:
    if _SPECIAL.search(raw) is None:
        if "/" in raw and _GLOB.search(raw):
            return Word(raw, (Part(raw, variable=False, quoted=False),), None)
        return Word(raw, (), Arg(raw))
    parts: list[Part] = []
    for match in _PART.finditer(raw):
        kind, text = match.lastgroup, match[match.lastindex or 0]
        if kind == "double":
            parts.extend(_double_quoted(text))
        elif kind in ("braced", "name"):
            parts.append(Part(text, variable=True, quoted=False))
        elif kind == "literal":
            parts.append(Part(text, variable=False, quoted=False))
        elif text != "\n" or kind == "single":
            parts.append(Part(text, variable=False, quoted=True))
    return Word(None, tuple(parts), _fixed(parts))


def _fixed(parts: list[Part]) -> Arg | None:
    if any(part.variable or (not part.quoted and _GLOB.search(part.text)) for part in parts):
        return None
    return Arg("".join(part.text for part in parts))


def _double_quoted(text: str) -> list[Part]:
    parts: list[Part] = []
    for match in _IN_DOUBLE.finditer(text):
        piece = match[match.lastindex or 0]
        if match.lastgroup in ("braced", "name"):
            parts.append(Part(piece, variable=True, quoted=True))
        elif match.lastgroup == "literal" or piece != "\n":
            parts.append(Part(piece, variable=False, quoted=True))
    return parts or [Part("", variable=False, quoted=True)]
