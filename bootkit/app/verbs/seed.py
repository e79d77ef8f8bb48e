"""``seed``: answers for installers, each a file beside its image."""

from pathlib import Path

from bootkit.app.stick.state import read_item
from bootkit.errors import BootkitError, HostError, UsageError
from bootkit.i18n import tr
from bootkit.model.plan import RemoveFile, StickPlan, WriteFile
from bootkit.model.stack import AnswerFile
from bootkit.model.variants import SEED_LIMIT, Seed
from bootkit.overlay.manifest import overlay_for
from bootkit.plan.names import file_name_problem
from bootkit.plan.seeds import chosen_answer_file, filled, seed_path
from bootkit.system.volume import Volume, walk
from bootkit.units import format_size
from bootkit.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedPlan:
    """What ``seed add`` would do."""

    seed: Seed
    answers: AnswerFile
    plan: StickPlan


def plan_seed(
    volume: Volume, image: str, source: Path, *, kind: str = "", name: str = "", again: bool = False
) -> SeedPlan:
    """An answer file for an image.

    Raises:
        BootkitError: the image takes none of that kind, or one of that name is there.
    """
    item = read_item(volume, image)
    try:
        content = source.read_bytes()[: SEED_LIMIT + 1]
    except OSError as error:
        raise HostError.of(error, str(source)) from error
    if len(content) > SEED_LIMIT:
        raise BootkitError(
            tr("{source} is too large for an answer file", source=source.name),
            hint=tr("at most {seed_limit}", seed_limit=format_size(SEED_LIMIT)),
        )
    chosen = chosen_answer_file(item, source.name, content[:65536].decode("utf-8", "replace"), kind)
    assert item.detection is not None  # who has none takes none
    if chosen.needs_stick and overlay_for(item.detection.stack) is None:
        raise BootkitError(tr("{name} cannot see the stick when its installer runs", name=item.name))
    called = name or source.name.partition(".")[0]
    if problem := file_name_problem(called):
        raise UsageError(
            tr("{called} is no name for an answer file: {problem}", called=repr(called), problem=problem),
            hint="--name NAME",
        )
    seed = Seed(
        image=item.name, kind=chosen.kind, name=called, path=seed_path(item.name, chosen.kind, called, chosen.file)
    )
    if volume.stat(seed.path) is not None and not again:
        raise BootkitError(
            tr("{name} has a {kind} {called} already", name=item.name, kind=chosen.kind, called=called),
            hint=tr("--replace, or another --name"),
        )
    steps = [WriteFile(path=seed.path, content=chosen.rewritten(content))]
    steps += [
        WriteFile(path=f"{seed.folder}/{other}", content=filled(text, seed).encode())
        for other, text in chosen.beside.items()
    ]
    return SeedPlan(seed=seed, answers=chosen, plan=StickPlan(steps=tuple(steps)))


def plan_seed_removal(volume: Volume, seed: Seed) -> StickPlan:
    return StickPlan(steps=tuple(RemoveFile(path=path) for path, _ in walk(volume, seed.folder)))
