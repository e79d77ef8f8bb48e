"""The predictions that a stick keeps, each under a digest of all that it was made from.

So none is ever out of date: what was made from anything else lies under another digest, and is not found. It is a file beside
that of the images, because all of it is made anew where it is lost.
"""

import hashlib
import json
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from typing import Any

from bootkit.app.stick.records import Record, record_digest
from bootkit.errors import FormatError
from bootkit.model.catalog import ImageItem
from bootkit.model.check import Answer, Prediction, StickFacts
from bootkit.model.fields import parse_json
from bootkit.model.options import Choices
from bootkit.model.places import PREDICTIONS_FILE
from bootkit.model.plan import RemoveFile, WriteFile
from bootkit.model.predictionrecord import prediction_from_json, prediction_to_json
from bootkit.plan.check import ASKED
from bootkit.system.fingerprint import program_fingerprint
from bootkit.system.volume import Volume, read_file

_LIMIT = 256 << 20
_FORM = b'{"predictions":1}'
"""The file's first line."""
_UNCURED = re.compile(rb'\{"cured":false,"answer":"([a-z]+)",')


class KeptPrediction(Prediction):
    """A prediction of an image that needs no cure, parsed when somebody asks for more than its answer.

    A slot that was never filled is no attribute, so that Python asks ``__getattr__``.
    """

    __slots__ = ("_text",)
    _text: bytes

    def __new__(cls, **values: Any) -> Prediction:  # type: ignore[misc]  # a changed copy is no kept one any more
        return Prediction(**values)

    @classmethod
    def of(cls, path: str, answer: bytes, text: bytes) -> "KeptPrediction":
        """That of the image ``path``; ``text`` is its JSON.

        Raises:
            ValueError: there is no such answer.
        """
        kept = object.__new__(cls)
        object.__setattr__(kept, "path", path)
        object.__setattr__(kept, "answer", Answer(answer.decode()))
        object.__setattr__(kept, "_text", text)
        return kept

    @property
    def brought(self) -> None:
        return None

    def __getattr__(self, name: str) -> object:
        if name.startswith("_"):
            raise AttributeError(name)
        parsed = _parsed(self._text)
        for field in fields(Prediction):
            object.__setattr__(self, field.name, getattr(parsed, field.name))
        return getattr(parsed, name)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Prediction):
            return NotImplemented
        return all(getattr(self, field.name) == getattr(other, field.name) for field in fields(Prediction))

    __hash__ = Prediction.__hash__


class KeptPredictions:
    """What a stick keeps: a line for each, with its digest, a sum, and what was predicted."""

    def __init__(self, content: bytes) -> None:
        """``content`` is that of the file."""
        first, *lines = content.split(b"\n")
        self._lines = {line[:32]: line for line in lines if line} if first == _FORM else {}

    def find(self, digest: bytes, path: str) -> Prediction | None:
        """What was predicted of ``path`` from all that ``digest`` stands for; ``None`` if nothing was, or it cannot be read."""
        line = self._lines.get(digest)
        if line is None:
            return None
        try:
            if line[33:41] == _sum(line[42:]):
                found = _UNCURED.match(line, 42)
                return KeptPrediction.of(path, found[1], line[42:]) if found else _parsed(line[42:])
        except (FormatError, ValueError):
            pass
        del self._lines[digest]
        return None

    def steps(self, predictions: Mapping[bytes, Prediction]) -> Iterator[WriteFile | RemoveFile]:
        """The step, if any, after which the stick keeps ``predictions``, by their digests, and no others."""
        if predictions.keys() == self._lines.keys():
            return
        lines = (self._lines.get(digest) or _line(digest, predictions[digest]) for digest in sorted(predictions))
        content = b"\n".join((_FORM, *lines, b"")) if predictions else b""
        yield WriteFile(path=PREDICTIONS_FILE, content=content) if content else RemoveFile(path=PREDICTIONS_FILE)


def read_predictions(volume: Volume) -> KeptPredictions:
    return KeptPredictions(read_file(volume, PREDICTIONS_FILE, _LIMIT) or b"")


class PredictionDigests:
    """Of what predictions for one stick are made from: the program, the stick, and what is known of an image."""

    def __init__(self, stick: StickFacts) -> None:
        self._stick = stick
        # the others are asked for by what they say of one image
        common = replace(stick, labels={}, shims=(), choices=Choices())
        self._common = _digest(program_fingerprint(), common, _first_shims(stick))
        self._labels: dict[str, str] = {}
        self._of_stacks: dict[str, list[object]] = {}

    def of(self, item: ImageItem, record: Record) -> bytes:
        """In 32 hex digits; ``record`` is what the stick keeps of the image, as it is now."""
        chosen = self._chosen(item)
        label = item.facts.volume_id if item.facts is not None else ""
        return _digest(self._common, self._with(label), chosen, record_digest(record.head))[:32].encode()

    def _chosen(self, item: ImageItem) -> list[object]:
        """What is chosen of what predictions ask for: mostly the same for all images of a stack."""
        choices, stack = self._stick.choices, item.stack
        if choices.are_of(item.path):
            return [choices.chosen(key, stack=stack, image=item.path).value for key in ASKED]
        if stack not in self._of_stacks:
            self._of_stacks[stack] = [choices.chosen(key, stack=stack).value for key in ASKED]
        return self._of_stacks[stack]

    def _with(self, label: str) -> str:
        """The images that have a label."""
        if label not in self._labels:
            self._labels[label] = _digest(self._stick.labels.get(label))
        return self._labels[label]


def _first_shims(stick: StickFacts) -> list[tuple[object, ...]]:
    """Vendors' shims, each as the first image has it: one more image with the same changes no answer."""
    first: dict[tuple[object, str], str] = {}
    for shim in stick.shims:
        first.setdefault((shim.firmware, shim.efi.digest), shim.image)
    return [(*key, image) for key, image in first.items()]


def _digest(*values: object) -> str:
    """Of values all of whose parts have an order of their own: none of them holds a set."""
    return hashlib.sha256(repr(values).encode()).hexdigest()


def _parsed(text: bytes) -> Prediction:
    return prediction_from_json(parse_json(text, "a prediction"))


def _line(digest: bytes, prediction: Prediction) -> bytes:
    text = json.dumps(prediction_to_json(prediction), ensure_ascii=False, separators=(",", ":")).encode()
    return b" ".join((digest, _sum(text), text))


def _sum(text: bytes) -> bytes:
    return b"%08x" % zlib.crc32(text)
