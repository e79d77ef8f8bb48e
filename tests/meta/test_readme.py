import re
from pathlib import Path

import typer

from bootkit.cli.program import build
from bootkit.detect.registry import builtin
from bootkit.render.supported import supported_table

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
TABLE = re.compile(r"(?<=<!-- supported: pytest tests/meta --update-golden -->\n).*(?=<!-- /supported -->)", re.DOTALL)
WORDS = re.compile(r"(?:^|`|sudo )bootkit ([a-z][a-z-]*)", re.MULTILINE)


def test_the_table_of_supported_systems_is_what_the_detectors_say(update_golden: bool) -> None:
    text = README.read_text(encoding="utf-8")
    table = supported_table(builtin())
    if update_golden:
        text = TABLE.sub(lambda _: table, text)
        README.write_text(text, encoding="utf-8")
    assert TABLE.findall(text) == [table], "pytest tests/meta --update-golden writes it"


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
    text = README.read_text(encoding="utf-8")
    first, second = re.findall(r"^\./dev (\w+)", text, flags=re.MULTILINE)
    assert (first, second) == ("demo", "test")
    assert text.index("./dev") < text.index("##")
