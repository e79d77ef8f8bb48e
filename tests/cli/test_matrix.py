"""``test --matrix`` without a machine: what is printed, and what counts as a failure."""

import json
from collections.abc import Generator
from pathlib import Path

import pytest

from bootkit.app.verbs.matrix import Cell, Matrix, images_as_files
from bootkit.model.check import Answer, Basis, Cure, FileAnswer, Prediction, Problem
from bootkit.model.filesystem import DataFs
from bootkit.model.testboot import BootResult, Stage, TestFirmware
from bootkit.system.sticks import open_stick
from tests.app.conftest import MakeIso
from tests.cli.conftest import Bootkit

CURE = Cure(overlay="modules", reason="The overlay brings exfat.")
CURED = Prediction(
    path="/boot/iso/live.iso",
    answer=Answer.BOOTS,
    files=(FileAnswer(filesystem="exfat", readable=True, basis=Basis.INITRD, reason="It brings exfat.", cure=CURE),),
)
NOT = Prediction(
    path="/boot/iso/live.iso",
    answer=Answer.CANNOT,
    problems=(Problem(answer=Answer.CANNOT, reason="Its initrd has no driver for NTFS."),),
)
BOOTED = BootResult(stage=Stage.USERSPACE, ok=True, seconds=61.4)
STUCK = BootResult(stage=Stage.INITRD, ok=False, reason="the initrd did not find its ISO", seconds=105.2)


def cell(
    filesystem: DataFs, prediction: Prediction, verdict: BootResult, *, expected: bool, cured: bool = False
) -> Cell:
    return Cell(
        image="live.iso",
        filesystem=filesystem,
        firmware=TestFirmware.BIOS,
        cured=cured,
        expected=expected,
        prediction=prediction,
        result=verdict,
    )


GOOD = (
    cell(DataFs.EXFAT, CURED, BOOTED, expected=True, cured=True),
    cell(DataFs.EXFAT, CURED, STUCK, expected=False),
    cell(DataFs.NTFS, NOT, STUCK, expected=False),
)
WRONG = cell(DataFs.NTFS, NOT, BOOTED, expected=False)


def boots(monkeypatch: pytest.MonkeyPatch, *cells: Cell) -> None:
    def boot_matrix(matrix: Matrix, **_: object) -> Generator[Cell]:
        assert matrix.filesystems == (DataFs.EXFAT, DataFs.NTFS)
        yield from cells

    monkeypatch.setattr("bootkit.cli.matrix.boot_matrix", boot_matrix)


def matrix(bootkit: Bootkit, *words: str) -> tuple[int, str, str]:
    done = bootkit("test", "live.iso", "--matrix", "--data-fs", "exfat", "--data-fs", "ntfs", *words)
    return done.returncode, done.stdout, done.stderr


def test_the_prediction_stands_beside_the_outcome(bootkit: Bootkit, monkeypatch: pytest.MonkeyPatch) -> None:
    boots(monkeypatch, *GOOD)
    status, said, _ = matrix(bootkit)
    assert status == 0
    rows = [" ".join(line.split()) for line in said.splitlines()]
    assert rows[1] == "live.iso exfat bios boots with overlay modules boots 61"
    assert "cannot without overlay modules" in rows[2]
    assert "cannot boot stuck at initrd" in rows[3]


def test_a_boot_that_contradicts_its_prediction_is_a_failure(bootkit: Bootkit, monkeypatch: pytest.MonkeyPatch) -> None:
    boots(monkeypatch, *GOOD, WRONG)
    status, said, error = matrix(bootkit)
    assert status == 1
    assert "CONTRADICTS" in said.splitlines()[-1]
    assert error.splitlines()[0] == "live.iso on exfat, bios: boots, as predicted"
    assert error.splitlines()[len(GOOD)] == "live.iso on ntfs, bios: boots, which CONTRADICTS the prediction"
    assert "1 of 4 boots contradict their prediction" in error


def test_json_has_a_record_for_each_cell(bootkit: Bootkit, monkeypatch: pytest.MonkeyPatch) -> None:
    boots(monkeypatch, *GOOD)
    document = json.loads(matrix(bootkit, "--json")[1])["cells"]
    assert [(row["filesystem"], row["expected"], row["booted"], row["agrees"]) for row in document] == [
        ("exfat", True, True, True),
        ("exfat", False, False, True),
        ("ntfs", False, False, True),
    ]


def test_file_systems_are_for_the_matrix_alone(bootkit: Bootkit) -> None:
    done = bootkit("test", "live.iso", "--data-fs", "ext4")
    assert done.returncode == 2
    assert "--matrix" in done.stderr


def test_the_images_of_a_stick_become_files(bootkit: Bootkit, tmp_path: Path, make_iso: MakeIso) -> None:
    stick, iso = tmp_path / "stick.img", make_iso("debian-live.iso")
    assert bootkit("prepare", stick, "--size", "200M", "--data-fs", "exfat").returncode == 0
    assert bootkit("add", iso, "--stick", stick).returncode == 0
    with open_stick(stick) as opened, images_as_files(opened.volume) as files:
        (copy,) = files
        assert (copy.name, copy.read_bytes()) == (iso.name, iso.read_bytes())
    assert not copy.exists()


def test_a_file_that_is_missing_is_told_before_any_boot(bootkit: Bootkit, make_iso: MakeIso, tmp_path: Path) -> None:
    done = bootkit("test", "--matrix", make_iso("live.iso"), tmp_path / "nowhere.iso")
    assert (done.returncode, done.stdout) == (1, "")
    missing, hint = done.stderr.splitlines()
    assert missing == f"bootkit: {tmp_path / 'nowhere.iso'}: No such file or directory"
    assert hint == "  look how its name is spelled, and whether it is still there"
