"""Damage with sense: fields that say how much and where, trees of JSON, tokens of text, and bytes as they come."""

import json
import random
import re
import struct
from collections.abc import Callable, Sequence
from typing import Any, cast

from bootkit.model.iso import TEXT_LIMIT

Mutator = Callable[[random.Random, bytes, Sequence[bytes]], bytes]
"""Dice, an input, and all inputs of its kind."""

_RECORD_LIMIT = 4 << 20
_EDGES = (
    0,
    1,
    2,
    0x7F,
    0x80,
    0xFF,
    0x7FFF,
    0xFFFF,
    1 << 24,
    0x7FFFFFFF,
    0x80000000,
    0xFFFFFFFF,
    1 << 55,
    (1 << 63) - 1,
)
_EDGES_64 = (*_EDGES, 1 << 63, (1 << 64) - 1)
_TEXTS = (
    "", "..", "/", "\0", "\n", "\ud800", "\udcff", "\u202e", "\x1b]0;x\x07", "a" * 5000, "$(id)", "`id`", "${x}", "'", '"', "\\",
    "../../etc/passwd", "/" * 300, "%s%n", "-rf", "{", "}", "((((((((", "\r\n", "é", "💾",
)  # fmt: skip
_NUMBERS = (0, -1, 1, 1 << 31, 1 << 63, 1 << 64, -(1 << 63), 10**400, 1e308, 0.5, float("inf"))
_WORDS = re.compile(rb"\s+|[A-Za-z0-9_./-]+|.", re.DOTALL)


def bytes_of(dice: random.Random, data: bytes, kin: Sequence[bytes]) -> bytes:
    """A binary format: mostly fields, some flipped bytes, some pieces that go, double or come from another input."""
    result = bytearray(data)
    for _ in range(dice.choice((1, 1, 1, 2, 4, 16))):
        if not result:
            break
        dice.choice((_field, _field, _field, _byte, _byte, _cut, _double, _lose, _borrow))(dice, result, kin)
    return bytes(result)


def json_of(dice: random.Random, data: bytes, kin: Sequence[bytes]) -> bytes:
    """A JSON text: another value somewhere in its tree; sometimes other bytes."""
    if dice.random() < 0.2:
        return text_of(dice, data, kin)
    tree: object = json.loads(data)
    for _ in range(dice.choice((1, 1, 2, 5))):
        tree = _replaced(dice, tree)
    if dice.random() < 0.05:
        depth = dice.choice((100, 2000, 200_000))
        return b'{"a":' * depth + b"1" + b"}" * depth
    return json.dumps(tree).encode()[:_RECORD_LIMIT]


def text_of(dice: random.Random, data: bytes, kin: Sequence[bytes]) -> bytes:
    """A text: tokens that change place, go, double, or become something that means much elsewhere."""
    tokens = _WORDS.findall(data)
    for _ in range(dice.choice((1, 1, 2, 4, 8))):
        if not tokens:
            break
        at = dice.randrange(len(tokens))
        match dice.randrange(7):
            case 0:
                tokens[at] = dice.choice(_TEXTS).encode("utf-8", "surrogatepass")
            case 1:
                tokens[at] = str(dice.choice(_NUMBERS)).encode()
            case 2:
                del tokens[at : at + dice.randrange(1, 20)]
            case 3:
                tokens[at:at] = (tokens[at : at + dice.randrange(1, 40)] * dice.choice((1, 2, 50)))[:5000]
            case 4:
                other = dice.randrange(len(tokens))
                tokens[at], tokens[other] = tokens[other], tokens[at]
            case 5:
                tokens[at] *= min(dice.choice((2, 100, 10_000)), TEXT_LIMIT // (len(tokens[at]) + 1) + 1)
            case _:
                tokens[at] = dice.randbytes(dice.randrange(1, 8))
    return b"".join(tokens)[:TEXT_LIMIT]


def _field(dice: random.Random, data: bytearray, _kin: Sequence[bytes]) -> None:
    """A number where there is one: bytes that are not zero mostly say something."""
    at = _somewhere(dice, data)
    size = dice.choice((1, 2, 4, 8))
    at -= at % dice.choice((1, size))
    order = dice.choice(("<", "<", "<", ">"))
    kind = {1: "B", 2: "H", 4: "I", 8: "Q"}[size]
    if at + size > len(data):
        return
    (before,) = struct.unpack_from(order + kind, data, at)
    mask = (1 << size * 8) - 1
    value = dice.choice((dice.choice(_EDGES_64), before + 1, before - 1, before * 2, before ^ mask, at, len(data)))
    struct.pack_into(order + kind, data, at, value & mask)


def _byte(dice: random.Random, data: bytearray, _kin: Sequence[bytes]) -> None:
    data[_somewhere(dice, data)] = dice.choice((0, 1, 0x7F, 0x80, 0xFF, dice.randrange(256)))


def _cut(dice: random.Random, data: bytearray, _kin: Sequence[bytes]) -> None:
    del data[dice.randrange(len(data)) :]


def _double(dice: random.Random, data: bytearray, _kin: Sequence[bytes]) -> None:
    at, size = _somewhere(dice, data), dice.choice((1, 16, 512, 2048, 4096))
    target = _somewhere(dice, data)
    data[target : target + size] = data[at : at + size]


def _lose(dice: random.Random, data: bytearray, _kin: Sequence[bytes]) -> None:
    at = _somewhere(dice, data)
    del data[at : at + dice.choice((1, 2, 16, 512))]


def _borrow(dice: random.Random, data: bytearray, kin: Sequence[bytes]) -> None:
    other = dice.choice(kin)
    if other:
        at, size = dice.randrange(len(other)), dice.choice((8, 64, 2048))
        target = _somewhere(dice, data)
        data[target : target + size] = other[at : at + size]


def _somewhere(dice: random.Random, data: bytearray) -> int:
    """Near bytes that say something: most of an image is zeros."""
    places = (dice.randrange(len(data)) for _ in range(16))
    return next((at for at in places if data[at]), len(data) - 1)


def _replaced(dice: random.Random, tree: object) -> object:
    """Walks down by chance, and puts something else there."""
    if isinstance(tree, dict) and tree and dice.random() < 0.85:
        branch = cast("dict[str, object]", tree)
        key = dice.choice(list(branch))
        if dice.random() < 0.1:
            return {**branch, dice.choice(_TEXTS): branch[key]}
        if dice.random() < 0.1:
            return {name: value for name, value in branch.items() if name != key}
        return {**branch, key: _replaced(dice, branch[key])}
    if isinstance(tree, list) and tree and dice.random() < 0.85:
        row = cast("list[object]", tree)
        at = dice.randrange(len(row))
        return [*row[:at], _replaced(dice, row[at]), *row[at + 1 :]] if dice.random() < 0.9 else row * 50
    odd: Sequence[Any] = (*_TEXTS, *_NUMBERS[:9], None, True, [], {}, [[]], {"": {}}, [tree, tree])
    return dice.choice(odd)
