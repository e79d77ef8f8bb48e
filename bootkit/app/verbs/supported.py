"""``list --supported``: what the detectors of this installation know."""

import json
from collections.abc import Mapping
from importlib.resources import files

from bootkit.detect.registry import detectors
from bootkit.model.fields import json_list, json_number, json_object, json_string
from bootkit.model.support import Seen
from bootkit.render.supported import SupportedRow, supported_rows

SEEN = "seen.json"
"""In ``bootkit.detectors``: what the tests' records of images show, written by ``pytest tests/meta --update-golden``."""


def supported() -> tuple[SupportedRow, ...]:
    """The table with the rows of plug-ins in it."""
    text = files("bootkit.detectors").joinpath(SEEN).read_text(encoding="utf-8")
    return supported_rows(detectors(), seen_from_json(json.loads(text)))


def seen_from_json(value: object) -> dict[tuple[str, str], Seen]:
    """By detector and stack."""
    return {
        (name, stack): _seen(record, stack)
        for name, stacks in json_object(value, SEEN).items()
        for stack, record in json_object(stacks, name).items()
    }


def seen_to_json(seen: Mapping[tuple[str, str], Seen]) -> dict[str, dict[str, dict[str, object]]]:
    found: dict[str, dict[str, dict[str, object]]] = {}
    for (name, stack), one in sorted(seen.items()):
        found.setdefault(name, {})[stack] = {
            "records": one.records,
            "firmware": list(one.firmware),
            "filesystems": list(one.filesystems),
            "some_filesystems": list(one.some_filesystems),
            "to_ram": one.to_ram,
        }
    return found


def _seen(value: object, where: str) -> Seen:
    record = json_object(value, where)
    return Seen(
        records=json_number(record["records"], where),
        firmware=json_list(record["firmware"], where, json_string),
        filesystems=json_list(record["filesystems"], where, json_string),
        some_filesystems=json_list(record["some_filesystems"], where, json_string),
        to_ram=record["to_ram"] is True,
    )
