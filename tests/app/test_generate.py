from pathlib import Path

import pytest

from bootkit.app.stick import catalog
from bootkit.app.stick.records import read_records
from bootkit.app.verbs.generate import plan_generation
from bootkit.errors import BootkitError
from bootkit.model.catalog import ImageItem
from bootkit.model.places import GRUB_FOLDER, IMAGE_FOLDER, IMAGES_FILE, MENU
from bootkit.model.plan import KeepOld, RemoveFile, WriteFile
from bootkit.render.menu import MenuFiles
from bootkit.render.parts import parts_of_menu
from bootkit.system.changes import apply_changes
from bootkit.system.sticks import open_stick
from bootkit.system.volume import FileStat, Volume, read_file
from tests.app.conftest import UNKNOWN, MakeIso, menu_on, record_on
from tests.conftest import Prepared


def _put(stick: Path, iso: Path, where: str = "boot/iso") -> Path:
    target = stick / where / iso.name
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(iso.read_bytes())
    return target


def _generate(volume: Volume) -> int:
    """Returns the number of steps that were taken."""
    plan = plan_generation(volume).plan
    apply_changes(plan, volume)
    return len(plan.steps)


def _files(stick: Path) -> dict[str, tuple[int, bytes]]:
    return {str(file): (file.stat().st_mtime_ns, file.read_bytes()) for file in stick.rglob("*") if file.is_file()}


def test_the_second_run_changes_no_byte(volume: Volume, stick: Path, make_iso: MakeIso) -> None:
    _put(stick, make_iso("debian.iso"))
    assert _generate(volume) > 0
    before = _files(stick)
    assert _generate(volume) == 0
    assert _files(stick) == before


def test_an_image_that_has_not_changed_is_not_read_again(
    volume: Volume, stick: Path, make_iso: MakeIso, monkeypatch: pytest.MonkeyPatch
) -> None:
    _put(stick, make_iso("debian.iso"))
    _generate(volume)
    _put(stick, make_iso("fedora.iso"))
    opened: list[str] = []
    look = catalog.look_at_image

    def looking(volume: Volume, path: str, stat: FileStat, *, insides: bool) -> ImageItem:
        opened.append(path)
        return look(volume, path, stat, insides=insides)

    monkeypatch.setattr(catalog, "look_at_image", looking)
    generation = plan_generation(volume)
    assert opened == ["/boot/iso/fedora.iso"]
    assert generation.catalog is not None
    assert [item.path for item in generation.catalog.items] == ["/boot/iso/debian.iso", "/boot/iso/fedora.iso"]


def test_the_menu_names_the_image_and_its_words(volume: Volume, stick: Path, make_iso: MakeIso) -> None:
    _put(stick, make_iso("debian.iso"))
    _generate(volume)
    menu = menu_on(volume).decode()
    assert "submenu 'Debian" in menu
    assert "/live/vmlinuz" in menu
    assert "findiso=$iso_path" in menu
    assert (stick / "boot/grub/grubenv").stat().st_size == 1024


def test_each_menu_has_its_own_file_beside_it(volume: Volume, stick: Path, make_iso: MakeIso) -> None:
    folder = stick / "boot/grub"

    def beside() -> set[str]:
        return {f"/boot/grub/{path.name}" for path in folder.glob("menu_*.cfg")}

    def named() -> set[str | None]:
        return {parts_of_menu(path.read_bytes()) for path in folder.glob("grub.cfg*")}

    folder.mkdir(parents=True)
    (folder / "grub.cfg").write_text("# of a version that wrote all of it into one file\n")
    for name in ("debian.iso", "fedora.iso", "ubuntu.iso"):
        _put(stick, make_iso(name))
        plan = plan_generation(volume).plan
        kinds = [type(step) for step in plan.steps if getattr(step, "path", "").startswith(GRUB_FOLDER)]
        assert kinds.index(WriteFile) < kinds.index(KeepOld), "the file beside it is there before the menu"
        assert RemoveFile not in kinds[: kinds.index(KeepOld) + 2], "and goes after it"
        apply_changes(plan, volume)
        assert beside() == named() - {None}
    assert len(beside()) == 2
    next(folder.glob("menu_*.cfg")).unlink()
    next(folder.glob("menu_*.cfg")).unlink()
    assert _generate(volume) == 2, "the file, and the record of the menu"
    assert beside() == {parts_of_menu((folder / "grub.cfg").read_bytes())}


def test_the_menu_before_is_kept(volume: Volume, stick: Path, make_iso: MakeIso) -> None:
    _put(stick, make_iso("debian.iso"))
    _generate(volume)
    first = (stick / "boot/grub/grub.cfg").read_bytes()
    _put(stick, make_iso("fedora.iso"))
    _generate(volume)
    assert (stick / "boot/grub/grub.cfg.old").read_bytes() == first
    assert (stick / "boot/grub/grub.cfg").read_bytes() != first


def test_a_menu_without_images_is_none_to_go_back_to(volume: Volume, stick: Path, make_iso: MakeIso) -> None:
    _generate(volume)
    _put(stick, make_iso("debian.iso"))
    _generate(volume)
    assert not (stick / "boot/grub/grub.cfg.old").exists()
    assert len(list((stick / "boot/grub").glob("menu_*.cfg"))) == 1


def test_one_bad_image_stops_nothing(volume: Volume, stick: Path, make_iso: MakeIso) -> None:
    _put(stick, make_iso("debian.iso"))
    (stick / "boot/iso/broken.iso").write_bytes(b"\0" * 100_000)
    (stick / "boot/iso/empty.iso").write_bytes(b"")
    truncated = make_iso("truncated.iso")
    (stick / "boot/iso/truncated.iso").write_bytes(truncated.read_bytes()[:40_000])
    _put(stick, make_iso("pictures.iso", UNKNOWN))
    generation = plan_generation(volume)
    apply_changes(generation.plan, volume)
    assert generation.catalog is not None
    items = {item.name: item for item in generation.catalog.items}
    assert items["broken.iso"].error
    assert items["empty.iso"].error
    assert items["debian.iso"].recognition is not None
    assert "debian.iso" in (stick / "boot/grub/grub.cfg").read_text()
    assert _generate(volume) == 0


ODD_NAMES = (
    "a" * 251 + ".iso",
    'say "hi".iso',
    "x\ndump payload.iso",
    "it's $x `id`.iso",
    "-rf.iso",
    "*[x]?.iso",
    "\udcff.iso",
)


def test_no_name_stops_the_others(volume: Volume, stick: Path, make_iso: MakeIso) -> None:
    good = _put(stick, make_iso("debian.iso"))
    for name in ODD_NAMES:
        good.with_name(name).write_bytes(good.read_bytes())
    apply_changes(plan_generation(volume).plan, volume)
    assert b"debian.iso" in (stick / "boot/grub/grub.cfg").read_bytes()
    assert plan_generation(volume).plan.steps == ()


def test_no_name_stops_the_others_on_a_stick_that_is_not_mounted(
    prepared: Prepared, make_iso: MakeIso, tmp_path: Path
) -> None:
    with open_stick(prepared(tmp_path / "stick.img"), writing=True) as opened:
        for name in ("debian.iso", *ODD_NAMES):
            opened.volume.copy_in(make_iso("debian.iso"), f"{IMAGE_FOLDER}/{name}", lambda _: None)
        apply_changes(plan_generation(opened.volume).plan, opened.volume)
        assert b"debian.iso" in (read_file(opened.volume, MENU, 1 << 20) or b"")
        assert plan_generation(opened.volume).plan.steps == ()


def test_the_record_of_an_image_that_is_gone_goes_too(volume: Volume, stick: Path, make_iso: MakeIso) -> None:
    target = _put(stick, make_iso("debian.iso"))
    _generate(volume)
    _put(stick, make_iso("fedora.iso"))
    _generate(volume)
    assert read_records(volume).paths == ("/boot/iso/debian.iso", "/boot/iso/fedora.iso")
    target.unlink()
    _generate(volume)
    assert read_records(volume).paths == ("/boot/iso/fedora.iso",)
    assert "debian.iso" not in (stick / "boot/grub/grub.cfg").read_text()


@pytest.mark.parametrize("where", ["", "images", "boot/iso/deep/er"])
def test_images_elsewhere_on_the_partition_are_found(
    volume: Volume, stick: Path, make_iso: MakeIso, where: str
) -> None:
    _put(stick, make_iso("debian.iso"), where)
    _generate(volume)
    assert f"/{where}/debian.iso".replace("//", "/") in (stick / "boot/grub/grub.cfg").read_text()


def test_a_typo_in_the_settings_leaves_the_old_menu(volume: Volume, stick: Path, make_iso: MakeIso) -> None:
    _put(stick, make_iso("debian.iso"))
    _generate(volume)
    before = _files(stick)
    (stick / "boot/bootkit/stick.toml").write_text("[menu]\ntimout = 3\n")
    with pytest.raises(BootkitError, match="timout") as caught:
        plan_generation(volume)
    assert caught.value.hint == "did you mean timeout?"
    changed = {path for path, file in _files(stick).items() if before[path] != file}
    assert changed == {str(stick / "boot/bootkit/stick.toml")}


@pytest.mark.parametrize("line", [0, 1, 2])
@pytest.mark.parametrize("record", [b"", b"{", b"[]", b'{"size": "x"}', b"\xff\xfe", b"null"])
def test_a_damaged_record_is_made_anew(
    volume: Volume, stick: Path, make_iso: MakeIso, record: bytes, line: int
) -> None:
    _put(stick, make_iso("debian.iso"))
    _generate(volume)
    file = stick / IMAGES_FILE.lstrip("/")
    before = file.read_bytes()
    lines = before.split(b"\n")
    file.write_bytes(b"\n".join((*lines[:line], record, *lines[line + 1 :])))
    (stick / "boot/bootkit/state/generated.json").unlink()
    _generate(volume)
    assert file.read_bytes() == before
    assert record_on(volume, "/boot/iso/debian.iso")["detector"] == "live-boot"


def test_a_menu_that_someone_changed_is_written_again(volume: Volume, stick: Path, make_iso: MakeIso) -> None:
    _put(stick, make_iso("debian.iso"))
    _generate(volume)
    menu = stick / "boot/grub/grub.cfg"
    good = menu.read_bytes()
    menu.write_bytes(b"menuentry mine {}\n")
    plan = plan_generation(volume).plan
    assert [type(step) for step in plan.steps[:2]] == [KeepOld, WriteFile]
    apply_changes(plan, volume)
    assert menu.read_bytes() == good


def test_a_menu_that_grub_refuses_is_not_written(
    volume: Volume, stick: Path, make_iso: MakeIso, monkeypatch: pytest.MonkeyPatch
) -> None:
    _put(stick, make_iso("debian.iso"))
    _generate(volume)
    before = _files(stick)

    def broken(*_: object, **__: object) -> MenuFiles:
        return MenuFiles(grub_cfg=b"menuentry 'x' {\n", parts=b"", parts_path=f"{GRUB_FOLDER}/menu_0.cfg", texts=())

    monkeypatch.setattr("bootkit.app.menu.grub_cfg.render_menu", broken)
    _put(stick, make_iso("fedora.iso"))
    with pytest.raises(BootkitError, match="GRUB's parser refuses"):
        plan_generation(volume)
    assert all(file == before[path] for path, file in _files(stick).items() if path in before)


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What GRUB's parser is given, a text for each menu; it finds nothing wrong."""
    texts: list[bytes] = []
    monkeypatch.setattr("bootkit.app.menu.grub_cfg.grub_script_error", texts.append)
    return texts


def test_what_was_checked_beside_the_old_menu_is_not_checked_again(
    volume: Volume, stick: Path, make_iso: MakeIso, checked: list[bytes]
) -> None:
    _put(stick, make_iso("debian.iso"))
    _generate(volume)
    _put(stick, make_iso("fedora.iso"))
    _generate(volume)
    debian, fedora = (f"set iso_path={IMAGE_FOLDER}/{name}.iso".encode() for name in ("debian", "fedora"))
    assert [debian in text for text in checked] == [True, False]
    assert fedora in checked[1]


def test_what_does_not_lie_beside_the_old_menu_as_it_was_written_is_checked(
    volume: Volume, stick: Path, make_iso: MakeIso, checked: list[bytes]
) -> None:
    _put(stick, make_iso("debian.iso"))
    _generate(volume)
    parts = parts_of_menu((stick / MENU[1:]).read_bytes())
    assert parts is not None
    with (stick / parts[1:]).open("ab") as beside:
        beside.write(b"menuentry {\n")
    _put(stick, make_iso("fedora.iso"))
    _generate(volume)
    assert f"set iso_path={IMAGE_FOLDER}/debian.iso".encode() in checked[1]
