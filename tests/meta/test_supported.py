"""The table of supported systems says what the detectors answer, and names everything that people ask for."""

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import asdict
from functools import cache
from pathlib import Path

import pytest

from bootkit.app.verbs.supported import SEEN, seen_to_json, supported
from bootkit.detect import Detection
from bootkit.detect.registry import builtin
from bootkit.model.filesystem import FILE_SYSTEMS, names_of
from bootkit.model.iso import RecordedIso
from bootkit.model.support import Proof, Seen, Verdict
from bootkit.render.supported import SupportedRow, supported_json, supported_summary, supported_tables
from tests.records import by_module, read_record, records_of

ROOT = Path(__file__).parents[2]
SEEN_FILE = ROOT / "detectors" / SEEN
README = ROOT / "README.md"
PAGE = ROOT / "docs/systems.md"
GENERATED = re.compile(r"(?<=: pytest tests/meta --update-golden -->\n).*(?=<!-- /)", re.DOTALL)
KEEPS = re.compile(r"persist\w*(?:=.*)?|perchdir=.*|changes=.*|cow_device=.*|rd\.live\.overlay=.*|rd\.overlay=.*")
ASKED_FOR: tuple[str, ...] = (
    # Debian's and Ubuntu's
    "Ubuntu", "Ubuntu Server", "Kubuntu", "Xubuntu", "Lubuntu", "Ubuntu MATE", "Ubuntu Budgie", "Ubuntu Studio",
    "Ubuntu Cinnamon", "Ubuntu Unity", "Edubuntu", "Ubuntu Kylin", "Linux Mint", "Pop!_OS", "elementary OS", "Zorin OS",
    "KDE neon", "Linux Lite", "BackBox", "Bodhi", "TUXEDO OS", "Rescuezilla", "Boot-Repair-Disk", "ESET", "Dr.Web", "Avira",
    "Debian live", "Kali", "Parrot", "Tails", "Clonezilla", "GParted", "DRBL", "Grml", "Finnix", "Q4OS", "SparkyLinux",
    "Deepin", "UOS", "Devuan live", "PureOS", "LMDE", "TrueNAS SCALE", "Voyager", "Peppermint", "SolydXK", "BunsenLabs",
    "Vanilla OS", "Rescatux", "Redo", "Kicksecure", "Whonix", "siduction", "Debian installer", "Devuan installer",
    "Kali installer", "Parrot installer", "mini.iso", "MX Linux", "antiX", "DSL", "KNOPPIX", "PCLinuxOS", "Chimera Linux",
    # Fedora's, SUSE's, Mandriva's
    "Fedora Workstation", "Rocky Linux Live", "AlmaLinux Live", "CentOS Live", "Nobara", "Bazzite", "Bluefin", "Aurora",
    "OpenMandriva", "ROSA (old)", "Fedora Server", "Fedora Everything", "Silverblue", "Kinoite", "IoT",
    "Red Hat Enterprise Linux", "CentOS Stream", "Rocky Linux", "AlmaLinux", "Oracle Linux", "EuroLinux", "openEuler",
    "Qubes OS", "Fedora CoreOS", "RHEL CoreOS", "CentOS Stream CoreOS", "openSUSE Tumbleweed Live", "openSUSE Leap Live",
    "GeckoLinux", "openSUSE Leap installer", "openSUSE Tumbleweed installer", "SUSE Linux Enterprise installer",
    "openSUSE Leap 16 installer", "SUSE Linux Enterprise 16", "SUSE Studio", "Mageia live", "Mageia classic", "Mandriva",
    "ALT (to p10)", "ALT (since p11)", "Simply Linux",
    # Arch's, Gentoo's and others of their own
    "Arch Linux", "EndeavourOS", "CachyOS", "ArcoLinux", "BlackArch", "ArchBang", "Archman", "Bluestar", "Salient",
    "Athena", "blendOS", "ChimeraOS", "HoloISO", "Parabola", "Hyperbola", "KaOS", "Chakra", "SystemRescue", "SystemRescueCd",
    "LinuxWelt", "Manjaro", "Mabox", "BigLinux", "Garuda Linux (old)", "Garuda Linux", "Artix", "Void Linux",
    "Gentoo (to 2024)", "Gentoo (since 2024)", "Pentoo", "Sabayon", "Redcore", "Calculate", "Solus", "AerynOS", "Harvester",
    "Elemental", "GoboLinux", "Lunar", "Alpine", "NixOS (scripted initrd)", "NixOS (systemd initrd)", "Guix", "Clear Linux",
    "Slackware", "Slackware Live", "Wifislax", "Slax", "MiniOS", "PyAbr", "Porteus", "PorteuX", "Porteus Kiosk", "Puppy",
    "Fossapup64", "Vanilla Dpup", "Veket", "EasyOS", "Fatdog64", "Tiny Core", "CorePlus", "dCore", "Parted Magic",
    "Plop Linux", "Android-x86", "Bliss OS", "LineageOS", "Remix OS", "PrimeOS", "Phoenix OS", "Endless OS", "LibreELEC",
    "CoreELEC", "Batocera", "Recalbox", "ChromeOS Flex", "FydeOS", "SteamOS recovery", "Raspberry Pi",
    # whole in RAM, or searching for a medium
    "SliTaz", "4MLinux", "4MServer", "AntivirusLiveCD", "RancherOS", "Talos", "Flatcar", "ShredOS", "DBAN", "Acronis",
    "Ophcrack", "k3OS", "NuTyX", "CRUX", "Adélie", "T2 SDE", "Kwort", "Dragora", "Austrumi", "Photon OS", "Smoothwall",
    "Zeroshell", "Daphile", "Untangle", "Cucumber", "Vine Linux", "Berry Linux", "Pisi Linux", "AryaLinux", "EasyStartup",
    "IPFire", "Kaspersky", "Proxmox VE", "Proxmox Backup Server", "Proxmox Mail Gateway", "Proxmox Datacenter Manager",
    "XCP-ng", "XenServer", "VMware ESXi",
    # tools
    "Memtest86+ (since 6)", "Memtest86+ before 6", "PassMark MemTest86", "iPXE", "netboot.xyz", "Super Grub2 Disk",
    "UEFI shells", "Ultimate Boot CD", "Hiren's BootCD (classic)", "Hiren's BootCD PE", "Hardware Detection Tool",
    "Plop Boot Manager", "FreeDOS", "MS-DOS", "SpinRite", "SeaTools", "MHDD", "BIOS update", "grub-mkrescue",
    # not Linux
    "FreeBSD", "GhostBSD", "NomadBSD", "MidnightBSD", "pfSense", "OPNsense", "TrueNAS CORE", "XigmaNAS", "OpenBSD", "NetBSD",
    "DragonFly", "OmniOS", "OpenIndiana", "Tribblix", "SmartOS", "Haiku", "ReactOS", "KolibriOS", "MenuetOS", "9front",
    "Plan 9", "MINIX", "Hurd", "Redox", "SerenityOS", "Windows Setup since 7", "Windows Server", "Windows PE", "Strelec",
    "Macrium", "Windows XP",
)  # fmt: skip


@cache
def answers(module: str) -> tuple[Detection, ...]:
    """A detector's answers to its own records."""
    found = tuple(by_module()[module].detect(RecordedIso(read_record(path)[0])) for path in records_of(module))
    assert all(isinstance(answer, Detection) for answer in found)
    return tuple(answer for answer in found if isinstance(answer, Detection))


def seen(module: str) -> dict[tuple[str, str], Seen]:
    grouped: dict[tuple[str, str], list[Detection]] = {}
    for answer in answers(module):
        grouped.setdefault((by_module()[module].name, answer.stack), []).append(answer)
    return {key: summary(group) for key, group in grouped.items()}


def summary(group: list[Detection]) -> Seen:
    started = [answer for answer in group if answer.entries]
    entries = [entry for answer in started for entry in answer.entries]
    plain = names_of(one for one in FILE_SYSTEMS if one.has_plain_bytes)
    sets = [set(plain if answer.wants_disk else answer.filesystems) for answer in started]
    every: set[str] = {name for one in sets for name in one}
    common = {name for name in every if all(name in one for one in sets)}
    return Seen(
        records=len(group),
        firmware=tuple(sorted({firmware.value for entry in entries for firmware in entry.firmware})),
        filesystems=tuple(sorted(common)),
        some_filesystems=tuple(sorted(every - common)),
        to_ram=any(entry.to_ram for entry in entries),
    )


def module_of(row: SupportedRow) -> str:
    return next(module for module, detector in by_module().items() if detector.name == row.detector)


def of_row(row: SupportedRow) -> list[Detection]:
    return [answer for answer in answers(module_of(row)) if answer.stack == row.stack.name]


def functions_of(path: Path) -> Iterator[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    yield from (node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


each_detector = pytest.mark.parametrize("module", by_module())
each_row = pytest.mark.parametrize("row", supported(), ids=lambda row: f"{module_of(row)}: {row.stack.name}")
WRITES = "pytest tests/meta --update-golden writes it"


def said_in_package() -> dict[str, object]:
    document: dict[str, object] = json.loads(SEEN_FILE.read_text(encoding="utf-8"))
    return document


def say_in_package(name: str, said: object) -> None:
    known = {detector.name for detector in by_module().values()}
    document = {key: value for key, value in {**said_in_package(), name: said}.items() if key in known}
    SEEN_FILE.write_text(json.dumps(dict(sorted(document.items())), indent=1) + "\n", encoding="utf-8")


@each_detector
def test_the_package_says_what_the_answers_show(module: str, update_golden: bool) -> None:
    name = by_module()[module].name
    shown = seen_to_json(seen(module))[name]
    if update_golden:
        say_in_package(name, shown)
    assert said_in_package().get(name) == shown, WRITES


@pytest.mark.every_detector
def test_the_documents_say_what_the_answers_show(update_golden: bool) -> None:
    for page, part in ((PAGE, supported_tables(supported())), (README, supported_summary(supported()))):
        if update_golden:
            written = GENERATED.sub(part.replace("\\", r"\\"), page.read_text(encoding="utf-8"))
            page.write_text(written, encoding="utf-8")
        assert GENERATED.findall(page.read_text(encoding="utf-8")) == [part], WRITES


@pytest.mark.every_detector
def test_every_detector_has_rows_and_is_in_the_package() -> None:
    rows = {row.detector for row in supported()}
    assert {detector.name for detector in builtin()} == rows == said_in_package().keys()


@each_detector
def test_every_stack_that_an_answer_names_has_one_row(module: str) -> None:
    rows = [row.stack.name for row in supported() if row.detector == by_module()[module].name]
    assert len(set(rows)) == len(rows)
    assert answers(module)
    assert {answer.stack for answer in answers(module)} <= set(rows)


@each_row
def test_a_row_has_systems_a_source_and_a_verdict_that_the_answers_bear_out(row: SupportedRow) -> None:
    support, found = row.stack, of_row(row)
    assert support.systems
    assert support.source
    started = [bool(answer.entries) for answer in found]
    if support.verdict is Verdict.NO:
        assert not any(started)
    elif found:
        assert any(started)
        assert all(started) or support.but
    untested = [answer.untested for answer in found]
    assert not untested or (support.verdict is Verdict.GUESS) == all(untested)
    assert support.verdict is not Verdict.HELPED or support.but


@each_row
def test_what_was_looked_at_is_a_system_of_the_row_once_and_says_when_and_by_what(row: SupportedRow) -> None:
    systems = [system.partition(" (")[0] for system in row.stack.systems]
    for one in row.stack.looked_at:
        assert any(system == one.system or system.startswith(f"{one.system} ") for system in systems), one.system
        assert re.fullmatch(r"\d+(\.\d+)*", one.version), one
        assert re.fullmatch(r"20\d\d-(0[1-9]|1[0-2])", one.when), one
        assert one.what
    looked_at = [one.system for one in row.stack.looked_at]
    assert len(set(looked_at)) == len(looked_at)


@each_row
def test_of_each_stack_that_starts_somebody_has_looked_at_a_version(row: SupportedRow) -> None:
    """A guess is made of images that nobody knows."""
    assert row.stack.looked_at or not row.is_started or row.stack.verdict is Verdict.GUESS


def test_the_table_says_up_to_which_versions_it_holds() -> None:
    newest = {str(one) for row in supported() for one in row.stack.looked_at}
    assert {
        "Ubuntu 26.04",
        "Fedora Workstation 44",
        "NixOS 26.05",
        "Qubes OS 4.3",
        "Grml 2026.09",
        "CachyOS 2026.08",
    } <= newest
    (casper,) = [row for row in supported_json(supported()) if row["stack"] == "casper"]
    said = [asdict(one) for one in casper["looked_at"]]
    assert {"system": "Pop!_OS", "version": "24.04", "when": "2026-11", "what": "pop-os/iso (e4eed85)"} in said


@each_row
def test_an_answer_that_keeps_changes_has_a_row_that_says_where(row: SupportedRow) -> None:
    words = [word for answer in of_row(row) for entry in answer.entries for word in entry.cmdline]
    assert row.stack.keeps or not [word for word in words if KEEPS.fullmatch(word)]


def test_where_bootkit_keeps_changes_the_table_says_so() -> None:
    keeping = [row.stack for row in supported() if row.stack.persistence]
    assert keeping
    assert all(stack.keeps for stack in keeping)


@each_row
def test_what_was_booted_here_is_booted_by_a_test(row: SupportedRow) -> None:
    assert (row.proof is Proof.BOOTED) == bool(row.stack.booted)
    if row.stack.booted:
        path, _, name = row.stack.booted.partition("::")
        assert path.startswith("tests/boots/test_")
        assert "pytestmark = pytest.mark.boots" in (ROOT / path).read_text(encoding="utf-8")
        assert name in functions_of(ROOT / path)


def test_what_people_ask_for_is_answered() -> None:
    known = [system.lower() for row in supported() for system in row.stack.systems]
    assert [name for name in ASKED_FOR if not any(name.lower() in system for system in known)] == []
