"""The table of faults fits the program; ``./dev test planted`` runs it."""

import re

import pytest

from tests.planted.table import FAULTS, ROOT, Fault


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.what)
def test_each_fault_can_be_planted_and_has_a_test(fault: Fault) -> None:
    text = (ROOT / fault.file).read_text(encoding="utf-8")
    assert fault.planted_in(text) != text
    file, _, function = fault.test.partition("::")
    assert re.search(rf"^def {function}\(", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE)


def test_a_fault_whose_text_is_gone_is_told() -> None:
    with pytest.raises(LookupError, match="0 times: write the fault anew"):
        FAULTS[0].planted_in("")


def test_there_are_faults_of_every_kind() -> None:
    folders = {fault.file.rpartition("/")[0] for fault in FAULTS}
    assert {"bootkit/system", "bootkit/plan", "bootkit/formats", "bootkit/render", "detectors"} <= folders
    assert any(folder.startswith("initrd_overlays/") for folder in folders)
    assert len({fault.what for fault in FAULTS}) == len(FAULTS) >= 20
