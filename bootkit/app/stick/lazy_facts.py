"""What a record says of an image, parsed when somebody asks for it: of a thousand images most are asked for little."""

from collections.abc import Mapping
from dataclasses import fields, replace
from functools import lru_cache
from typing import Any, TypeAlias

from bootkit.errors import FormatError
from bootkit.i18n import tr
from bootkit.model.answers import rejections_from_json
from bootkit.model.boot import Detection, Recognition
from bootkit.model.efi import EfiFacts
from bootkit.model.fields import json_list, json_number, json_object, json_string, parse_json
from bootkit.model.initrdrecord import kernel_from_json
from bootkit.model.iso import IsoFacts
from bootkit.model.kernel import KernelFacts
from bootkit.model.record import facts_from_json

Shared: TypeAlias = Mapping[str, bytes]
"""What was read of kernels, as JSON, by their digests."""
_RECENT = 256
"""Images whose second line stays parsed: more than most sticks have, and no more memory where one has a thousand."""


class KeptFacts(IsoFacts):
    """Facts that are parsed when somebody asks for them, and forgotten soon after.

    A slot that was never filled is no attribute, so that Python asks ``__getattr__``.
    """

    __slots__ = ("_cpus", "_efi_image", "_packed_by", "_rest", "_shared", "_shims")
    _rest: bytes
    _shared: tuple[tuple[str, bytes], ...]
    _shims: Mapping[str, EfiFacts]
    _cpus: tuple[str, ...]
    _packed_by: tuple[str, ...]
    _efi_image: tuple[int, int] | None

    def __new__(cls, **values: Any) -> IsoFacts:  # type: ignore[misc]  # a changed copy is no kept one any more
        return IsoFacts(**values)

    @classmethod
    def of(cls, rest: bytes, head: Mapping[str, object], shared: Shared) -> "KeptFacts":
        """The facts of a record's second line and its kernels; what all images of a stick are asked for is known from the first.

        Raises:
            FormatError: the first line cannot be read.
        """
        facts = object.__new__(cls)
        object.__setattr__(facts, "_rest", rest)
        object.__setattr__(facts, "_shared", tuple(shared.items()))
        object.__setattr__(facts, "volume_id", json_string(head.get("volume_id"), "volume_id"))
        if head.get("has_sections") is False:
            object.__setattr__(facts, "sections", {})
        shims = json_object(head.get("shims"), "shims").items()
        object.__setattr__(facts, "_shims", {path: _shim(place, rest, shared) for path, place in shims})
        object.__setattr__(facts, "_cpus", json_list(head.get("cpus"), "cpus", json_string))
        object.__setattr__(facts, "_packed_by", json_list(head.get("packed_by"), "packed_by", json_string))
        efi_image = head.get("efi_image")
        object.__setattr__(facts, "_efi_image", None if efi_image is None else _place(efi_image))
        return facts

    @property
    def shims(self) -> Mapping[str, EfiFacts]:
        return self._shims

    @property
    def cpus(self) -> tuple[str, ...]:
        return self._cpus

    @property
    def packed_by(self) -> tuple[str, ...]:
        return self._packed_by

    @property
    def efi_image(self) -> tuple[int, int] | None:
        return self._efi_image

    def __getattr__(self, name: str) -> object:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(_facts(self._rest, self._shared), name)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, IsoFacts):
            return NotImplemented
        return all(getattr(self, field.name) == getattr(other, field.name) for field in fields(IsoFacts))

    __hash__ = None  # type: ignore[assignment]  # as of all facts: they hold mappings


def _place(value: object) -> tuple[int, int]:
    match json_list(value, "a place", json_number):
        case (offset, size):
            return offset, size
        case _:
            raise FormatError(tr("a place is not an offset and a size"))


def _shim(where: object, rest: bytes, shared: Shared) -> EfiFacts:
    """What is known of a shim; ``where`` is its digest or, in the older form, its place in the second line."""
    if isinstance(where, str):
        text = _of_digest(where, shared)
    else:
        at, length = _place(where)
        text = rest[at : at + length]
    efi = _kernel(text).efi
    if efi is None:
        raise FormatError(tr("a recorded shim is none"))
    return efi


def _of_digest(digest: object, shared: Shared) -> bytes:
    found = shared.get(json_string(digest, "a kernel"))
    if found is None:
        raise FormatError(tr("a record names a kernel that is not kept"))
    return found


@lru_cache(maxsize=_RECENT)
def _kernel(text: bytes) -> KernelFacts:
    return kernel_from_json(parse_json(text, "a kernel"), "a kernel")


@lru_cache(maxsize=1)
def _parsed(rest: bytes) -> Mapping[str, object]:
    return json_object(parse_json(rest, "a record"), "a record")


@lru_cache(maxsize=_RECENT)
def _facts(rest: bytes, shared: tuple[tuple[str, bytes], ...]) -> IsoFacts:
    facts = json_object(_parsed(rest).get("facts"), "facts")
    if not shared:  # it has no kernels, or the older form: all of them in itself
        return facts_from_json(facts)
    texts = dict(shared)
    kernels = json_object(facts.get("kernels", {}), "kernels")
    return replace(
        facts_from_json({**facts, "kernels": {}}),
        kernels={path: _kernel(_of_digest(digest, texts)) for path, digest in kernels.items()},
    )


class KeptRecognition(Recognition):
    """An answer whose rejections, some fifty sentences, are parsed when somebody asks for them."""

    __slots__ = ("_rest",)
    _rest: bytes

    def __new__(cls, **values: Any) -> Recognition:  # type: ignore[misc]  # a changed copy is no kept one any more
        return Recognition(**values)

    @classmethod
    def of(cls, rest: bytes, *, detector: str, detection: Detection | None) -> "KeptRecognition":
        """The answer of a record's first line, with the rejections of its second."""
        answer = object.__new__(cls)
        object.__setattr__(answer, "_rest", rest)
        object.__setattr__(answer, "detector", detector)
        object.__setattr__(answer, "detection", detection)
        return answer

    def __getattr__(self, name: str) -> object:
        if name != "rejections":
            raise AttributeError(name)
        return rejections_from_json(_parsed(self._rest).get("rejections"))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Recognition):
            return NotImplemented
        return all(getattr(self, field.name) == getattr(other, field.name) for field in fields(Recognition))

    __hash__ = Recognition.__hash__
