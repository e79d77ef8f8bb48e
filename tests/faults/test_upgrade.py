"""A bounded part of what ``./dev test faults`` does with an upgrade."""

from pathlib import Path

import pytest

from bootkit.model.prepare import Layout
from tests.faults.upgrades import interrupt_upgrade, make_old_stick

pytestmark = pytest.mark.root


@pytest.mark.parametrize("layout", [Layout.SPLIT, Layout.SINGLE])
@pytest.mark.parametrize("back", [False, True])
def test_a_stick_starts_at_every_moment_of_its_upgrade(layout: Layout, back: bool, tmp_path: Path) -> None:
    stick = make_old_stick(tmp_path / "stick.img", layout)
    count, problems = interrupt_upgrade(stick, tmp_path, back=back, each=8)
    assert problems == []
    assert count > 20
