"""The command line of ``test`` without a machine."""

from pathlib import Path

import pytest

from bootkit.app.verbs import test as verb
from bootkit.model.testboot import BootResult, Stage, TestFirmware
from bootkit.render.menu import MenuTarget
from tests.app.conftest import MakeIso
from tests.cli.conftest import Bootkit


@pytest.fixture
def stick(tmp_path: Path, bootkit: Bootkit, make_iso: MakeIso) -> Path:
    folder = tmp_path / "mounted"
    (folder / "boot/bootkit").mkdir(parents=True)
    (folder / "boot/bootkit/stick.toml").write_text("")
    assert bootkit("add", make_iso("debian.iso"), make_iso("fedora.iso"), "--stick", folder).returncode == 0
    return folder


@pytest.fixture
def result(monkeypatch: pytest.MonkeyPatch) -> list[BootResult]:
    """What every boot of a test comes to: the last one that is put in."""
    results = [BootResult(stage=Stage.USERSPACE, ok=True, seconds=20)]

    def boot_targets(_stick: object, targets: tuple[MenuTarget, ...], firmwares: object, **_: object) -> object:
        return tuple(
            verb.BootedEntry(target=target, firmware=TestFirmware.BIOS, result=results[-1]) for target in targets
        )

    monkeypatch.setattr(verb, "boot_targets", boot_targets)
    return results


@pytest.mark.parametrize(
    ("words", "booted"),
    [
        ((), ["debian", "fedora"]),
        (("debian",), ["debian"]),
        (("--entry", "fedora.iso"), ["fedora"]),
        (("debian", "--entry", "fedora"), ["debian", "fedora"]),
    ],
)
def test_an_image_is_named_as_for_check(
    bootkit: Bootkit, stick: Path, result: list[BootResult], words: tuple[str, ...], booted: list[str]
) -> None:
    done = bootkit("test", *words, "--stick", stick, "--json")
    assert (done.returncode, len(result)) == (0, 1)
    assert [name for name in ("debian", "fedora") if f"/boot/iso/{name}.iso" in done.stdout] == booted


def test_a_name_that_is_not_on_the_stick_is_refused(bootkit: Bootkit, stick: Path, result: list[BootResult]) -> None:
    done = bootkit("test", "arch", "--stick", stick)
    assert (done.returncode, "no image on the stick is called arch" in done.stderr, len(result)) == (1, True, 1)


def test_a_boot_that_ran_out_of_time_is_told_how_to_get_more(
    bootkit: Bootkit, stick: Path, result: list[BootResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    reason = "nothing happened for 100 s after stage: kernel"
    result.append(BootResult(stage=Stage.KERNEL, ok=False, reason=reason, waited=100))
    done = bootkit("test", "debian", "--stick", stick)
    assert (done.returncode, f"  {reason}; if this computer is slow" in done.stderr) == (1, True)
    assert "--timeout 200\n" in done.stderr
    for load, said in ((0.1, False), (999.0, True)):
        monkeypatch.setattr("os.getloadavg", lambda load=load: (load, 0.0, 0.0))
        assert ("(it is busy: 999 programs want its" in bootkit("test", "debian", "--stick", stick).stderr) is said
    result.append(BootResult(stage=Stage.KERNEL, ok=False, reason="Kernel panic"))
    assert "--timeout" not in bootkit("test", "debian", "--stick", stick).stderr


@pytest.mark.parametrize(
    ("booted", "status", "said"),
    [(True, 0, "as predicted"), (False, 1, "1 of 1 boots contradict their prediction")],
)
def test_a_machine_is_told_with_what_was_predicted_of_it(
    bootkit: Bootkit,
    stick: Path,
    result: list[BootResult],
    monkeypatch: pytest.MonkeyPatch,
    booted: bool,
    status: int,
    said: str,
) -> None:
    from bootkit.app.verbs import machines

    result.append(BootResult(stage=Stage.USERSPACE if booted else Stage.MENU, ok=booted, reason="" if booted else "no"))
    monkeypatch.setattr(machines, "boot_targets", verb.boot_targets)
    done = bootkit("test", "debian", "--machine", "setup", "--stick", stick)
    assert (done.returncode, said in done.stderr) == (status, True), done.stderr
    assert "setup" in done.stdout


def test_a_machine_has_secure_boot(bootkit: Bootkit, stick: Path) -> None:
    done = bootkit("test", "--machine", "both", "--firmware", "bios", "--stick", stick)
    assert (done.returncode, "--machine is for machines with Secure Boot" in done.stderr) == (2, True)
