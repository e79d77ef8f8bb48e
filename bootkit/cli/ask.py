"""Questions to whoever sits at the terminal; asked on stderr, so that stdout stays the answer."""

import getpass
import sys

from bootkit.cli import output


def ask(question: str) -> str:
    """One line, without its end; empty where nobody answers."""
    sys.stderr.write(f"{question}: ")
    sys.stderr.flush()
    return sys.stdin.readline().rstrip("\n")


def ask_secret(question: str) -> str:
    """A line that is not shown while it is typed, and not empty."""
    while True:
        if secret := getpass.getpass(f"{question}: "):
            return secret


def ask_new_secret(question: str) -> str:
    """A secret that was typed twice."""
    while True:
        secret = ask_secret(question)
        if secret == getpass.getpass("Repeat it: "):
            return secret
        output.say("These two differ. Once more.")
