"""What a stick keeps of an image: what all images are asked for is known without parsing all of it."""

import json
import zlib
from collections.abc import Mapping

import pytest

from bootkit.app.stick import lazy_facts as parsed_late
from bootkit.app.stick.records import Records, record_of
from bootkit.model.catalog import ImageItem
from bootkit.model.efi import EfiFacts, ShimFacts
from bootkit.model.iso import IsoFacts
from bootkit.model.kernel import KernelFacts
from bootkit.model.plan import RemoveFile, WriteFile
from bootkit.system.volume import FileStat

SHIM = EfiFacts(digest="ab" * 32, sbat="sbat,1\nshim,4 ü\n", shim=ShimFacts())
LOADER = EfiFacts(digest="cd" * 32)
PATH = "/boot/iso/debian.iso"
FACTS = IsoFacts(
    name="debian.iso",
    size=2048,
    kernels={
        "/live/vmlinuz": KernelFacts(size=1, cpu="x86_64", efi=LOADER),
        "/EFI/BOOT/BOOTX64.EFI": KernelFacts(size=1, cpu="x86_64", efi=SHIM),
        "efi:/EFI/BOOT/BOOTX64.EFI": KernelFacts(size=1, cpu="x86_64", efi=SHIM),
        "/readme": KernelFacts(size=1),
    },
)


STAT = FileStat(name="debian.iso", size=2048, mtime_ns=1, is_dir=False)


def file_of(*items: ImageItem) -> bytes:
    (step,) = Records(b"").changed(items).steps()
    assert isinstance(step, WriteFile)
    return step.content


def kept_in(content: bytes, path: str = PATH) -> IsoFacts | None:
    found = Records(content).find(path, STAT)
    assert found is not None
    return found.item.facts


def kept(facts: IsoFacts | None) -> IsoFacts | None:
    return kept_in(file_of(ImageItem(path=PATH, size=2048, mtime_ns=1, facts=facts)))


def test_shims_are_known_from_a_record_without_parsing_all_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(_: object) -> Mapping[str, object]:
        raise AssertionError

    monkeypatch.setattr(parsed_late, "facts_from_json", never)
    facts = kept(FACTS)
    assert facts is not None
    assert facts.shims == FACTS.shims
    assert set(facts.shims) == {"/EFI/BOOT/BOOTX64.EFI", "efi:/EFI/BOOT/BOOTX64.EFI"}
    assert facts.sections == {}


def test_all_of_a_record_is_what_was_put_into_it() -> None:
    assert kept(FACTS) == FACTS
    assert kept(None) is None


def test_what_is_known_of_a_kernel_is_kept_once_however_many_images_have_it() -> None:
    images = [ImageItem(path=f"/boot/iso/{n}.iso", size=2048, mtime_ns=1, facts=FACTS) for n in range(3)]
    content = file_of(*images)
    assert content.count(b"shim,4") == 1
    assert content.count(LOADER.digest.encode()) == 1
    assert [kept_in(content, item.path) for item in images] == [FACTS] * 3
    (step,) = Records(content).changed(gone=[images[0].path, images[2].path]).steps()
    assert isinstance(step, WriteFile)
    assert kept_in(step.content, images[1].path) == FACTS
    (step,) = Records(content).changed(gone=[item.path for item in images]).steps()
    assert isinstance(step, RemoveFile)


def test_an_image_whose_kernel_is_damaged_is_not_known() -> None:
    content = file_of(
        ImageItem(path=PATH, size=2048, mtime_ns=1, facts=FACTS),
        ImageItem(path="/boot/iso/other.iso", size=2048, mtime_ns=1, facts=IsoFacts(name="other.iso", size=2048)),
    )
    for damaged in (
        content.replace(b"shim,4", b"shim,5"),
        content.replace(b"\n\n", b"\n", 1),
        content[: len(content) // 2],
    ):
        assert Records(damaged).find(PATH, STAT) is None
    assert Records(content.replace(b"shim,4", b"shim,5")).find("/boot/iso/other.iso", STAT) is not None


def test_records_in_the_form_before_are_understood_and_stay_so_beside_new_ones() -> None:
    """In that form each record had its kernels in its own second line, and the first said where there the shims stand."""
    record = record_of(ImageItem(path=PATH, size=2048, mtime_ns=1, facts=FACTS))
    head, rest = json.loads(record.head), json.loads(record.rest)
    rest["facts"]["kernels"] = {
        path: json.loads(record.shared[digest]) for path, digest in rest["facts"]["kernels"].items()
    }
    line = json.dumps(rest, ensure_ascii=False, separators=(",", ":")).encode()
    texts = {path: record.shared[digest] for path, digest in head["shims"].items()}
    del head["shared"]
    head |= {
        "shims": {path: [line.index(text), len(text)] for path, text in texts.items()},
        "rest": zlib.crc32(line),
    }
    older = b"\n".join((b'{"images":1}', json.dumps(head, separators=(",", ":")).encode(), line, b""))
    facts = kept_in(older)
    assert facts is not None
    assert facts == FACTS
    assert facts.shims == FACTS.shims
    new = ImageItem(path="/boot/iso/new.iso", size=2048, mtime_ns=1, facts=FACTS)
    (step,) = Records(older).changed([new]).steps()
    assert isinstance(step, WriteFile)
    assert [kept_in(step.content, path) for path in (PATH, new.path)] == [FACTS, FACTS]
