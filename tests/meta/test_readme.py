import re
from pathlib import Path

import typer

from bootkit.cli.program import build

ROOT = Path(__file__).parents[2]
WORDS = re.compile(r"(?:^|`|sudo )bootkit ([a-z][a-z-]*)", re.MULTILINE)


def test_documents_name_commands_that_there_are() -> None:
    commands: dict[str, object] = getattr(typer.main.get_command(build()), "commands", {})
    for name in (
        "README.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "bootkit/man/bootkit.1.md",
        "bootkit/man/stick.toml.5.md",
    ):
        named = set(WORDS.findall((ROOT / name).read_text(encoding="utf-8")))
        assert named
        assert named <= set(commands), name


def test_readme_begins_with_a_demonstration_and_the_tests() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    first, second = re.findall(r"^\./dev (\w+)", text, flags=re.MULTILINE)
    assert (first, second) == ("demo", "test")
    assert text.index("./dev") < text.index("##")
