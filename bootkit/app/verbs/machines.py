"""``test --machine``: the stick in machines that trust different keys, what was predicted beside what came of it."""

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from bootkit.app.verbs.check import check_stick
from bootkit.app.verbs.test import boot_targets
from bootkit.errors import ToolMissing
from bootkit.i18n import tr
from bootkit.model.check import Answer, Prediction
from bootkit.model.testboot import BootResult, MachineKind, TestFirmware
from bootkit.plan.certificates import OWNER
from bootkit.plan.machine_kinds import keys_of
from bootkit.render.menu import MenuTarget
from bootkit.system.firmware import find_flash
from bootkit.system.sticks import Stick
from bootkit.system.variables import variable_store
from bootkit.values import dataclass

FIRMWARE = TestFirmware.SECUREBOOT


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineBoot:
    """One entry in one kind of machine."""

    kind: MachineKind
    target: MenuTarget
    prediction: Prediction
    result: BootResult

    @property
    def agrees(self) -> bool:
        """Whether what was said beforehand is what came of it; so if nothing was said for sure."""
        if self.prediction.answer is Answer.UNKNOWN:
            return True
        return (self.prediction.answer is Answer.BOOTS) is self.result.ok


def boot_on_machines(
    stick: Stick,
    targets: Sequence[MenuTarget],
    kinds: Sequence[MachineKind],
    *,
    timeout: float = 0,
    pictures: Path | None = None,
    told: Callable[[str], None] = lambda _: None,
) -> Generator[MachineBoot]:
    """Each entry in each kind of machine, one after the other; the parameters are those of :func:`boot_targets`.

    Raises:
        ToolMissing: QEMU is not installed, or no firmware for it with Secure Boot in a raw file.
    """
    for kind in kinds:
        said = check_stick(stick, firmwares=(FIRMWARE,), machine=keys_of(kind)).predictions
        predictions = {prediction.path: prediction for prediction in said}
        with machine_variables(kind) as variables:
            for target in targets:
                told(f"machine {kind}: {predictions[target.path].line}")
                booted = boot_targets(
                    stick,
                    [target],
                    [FIRMWARE],
                    timeout=timeout,
                    pictures=pictures and pictures / kind,
                    variables=variables,
                    told=told,
                )
                for one in booted:
                    yield MachineBoot(kind=kind, target=target, prediction=predictions[target.path], result=one.result)


@contextmanager
def machine_variables(kind: MachineKind) -> Generator[Path]:
    """A file with the variables of such a machine.

    Raises:
        ToolMissing: there is no firmware that could use them.
    """
    flash = find_flash(FIRMWARE)
    if flash.format != "raw":
        hint = tr("Debian's ovmf has raw ones; qemu-img convert -O raw makes them of others")
        raise ToolMissing(
            tr("the firmware for QEMU is here in files of the format {format}, and not raw", format=flash.format),
            hint=hint,
        )
    with TemporaryDirectory(prefix="bootkit-") as folder:
        path = Path(folder, "variables")
        path.write_bytes(variable_store(flash.variables.read_bytes(), keys_of(kind), platform_key=OWNER))
        yield path
