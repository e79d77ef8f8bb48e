"""The table of supported systems, out of what the detectors say of themselves and what the answers to records show."""

import textwrap
from collections.abc import Iterable, Mapping
from typing import TypedDict

from bootkit.detect import ANY_FILESYSTEM, Detector
from bootkit.model.boot import Firmware
from bootkit.model.filesystem import filesystem_title
from bootkit.model.stack import LookedAt, Stack
from bootkit.model.support import Proof, Seen, Verdict
from bootkit.values import dataclass

_WIDTH = 110
_PROSE_WIDTH = 127
_ANY_FIRMWARE = "BIOS, UEFI"
_ANY_FILESYSTEM = "any that GRUB reads"


@dataclass(frozen=True, slots=True, kw_only=True)
class SupportedRow:
    """A boot stack as the table shows it."""

    detector: str
    stack: Stack
    seen: Seen
    has_quick_rule: bool

    @property
    def starts_ungenerated(self) -> bool:
        """Whether GRUB itself knows such an image, before ``generate`` has seen it."""
        return self.has_quick_rule and self.is_started and bool(self.seen.records) and not self.stack.overlay

    @property
    def proof(self) -> Proof:
        if self.stack.booted:
            return Proof.BOOTED
        return Proof.FIXTURE if self.seen.records else Proof.FACTS

    @property
    def is_started(self) -> bool:
        return self.stack.verdict is not Verdict.NO

    @property
    def firmware(self) -> str:
        if not self.is_started or not self.seen.records:
            return ""
        if len(self.seen.firmware) == len(Firmware):
            return _ANY_FIRMWARE
        return ", ".join(one.label for one in Firmware if one in self.seen.firmware)

    @property
    def filesystems(self) -> str:
        """The file systems on which its file may lie: ``FAT32, ext4; some: exFAT``."""
        if not self.is_started:
            return ""
        always, some = _names(self.seen.filesystems), _names(self.seen.some_filesystems)
        return "; some: ".join(filter(None, (always, some)))


def supported_rows(detectors: Iterable[Detector], seen: Mapping[tuple[str, str], Seen]) -> tuple[SupportedRow, ...]:
    """One row for each boot stack: those that start first, by name. ``seen`` goes by detector and stack."""
    rows = (
        SupportedRow(
            detector=detector.name,
            stack=stack,
            seen=seen.get((detector.name, stack.name), Seen()),
            has_quick_rule=bool(detector.quick),
        )
        for detector in detectors
        for stack in detector.stacks
    )
    return tuple(sorted(rows, key=lambda row: (not row.is_started, row.stack.name.lower())))


def fits(row: SupportedRow, filters: Iterable[str]) -> bool:
    """Whether all words are in what a row says, but for its sources, whatever their case."""
    stack = row.stack
    said = (stack.name, *stack.systems, stack.verdict.value, stack.but, row.proof.value, row.firmware, row.filesystems)
    text = "\n".join(said).lower()
    return all(word.lower() in text for word in filters)


class StackDocument(TypedDict):
    """What is known of a boot stack, the part of an initrd that finds the live system."""

    stack: str
    detector: str
    distributions: tuple[str, ...]
    verdict: Verdict
    but: str
    """What is to be heeded."""
    firmware: tuple[str, ...]
    filesystems: tuple[str, ...]
    """From which all of its images start."""
    some_filesystems: tuple[str, ...]
    """From which some of them start, too."""
    to_ram: bool
    persistence: str
    """What keeps the changes; empty if nothing does."""
    overlay_needed: str
    before_generate: bool
    """Whether it starts before ``generate`` has looked at it."""
    source: str
    looked_at: tuple[LookedAt, ...]
    proof: Proof
    booted_by: str
    """The test that boots it in a virtual machine."""
    records: int
    """Images whose records the tests hold."""


def supported_json(rows: Iterable[SupportedRow]) -> list[StackDocument]:
    return [
        {
            "stack": row.stack.name,
            "detector": row.detector,
            "distributions": row.stack.systems,
            "verdict": row.stack.verdict,
            "but": row.stack.but,
            "firmware": row.seen.firmware,
            "filesystems": row.seen.filesystems,
            "some_filesystems": row.seen.some_filesystems,
            "to_ram": row.seen.to_ram,
            "persistence": row.stack.keeps,
            "overlay_needed": row.stack.overlay,
            "before_generate": row.starts_ungenerated,
            "source": row.stack.source,
            "looked_at": row.stack.looked_at,
            "proof": row.proof,
            "booted_by": row.stack.booted,
            "records": row.seen.records,
        }
        for row in rows
    ]


def supported_text(rows: Iterable[SupportedRow]) -> str:
    """The table for people: a paragraph for each row, the verdict in its first line."""
    return "\n\n".join("\n".join(_lines(row)) for row in rows)


def _lines(row: SupportedRow) -> list[str]:
    proof = {
        Proof.BOOTED: f"booted here ({row.stack.booted.rpartition('/')[2]})",
        Proof.FIXTURE: f"{row.seen.records} fixture{'s' if row.seen.records > 1 else ''}",
        Proof.FACTS: "facts only",
    }[row.proof]
    facts = (
        ("systems", ", ".join(row.stack.systems)),
        ("but", row.stack.but),
        ("firmware", row.firmware),
        ("files on", row.filesystems),
        ("to RAM", ("yes" if row.seen.to_ram else "no") if row.is_started and row.seen.records else ""),
        ("keeps", (row.stack.keeps or "nothing") if row.is_started else ""),
        ("overlay", f"needed: {row.stack.overlay}" if row.stack.overlay else ""),
        ("source", row.stack.source),
        ("looked at", "; ".join(f"{one} in {one.when} ({one.what})" for one in row.stack.looked_at)),
        ("proven", proof),
    )
    lines = [f"{row.stack.name}: {row.stack.verdict}"]
    for name, value in facts:
        if value:
            lines += textwrap.wrap(
                value,
                _WIDTH,
                initial_indent=f"  {name:<9} ",
                subsequent_indent=" " * 12,
                break_long_words=False,
                break_on_hyphens=False,
            )
    return lines


def supported_tables(rows: Iterable[SupportedRow]) -> str:
    """Markdown for docs/systems.md: what starts, and below it what is only recognised."""
    every = tuple(rows)
    started = [
        (
            row.stack.name,
            ", ".join(row.stack.systems) + (f" ({row.stack.but})" if row.stack.but else ""),
            row.firmware,
            row.filesystems,
            "yes" if row.seen.to_ram else "",
            _PROOFS[row.proof] if row.stack.verdict is not Verdict.GUESS else "guess",
            _looked_at(row.stack.looked_at),
            "yes" if row.starts_ungenerated else "",
        )
        for row in every
        if row.is_started
    ]
    others: dict[tuple[str, Proof], list[Stack]] = {}
    for row in every:
        if not row.is_started:
            others.setdefault((row.stack.overlay, row.proof), []).append(row.stack)
    recognised = [
        (
            ", ".join(system for stack in stacks for system in stack.systems),
            overlay,
            _PROOFS[proof],
            _looked_at(one for stack in stacks for one in stack.looked_at),
        )
        for (overlay, proof), stacks in others.items()
    ]
    return f"{_table(_STARTED, started)}\n{_table(_RECOGNISED, recognised)}"


def supported_summary(rows: Iterable[SupportedRow]) -> str:
    """Markdown for README.md: how much is known, and how well."""
    every = tuple(rows)
    started = [row for row in every if row.is_started]
    others = [row for row in every if not row.is_started]
    booted = sum(row.proof is Proof.BOOTED for row in started)
    text = (
        f"{_systems(started)} systems of {len(started)} boot stacks start from a file. {booted} of the stacks are booted in a "
        f"virtual machine by the tests, for {sum(row.proof is Proof.FIXTURE for row in started)} the answers to records of "
        f"their images are checked. Of {_systems(others)} more systems it is known what stands in the way."
    )
    return "".join(f"{line}\n" for line in textwrap.wrap(text, _PROSE_WIDTH))


def _systems(rows: Iterable[SupportedRow]) -> int:
    return len({name for row in rows for name in row.stack.systems})


_STARTED = (
    "Boot stack",
    "Systems",
    "Firmware",
    "Its file may lie on",
    "To RAM",
    "Proven",
    "Looked at",
    "Before `generate`",
)
_RECOGNISED = ("Recognised only", "What an overlay in the initrd would have to do", "Proven", "Looked at")
_PROOFS = {Proof.BOOTED: "booted", Proof.FIXTURE: "fixture", Proof.FACTS: "facts"}


def _looked_at(systems: Iterable[LookedAt]) -> str:
    """The newest versions with the month of each look, which stands once for those that were looked at together."""
    months: dict[str, list[str]] = {}
    for one in systems:
        months.setdefault(one.when, []).append(str(one))
    return "; ".join(f"{', '.join(versions)} ({month})" for month, versions in months.items())


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = (head, ("---",) * len(head), *rows)
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _names(filesystems: tuple[str, ...]) -> str:
    if set(filesystems) == set(ANY_FILESYSTEM):
        return _ANY_FILESYSTEM
    return ", ".join(filesystem_title(name) for name in ANY_FILESYSTEM if name in filesystems)
