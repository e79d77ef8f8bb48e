"""The program in a real terminal: keys in, cells out, as tmux sees them."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from tests.work import PATIENCE

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="needs tmux")


class Terminal:
    """One tmux server of its own, with one window."""

    def __init__(self, socket: Path, size: tuple[int, int], environment: dict[str, str], argv: list[str]) -> None:
        self._socket = socket
        width, height = map(str, size)
        # by env and not by tmux's own option, which has a TERM of its own
        wanted = ["env", "-u", "COLORTERM", *(f"{name}={value}" for name, value in environment.items())]
        self._tmux("-f", "/dev/null", "new-session", "-d", "-x", width, "-y", height, "-c", str(ROOT), *wanted, *argv)

    def keys(self, *names: str) -> None:
        self._tmux("send-keys", *names)

    def type(self, text: str) -> None:
        self._tmux("send-keys", "-l", text)

    def capture(self, *options: str) -> str:
        return self._tmux("capture-pane", "-p", *options)

    def wait(self, fits: Callable[[str], object]) -> str:
        end = time.monotonic() + PATIENCE
        while not fits(text := self.capture()):
            assert time.monotonic() < end, text
            time.sleep(0.05)
        return text

    def program(self) -> Path:
        """Where the kernel tells of the program: the child of the shell that the window has."""
        shell = self._tmux("display-message", "-p", "#{pane_pid}").strip()
        return Path("/proc", Path(f"/proc/{shell}/task/{shell}/children").read_text().split()[0])

    def close(self) -> None:
        subprocess.run(["tmux", "-S", self._socket, "kill-server"], check=False, capture_output=True)

    def _tmux(self, *words: str) -> str:
        done = subprocess.run(["tmux", "-S", self._socket, *words], check=True, capture_output=True, text=True)
        return done.stdout


@pytest.fixture
def terminal(tmp_path: Path) -> Generator[Callable[..., Terminal]]:
    opened: list[Terminal] = []

    def start(stick: Path, size: tuple[int, int] = (80, 24), **environment: str) -> Terminal:
        # what stays open behind the program shows its exit status
        script = '"$@"; echo "ended with $?"; exec sleep 60'
        program = [sys.executable, "-m", "bootkit", "tui", "--stick", os.fspath(stick)]
        own = {"XDG_CONFIG_HOME": os.fspath(tmp_path / "config"), "LANG": "C.UTF-8", **environment}
        socket = tmp_path / f"tmux{len(opened)}"
        opened.append(Terminal(socket, size, own, ["sh", "-c", script, "sh", *program]))
        return opened[-1]

    yield start
    for one in opened:
        one.close()


def test_keys_choose_an_option_and_write_it(shelf: Path, terminal: Callable[..., Terminal]) -> None:
    tty = terminal(shelf)
    text = tty.wait(lambda text: "10 images, 2 extensions, 1 home (anna)" in text)
    assert "MENU OUT OF DATE" in text
    assert re.search(r"Debian 13\.0\.0 .* 3\.4 GiB +yes.* +home anna", text)
    tty.type("/tumble")
    tty.wait(lambda text: "openSUSE" in text and "Debian 13" not in text and "Enter Options" not in text)
    tty.keys("Enter")
    tty.wait(lambda text: "Enter Options" in text)
    tty.keys("Enter")
    # the line below the form tells that a field listens: a title is drawn before
    tty.wait(lambda text: "Options of openSUSE" in text and "Language: Of the live system" in text)
    tty.type("fr_FR.UTF-8")
    tty.wait(lambda text: "* this image" in text and "locale.LANG=fr_FR" in text)
    tty.keys("Down")
    tty.wait(lambda text: "Keyboard: XKB layout" in text)
    tty.type("be")
    tty.wait(lambda text: text.count("* this image") == 2)
    tty.keys("C-s")
    tty.wait(lambda text: "menu up to date" in text and "q Quit" in text)
    tty.keys("F1")
    tty.wait(lambda text: "Esc Close" in text and "Each line is an image" in text)
    tty.keys("Escape")
    # a terminal cannot tell Esc from the beginning of another key at once: the next key has to wait for what it does
    tty.wait(lambda text: "Esc Close" not in text and "q Quit" in text)
    tty.keys("q")
    tty.wait(lambda text: "ended with 0" in text)
    settings = (shelf / "boot/bootkit/stick.toml").read_text()
    assert 'language = "fr_FR.UTF-8"' in settings
    assert 'keyboard = "be"' in settings
    assert "# My stick. This line stays." in settings
    assert "locale.LANG=fr_FR.UTF-8" in "".join(path.read_text() for path in (shelf / "boot/grub").glob("*.cfg"))


def shows(words: str, gone: str) -> Callable[[str], bool]:
    """Whether a screen has some words and no longer others; none are gone from the beginning."""
    return lambda text: words in text and (not gone or gone not in text)


def test_a_linux_console_gets_characters_and_colours_that_it_has(
    shelf: Path, terminal: Callable[..., Terminal]
) -> None:
    """The kernel's own font has the characters of code page 437 (linux, drivers/tty/vt/cp437.uni)."""
    tty = terminal(shelf, TERM="linux")
    seen = [tty.wait(lambda text: "10 images" in text and "Start" in text)]
    coloured = tty.capture("-e")
    for key, words, gone in (
        ("/", "any part of the name", ""), ("Enter", "Enter Options", ""), ("g", "The menu is written", ""),
        ("F1", "Esc Close", ""), ("Enter", "up to date", "Esc Close"), ("C-p", "any part of what", ""),
        ("Escape", "q Quit", "any part of what"), ("a", "The queue is empty", ""), ("Escape", "q Quit", "The queue"),
        ("2", "your own folder", ""), ("a", "Esc Leave it", ""), ("Escape", "Esc Back", "Esc Leave it"),
        ("1", "q Quit", "your own folder"), ("o", "Options of the stick", ""), ("Escape", "q Quit", "Options of the stick"),
        ("p", "step 1 of 2", ""),
    ):  # fmt: skip
        tty.keys(key)
        seen.append(tty.wait(shows(words, gone)))
    assert [text for text in seen if text.encode("cp437", errors="replace").decode("cp437") != text] == []
    assert "\x1b[" in coloured
    assert "38;2;" not in coloured
    assert "48;2;" not in coloured


def test_no_color_is_heeded(shelf: Path, terminal: Callable[..., Terminal]) -> None:
    tty = terminal(shelf, NO_COLOR="1", COLORTERM="truecolor")
    tty.wait(lambda text: "10 images" in text and "Start" in text)
    shades = re.findall(r"[34]8;2;(\d+);(\d+);(\d+)", tty.capture("-e"))
    assert all(red == green == blue for red, green, blue in shades)


def test_plain_prints_the_commands(shelf: Path) -> None:
    argv = [sys.executable, "-m", "bootkit", "tui", "--plain", "--stick", os.fspath(shelf)]
    done = subprocess.run(argv, cwd=ROOT, check=True, capture_output=True, text=True)
    assert "bootkit options list|get|set|unset" in done.stdout
    assert "\x1b" not in done.stdout


def test_a_dumb_terminal_gets_the_commands_and_no_escapes(shelf: Path, terminal: Callable[..., Terminal]) -> None:
    tty = terminal(shelf, TERM="dumb")
    text = tty.wait(lambda text: "ended with 2" in text)
    assert "this is no terminal" in text
    assert "bootkit options list|get|set|unset" in text
    assert "\x1b" not in tty.capture("-e")


def test_the_program_ends_with_its_terminal(shelf: Path, terminal: Callable[..., Terminal]) -> None:
    tty = terminal(shelf)
    tty.wait(lambda text: "10 images" in text)
    program = tty.program()
    assert b"tui" in (program / "cmdline").read_bytes()
    tty.close()
    end = time.monotonic() + PATIENCE
    # what is left of it may wait for its parent to ask
    while program.exists() and ") Z " not in (program / "stat").read_text():
        assert time.monotonic() < end
        time.sleep(0.05)
