"""``test --machine``: what was predicted beside what a boot showed."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bootkit.app.verbs.machines import MachineBoot, boot_on_machines
from bootkit.app.verbs.test import choose_targets
from bootkit.cli import output
from bootkit.errors import BootkitError
from bootkit.i18n import tr
from bootkit.model.testboot import MachineKind
from bootkit.system.sticks import open_stick

if TYPE_CHECKING:
    from bootkit.cli.documents import MachineDocument


def run_machines(
    stick: Path | None,
    names: Sequence[str],
    kinds: Sequence[MachineKind],
    *,
    every: bool,
    timeout: float,
    pictures: Path | None,
    as_json: bool,
) -> None:
    """Boot entries of a stick in machines that trust different keys.

    Raises:
        BootkitError: a boot contradicts what was predicted.
    """
    with open_stick(stick) as opened:
        targets = choose_targets(opened.volume, names, every=every)
        boots = boot_on_machines(opened, targets, kinds, timeout=timeout, pictures=pictures, told=output.say)
        done = tuple(_told(boots))
    if as_json:
        output.json({"boots": [_json(boot) for boot in done]})
    else:
        headers = ("MACHINE", "ENTRY", "PREDICTED", "OUTCOME", "SECONDS", "")
        output.table([_row(boot) for boot in done], headers)
    wrong = [boot for boot in done if not boot.agrees]
    if wrong:
        first = wrong[0]
        raise BootkitError(
            tr("{count} of {total} boots contradict their prediction", count=len(wrong), total=len(done)),
            hint=f"{first.target.title}, {first.kind}: {_outcome(first)}; {first.prediction.reason}",
        )


def _told(boots: Iterable[MachineBoot]) -> Iterator[MachineBoot]:
    for boot in boots:
        agrees = tr("as predicted") if boot.agrees else tr("which CONTRADICTS the prediction")
        output.say(f"{boot.target.title}, {boot.kind}: {_outcome(boot)}, {agrees}")
        yield boot


def _row(boot: MachineBoot) -> tuple[str, ...]:
    return (
        boot.kind.value,
        boot.target.title,
        boot.prediction.verdict,
        _outcome(boot),
        f"{boot.result.seconds:.0f}",
        "" if boot.agrees else "CONTRADICTS",
    )


def _outcome(boot: MachineBoot) -> str:
    return (
        tr("boots")
        if boot.result.ok
        else tr("stuck at {title}: {reason}", title=boot.result.stage.title, reason=boot.result.reason)
    )


def _json(boot: MachineBoot) -> "MachineDocument":
    return {
        "machine": boot.kind,
        "image": boot.target.path,
        "entry": boot.target.entry.title,
        "predicted": boot.prediction.verdict,
        "reason": boot.prediction.reason,
        "booted": boot.result.ok,
        "outcome": _outcome(boot),
        "seconds": round(boot.result.seconds, 1),
        "agrees": boot.agrees,
        "tail": boot.result.tail,
    }
