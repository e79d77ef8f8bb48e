"""``test --matrix``: images on sticks of every kind, each cell predicted, then booted."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from bootkit.app.stick.images import find_images
from bootkit.app.stick.recognition import answered, with_insides
from bootkit.app.verbs.check import check_stick
from bootkit.app.verbs.generate import plan_menu
from bootkit.app.verbs.images import add_images, plan_additions
from bootkit.app.verbs.prepare import prepare_image
from bootkit.app.verbs.test import boot_targets, choose_targets
from bootkit.errors import BootkitError, HostError
from bootkit.model.catalog import ImageItem
from bootkit.model.check import Answer, Prediction, StickFacts
from bootkit.model.filesystem import USUAL, DataFs
from bootkit.model.testboot import BootResult, TestFirmware
from bootkit.plan.check import predict
from bootkit.probe.image import open_image
from bootkit.render.menu import MenuTarget
from bootkit.system.changes import apply_changes
from bootkit.system.sticks import Stick, open_stick
from bootkit.system.volume import Volume, chunks_of
from bootkit.units import MIB
from bootkit.values import dataclass

NO_CURE = ("bootkit=nocure",)
_SPARE = 460 * MIB
"""Bytes of a throw-away stick beside the image: partitions for the loaders, and what btrfs wants to be at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One image on one kind of stick in one kind of machine: what was said beforehand, and what came of it."""

    image: str
    filesystem: DataFs
    firmware: TestFirmware
    cured: bool
    """Whether bootkit's cure was at work; there is one more cell without it where there is one."""
    expected: bool | None
    """Whether it was to boot; ``None`` if that was said to be unknown."""
    prediction: Prediction
    result: BootResult | None
    """``None`` if the image could not be put on such a stick; then ``refusal`` says why."""
    refusal: str = ""

    @property
    def booted(self) -> bool:
        return self.result is not None and self.result.ok

    @property
    def agrees(self) -> bool:
        return self.expected is None or self.expected == self.booted


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """What is to be booted."""

    isos: tuple[Path, ...]
    filesystems: tuple[DataFs, ...] = USUAL
    firmwares: tuple[TestFirmware, ...] = (TestFirmware.BIOS, TestFirmware.UEFI)
    cure_off: bool = True
    """Boot each cured image once more without its cure."""
    timeout: float = 0
    """Of a stage, in seconds; 0 for what suits this computer."""


def boot_matrix(matrix: Matrix, *, told: Callable[[str], None] = lambda _: None) -> Generator[Cell]:
    """The cells, one after the other, each stick made for the purpose and removed behind its cells.

    Raises:
        BootkitError: an ISO file cannot be had, or a stick cannot be made, as NTFS by one who is not root.
    """
    sizes = {iso: _size(iso) for iso in matrix.isos}  # before hours of boots
    for iso in matrix.isos:
        for filesystem in matrix.filesystems:
            told(f"{iso.name} on {filesystem}")
            with TemporaryDirectory(prefix="bootkit-") as folder:
                stick = Path(folder, "stick.img")
                prepare_image(stick, sizes[iso] + _SPARE, data_fs=filesystem)
                refusal = _put_on(stick, iso)
                if refusal:
                    yield from _refused(matrix, iso, filesystem, refusal)
                    continue
                with open_stick(stick) as opened:
                    yield from _cells(matrix, opened, filesystem, told)


def _size(iso: Path) -> int:
    try:
        return iso.stat().st_size
    except OSError as error:
        raise HostError.of(error, str(iso)) from error


@contextmanager
def images_as_files(volume: Volume) -> Generator[tuple[Path, ...]]:
    """The images of a stick as files of the host, for as long as they are needed."""
    with TemporaryDirectory(prefix="bootkit-") as folder:
        copies: list[Path] = []
        for number, (path, stat) in enumerate(find_images(volume)):
            copy = Path(folder, str(number), stat.name)
            copy.parent.mkdir()
            with volume.open(path) as source, copy.open("wb") as target:
                target.writelines(chunks_of(source, lambda _: None))
            copies.append(copy)
        yield tuple(copies)


def _put_on(stick: Path, iso: Path) -> str:
    """Add the image and write the menu; why it is not possible, else empty."""
    with open_stick(stick, writing=True) as opened:
        try:
            add_images(opened.volume, plan_additions(opened.volume, [iso], rename=True))
        except BootkitError as error:
            return error.message
        apply_changes(plan_menu(opened).plan, opened.volume)
    return ""


def _cells(matrix: Matrix, stick: Stick, filesystem: DataFs, told: Callable[[str], None]) -> Generator[Cell]:
    target, refusal = None, ""
    try:
        (target,) = choose_targets(stick.volume, [], every=False)
    except BootkitError as error:
        refusal = error.message
    for number, firmware in enumerate(matrix.firmwares):
        (prediction,) = check_stick(stick, firmwares=(firmware,)).predictions
        if target is None:
            yield _cell(prediction, filesystem, firmware, result=None, refusal=refusal)
            continue
        yield _cell(prediction, filesystem, firmware, result=_booted(matrix, stick, target, firmware, told))
        if matrix.cure_off and number == 0 and prediction.answer is Answer.BOOTS and prediction.overlay:
            told(f"{firmware.value}: without its cure")
            result = _booted(matrix, stick, target, firmware, told, words=NO_CURE)
            yield _cell(prediction, filesystem, firmware, result=result, cured=False)


def _booted(
    matrix: Matrix,
    stick: Stick,
    target: MenuTarget,
    firmware: TestFirmware,
    told: Callable[[str], None],
    *,
    words: tuple[str, ...] = (),
) -> BootResult | None:
    """How the entry booted; ``None`` if it is not for such a machine."""
    proofs = boot_targets(stick, [target], [firmware], timeout=matrix.timeout, words=words, told=told)
    return proofs[0].result if proofs else None


def _cell(
    prediction: Prediction,
    filesystem: DataFs,
    firmware: TestFirmware,
    *,
    result: BootResult | None,
    cured: bool = True,
    refusal: str = "",
) -> Cell:
    boots = None if prediction.answer is Answer.UNKNOWN else prediction.answer is Answer.BOOTS
    return Cell(
        image=prediction.path.rpartition("/")[2],
        filesystem=filesystem,
        firmware=firmware,
        cured=cured and bool(prediction.overlay),
        expected=boots if cured else False,
        prediction=prediction,
        result=result,
        refusal=refusal,
    )


def _refused(matrix: Matrix, iso: Path, filesystem: DataFs, refusal: str) -> Generator[Cell]:
    with open_image(iso) as view:
        item = ImageItem(path=f"/{iso.name}", size=iso.stat().st_size, mtime_ns=0)
        item = with_insides(answered(item, view), view)
    prediction = predict(item, StickFacts(filesystem=filesystem.system.name))
    for firmware in matrix.firmwares:
        yield _cell(prediction, filesystem, firmware, result=None, refusal=refusal)
