"""The command line of ``options``."""

import io
import json
from pathlib import Path

import pytest

from bootkit.cli.guard import guarded
from bootkit.cli.program import run
from bootkit.model.options import OF_IMAGE, OPTIONS, Kind, option
from tests.documents import check_document


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    folder = tmp_path / "stick"
    (folder / "boot/bootkit").mkdir(parents=True)
    (folder / "boot/bootkit/stick.toml").write_text("# mine\n[menu]\ntimeout = 7 # quick\n")
    return folder


def bootkit(stick: Path, *words: str) -> int:
    status = 0

    def action() -> None:
        nonlocal status
        try:
            run(["options", *words, "--stick", str(stick)])
        except SystemExit as end:
            status = int(end.code or 0)

    return guarded(action) or status


def test_a_value_is_set_read_and_taken_back(stick: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = stick / "boot/bootkit/stick.toml"
    assert bootkit(stick, "set", "timeout", "12") == 0
    assert file.read_text() == "# mine\n[menu]\ntimeout = 12 # quick\n"
    assert "set timeout=12" in (stick / "boot/grub/grub.cfg").read_text()
    capsys.readouterr()
    assert bootkit(stick, "get", "timeout") == 0
    assert capsys.readouterr().out == "12\n"
    assert bootkit(stick, "unset", "timeout") == 0
    assert "timeout" not in file.read_text()


def test_a_dry_run_prints_the_steps_and_changes_nothing(stick: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert bootkit(stick, "set", "host", "box", "--dry-run") == 0
    assert capsys.readouterr().out.startswith("write /boot/bootkit/stick.toml")
    assert not (stick / "boot/grub").exists()


def test_a_password_comes_from_standard_input_and_only_its_digest_is_kept(
    stick: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("secret\n"))
    assert bootkit(stick, "set", "password") == 0
    text = (stick / "boot/bootkit/stick.toml").read_text()
    assert "grub.pbkdf2.sha512.10000." in text
    assert "secret" not in text
    capsys.readouterr()
    bootkit(stick, "get", "password")
    assert capsys.readouterr().out == "set\n"


def test_the_list_tells_the_origin(stick: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert bootkit(stick, "list", "--json") == 0
    said = capsys.readouterr().out
    check_document(["options", "list", "--json"], said)
    rows = {row["option"]: row for row in json.loads(said)["options"]}
    assert (rows["timeout"]["value"], rows["timeout"]["from"]) == (7, "stick")
    assert (rows["language"]["value"], rows["language"]["from"]) == ("", "default")
    assert bootkit(stick, "list", "--stack", "casper") == 0
    shown = capsys.readouterr().out
    assert "timeout" not in shown
    assert "keyboard" in shown


def test_a_mistake_is_one_line_and_a_hint(stick: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert bootkit(stick, "set", "langage", "de_DE.UTF-8") == 2
    assert capsys.readouterr().err == "bootkit: there is no option 'langage'\n  did you mean language?\n"
    assert bootkit(stick, "set", "host", "a_b") == 2


def test_an_equals_sign_gets_the_command_that_was_meant(stick: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert bootkit(stick, "set", "language=de_DE.UTF-8") == 2
    assert "bootkit options set language de_DE.UTF-8" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("home", "ana", "warning: there is no home ana on the stick"),
        ("home", "none", ""),
        ("extensions_off", "tol.raw", "warning: there is no extension tol.raw on the stick"),
    ],
)
def test_a_name_of_nothing_on_the_stick_is_told(
    option: str, value: str, said: str, stick: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bootkit(stick, "set", option, value) == 0
    error = capsys.readouterr().err
    assert ("there is no" in error) == bool(said)
    assert said in error


def test_what_stands_is_said_once_and_again_when_it_is_asked_for(
    stick: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bootkit(stick, "set", "home", "ana") == 0
    assert "The home that is chosen, ana," in capsys.readouterr().err
    assert bootkit(stick, "set", "timeout", "9") == 0
    assert "The home that is chosen, ana," not in capsys.readouterr().err
    run(["generate", "--stick", str(stick)])
    assert "The home that is chosen, ana," in capsys.readouterr().err


@pytest.mark.parametrize(("key", "value"), [(spec.key, value) for spec in OPTIONS for value in spec.choices])
def test_every_word_that_is_documented_can_be_set(
    stick: Path, capsys: pytest.CaptureFixture[str], key: str, value: str
) -> None:
    if option(key).scopes == OF_IMAGE or option(key).kind is Kind.WORDS:
        pytest.skip("needs an image, or the words are examples")
    assert bootkit(stick, "set", key, value) == 0, capsys.readouterr().err
    capsys.readouterr()
    assert bootkit(stick, "get", key) == 0
    assert capsys.readouterr().out == f"{value}\n"


def test_a_theme_is_a_file_and_a_default_an_image(stick: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert bootkit(stick, "set", "theme", "/themes/mine/theme.txt") == 0
    assert "there is no /themes/mine/theme.txt on the stick" in capsys.readouterr().err
    assert bootkit(stick, "set", "default", "/boot/iso/nothing.iso") == 1
    assert "no image on the stick" in capsys.readouterr().err
