"""The completions of the shells, as files of their own for the package."""

from pathlib import Path

from bootkit.cli.completion import BASH, FISH, ZSH

for name, text in (("bash", BASH), ("zsh", ZSH), ("fish", FISH)):
    Path(f"completion.{name}").write_text(text, encoding="utf-8")
