"""``inspect`` and ``explain``: what an image is made of, and what follows from it."""

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from bootkit.cli import output
from bootkit.cli.command import Argument, Option
from bootkit.cli.options import AsJson, StickOption
from bootkit.i18n import tr

if TYPE_CHECKING:
    from bootkit.app.verbs.inspect import Inspection
    from bootkit.system.volume import Volume

IsoArgument = Annotated[str, Argument(help=tr("An ISO file, or an image on the stick."), metavar="ISO|IMAGE")]


def inspect(iso: Annotated[Path, Argument(help=tr("An ISO file."))], as_json: AsJson = False) -> None:
    """Look into an ISO file: what it is, and everything that was read to find out."""
    from bootkit.app.verbs.inspect import look_at_file

    inspection = look_at_file(iso)
    _print(inspection, inspection.summary(), as_json=as_json)


def explain(
    iso: IsoArgument,
    why: Annotated[
        bool, Option("--why", help=tr("Tell all of it: how that is known, each entry with its words, who was asked."))
    ] = False,
    overlay: Annotated[
        bool, Option("--overlay", help=tr("List the files that the stick loads behind the image's initrds."))
    ] = False,
    file: Annotated[str | None, Option("--file", help=tr("Print one of those files."), metavar="NAME")] = None,
    stick: StickOption = None,
    as_json: AsJson = False,
) -> None:
    """Tell what an ISO is and whether it boots; with --why, how that is known, and with which words."""
    from bootkit.app.verbs.explain import explain_file, look_on_stick
    from bootkit.system.sticks import open_stick

    if overlay or file is not None:
        with open_stick(stick) as opened:
            _print_loaded(opened.volume, iso, file, as_json=as_json)
        return
    if _is_file(iso, stick):
        inspection = explain_file(Path(iso))
    else:
        with open_stick(stick) as opened:
            inspection = look_on_stick(opened, iso)
    if why or as_json:
        _print(inspection, inspection.explanation(output.columns()), as_json=as_json)
    else:
        hint = "\n\n" + tr("How that is known, and with which words it starts: {why}", why=_why(iso, stick))
        _print(inspection, inspection.short_explanation(output.columns()) + hint, as_json=False)


def _why(iso: str, stick: Path | None) -> str:
    """The command that tells all."""
    named = () if stick is None or _is_file(iso, stick) else ("--stick", os.fspath(stick))
    return shlex.join(("bootkit", "explain", "--why", iso, *named))


def _is_file(iso: str, stick: Path | None) -> bool:
    """Whether a file is meant; with a stick named, a bare name is that of its image, though its source lies here as well."""
    return Path(iso).is_file() and (stick is None or os.sep in iso)


def _print_loaded(volume: "Volume", image: str, name: str | None, *, as_json: bool) -> None:
    """The files that the stick loads behind an image's initrds, or one of them as it is."""
    import stat

    from bootkit.app.verbs.overlay_files import loaded_file, loaded_files

    files = loaded_files(volume, image)
    if name is not None:
        files = (loaded_file(files, name),)
    if as_json:
        output.json({"files": [file.to_json() for file in files]})
    elif name is not None:
        output.raw(files[0].content)
    else:
        rows = [(stat.filemode(file.mode), str(len(file.content)), file.name, file.archive) for file in files]
        output.table(rows, (tr("MODE"), tr("SIZE"), tr("NAME"), tr("ARCHIVE")))


def _print(inspection: "Inspection", text: str, *, as_json: bool) -> None:
    """Raises NothingRecognised, behind the answer, if no detector knows the image."""
    if as_json:
        output.json(inspection.to_json())
    else:
        output.answer(text)
    inspection.require_recognised()
