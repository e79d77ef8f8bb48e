"""GRUB script, second step: words to statements.

Source: GRUB 2.12, grub-core/script/parser.y. More forgiving than GRUB: what does not fit is reported and skipped.
"""

from typing import NamedTuple

from bootkit.bootcfg.grub_lexer import CLOSE, END, OPEN, Complain, Token, Word, tokens

MAX_DEPTH = 40
"""Blocks inside blocks; real menus have four."""


class Command(NamedTuple):
    words: tuple[Word, ...]
    body: "Block | None" = None
    """The block in braces of a ``menuentry`` or ``submenu``."""


class If(NamedTuple):
    branches: tuple[tuple["Block", "Block"], ...]
    """Condition and body of the ``if`` and of each ``elif``."""
    otherwise: "Block"


class Loop(NamedTuple):
    condition: "Block"
    body: "Block"
    until: bool


class For(NamedTuple):
    name: str
    words: tuple[Word, ...]
    body: "Block"


class Function(NamedTuple):
    name: str
    body: "Block"


Statement = Command | If | Loop | For | Function
Block = tuple[Statement, ...]

_KEYWORDS = frozenset({"if", "while", "until", "for", "function"})
_ENDS = frozenset({"then", "elif", "else", "fi", "do", "done"})


class _TooDeep(Exception):
    """The error of blocks that are nested deeper than ``MAX_DEPTH``."""


def parse_script(text: str, complain: Complain) -> Block:
    """The statements of a script, as far as they can be told."""
    parser = _Parser(tokens(text, complain), complain)
    return parser.script()


class _Parser:
    def __init__(self, found: list[Token], complain: Complain) -> None:
        self._tokens = found
        self._at = 0
        self._depth = 0
        self._complain = complain

    def script(self) -> Block:
        statements: list[Statement] = []
        try:
            while self._at < len(self._tokens):
                statements.extend(self._block(frozenset()))
                if self._at < len(self._tokens):
                    self._stray()
        except _TooDeep:
            self._complain(self._position(), f"blocks are nested deeper than {MAX_DEPTH}; the rest is skipped")
        return tuple(statements)

    def _stray(self) -> None:
        token = self._tokens[self._at]
        name = token.kind if token.word is None else token.word.plain
        self._complain(token.position, f"{name!r} has no beginning")
        self._at += 1

    def _position(self) -> int:
        return self._tokens[min(self._at, len(self._tokens) - 1)].position

    def _keyword(self) -> str:
        """The unquoted word at hand, a brace, or nothing."""
        if self._at >= len(self._tokens):
            return ""
        token = self._tokens[self._at]
        return (token.word.plain or "") if token.word is not None else token.kind.removeprefix(END)

    def _block(self, ends: frozenset[str]) -> Block:
        """Statements up to one of ``ends``, which is left in place, or to any word that ends some other block."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise _TooDeep
        statements: list[Statement] = []
        found, size = self._tokens, len(self._tokens)
        while self._at < size:
            if found[self._at].kind == END:
                self._at += 1
                continue
            word = self._keyword()
            if word in ends or word in _ENDS or word == CLOSE:
                break
            if word == OPEN:
                statements.extend(self._braces())
            elif word in _KEYWORDS:
                statements.append(self._compound(word))
            else:
                statements.append(self._command())
        self._depth -= 1
        return tuple(statements)

    def _expect(self, word: str) -> bool:
        if self._keyword() == word:
            self._at += 1
            return True
        self._complain(self._position(), f"{word!r} is missing")
        return False

    def _braces(self) -> Block:
        self._at += 1
        body = self._block(frozenset({CLOSE}))
        self._expect(CLOSE)
        return body

    def _command(self) -> Command:
        words: list[Word] = []
        body: Block | None = None
        found = self._tokens
        while True:
            token = found[self._at]
            if token.word is not None:
                words.append(token.word)
                self._at += 1
            elif token.kind == OPEN:
                body = self._braces()
                if self._at >= len(found):
                    break
            else:
                break
        return Command(tuple(words), body)

    def _compound(self, word: str) -> Statement:
        self._at += 1
        match word:
            case "if":
                return self._if()
            case "for":
                return self._for()
            case "function":
                return self._function()
            case _:
                condition = self._block(frozenset({"do"}))
                return Loop(condition, self._do(), until=word == "until")

    def _do(self) -> Block:
        self._expect("do")
        body = self._block(frozenset({"done"}))
        self._expect("done")
        return body

    def _if(self) -> If:
        branches: list[tuple[Block, Block]] = []
        otherwise: Block = ()
        while True:
            condition = self._block(frozenset({"then"}))
            self._expect("then")
            branches.append((condition, self._block(frozenset({"elif", "else", "fi"}))))
            if self._keyword() != "elif":
                break
            self._at += 1
        if self._keyword() == "else":
            self._at += 1
            otherwise = self._block(frozenset({"fi"}))
        self._expect("fi")
        return If(tuple(branches), otherwise)

    def _words(self) -> tuple[Word, ...]:
        words: list[Word] = []
        while self._at < len(self._tokens) and (word := self._tokens[self._at].word) is not None:
            words.append(word)
            self._at += 1
        return tuple(words)

    def _skip_ends(self) -> None:
        while self._at < len(self._tokens) and self._tokens[self._at].kind == END:
            self._at += 1

    def _for(self) -> For:
        words = self._words()
        self._skip_ends()
        name = words[0].plain or "" if words else ""
        return For(name, words[2:], self._do())

    def _function(self) -> Function:
        words = self._words()
        self._skip_ends()
        name = words[0].plain or "" if words else ""
        body = self._braces() if self._keyword() == OPEN else ()
        return Function(name, body)
