"""What ``--json`` prints, as types: a type checker holds what fills them in to them, and the tests every document that they see.

:mod:`bootkit.cli.schema` makes the JSON Schemas out of them.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NotRequired, TypedDict

from bootkit.app.stick.apps import App
from bootkit.app.stick.homes import ListedHome
from bootkit.app.stick.integrity import Testimony
from bootkit.app.stick.user_files import VerifiedFile
from bootkit.app.verbs.devices import ListedDevice
from bootkit.app.verbs.doctor import Finding
from bootkit.app.verbs.ext import InspectedExtension
from bootkit.app.verbs.ext_create import MadeExtension
from bootkit.app.verbs.overlay_files import LoadedFileDocument
from bootkit.model.answers import RecognitionDocument
from bootkit.model.boot import Firmware
from bootkit.model.filesystem import DataFs
from bootkit.model.options import Scope, Value
from bootkit.model.record import FactsRecord
from bootkit.model.testboot import MachineKind, TestFirmware
from bootkit.model.variants import Kept, Seed
from bootkit.plan.describe import PlanDocument
from bootkit.render.check import PredictionDocument, StickDocument
from bootkit.render.supported import StackDocument
from bootkit.system.apt import Package


class RefusedFile(TypedDict):
    """A file that was not copied, and why."""

    source: Path
    error: str
    hint: str
    """The way out; may be empty."""


class NotCopied(TypedDict):
    there: list[Path]
    """Those that were on the stick already."""
    refused: list[RefusedFile]


class CopiedFile(TypedDict):
    """A file that was copied, or would be."""

    source: str
    path: str
    """On the stick."""
    size: int
    sha256: str
    """Of what was read back; empty if nothing was copied."""


class Copied(NotCopied):
    added: list[CopiedFile]


class AddedImage(CopiedFile):
    """An image that was copied, or would be."""

    replaces: bool
    """Whether it takes the place of another of its name."""
    title: str
    agrees_with: str
    """The file or the signature that vouches for it; empty if none does."""
    verdict: str
    reason: str
    cure: str


class Added(NotCopied):
    added: list[AddedImage]


class ListedImage(TypedDict):
    """An image on the stick."""

    path: str
    size: int
    sha256: str
    """As ``add`` found it; empty if nobody has read it yet."""
    error: str
    """Why it could not be looked into."""
    verdict: str
    reason: str
    cure: str
    recognition: RecognitionDocument | None


class Images(TypedDict):
    images: list[ListedImage]


class Generated(TypedDict):
    steps: list[str]
    """What is written, in sentences; nothing where the menu is up to date."""
    warnings: Sequence[str]
    images: list[ListedImage] | None
    """``null`` where the menu is up to date."""


class Stacks(TypedDict):
    stacks: list[StackDocument]


class MachineStart(TypedDict):
    starts: bool
    reason: str
    """Why not."""


class ListedLoader(TypedDict):
    """A boot loader of the stick, or the shim of an image that the menu starts first."""

    path: str
    image: str
    """Whose shim it is; empty for the stick's own."""
    firmware: Firmware
    kind: str
    """``signed``, ``built`` here, or ``hop``."""
    package: str
    sha256: str
    """When it was written."""
    sha256_now: str
    authenticode: str
    signer: str
    microsoft: Sequence[str]
    """The years of Microsoft's keys that it is signed by."""
    sbat: list[str]
    machines: dict[str, MachineStart]
    """By the kinds of ``test --machine``."""
    refused_here: str
    """Why this computer would not start it."""
    newer_here: str
    older_here: str


class Loaders(TypedDict):
    loaders: list[ListedLoader]


class Checked(TypedDict):
    stick: StickDocument
    images: list[PredictionDocument]
    notes: Sequence[str]
    """Of the stick as a whole."""


class VerifiedImage(TypedDict):
    path: str
    verdict: str
    """``good``, ``damaged``, ``doubtful``, ``unreadable`` or ``unknown``."""
    sha256: str
    checks: NotRequired[Sequence[Testimony]]
    """What others say than the sum that was kept."""


class VerifiedImages(TypedDict):
    images: list[VerifiedImage]


class VerifiedFiles(TypedDict):
    files: Sequence[VerifiedFile]


class BootDocument(TypedDict):
    """One boot of an entry in a virtual machine."""

    firmware: TestFirmware
    image: str
    entry: str
    ok: bool
    """Whether it came to the system's own programs."""
    stage: str
    """How far it came."""
    reason: str
    pretty_name: str
    """What the system calls itself."""
    iso: str
    """The image that it found."""
    seconds: float
    reached: list[tuple[str, float]]
    """The stages, and after how many seconds."""
    tail: Sequence[str]
    """The last lines of its console."""
    screenshots: Sequence[str]


class Boots(TypedDict):
    boots: list[BootDocument]


class MachineDocument(TypedDict):
    """What was predicted of one machine, and what came of it."""

    machine: MachineKind
    image: str
    entry: str
    predicted: str
    reason: str
    booted: bool
    outcome: str
    seconds: float
    agrees: bool
    tail: Sequence[str]


class MachineBoots(TypedDict):
    boots: list[MachineDocument]


class CellDocument(TypedDict):
    """One image from one kind of stick in one kind of machine: what was predicted, and what came of it."""

    image: str
    filesystem: DataFs
    firmware: TestFirmware
    cured: bool
    predicted: str
    reason: str
    expected: bool | None
    """``null`` if that was said to be unknown."""
    booted: bool
    outcome: str
    seconds: float
    agrees: bool


class MatrixDocument(TypedDict):
    cells: list[CellDocument]


class Devices(TypedDict):
    devices: list[ListedDevice]


class LogDocument(TypedDict):
    name: str
    text: str


class Logs(TypedDict):
    logs: list[LogDocument]


ListedOption = TypedDict("ListedOption", {"option": str, "value": Value, "from": Scope, "reason": str})
"""``reason`` is why the image cannot honour it."""


class Options(TypedDict):
    options: list[ListedOption]


class Doctor(TypedDict):
    host: str
    """The family of this computer's distribution; empty if it is not known."""
    findings: Sequence[Finding]
    install: str
    """What installs all that is missing."""
    other_architectures: Sequence[str]
    """Packages that the package manager does not install by themselves."""
    secure_boot: Sequence[str]


class Extensions(TypedDict):
    extensions: Sequence[InspectedExtension]


PlannedExtension = TypedDict("PlannedExtension", {"output": Path, "packages": Sequence[Package], "for": str})


class Homes(TypedDict):
    homes: list[ListedHome]


class KeptChanges(TypedDict):
    kept: Sequence[Kept]


class Seeds(TypedDict):
    seeds: Sequence[Seed]


class Apps(TypedDict):
    apps: Sequence[App]


class InspectionDocument(FactsRecord):
    """The record of an image, with the answer beside it; the record alone is what a test's fixture holds."""

    recognition: RecognitionDocument
    prediction: NotRequired[PredictionDocument]
    """Where it was asked for."""


class LoadedFiles(TypedDict):
    files: list[LoadedFileDocument]


DOCUMENTS: Mapping[str, tuple[type, ...]] = {
    "add": (Added,),
    "app add": (Copied,),
    "app list": (Apps,),
    "check": (Checked,),
    "devices": (Devices,),
    "disk check": (Checked,),
    "disk list": (Images,),
    "doctor": (Doctor,),
    "explain": (InspectionDocument, LoadedFiles),
    "ext add": (Copied,),
    "ext create": (MadeExtension, PlannedExtension),
    "ext inspect": (InspectedExtension,),
    "ext list": (Extensions,),
    "ext verify": (VerifiedFiles,),
    "generate": (Generated,),
    "home list": (Homes,),
    "inspect": (InspectionDocument,),
    "list": (Images, Stacks, Loaders),
    "log": (Logs,),
    "options list": (Options,),
    "persist list": (KeptChanges,),
    "prepare": (PlanDocument,),
    "restore": (PlanDocument,),
    "seed list": (Seeds,),
    "test": (Boots, MachineBoots, MatrixDocument),
    "upgrade": (PlanDocument,),
    "verify": (VerifiedImages,),
}
"""What each command may print, by its words; which of several, its options say."""
