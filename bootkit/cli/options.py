"""Options that several commands share: one wording each."""

from pathlib import Path
from typing import Annotated

from bootkit.cli.command import Option
from bootkit.i18n import tr

STICK_VARIABLE = "BOOTKIT_STICK"
StickOption = Annotated[
    Path | None,
    Option(
        "--stick",
        env=STICK_VARIABLE,
        help=tr("Mount point, device or image file of the stick; needed if there is not exactly one mounted."),
    ),
]
AsJson = Annotated[bool, Option("--json", help=tr("Print one JSON document instead."))]
Yes = Annotated[bool, Option("--yes", "-y", help=tr("Do not ask; nobody is asked without a terminal, either."))]
DryRun = Annotated[bool, Option("--dry-run", "-n", help=tr("Print what would be done, and do nothing."))]
Wide = Annotated[
    bool, Option("--wide", help=tr("Keep each row of the table in one line, however wide the terminal is."))
]
