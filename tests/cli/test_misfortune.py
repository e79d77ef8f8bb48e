"""What the kernel refuses, and what is damaged on a stick: one clear line, and nothing else is harmed."""

import errno
import gzip
import io
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bootkit.app.verbs.generate import plan_generation
from bootkit.app.verbs.images import add_images, plan_additions
from bootkit.system.changes import apply_changes
from bootkit.system.sticks import open_stick
from tests.app.conftest import LIVE_BOOT, small_iso
from tests.cli.conftest import Bootkit, Done
from tests.conftest import copy_with_holes

CASES = Path(__file__).parent.parent / "fuzz/cases"


def case(name: str, target: Path) -> Path:
    target.write_bytes(gzip.decompress((CASES / f"{name}.gz").read_bytes()))
    return target


@pytest.fixture(scope="module")
def iso(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_iso(tmp_path_factory.mktemp("iso"), "debian.iso")


@pytest.fixture(scope="module")
def filled(iso: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stick with one image, to be copied."""
    folder = tmp_path_factory.mktemp("filled") / "mounted"
    (folder / "boot/bootkit").mkdir(parents=True)
    (folder / "boot/bootkit/stick.toml").write_text("")
    with open_stick(folder, writing=True) as stick:
        add_images(stick.volume, plan_additions(stick.volume, [iso]))
        apply_changes(plan_generation(stick.volume).plan, stick.volume)
    return folder


@pytest.fixture
def stick(filled: Path, tmp_path: Path) -> Path:
    copy_with_holes(filled, tmp_path)
    return tmp_path / "mounted"


def is_one_line(done: Done, *, status: int = 1) -> bool:
    lines = done.stderr.rstrip().splitlines()
    own = [line for line in lines if line.startswith("bootkit: ")]
    return done.returncode == status and len(own) == 1 and "Traceback" not in done.stderr


def test_a_damaged_image_harms_no_other(bootkit: Bootkit, stick: Path, iso: Path) -> None:
    case("seek-past-2-63.iso", stick / "boot/iso/damaged.iso")
    for words in (("generate",), ("list",), ("check", "debian.iso"), ("verify",)):
        done = bootkit(*words, "--stick", stick)
        assert done.returncode == 0, done
        assert "Traceback" not in done.stderr
    assert "Debian" in bootkit("list", "--stick", stick).stdout


def test_a_bug_that_one_image_brings_to_light_harms_no_other(
    bootkit: Bootkit, stick: Path, iso: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(iso, stick / "boot/iso/other.iso")

    def stumbles(*_words: Any, **_options: Any) -> None:
        raise RuntimeError("what nobody thought of")

    monkeypatch.setattr("bootkit.app.stick.catalog.open_image", stumbles)
    listed = bootkit("list", "--stick", stick).stdout
    assert "Debian" in listed
    assert "what nobody thought of" in listed


def test_a_partition_behind_the_end_of_the_world(bootkit: Bootkit, tmp_path: Path) -> None:
    disk = case("gpt-entry-at-2-55.img", tmp_path / "disk.img")
    assert is_one_line(bootkit("list", "--stick", disk))
    assert is_one_line(bootkit("prepare", disk, "--dry-run"), status=4)
    assert is_one_line(bootkit("restore", disk, "--dry-run"), status=4)


@pytest.mark.parametrize(
    "content",
    [
        gzip.decompress((CASES / "record-lone-surrogate.json.gz").read_bytes()),
        b"[" * 200_000,
        b'{"size": ' + b"9" * 5000 + b"}",
        b"\xff\xfe\x00",
        b"[]",
        b"",
    ],
)
@pytest.mark.parametrize("name", ["images.jsonl", "generated.json"])
def test_a_damaged_record_is_made_anew(bootkit: Bootkit, stick: Path, iso: Path, name: str, content: bytes) -> None:
    record = stick / "boot/bootkit/state" / name
    whole = record.read_bytes()
    record.write_bytes(content)
    assert "Debian" in bootkit("list", "--stick", stick).stdout
    (stick / "boot/bootkit/stick.toml").write_text("[menu]\ntimeout = 3\n")
    assert bootkit("generate", "--stick", stick).returncode == 0
    if name != "generated.json":
        # what was kept of it beside the facts, its checksum, nobody can make anew without reading it
        assert record.read_bytes()[:20] == whole[:20]
    else:
        assert record.read_bytes() != content


def test_settings_nested_too_deeply_are_a_mistake_in_them(bootkit: Bootkit, stick: Path) -> None:
    (stick / "boot/bootkit/stick.toml").write_text(f"[menu]\ntimeout = {'[' * 5000}\n")
    done = bootkit("generate", "--stick", stick)
    assert is_one_line(done)
    assert "stick.toml" in done.stderr


def refusing(number: int, real: Callable[..., Any], chosen: Callable[[str], bool]) -> Callable[..., Any]:
    def call(*words: Any, **options: Any) -> Any:
        names = [str(word) for word in words if isinstance(word, (str, Path))]
        # what is opened inside of the stick has a name without the way to it
        inside = options.keys() & {"dir_fd", "src_dir_fd"} and any(name.endswith(".part") for name in names)
        if inside or any(map(chosen, names)):
            raise OSError(number, os.strerror(number), names[0])
        return real(*words, **options)

    return call


@pytest.mark.parametrize(
    ("function", "number"),
    [
        ("mkdir", errno.EROFS),
        ("replace", errno.EIO),
        ("rename", errno.EROFS),
        ("unlink", errno.EIO),
        ("open", errno.ENOSPC),
        ("scandir", errno.EIO),
    ],
)
@pytest.mark.parametrize(
    "command", [("add",), ("remove", "debian.iso"), ("generate",), ("options", "set", "timeout", "3")]
)
def test_a_stick_that_cannot_be_written_gets_one_line(
    bootkit: Bootkit,
    stick: Path,
    iso: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    function: str,
    command: tuple[str, ...],
) -> None:
    if command[0] == "generate":
        (stick / "boot/bootkit/stick.toml").write_text("[menu]\ntimeout = 4\n")
    more = (shutil.copy(iso, tmp_path / "other.iso"),) if command == ("add",) else ()

    def on_stick(name: str) -> bool:
        return name.startswith(os.fspath(stick)) and (function != "open" or name.endswith(".part"))

    monkeypatch.setattr(os, function, refusing(number, getattr(os, function), on_stick))
    if function == "open":
        monkeypatch.setattr(io, "open", refusing(number, io.open, on_stick))
    done = bootkit(*command, *more, "--stick", stick)
    monkeypatch.undo()
    assert "Traceback" not in done.stderr
    if done.returncode:
        assert is_one_line(done), done
    if command[0] != "remove":
        assert "Debian" in bootkit("list", "--stick", stick).stdout


def test_an_unreadable_file_is_named_with_what_to_type(
    bootkit: Bootkit, iso: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tempfile.TemporaryDirectory() as folder:  # whose parents, unlike those of tmp_path, everybody may enter
        Path(folder).chmod(0o755)
        copy = Path(shutil.copy(iso, folder))
        copy.chmod(0)
        monkeypatch.setattr(sys, "argv", ["bootkit", "explain", os.fspath(copy)])
        was = os.geteuid()
        if was == 0:
            os.seteuid(65534)
        try:
            done = bootkit("explain", copy)
        finally:
            os.seteuid(was)
    assert is_one_line(done)
    assert f"{copy} cannot be opened: Permission denied" in done.stderr
    assert f"sudo bootkit explain {copy} (or: pkexec bootkit explain {copy})" in done.stderr


@pytest.mark.parametrize(("answer", "started"), [("y", True), ("", False)])
def test_at_a_terminal_the_same_is_done_again_as_root(
    bootkit: Bootkit, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, answer: str, started: bool
) -> None:
    asked: list[str] = []
    ran: list[tuple[str, list[str]]] = []

    def ask(question: str) -> str:
        asked.append(question)
        return answer

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", "/dev/sdz")

    def which(name: str, path: str = "") -> str | None:
        return None if path or name == "sudo" else f"/usr/bin/{name}"

    def execvp(file: str, argv: list[str]) -> None:
        ran.append((file, argv))

    program = tmp_path / "bootkit"
    program.write_text("")
    for name, value in (
        ("argv", [os.fspath(program), "devices"]),
        ("orig_argv", ["python", os.fspath(program), "devices"]),
    ):
        monkeypatch.setattr(sys, name, value)
    for stream in ("stdin", "stderr"):
        monkeypatch.setattr(f"sys.{stream}.isatty", lambda: True)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr("bootkit.cli.ask.ask", ask)
    monkeypatch.setattr("shutil.which", which)
    monkeypatch.setattr(os, "execvp", execvp)
    monkeypatch.setattr("bootkit.app.verbs.devices.list_devices", refuse)
    done = bootkit("devices")
    assert done.returncode == 1
    assert f"run0 {program} devices" in done.stderr  # by its path, where root does not look
    assert asked == ["Do it again as root, by run0? [y/N]"]
    again = ("run0", ["run0", "--", sys.executable, os.fspath(program), "devices"])
    assert ran == ([again] if started else [])


def test_a_medium_that_gives_no_bytes_is_named(
    bootkit: Bootkit, stick: Path, iso: Path, monkeypatch: pytest.MonkeyPatch
) -> None:

    def read_error(*_words: Any) -> int:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr("bootkit.formats.reader.HostFileIO.readinto", read_error)
    done = bootkit("verify", "--stick", stick)
    assert is_one_line(done)
    assert "Input/output error" in done.stderr


def test_names_in_another_encoding_harm_nothing(bootkit: Bootkit, stick: Path, iso: Path) -> None:
    with open(os.fsencode(stick) + b"/boot/iso/caf\xe9.iso", "wb") as file:  # noqa: PTH123  # no Path has such a name
        file.write(iso.read_bytes())
    for words in (("generate",), ("list",), ("list", "--json"), ("check",)):
        done = bootkit(*words, "--stick", stick)
        assert "Traceback" not in done.stderr
        assert "UnicodeEncodeError" not in done.stderr
    assert "Debian" in bootkit("list", "--stick", stick).stdout


def test_a_full_standard_output_is_named(bootkit: Bootkit, stick: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(io.StringIO):
        def flush(self) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        def fileno(self) -> int:
            return os.open(os.devnull, os.O_WRONLY)

    monkeypatch.setattr(sys, "stdout", Full())
    done = bootkit("list", "--stick", stick)
    assert is_one_line(done)
    assert "standard output: No space left on device" in done.stderr


def test_an_image_of_the_same_size_and_time_gets_another_look_where_that_is_asked_for(
    bootkit: Bootkit, stick: Path, tmp_path: Path
) -> None:
    image = stick / "boot/iso/debian.iso"
    stamp = image.stat()
    other = {**LIVE_BOOT, ".disk/info": LIVE_BOOT[".disk/info"].replace("12.5.0", "12.6.0")}
    image.write_bytes(small_iso(tmp_path, "other.iso", other).read_bytes())
    os.utime(image, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert image.stat().st_size == stamp.st_size
    assert "up to date" in bootkit("generate", "--stick", stick).stderr
    assert is_one_line(bootkit("verify", "--stick", stick))
    assert "1 image looked into" in bootkit("generate", "--fresh", "--stick", stick).stderr
    assert "12.6.0" in bootkit("list", "--stick", stick).stdout
    assert is_one_line(bootkit("verify", "--stick", stick))  # the sum that add kept stays


def test_an_image_that_could_not_be_read_is_looked_at_again(
    bootkit: Bootkit, stick: Path, iso: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(iso, stick / "boot/iso/other.iso")

    def stumbles(*_words: Any, **_options: Any) -> None:
        raise RuntimeError("only now")

    monkeypatch.setattr("bootkit.app.stick.catalog.open_image", stumbles)
    bootkit("generate", "--stick", stick)
    monkeypatch.undo()
    assert "only now" not in bootkit("list", "--stick", stick).stdout
    assert "2 of 2 images boot" in bootkit("generate", "--stick", stick).stderr


@pytest.mark.parametrize("command", ["generate", "add"])
def test_what_an_interrupted_copy_left_is_named_and_removed(
    bootkit: Bootkit, stick: Path, iso: Path, tmp_path: Path, command: str
) -> None:
    left = (
        stick / "boot/iso/.other.iso.part",
        stick / "boot/grub/.grub.cfg.part",
        stick / "apps/.viewer.AppImage.part",
    )
    for path in left:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(bytes(5000))
    (stick / "boot/iso/.keep").touch()
    said = "left behind by a command that was interrupted"
    listed = bootkit("list", "--stick", stick)
    assert f"{said}: " in listed.stderr
    assert "bootkit generate removes it" in listed.stderr
    assert "remove /boot/iso/.other.iso.part" in bootkit("generate", "--dry-run", "--stick", stick).stdout
    assert all(path.exists() for path in left)
    more = (shutil.copy(iso, tmp_path / "new.iso"),) if command == "add" else ()
    done = bootkit(command, *more, "--stick", stick)
    assert f"{said}, and removed now: /boot/grub/.grub.cfg.part (4.9 KiB), /boot/iso/.other.iso.part" in done.stderr
    assert not any(path.exists() for path in left)
    assert (stick / "boot/iso/.keep").exists()
    assert said not in bootkit("generate", "--stick", stick).stderr


def test_the_menu_has_the_sum_of_each_image_that_add_copied(bootkit: Bootkit, stick: Path) -> None:
    bootkit("generate", "--fresh", "--stick", stick)
    kept = stick / "boot/bootkit/state/files/boot/iso/debian.iso.sha256"
    done = subprocess.run(["sha256sum", "--check", kept], cwd=stick / "boot/iso", capture_output=True, text=True)
    assert done.stdout == "debian.iso: OK\n"
    bootkit("remove", "debian.iso", "--stick", stick)
    assert not kept.exists()
