import importlib
import logging
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from bootkit.detect import Detection, Detector, IsoView, NotMine
from bootkit.detect.registry import builtin, detectors, recognise
from bootkit.errors import FormatError
from bootkit.model.iso import IsoFacts, RecordedIso

ISO = RecordedIso(IsoFacts(name="x.iso", size=1, dirs={"/": ()}))

PLUGIN = """
from bootkit.detect import Detection, Detector

def detect(iso):
    return Detection(stack="quartz", distro="Quartz")

QUARTZ = Detector(name="quartz", detect=detect, rank=1)
CASPER = Detector(name="casper", detect=detect)
WRONG = "not a detector"
"""


def knows(name: str, rank: int = 50) -> Detector:
    return Detector(name=name, detect=lambda iso: Detection(stack=name, distro=name.capitalize()), rank=rank)


def refuses(name: str) -> Detector:
    return Detector(name=name, detect=lambda iso: NotMine(reason=f"there is no /{name}"))


@pytest.fixture(autouse=True)
def asked_anew() -> Generator[None]:
    """What is installed changes within these tests, and in no other process."""
    detectors.cache_clear()
    yield
    detectors.cache_clear()


def install(folder: Path, monkeypatch: pytest.MonkeyPatch, *points: str) -> None:
    """A package beside the interpreter's others, with these entry points in our group."""
    module = f"quartz_{abs(hash(folder))}"
    (folder / f"{module}.py").write_text(PLUGIN)
    metadata = folder / "quartz-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: quartz\nVersion: 1.0\n")
    lines = "".join(f"{point.format(module=module)}\n" for point in points)
    (metadata / "entry_points.txt").write_text(f"[bootkit.detectors.v1]\n{lines}")
    monkeypatch.setattr(sys, "path", [str(folder), *sys.path])
    importlib.invalidate_caches()


@pytest.mark.every_detector
def test_every_module_of_the_folder_is_a_detector() -> None:
    folder = Path(__file__).parents[2] / "detectors"
    modules = {path.stem for path in folder.glob("[!_]*.py")}
    assert {detector.detect.__module__ for detector in builtin()} == {f"bootkit.detectors.{name}" for name in modules}


def test_detectors_are_asked_by_rank() -> None:
    ranks = [detector.rank for detector in detectors()]
    assert ranks == sorted(ranks)


def test_the_first_that_knows_the_image_is_believed_and_the_rest_not_asked() -> None:
    recognition = recognise(ISO, (refuses("a"), knows("b"), knows("c")))
    assert recognition.detector == "b"
    assert recognition.detection == Detection(stack="b", distro="B")
    assert recognition.rejections == (("a", "there is no /a"),)


def test_a_thorough_recognition_asks_everybody() -> None:
    recognition = recognise(ISO, (knows("b"), knows("c"), refuses("d")), thorough=True)
    assert recognition.detector == "b"
    assert recognition.rejections == (
        ("c", "it takes it for C, but b was asked before"),
        ("d", "there is no /d"),
    )


def test_nobody_knowing_the_image_leaves_every_reason() -> None:
    recognition = recognise(ISO, (refuses("a"), refuses("b")))
    assert recognition.detection is None
    assert recognition.rejections == (("a", "there is no /a"), ("b", "there is no /b"))


def test_a_detector_that_breaks_down_does_not_hide_the_others(caplog: pytest.LogCaptureFixture) -> None:
    def breaks(iso: IsoView) -> Detection | NotMine:
        raise KeyError("version")

    recognition = recognise(ISO, (Detector(name="bad", detect=breaks), knows("good")))
    assert recognition.detector == "good"
    assert recognition.rejections == (("bad", "it broke down: KeyError('version')"),)
    assert "detector bad broke down on x.iso" in caplog.text


def test_a_broken_image_is_not_blamed_on_the_detector() -> None:
    def reads(iso: IsoView) -> Detection | NotMine:
        raise FormatError("the image ends early", offset=4096)

    with pytest.raises(FormatError, match="ends early"):
        recognise(ISO, (Detector(name="any", detect=reads),))


def test_a_plug_in_that_answers_nonsense_is_passed_over() -> None:
    nonsense: Detector = Detector(name="odd", detect=lambda iso: None)  # type: ignore[arg-type,return-value]
    recognition = recognise(ISO, (nonsense, knows("good")))
    assert recognition.detector == "good"
    assert recognition.rejections == (("odd", "it answered with NoneType, not with a Detection"),)


def test_a_plug_in_joins_the_queue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch, "quartz = {module}:QUARTZ")
    found = detectors()
    assert found[0].name == "quartz"
    assert len(found) == len(list(builtin())) + 1


def test_a_plug_in_replaces_the_built_in_of_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch, "casper = {module}:CASPER")
    found = [detector for detector in detectors() if detector.name == "casper"]
    assert [detector.detect.__module__.startswith("quartz_") for detector in found] == [True]


def test_broken_plug_ins_are_named_and_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    install(
        tmp_path,
        monkeypatch,
        "quartz = {module}:QUARTZ",
        "wrong = {module}:WRONG",
        "missing = {module}:MISSING",
        "gone = no_such_module_of_quartz:DETECTOR",
    )
    with caplog.at_level(logging.WARNING):
        names = {detector.name for detector in detectors()}
    assert names == {"quartz"} | {detector.name for detector in builtin()}
    assert [record.getMessage().split(" (")[0] for record in caplog.records] == [
        "plug-in gone",
        "plug-in missing",
        "plug-in wrong",
    ]


def test_without_plug_ins_the_packages_are_not_searched(tmp_path: Path) -> None:
    code = "import sys; from bootkit.detect.registry import detectors; detectors(); print('importlib.metadata' in sys.modules)"
    folder = Path(__file__).parents[2]
    argv = [sys.executable, "-S", "-c", f"import sys; sys.path.insert(0, {str(folder)!r}); {code}"]
    assert subprocess.run(argv, capture_output=True, text=True, check=True).stdout == "False\n"
