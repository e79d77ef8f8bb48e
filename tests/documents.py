"""What ``--json`` printed, held to the schema of its command: nothing is missing, and nothing more is in it."""

import json
from collections.abc import Sequence
from functools import cache

from jsonschema import Draft202012Validator

from bootkit.cli.program import find
from bootkit.cli.schema import schema_of


@cache
def validator_of(command: str) -> Draft202012Validator:
    return Draft202012Validator(schema_of(command, closed=True))


def check_document(words: Sequence[str], said: str) -> None:
    """``words`` are those behind ``bootkit``, ``said`` what came of them: nothing where the command was refused before."""
    if "--json" in words and said:
        (_, *command), _ = find(words)[1:]
        validator_of(" ".join(command)).validate(json.loads(said))  # pyright: ignore[reportUnknownMemberType]
