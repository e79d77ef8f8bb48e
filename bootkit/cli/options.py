"""Options that several commands share: one wording each."""

from pathlib import Path
from typing import Annotated

import typer

StickOption = Annotated[
    Path | None,
    typer.Option(
        "--stick",
        envvar="BOOTKIT_STICK",
        help="Mount point, device or image file of the stick; needed if there is not exactly one mounted.",
        show_default=False,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead.")]
DryRun = Annotated[bool, typer.Option("--dry-run", "-n", help="Print what would be done, and do nothing.")]
