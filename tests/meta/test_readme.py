import ast
import re
from pathlib import Path

from tests.commands import every_command
from tests.meta.parsed import nodes

ROOT = Path(__file__).parents[2]
HINTS = re.compile(r"(?:[:'`(] ?|then |sudo )bootkit ([a-z]+)(?! stick)")
SENTENCES = ("lays", "reads")
"""What bootkit does, in messages that are sentences about it."""
WORDS = re.compile(r"(?:^|`|sudo )bootkit ([a-z][a-z-]*)", re.MULTILINE)


def test_documents_name_commands_that_there_are() -> None:
    commands = {words.split()[0] for words in every_command()}
    for name in (
        "README.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "bootkit/man/bootkit.1.md",
        "bootkit/man/stick.toml.5.md",
        "docs/tour.md",
        "docs/systems.md",
        "docs/first-stick.md",
        "docs/cannot-boot.md",
        "docs/live-systems.md",
        "docs/steps.md",
    ):
        named = set(WORDS.findall((ROOT / name).read_text(encoding="utf-8")))
        assert named
        assert named <= commands, name


def test_messages_name_commands_that_there_are() -> None:
    commands = {words.split()[0] for words in every_command()}
    folders = (ROOT / "bootkit", ROOT / "detectors")
    named: dict[str, str] = {}
    for path in (path for folder in folders for path in folder.rglob("*.py")):
        documentation = {id(node.value) for node in nodes(path) if isinstance(node, ast.Expr)}
        for node in nodes(path):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
                named.update((word, path.name) for word in HINTS.findall(node.value))
    assert named.keys() >= {"explain", "generate", "prepare"}
    assert {word: path for word, path in named.items() if word not in {*commands, *SENTENCES}} == {}


def test_readme_begins_with_a_demonstration_and_the_tests() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    first, second = re.findall(r"^\./dev (\w+)", text, flags=re.MULTILINE)
    assert (first, second) == ("demo", "test")
    assert text.index("./dev") < text.index("##")
