"""``inspect`` and ``explain``: what an image is made of, and what follows from it."""

import os
from pathlib import Path
from typing import Annotated

from bootkit.cli.command import Argument, Option
from bootkit.cli.options import AsJson, StickOption

IsoArgument = Annotated[str, Argument(help="An ISO file, or an image on the stick.", metavar="ISO|IMAGE")]


def inspect(iso: Annotated[Path, Argument(help="An ISO file.")], as_json: AsJson = False) -> None:
    """Look into an ISO file: what it is, and everything that was read to find out."""
    from bootkit.cli.inspection import print_inspection

    print_inspection(os.fspath(iso), as_json=as_json)


def explain(
    iso: IsoArgument,
    overlay: Annotated[
        bool, Option("--overlay", help="List the files that the stick loads behind the image's initrds.")
    ] = False,
    file: Annotated[str | None, Option("--file", help="Print one of those files.", metavar="NAME")] = None,
    stick: StickOption = None,
    as_json: AsJson = False,
) -> None:
    """Tell why an ISO is taken for what it is, how it boots, and with which words."""
    from bootkit.app.verbs.explain import explain_file, look_on_stick
    from bootkit.cli.inspection import print_explanation, print_loaded
    from bootkit.system.sticks import open_stick

    if overlay or file is not None:
        with open_stick(stick) as opened:
            print_loaded(opened.volume, iso, file, as_json=as_json)
        return
    if Path(iso).is_file():
        inspection = explain_file(Path(iso))
    else:
        with open_stick(stick) as opened:
            inspection = look_on_stick(opened, iso)
    print_explanation(inspection, as_json=as_json)
