from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", ["detectors", "grub_templates", "initrd_overlays"])
def test_the_package_of_a_checkout_sees_the_top_level_folder(name: str) -> None:
    link = ROOT / "bootkit" / name
    assert link.is_symlink(), f"lost by a copy or by Git without core.symlinks: ln -s ../{name} bootkit/{name}"
    assert link.readlink() == Path("..", name)
    assert link.is_dir()
