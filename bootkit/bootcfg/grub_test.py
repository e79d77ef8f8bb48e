"""GRUB's ``test`` command, which is also ``[``.

Source: GRUB 2.12, grub-core/commands/test.c. ``-a`` binds more tightly than ``-o``; an unknown operator makes a lone
string of the word, which is true if it is not empty.
"""

import operator
from collections.abc import Callable, Sequence

from bootkit.bootcfg.grub_lexer import Arg
from bootkit.bootcfg.grub_machine import GrubMachine

_STRINGS: dict[str, Callable[[str, str], bool]] = {
    "=": operator.eq,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_NUMBERS: dict[str, Callable[[int, int], bool]] = {
    "-eq": operator.eq,
    "-ne": operator.ne,
    "-lt": operator.lt,
    "-le": operator.le,
    "-gt": operator.gt,
    "-ge": operator.ge,
}
_NEWER = ("-nt", "-ot")
_MAX_DEPTH = 20


def evaluate(machine: GrubMachine, args: Sequence[Arg]) -> bool:
    return _Expression(machine, args).value()


class _Expression:
    def __init__(self, machine: GrubMachine, args: Sequence[Arg]) -> None:
        self._machine = machine
        self._args = args
        self._at = 0
        self._depth = 0

    def value(self) -> bool:
        return self._or() if self._args else False

    def _peek(self, offset: int = 0) -> str:
        place = self._at + offset
        return self._args[place].text if place < len(self._args) else ""

    def _or(self) -> bool:
        result = self._and()
        while self._peek() == "-o":
            self._at += 1
            result = self._and() or result
        return result

    def _and(self) -> bool:
        result = self._not()
        while self._at < len(self._args) and self._peek() not in ("-o", ")"):
            if self._peek() == "-a":
                self._at += 1
            result = self._not() and result
        return result

    def _not(self) -> bool:
        negated = False
        while self._peek() == "!" and self._peek(1) not in _STRINGS:
            self._at += 1
            negated = not negated
        return self._primary() != negated

    def _primary(self) -> bool:
        if self._at >= len(self._args):
            return False
        first, second = self._peek(), self._peek(1)
        if self._at + 2 < len(self._args) and (second in _STRINGS or second in _NUMBERS or second in _NEWER):
            self._at += 3
            return _compare(first, second, self._args[self._at - 1].text)
        if first == "(" and self._depth < _MAX_DEPTH:
            return self._brackets()
        if self._at + 1 < len(self._args) and len(first) == 2 and first[0] == "-" and first[1] in "defnsz":
            self._at += 2
            return self._unary(first, self._args[self._at - 1])
        self._at += 1
        return bool(first)

    def _brackets(self) -> bool:
        self._at += 1
        self._depth += 1
        result = self._or()
        self._depth -= 1
        if self._peek() == ")":
            self._at += 1
        return result

    def _unary(self, name: str, arg: Arg) -> bool:
        match name:
            case "-n":
                return bool(arg.text)
            case "-z":
                return not arg.text
            case "-d":
                place = self._machine.locate(arg.text)
                return place is not None and not place.startswith("(") and self._machine.files.is_dir(place)
            case _:
                return self._machine.exists(arg)


def _compare(left: str, name: str, right: str) -> bool:
    if name in _STRINGS:
        return _STRINGS[name](left, right)
    if name in _NUMBERS:
        return _NUMBERS[name](_number(left), _number(right))
    # the age of files: nobody knows it here
    return False


def _number(text: str) -> int:
    digits = text.strip()[:18]
    try:
        return int(digits, 0)
    except ValueError:
        return 0
