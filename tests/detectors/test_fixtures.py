"""Every fixture of every detector: who claims it, and what the answer is.

A fixture is ``<module>/<distribution>-<version>.facts.json``, as ``bootkit inspect --json`` prints it. For one that was not
printed but made up, ``about.shaped_after`` names the builder and the version whose images look like this. Beside it lie the
answer as text (``.txt``) and the image's part of the boot menu (``.cfg``). In the folder ``nobody`` are images that no
detector may claim. ``pytest --update-golden`` writes the texts.

``-k NAME`` selects all that concerns the detector in ``detectors/NAME.py``: its fixtures, all others shown to it, and the
tests that compare all detectors with each other.
"""

import re
import shutil
import subprocess
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from bootkit.detect import ANY_FILESYSTEM, ON_STICK, BootEntry, Detection, EntryKind, IsoView, QuickRule, Role
from bootkit.detect.registry import completed, detectors, recognise
from bootkit.model.boot import Recognition
from bootkit.model.catalog import ImageItem, MenuSettings
from bootkit.model.initrd import InitrdFacts, RootFacts
from bootkit.model.iso import Node, RecordedIso
from bootkit.model.kernel import KernelFacts
from bootkit.model.places import IMAGE_FOLDER
from bootkit.render.menu import render_menu
from tests.records import CLAIMED, RECORDED, RECORDS, SUFFIX, by_module, read_record, record_id, records_of, tidy

HERE = Path(__file__).parent
LAST_RESORTS = ("program", "dos_memdisk", "loopback_cfg", "generic")
"""Detectors that may take what another knows; they are asked last, in this order."""


def beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name.removesuffix(SUFFIX) + suffix)


each_fixture = pytest.mark.parametrize("path", RECORDS, ids=record_id)
each_claimed = pytest.mark.parametrize("path", CLAIMED, ids=record_id)
each_detector = pytest.mark.parametrize("module", by_module())


class SparseIso(RecordedIso):
    """A record made for one detector, shown to the others: what nobody looked at is not there."""

    def _listdir(self, path: str) -> tuple[Node, ...] | None:
        return super()._listdir(path) if path in self.facts.dirs else None

    def _text(self, path: str) -> str:
        return self.facts.texts.get(path, "")

    def _kernel(self, path: str) -> KernelFacts:
        return self.facts.kernels.get(path, KernelFacts(size=0))

    def _initrd(self, path: str) -> InitrdFacts:
        return self.facts.initrds.get(path, InitrdFacts(size=0))

    def _root(self, path: str) -> RootFacts:
        return self.facts.roots.get(path, RootFacts(size=0))


@cache
def is_claimed(path: Path, module: str) -> bool:
    """Whether a detector, by its module, claims the image in a record."""
    return isinstance(by_module()[module].detect(SparseIso(read_record(path)[0])), Detection)


@cache
def detection_of(path: Path) -> Detection:
    """What the fixture's own detector says; it may ask for nothing that is not recorded."""
    answer = by_module()[path.parent.name].detect(RecordedIso(read_record(path)[0]))
    assert isinstance(answer, Detection), f"{path.parent.name} refuses its own fixture: {answer.reason}"
    return completed(SparseIso(read_record(path)[0]), answer)


def as_text(detection: Detection) -> str:
    facts = [("stack", detection.stack), ("files on", " ".join(detection.filesystems))]
    facts += [("because", clause) for clause in detection.evidence]
    facts += [("note", note) for note in detection.notes]
    facts += [("mark", mark) for mark in detection.marks]
    facts += [("obstacle", detection.obstacle), ("instead", detection.instead)]
    title = f"{detection.title} (untested guess)" if detection.untested else detection.title
    blocks = [[title, *_rows(facts)], *(_entry_rows(entry) for entry in detection.entries)]
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


def _entry_rows(entry: BootEntry) -> list[str]:
    facts = [(str(entry.kind), entry.kernel)]
    facts += [("initrd", initrd) for initrd in entry.initrds]
    facts += [("image as", entry.image_as), ("words", " ".join(entry.cmdline))]
    facts += [("module", " ".join((module.path, *module.cmdline))) for module in entry.modules]
    if entry.kind is EntryKind.LINUX:
        facts += [("to RAM", " ".join(entry.to_ram)), ("safe", " ".join(entry.safe_graphics))]
    if len(entry.firmware) < 4:
        facts += [("firmware", " ".join(sorted(entry.firmware)))]
    facts += [("sign", entry.sign), ("wipes", entry.wipes)]
    return [f"[{entry.role}] {entry.title}", *_rows(facts)]


def _rows(facts: list[tuple[str, str]]) -> list[str]:
    return [f"  {name:<10} {value}" for name, value in facts if value]


def item_of(path: Path) -> ImageItem:
    facts, _about = read_record(path)
    recognition = Recognition(detection=detection_of(path), detector=path.parent.name)
    return ImageItem(
        path=f"{IMAGE_FOLDER}/{facts.name}", size=facts.size, mtime_ns=0, facts=facts, recognition=recognition
    )


def as_menu(path: Path) -> str:
    """The image's part of the menu: from the comment that names it to the end of its function."""
    text = render_menu([item_of(path)], MenuSettings()).text.decode()
    part = re.search(rf"^# {re.escape(item_of(path).path)}: .*?^}}\n", text, re.MULTILINE | re.DOTALL)
    assert part is not None, f"no part of the menu begins with '# {item_of(path).path}: '"
    return part[0]


def check_golden(golden: Path, text: str, update: bool) -> None:
    if update:
        golden.write_text(text, encoding="utf-8")
    assert golden.read_text(encoding="utf-8") == text


@each_claimed
def test_exactly_its_own_detector_claims_the_image(path: Path) -> None:
    claims = {module for module in by_module() if is_claimed(path, module)}
    assert claims - {*LAST_RESORTS} == {path.parent.name} - {*LAST_RESORTS}
    assert recognise(SparseIso(read_record(path)[0])).detection == detection_of(path)


@each_detector
def test_a_detector_claims_no_image_of_another(module: str) -> None:
    others = [path for path in RECORDS if path.parent.name not in (module, *LAST_RESORTS)]
    if module not in LAST_RESORTS:
        assert [record_id(path) for path in others if is_claimed(path, module)] == []


@pytest.mark.every_detector
def test_the_last_resorts_are_asked_last() -> None:
    assert detectors()[-len(LAST_RESORTS) :] == tuple(by_module()[name] for name in LAST_RESORTS)


@pytest.mark.parametrize("path", [path for path in RECORDS if path not in CLAIMED], ids=record_id)
def test_nobody_claims_an_image_that_cannot_be_known(path: Path) -> None:
    recognition = recognise(SparseIso(read_record(path)[0]))
    assert recognition.detection is None
    assert {name for name, _reason in recognition.rejections} == {detector.name for detector in by_module().values()}


@each_claimed
def test_the_answer_is_the_golden_one(path: Path, update_golden: bool) -> None:
    check_golden(beside(path, ".txt"), as_text(detection_of(path)), update_golden)


@each_claimed
def test_the_menu_is_the_golden_one(path: Path, update_golden: bool) -> None:
    check_golden(beside(path, ".cfg"), as_menu(path), update_golden)


@pytest.mark.skipif(shutil.which("grub-script-check") is None, reason="needs grub-script-check (grub-common)")
@each_detector
def test_grub_accepts_the_menu_of_all_fixtures(module: str, tmp_path: Path) -> None:
    menu = tmp_path / "grub.cfg"
    menu.write_bytes(render_menu([item_of(path) for path in records_of(module)], MenuSettings()).text)
    checked = subprocess.run(["grub-script-check", menu], capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")


UNSEEN = {"/system.img", "/boot/rootfs.gz", "/flatcar/cpio.gz", "/.disk/live-uuid*"}
"""What a rule asks for and no fixture has: the places are the detector's own, which other tests try."""
RULES = [(module, rule) for module, detector in by_module().items() for rule in detector.quick]


@pytest.mark.parametrize(
    ("module", "rule"), RULES, ids=[f"{module}-{rule.requires[-1]}-{rule.kernel[0]}" for module, rule in RULES]
)
def test_each_quick_rule_fits_an_image(module: str, rule: QuickRule) -> None:
    if UNSEEN.isdisjoint(rule.requires):
        assert any(_fits(rule, SparseIso(read_record(path)[0])) for path in records_of(module))


def _fits(rule: QuickRule, iso: IsoView) -> bool:
    required = all(iso.glob(pattern) for pattern in rule.requires)
    return required and all(any(map(iso.glob, candidates)) for candidates in (rule.kernel, rule.initrd))


@each_claimed
def test_an_image_has_entries_or_an_obstacle(path: Path) -> None:
    detection = detection_of(path)
    assert bool(detection.entries) != bool(detection.obstacle)
    assert bool(detection.instead) == bool(detection.obstacle)
    assert detection.evidence
    assert detection.distro


@each_claimed
def test_the_first_entry_is_the_only_default_and_finds_its_iso(path: Path) -> None:
    detection = detection_of(path)
    # an installed system keeps its changes by itself: that entry comes before the plain one, as `bootkit persist` puts it
    entries = [entry for entry in detection.entries if entry.role is not Role.PERSISTENT]
    if entries:
        assert [entry.role for entry in entries].count(Role.DEFAULT) == 1
        assert entries[0].role is Role.DEFAULT
        assert entries[0].needs_path or detection.wants_disk or detection.filesystems == ANY_FILESYSTEM


@each_claimed
def test_entries_name_files_of_the_image(path: Path) -> None:
    iso = RecordedIso(read_record(path)[0])
    for entry in detection_of(path).entries:
        for name in entry.paths:
            if name.startswith(ON_STICK):
                continue
            assert iso.is_file(name), name
            assert iso.spelled(name) == name


@each_claimed
def test_words_are_whole_and_without_the_loaders_own(path: Path) -> None:
    for entry in detection_of(path).entries:
        for word in (*entry.cmdline, *entry.to_ram, *entry.safe_graphics):
            assert word
            assert not set(word) & set(" \t\n$"), word
            assert not word.startswith(("initrd=", "BOOT_IMAGE=")), word


@each_claimed
def test_the_menu_shows_nothing_that_proves_a_boot(path: Path) -> None:
    signs = [entry.sign for entry in detection_of(path).entries if entry.sign]
    assert not [sign for sign in signs if re.search(sign, as_menu(path))]


@each_claimed
def test_titles_tell_the_entries_apart(path: Path) -> None:
    titles = [(entry.title, entry.firmware) for entry in detection_of(path).entries]
    assert len(set(titles)) == len(titles)
    assert all(title == " ".join(title.split()) and title for title, _firmware in titles)


@each_claimed
def test_notes_are_sentences_and_evidence_is_clauses(path: Path) -> None:
    detection = detection_of(path)
    for sentence in filter(None, (*detection.notes, detection.obstacle, detection.instead)):
        assert sentence.endswith("."), sentence
    assert not [clause for clause in detection.evidence if clause.endswith(".")]


@each_fixture
def test_a_fixture_says_what_it_is_shaped_after(path: Path, update_golden: bool) -> None:
    if update_golden:
        tidy(path)
    _facts, about = read_record(path)
    assert about.get("shaped_after") or about.get(RECORDED)


@pytest.mark.every_detector
def test_every_detector_has_a_fixture_and_every_folder_a_detector() -> None:
    assert {path.parent.name for path in CLAIMED} == set(by_module())


TOOLS = ("/ipxe.lkrn", "/boot/ipxe.krn", "/boot/memtest86+x64.bin", "/isolinux/hdt.c32", "/boot/memtest.bin")
OWNERS = ("archiso/arch-2024.07.01", "casper/mint-22", "dmsquash_live/fedora-41-workstation", "generic/unknown-live")


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("name", OWNERS)
def test_a_tool_on_an_image_does_not_make_it_the_tools(name: str, tool: str) -> None:
    facts, _about = read_record(HERE / f"{name}{SUFFIX}")
    folder, _, program = tool.rpartition("/")
    dirs = dict(facts.dirs)
    if folder and folder not in dirs:
        dirs["/"] += (Node(name=folder.strip("/"), size=None),)
    dirs[folder or "/"] = (*dirs.get(folder or "/", ()), Node(name=program, size=300_000))
    without, beside_it = (recognise(SparseIso(facts)), recognise(SparseIso(replace(facts, dirs=dirs))))
    assert beside_it.detector == without.detector == name.partition("/")[0].replace("_", "-")
    assert beside_it.detection is not None
    assert without.detection is not None
    assert beside_it.detection.distro == without.detection.distro
