"""The program that a stick carries: put there, renewed, and never made older."""

import io
import stat
import subprocess
import zipfile
from pathlib import Path

import pytest

from bootkit import __version__
from bootkit.app.stick.program import carried_program, plan_program
from bootkit.model.places import GENERATE, PROGRAM
from bootkit.system.changes import apply_changes
from bootkit.system.program import carried_archive
from bootkit.system.volume import Volume
from tests.app.conftest import MakeIso


def of_version(version: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("bootkit/__init__.py", f'"""Another."""\n\n__version__ = "{version}"\n')
    return buffer.getvalue()


def renew(volume: Volume) -> str:
    found = plan_program(volume)
    apply_changes(found.plan, volume)
    return found.told


def test_a_stick_gets_it_once(volume: Volume, stick: Path) -> None:
    assert carried_program(volume) is None
    assert renew(volume) == f"It carries bootkit {__version__}: its live systems have it, too."
    found = carried_program(volume)
    assert found is not None
    assert found.version == __version__
    assert (stick / "boot/generate").stat().st_mode & stat.S_IXUSR
    assert plan_program(volume).plan.steps == ()
    assert renew(volume) == f"It carries bootkit {__version__}."


def test_an_older_one_is_replaced_and_a_newer_one_stays(volume: Volume, stick: Path) -> None:
    volume.write({PROGRAM: of_version("0.0.9")})
    assert renew(volume) == f"It carries bootkit {__version__} in the place of 0.0.9: its live systems have it, too."
    assert (stick / PROGRAM.lstrip("/")).read_bytes() == carried_archive()
    volume.write({PROGRAM: of_version("99.1")})
    assert renew(volume) == f"It carries bootkit 99.1, which is newer than this, {__version__}: that one stays."
    assert (stick / PROGRAM.lstrip("/")).read_bytes() == of_version("99.1")


@pytest.mark.parametrize(
    "content", [b"", b"no archive", of_version("1.0")[:-9], of_version("1").replace(b"__v", b"__w")]
)
def test_what_cannot_be_read_is_replaced(volume: Volume, content: bytes) -> None:
    volume.write({PROGRAM: content})
    assert carried_program(volume) is None
    renew(volume)
    assert carried_program(volume) is not None


def test_somebody_elses_script_stays_beside_ours(volume: Volume, stick: Path) -> None:
    volume.write({GENERATE: b"#!/bin/bash\n# SystemImageKit\n"})
    renew(volume)
    assert (stick / "boot/generate.old").read_text() == "#!/bin/bash\n# SystemImageKit\n"
    (stick / PROGRAM.lstrip("/")).unlink()
    renew(volume)
    assert (stick / "boot/generate.old").read_text() == "#!/bin/bash\n# SystemImageKit\n"


def test_the_script_on_the_stick_writes_the_menu_of_that_stick(volume: Volume, stick: Path, make_iso: MakeIso) -> None:
    renew(volume)
    (stick / "boot/iso").mkdir()
    make_iso("debian.iso").rename(stick / "boot/iso/debian.iso")
    done = subprocess.run([stick / "boot/generate"], cwd="/", capture_output=True, text=True, check=True)
    assert "The menu is written: 1 of 1 images boot from it." in done.stderr
    assert "/boot/iso/debian.iso" in (stick / "boot/grub/grub.cfg").read_text()
