"""Completion of words by the shell: the shell asks us at each press of Tab.

It says in ``COMP_WORDS`` what was typed, a word a line, and in ``COMP_CWORD`` which of them is to be completed. Where we
answer with nothing, the shell completes the names of files.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from bootkit.cli import output
from bootkit.cli.command import Command, parameters
from bootkit.cli.program import OPTIONS_OF_ALL, Group, find, load
from bootkit.errors import BootkitError, UsageError
from bootkit.i18n import tr

BASH = """\
_bootkit() {
    local IFS=$'\\n'
    COMPREPLY=($(_BOOTKIT_COMPLETE=bash COMP_WORDS="${COMP_WORDS[*]}" COMP_CWORD=$COMP_CWORD bootkit 2>/dev/null))
}
complete -o default -F _bootkit bootkit
"""
ZSH = """\
#compdef bootkit
_bootkit() {
    local -a found
    found=("${(@f)$(_BOOTKIT_COMPLETE=zsh COMP_WORDS="${(pj:\\n:)words}" COMP_CWORD=$((CURRENT - 1)) bootkit 2>/dev/null)}")
    if [[ -n $found ]]; then compadd -a found; else _files; fi
}
if [[ $funcstack[1] == _bootkit ]]; then _bootkit "$@"; else compdef _bootkit bootkit; fi
"""
FISH = """\
function __bootkit_complete
    set -l words (commandline -opc)
    set -lx COMP_CWORD (count $words)
    set -lx COMP_WORDS (string join \\n -- $words (commandline -ct) | string collect)
    _BOOTKIT_COMPLETE=fish bootkit 2>/dev/null
end
complete -c bootkit -a '(__bootkit_complete)'
"""
SHELLS = {
    "bash": (BASH, ".local/share/bash-completion/completions/bootkit"),
    "zsh": (ZSH, ".zfunc/_bootkit"),
    "fish": (FISH, ".config/fish/completions/bootkit.fish"),
}
"""For each shell what it has to know, and where in the home it looks for that."""


def complete() -> None:
    """Print what the word that is being typed may become, a proposal a line."""
    words = os.environ.get("COMP_WORDS", "").split("\n")
    place = int(os.environ.get("COMP_CWORD", "0"))
    begun = words[place] if place < len(words) else ""
    for proposal in proposals(words[1:place], begun):
        output.answer(proposal)


def proposals(before: Sequence[str], begun: str) -> list[str]:
    """The words that begin with ``begun`` and may stand behind ``before``."""
    try:
        member, words, rest = find([word for word in before if word not in OPTIONS_OF_ALL])
    except UsageError:
        return []
    if isinstance(member, Group):
        options = OPTIONS_OF_ALL if len(words) == 1 else ()
        known = ["--help", *options] if begun.startswith("-") else [*member.members()]
    else:
        known = _of_command(load(member), words, rest, begun)
    return [word for word in known if word.startswith(begun)]


def _of_command(command: Command, words: Sequence[str], before: Sequence[str], begun: str) -> list[str]:
    """The command's options, or what the word may be that is wanted next."""
    from bootkit.cli.completion_values import values_for

    options = {flag: option for option in parameters(command) for flag in option.flags}
    wants_value = bool(before) and before[-1] in options and options[before[-1]].kind is not bool
    if begun.startswith("-") and not wants_value:
        return ["--help", *options]
    return values_for(command, words, before)


def show() -> None:
    """Print the completion for the user's shell."""
    text, _ = _of_shell()
    output.raw(text.encode())


def install() -> None:
    """Write the completion to where the user's shell looks for it."""
    text, place = _of_shell()
    path = Path.home() / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    output.say(tr("{path} is written; it counts in every new shell.", path=path))
    if path.parent.name == ".zfunc":
        output.say("  " + tr("If nothing is completed, put this before compinit in ~/.zshrc: fpath+=~/.zfunc"))


def _of_shell() -> tuple[str, str]:
    name = Path(os.environ.get("SHELL", "")).name
    if name not in SHELLS:
        raise BootkitError(
            tr("there is no completion for {name}", name=name or tr("a shell without a name")),
            hint=tr("SHELL may be {shells}", shells=", ".join(SHELLS)),
        )
    return SHELLS[name]
