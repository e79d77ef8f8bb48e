"""What people read, in their language: gettext's catalogues, asked for at the first text of a process.

The language is the locale's, as for every program (``LC_ALL``, ``LC_MESSAGES``, ``LANG``; ``LANGUAGE`` names several in order).
A text that has no translation stays English, and so does all in a locale of no catalogue: then nothing is loaded. A terminal
that shows letters beyond ASCII wrongly gets none: they are spelled out, and what cannot be spelled stays English.

What detectors and predictions answer is made in English and kept so; :func:`spoken` says it in the language where it is shown.

Source: GNU gettext manual, 2.3 "Setting the Locale through Environment Variables" and 11.1.4 (names of catalogues); agetty of
util-linux 2.38 gives a serial line ``TERM=vt220``, or vt102; the kernel's own console is ``linux`` and has 512 glyphs.
"""

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gettext import GNUTranslations

    from bootkit.said import Sentences

LANGUAGES = ("de", "es", "fr", "zh")
"""Those beside English; ``bootkit/locale`` has a catalogue for each."""
ANSWERS = "answers.txt"
"""In ``bootkit/locale``: the texts of answers into which something is filled, as ``po/catalogues.py`` finds them in the source."""
PLACE = "{message} (at byte {offset})"
"""How errors of readers say where they are."""
_OF_ASCII = frozenset({"ansi", "dumb", "vt100", "vt102", "vt220"})
_SPELLED = {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "œ": "oe", "æ": "ae"}
_SIGNS = str.maketrans("«»„“”\u2019\u2013\xa0", '"""""\'- ', "¿¡")


def tr(text: str, /, **parts: object) -> str:
    """``text`` in the user's language; ``{name}`` in it stands for the part of that name, an answer for :func:`spoken`."""
    said = _spoken.text(text)
    return said.format(**_spoken.parts(parts)) if parts else said


def trn(one: str, many: str, number: int, /, **parts: object) -> str:
    """:func:`tr` of a text about so and so many things; ``{n}`` stands for the number."""
    return _spoken.number(one, many, number).format(n=number, **_spoken.parts(parts))


def spoken(answer: str, /) -> str:
    """What was answered in English, in the user's language: a sentence, a clause, or several; what nobody knows stays."""
    return _spoken.answer(answer)


def language(environment: Mapping[str, str]) -> str:
    """The language that an environment asks for, of those that there are; ``en`` where it asks for none of them."""
    locale = _locale(environment, "LC_MESSAGES")
    if locale.partition(".")[0] in ("C", "POSIX"):
        return "en"
    wanted = (name[:2] for name in [*environment.get("LANGUAGE", "").split(":"), locale] if name)
    return next((name for name in wanted if name in (*LANGUAGES, "en")), "en")


class Spoken:
    """The texts of one language, as the terminal of ``environment`` can show them."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._catalogue: GNUTranslations | None = None
        self._sentences: Sentences | None = None
        self._answers: dict[str, str] = {}
        self._is_read = False

    def text(self, text: str) -> str:
        catalogue = self._read()
        return text if catalogue is None else self._shown(catalogue.gettext(text), text)

    def number(self, one: str, many: str, number: int) -> str:
        english = one if number == 1 else many
        catalogue = self._read()
        return english if catalogue is None else self._shown(catalogue.ngettext(one, many, number), english)

    def parts(self, parts: Mapping[str, object]) -> Mapping[str, object]:
        """What is filled in, where it is an answer; a word alone may be a name, or stand in a command to be typed."""
        if self._read() is None:
            return parts
        return {
            name: self.answer(part) if isinstance(part, str) and " " in part else part for name, part in parts.items()
        }

    def answer(self, text: str) -> str:
        if self._read() is None or not text:
            return text
        if text not in self._answers:
            self._answers[text] = (
                self._placed(text) or self._led(text) or self._clause(text) or self._compound(text) or text
            )
        return self._answers[text]

    def _placed(self, text: str) -> str:
        """What says where in a file something is wrong."""
        message, found, offset = text.removesuffix(")").rpartition(" (at byte ")
        return (
            self.text(PLACE).format(message=self.answer(message), offset=offset) if found and offset.isdigit() else ""
        )

    def _led(self, text: str) -> str:
        """A clause and after a colon its reason, each of them known; not one text that has a colon itself."""
        from bootkit.said import COLON

        clause, found, reason = text.partition(COLON)
        if not found or self.text(text) != text or self._sentences is None:
            return ""
        if (whole := self._sentences.find(text)) and COLON in whole.template:
            return ""
        said, because = self._clause(clause), self.answer(reason)
        return f"{said}{self.text(COLON)}{because}" if said and because != reason else ""

    def _clause(self, text: str) -> str:
        """What is known as it stands, or with something filled in; else empty."""
        if (said := self.text(text)) != text or self._sentences is None:
            return said if said != text else ""
        found = self._sentences.find(text)
        return self.text(found.template).format(**self.parts(found.parts)) if found else ""

    def _compound(self, text: str) -> str:
        """A clause that was made a sentence, or several things that are said together; empty if none of it is known."""
        from bootkit.said import LISTED, clause_of, sentence_of, separated

        if (clause := clause_of(text)) and (said := self._clause(clause)):
            return sentence_of(said)
        pieces, between = separated(text)
        answers = [self.answer(piece) for piece in pieces if between]
        return self.text(between).join(answers) if answers != pieces or between in LISTED else ""

    def _read(self) -> "GNUTranslations | None":
        if not self._is_read:
            self._is_read = True
            name = language(self._environment)
            self._catalogue = None if name == "en" else _catalogue(name)
            if self._catalogue is not None:
                from bootkit.said import Sentences

                self._sentences = Sentences((_data(ANSWERS) or b"").decode().splitlines())
            self._is_ascii = _needs_ascii(self._environment)
        return self._catalogue

    def _shown(self, said: str, english: str) -> str:
        if not self._is_ascii or said.isascii():
            return said
        spelled = _in_ascii(said)
        return spelled if spelled.isascii() else english


def _catalogue(name: str) -> "GNUTranslations | None":
    """``None`` where it was not compiled, as in a checkout that nobody set up."""
    import gettext
    import io

    content = _data(f"{name}/LC_MESSAGES/bootkit.mo")
    return None if content is None else gettext.GNUTranslations(io.BytesIO(content))


def _data(name: str) -> bytes | None:
    """Of the folder with the catalogues, also out of a zip archive."""
    import pkgutil

    try:
        return pkgutil.get_data("bootkit", f"locale/{name}")
    except OSError:
        return None


def _locale(environment: Mapping[str, str], category: str) -> str:
    return next(filter(None, map(environment.get, ("LC_ALL", category, "LANG"))), "C")


def _needs_ascii(environment: Mapping[str, str]) -> bool:
    locale = _locale(environment, "LC_CTYPE")
    terminal = environment.get("TERM", "")
    is_utf8 = locale.partition(".")[2].partition("@")[0].lower().replace("-", "") == "utf8"
    has_few_letters = terminal == "linux" and language(environment) == "zh"
    return not is_utf8 or terminal in _OF_ASCII or has_few_letters


def _in_ascii(text: str) -> str:
    import unicodedata

    spelled = text.translate(_SIGNS)
    for letter, letters in _SPELLED.items():
        capital = letters.upper() if text.isupper() else letters.capitalize()
        spelled = spelled.replace(letter, letters).replace(letter.upper(), capital)
    return "".join(char for char in unicodedata.normalize("NFKD", spelled) if not unicodedata.combining(char))


_spoken = Spoken(os.environ)
