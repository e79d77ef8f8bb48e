"""Files that are named together: one that is refused does not stop the others, and counts in the exit status."""

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from bootkit.cli import output
from bootkit.cli.guard import tell
from bootkit.errors import AlreadyThere, BootkitError, Interrupted
from bootkit.i18n import tr, trn

if TYPE_CHECKING:
    from bootkit.cli.documents import Copied, CopiedFile, NotCopied
    from bootkit.model.plan import CopyImage, StickStep
    from bootkit.system.volume import Volume


class Several:
    """What becomes of ``named`` files; those that are on the stick already are no error."""

    def __init__(self, named: int) -> None:
        self._named = named
        self._there: list[Path] = []
        self._refused: list[tuple[Path, BootkitError]] = []

    @contextmanager
    def each(self, file: Path) -> Generator[None]:
        """What the block raises is about ``file`` alone; only an interruption ends all."""
        try:
            yield
        except Interrupted:
            raise
        except BootkitError as error:
            self.refuse(file, error)

    def refuse(self, file: Path, error: BootkitError) -> None:
        if isinstance(error, AlreadyThere):
            output.say(tr("{message}: skipped", message=error.message))
            self._there.append(file)
            return
        self._refused.append((file, error))
        if self._named > 1:
            tell(error)

    def json(self) -> "NotCopied":
        return {
            "there": self._there,
            "refused": [{"source": file, "error": error.message, "hint": error.hint} for file, error in self._refused],
        }

    def judge(self) -> None:
        """Say in the end that some were refused.

        Raises:
            BootkitError: some were; what is wrong with one that was named alone is only told here.
        """
        if not self._refused:
            return
        if self._named == 1:
            raise self._refused[0][1]
        raise BootkitError(
            trn(
                "{n} of {named} files was refused",
                "{n} of {named} files were refused",
                len(self._refused),
                named=self._named,
            ),
            hint=tr("what is wrong with each is told above"),
        )


def copy_all(
    volume: "Volume",
    several: Several,
    copies: "Sequence[CopyImage]",
    beside: "Mapping[str, Sequence[StickStep]]",
    *,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Copy files, one complete before the next begins, each with what belongs ``beside`` its path; and tell of them."""
    from bootkit.app.stick.user_files import copy
    from bootkit.cli import report
    from bootkit.cli.progress import watching, work_of
    from bootkit.model.plan import StickPlan
    from bootkit.system.changes import apply_changes

    added: list[CopiedFile] = []
    if copies and not dry_run:
        with watching(work_of(copies)) as watcher:
            for step in copies:
                digest = copy(volume, step, watcher)
                apply_changes(StickPlan(steps=tuple(beside.get(step.path, ()))), volume)
                added.append({"source": step.source, "path": step.path, "size": step.size, "sha256": digest})
                if not as_json:
                    output.answer(f"{step.path}  {digest}")
    if as_json:
        planned: list[CopiedFile] = [
            {"source": step.source, "path": step.path, "size": step.size, "sha256": ""} for step in copies
        ]
        document: Copied = {"added": planned if dry_run else added, **several.json()}
        output.json(document)
    elif dry_run:
        report.plan(StickPlan(steps=tuple(one for step in copies for one in (step, *beside.get(step.path, ())))))
