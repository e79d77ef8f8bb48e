"""Records of images as JSON: the same values come back, and nothing else comes in."""

import json
from dataclasses import replace

import pytest

from bootkit.errors import FormatError
from bootkit.model.iso import ElToritoEntry, FileKind, IsoFacts, IsoPartition, Node
from bootkit.model.record import facts_from_json, facts_to_json

FACTS = IsoFacts(
    name="live.iso",
    size=5_081_088,
    filesystem="rock_ridge",
    volume_id="Live 24.04 amd64",
    uuid="2024-08-27-15-33-07-00",
    el_torito=(ElToritoEntry(platform="efi", emulation="none", lba=34, size=884_736),),
    partitions=(IsoPartition(number=1, scheme="mbr", type="17", start=0, size=2_097_152),),
    dirs={
        "/": (Node(name="casper", size=None), Node(name="README", size=0)),
        "/casper": (),
        "efi:/": (Node(name="größer", size=9),),
    },
    texts={"/boot/grub/grub.cfg": "set timeout=5\n\nmenuentry 'ü' {\r\n}\n", "/empty": "", "/one": "one"},
    warnings=("an incomplete download?",),
)


PROGRAM = IsoFacts(name="x.efi", size=9, filesystem="none", kind=FileKind.EFI, cpu="x86_64", banner="iPXE")


@pytest.mark.parametrize("facts", [FACTS, PROGRAM, IsoFacts(name="x", size=0)], ids=["full", "program", "empty"])
def test_what_is_written_comes_back(facts: IsoFacts) -> None:
    assert facts_from_json(json.loads(json.dumps(facts_to_json(facts)))) == facts


def test_a_record_is_short_and_readable() -> None:
    record = facts_to_json(replace(FACTS, el_torito=(), partitions=(), texts={"/t": "a\nb\n"}, warnings=()))
    assert record == {
        "name": "live.iso",
        "size": 5_081_088,
        "filesystem": "rock_ridge",
        "volume_id": "Live 24.04 amd64",
        "uuid": "2024-08-27-15-33-07-00",
        "dirs": {"/": {"casper": None, "README": 0}, "/casper": {}, "efi:/": {"größer": 9}},
        "texts": {"/t": ["a", "b", ""]},
    }


def test_a_text_may_be_one_string() -> None:
    assert facts_from_json({"name": "x", "size": 1, "texts": {"/a": "b\nc"}}).texts == {"/a": "b\nc"}


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ([], "the record is not an object"),
        ({"name": "x"}, "lacks a name or a size"),
        ({"name": "x", "size": -1}, "size is not a number of zero or more"),
        ({"name": "x", "size": True}, "size is not a number"),
        ({"name": "x", "size": 1.5}, "size is not a number"),
        ({"name": 1, "size": 1}, "name is not a string"),
        ({"name": "x", "size": 1, "colour": "red"}, "unknown field 'colour'"),
        ({"name": "x", "size": 1, "dirs": []}, "dirs is not an object"),
        ({"name": "x", "size": 1, "dirs": {"casper": {}}}, "'casper' is not a path"),
        ({"name": "x", "size": 1, "dirs": {"/": {"a/b": 1}}}, "'a/b' is not a file name"),
        ({"name": "x", "size": 1, "dirs": {"/": {"a": "1"}}}, r"dirs\['/'\]\['a'\] is not a number"),
        ({"name": "x", "size": 1, "texts": {"/": [1]}}, r"texts\['/'\]\[0\] is not a string"),
        ({"name": "x", "size": 1, "texts": {"/": None}}, r"texts\['/'\] is not a list"),
        ({"name": "x", "size": 1, "el_torito": [{"platform": "efi"}]}, r"el_torito\[0\]\.emulation is not a string"),
        ({"name": "x", "size": 1, "partitions": [{"bad": 1}]}, r"partitions\[0\] has an unknown field"),
        ({"name": "x", "size": 1, "kind": "tape"}, "'tape', which is no kind of image"),
        ({"name": "x", "size": 1, "warnings": "w"}, "warnings is not a list"),
    ],
)
def test_anything_else_is_refused_with_its_place(record: object, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        facts_from_json(record)
