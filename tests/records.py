"""The records of images in ``tests/detectors``: read once, and refused by the name of their file."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import cast

from bootkit.detect import Detector
from bootkit.detect.registry import builtin
from bootkit.errors import FormatError
from bootkit.model.iso import IsoFacts
from bootkit.model.record import facts_from_json

SUFFIX = ".facts.json"
FOLDER = Path(__file__).parent / "detectors"
NOBODY = "nobody"
"""The folder of images that no detector may claim."""
PRINTED = ("schema_version", "recognition", "prediction")
"""What ``bootkit inspect --json`` prints beside the record: what the detectors said of it on that day."""
RECORDED = "recorded_from"
"""In ``about``: the file of the image that was recorded, rather than made up."""
RECORDS = tuple(sorted(FOLDER.glob(f"*/*{SUFFIX}")))
CLAIMED = tuple(path for path in RECORDS if path.parent.name != NOBODY)


def record_id(path: Path) -> str:
    return f"{path.parent.name}/{path.name.removesuffix(SUFFIX)}"


def records_of(module: str) -> tuple[Path, ...]:
    """Those of one detector, by the name of its module."""
    return tuple(path for path in RECORDS if path.parent.name == module)


@cache
def by_module() -> Mapping[str, Detector]:
    """The detectors of bootkit's own, by the names of their modules: a record lies in the folder of that name."""
    return {detector.detect.__module__.rpartition(".")[2]: detector for detector in builtin()}


@cache
def read_record(path: Path) -> tuple[IsoFacts, Mapping[str, str]]:
    """The record in a file, and what is said ``about`` it: of one that ``bootkit inspect --json`` printed, of which image.

    Raises:
        FormatError: it is none; the message names the file.
    """
    try:
        record, about = _parted(path)
        return facts_from_json(record), about
    except (ValueError, AttributeError, FormatError) as error:
        raise FormatError(f"{path.parent.name}/{path.name}: {error}") from error


def tidy(path: Path) -> None:
    """Leave what the detectors said on the day of recording out of a file; one that nobody printed stays as it is."""
    record, about = _parted(path)
    if RECORDED in about:
        path.write_text(_formatted({"about": about, **record}), encoding="utf-8")


def _parted(path: Path) -> tuple[dict[str, object], dict[str, str]]:
    document: dict[str, object] = json.loads(path.read_text(encoding="utf-8"))
    record = {key: value for key, value in document.items() if key not in (*PRINTED, "about")}
    printed = {RECORDED: str(document.get("name"))} if document.keys() & {*PRINTED} else {}
    return record, cast("dict[str, str]", document.get("about", printed))


def _formatted(document: Mapping[str, object]) -> str:
    """As JSON, with a line for each folder and for each line of a text."""
    rows: list[str] = []
    for key, value in document.items():
        if key not in ("dirs", "texts") or not isinstance(value, dict):
            rows.append(f" {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}")
            continue
        members = (
            f"  {json.dumps(name, ensure_ascii=False)}: "
            + json.dumps(member, ensure_ascii=False, indent=None if key == "dirs" else 3).replace("\n]", "\n  ]")
            for name, member in cast("dict[str, object]", value).items()
        )
        rows.append(f" {json.dumps(key)}: {{\n" + ",\n".join(members) + "\n }")
    return "{\n" + ",\n".join(rows) + "\n}\n"
