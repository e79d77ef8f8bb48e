"""Lines of the menu that are kept: the menu is byte for byte the one that would be made without them, and no work is done twice."""

import os
from pathlib import Path

import pytest

from bootkit.app.verbs.generate import plan_generation
from bootkit.model.places import GENERATED, MENU, MENU_LINES_FILE, STICK_FILE
from bootkit.model.plan import WriteFile
from bootkit.render import lines, menu, tree
from bootkit.render.menu_image import MenuImage
from bootkit.render.parts import is_parts_file
from bootkit.system.changes import apply_changes
from bootkit.system.volume import Volume
from tests.app.conftest import UNKNOWN, MakeIso, menu_on

FEDORA = {
    "images/pxeboot/vmlinuz": "kernel",
    "images/pxeboot/initrd.img": "initrd",
    "LiveOS/squashfs.img": "root",
    "EFI/BOOT/grub.cfg": (
        'menuentry "Start Fedora-Workstation-Live 40" {\n'
        " linux /images/pxeboot/vmlinuz root=live:CDLABEL=LIVE rd.live.image quiet\n"
        " initrd /images/pxeboot/initrd.img\n}\n"
    ),
}


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Paths of the images whose entries are written in the test; small groups, so that images change theirs."""
    monkeypatch.setattr(tree, "MANY", 5)
    monkeypatch.setattr(tree, "GROUP", 3)
    paths: list[str] = []
    render = lines.render_image

    def noted(image: MenuImage, free: str) -> str:
        paths.append(image.path)
        return render(image, free)

    monkeypatch.setattr(menu, "render_image", noted)
    return paths


def _generate(volume: Volume, made: list[str]) -> int:
    """Bring the menu up to date; how many images were written anew."""
    made.clear()
    apply_changes(plan_generation(volume).plan, volume)
    return len(made)


def _is_as_made_anew(volume: Volume, stick: Path) -> bool:
    """Whether the menu on the stick is that which a program writes that has nothing but the images."""
    for path in (MENU_LINES_FILE, GENERATED):
        (stick / path.lstrip("/")).unlink()
    steps = plan_generation(volume, fresh=True).plan.steps
    apply_changes(plan_generation(volume).plan, volume)
    written = {step.path for step in steps if isinstance(step, WriteFile)}
    return MENU not in written and not any(is_parts_file(path.rpartition("/")[2]) for path in written)


@pytest.fixture
def add(stick: Path, make_iso: MakeIso) -> "AddImage":
    return AddImage(
        stick,
        {"live": make_iso("live.iso"), "fedora": make_iso("fedora.iso", FEDORA), "none": make_iso("none.iso", UNKNOWN)},
    )


class AddImage:
    """Puts an image of a shape on the stick."""

    def __init__(self, stick: Path, shapes: dict[str, Path]) -> None:
        self._stick = stick
        self._shapes = shapes

    def __call__(self, shape: str, name: str) -> None:
        target = self._stick / "boot/iso" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        os.link(self._shapes[shape], target)


def test_the_menu_is_the_same_whatever_was_kept(volume: Volume, stick: Path, add: AddImage, made: list[str]) -> None:
    new = (
        "live a.iso",
        "live b.iso",
        "fedora c.iso",
        "none d.iso",
        "fedora e.iso",
        "live rescue/f.iso",
        "live g.iso",
        "none h.iso",
    )
    for count, one in enumerate(new, 1):
        add(*one.split(" "))
        assert 0 < _generate(volume, made) <= count
        assert _is_as_made_anew(volume, stick), one
    settings = stick / STICK_FILE.lstrip("/")
    for text in (
        "[menu]\ntimeout = 9\n",
        '[options]\nlanguage = "de_DE.UTF-8"\n[image."/boot/iso/a.iso"]\nalias = "Mine"\norder = 3\n',
        '[image."/boot/iso/b.iso"]\nextra_words = ["nosplash"]\ntip = "for guests"\n',
    ):
        settings.write_text(text)
        assert _generate(volume, made) == len(new)
        assert _is_as_made_anew(volume, stick), text
    (stick / "boot/iso/a.iso").unlink()
    assert _generate(volume, made) < len(new)
    assert _is_as_made_anew(volume, stick)
    add("fedora", "a.iso")
    _generate(volume, made)
    assert "/boot/iso/a.iso" in made
    assert b"pxeboot" in menu_on(volume)
    assert _is_as_made_anew(volume, stick)


def test_of_many_images_only_those_are_written_that_are_new_or_change_their_group(
    volume: Volume, add: AddImage, made: list[str]
) -> None:
    for number in range(4):
        add("live", f"{number}.iso")
    assert _generate(volume, made) == 4
    add("fedora", "x.iso")
    assert _generate(volume, made) == 1
    add("none", "y.iso")  # the sixth: groups of three
    assert _generate(volume, made) == 6


@pytest.mark.parametrize("damage", ["lines", "scripts", "gone"])
def test_what_is_damaged_is_made_anew(volume: Volume, stick: Path, add: AddImage, made: list[str], damage: str) -> None:
    for shape in ("live", "fedora"):
        add(shape, f"{shape}.iso")
    _generate(volume, made)
    lines = stick / MENU_LINES_FILE.lstrip("/")
    (parts,) = (path for path in (stick / "boot/grub").iterdir() if is_parts_file(path.name))
    match damage:
        case "lines":
            lines.write_bytes(lines.read_bytes().replace(b"Debian", b"Devian"))
        case "scripts":
            parts.write_bytes(parts.read_bytes().replace(b"pxeboot", b"pxeloot"))
        case _:
            lines.unlink()
    add("none", "none.iso")
    assert _generate(volume, made) == 3
    assert _is_as_made_anew(volume, stick)
    assert b"loot" not in menu_on(volume)
