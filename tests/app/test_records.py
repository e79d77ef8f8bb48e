"""What a stick keeps of an image: what all images are asked for is known without parsing all of it."""

from collections.abc import Mapping

import pytest

from bootkit.app.stick import records
from bootkit.app.stick.records import Records, record_of
from bootkit.model.catalog import ImageItem
from bootkit.model.efi import EfiFacts, ShimFacts
from bootkit.model.iso import IsoFacts
from bootkit.model.kernel import KernelFacts
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


def kept(facts: IsoFacts | None) -> IsoFacts | None:
    record = record_of(ImageItem(path=PATH, size=2048, mtime_ns=1, facts=facts))
    stat = FileStat(name="debian.iso", size=2048, mtime_ns=1, is_dir=False)
    found = Records(b"").changed(put={PATH: record}).find(PATH, stat)
    assert found is not None
    return found.item.facts


def test_shims_are_known_from_a_record_without_parsing_all_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(_: object) -> Mapping[str, object]:
        raise AssertionError

    monkeypatch.setattr(records, "facts_from_json", never)
    facts = kept(FACTS)
    assert facts is not None
    assert facts.shims == FACTS.shims
    assert set(facts.shims) == {"/EFI/BOOT/BOOTX64.EFI", "efi:/EFI/BOOT/BOOTX64.EFI"}
    assert facts.sections == {}


def test_all_of_a_record_is_what_was_put_into_it() -> None:
    assert kept(FACTS) == FACTS
    assert kept(None) is None
