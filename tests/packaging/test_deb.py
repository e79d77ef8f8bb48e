"""The Debian package: built by one command, clean, and installed and removed in a fresh system."""

import os
import subprocess
from pathlib import Path

import pytest

from bootkit import __version__
from tests.app.conftest import small_iso
from tests.boots.live_iso import apt_settings, debian_sources, host_suite

ROOT = Path(__file__).parents[2]

pytestmark = [pytest.mark.wheel, pytest.mark.root]

TRIED_IN_THE_SYSTEM = """\
set -e
bootkit --version
man --where bootkit
man --where 5 stick.toml
test -e /usr/share/bash-completion/completions/bootkit
export BOOTKIT_STICK=/tmp/stick.img
bootkit prepare /tmp/stick.img --size 300M --yes
bootkit add /tmp/debian.iso
bootkit check
_BOOTKIT_COMPLETE=bash COMP_WORDS="bootkit
remove
d" COMP_CWORD=2 bootkit | grep -x debian.iso
apt-get -q -y purge bootkit >/dev/null
! test -e /usr/bin/bootkit
! test -e /usr/lib/bootkit
"""


def run(*argv: str | Path, stdin: str = "") -> str:
    done = subprocess.run(argv, cwd=ROOT, input=stdin, check=False, capture_output=True, text=True)
    assert done.returncode == 0, f"{argv}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("deb")
    return Path(run("packaging/deb", folder).strip())


def test_the_package_is_built_by_one_command(package: Path) -> None:
    names = run("dpkg-deb", "--contents", package)
    for path in ("usr/bin/bootkit", "man1/bootkit.1.gz", "man5/stick.toml.5.gz", "man7/bootkit-detector.7.gz",
                 "vendor-completions/_bootkit", "bootkit.fish", "applications/bootkit.desktop", "apps/bootkit.svg",
                 "bootkit/detectors/casper.py", "bootkit/grub_templates/grub.cfg.j2"):  # fmt: skip
        assert path in names


def test_two_builds_are_the_same_bytes(package: Path, tmp_path: Path) -> None:
    assert Path(run("packaging/deb", tmp_path).strip()).read_bytes() == package.read_bytes()


def test_lintian_finds_nothing(package: Path) -> None:
    root = ["--allow-root"] if os.geteuid() == 0 else []
    assert run("lintian", *root, "--fail-on", "error,warning", package) == ""


def test_it_is_installed_tried_and_removed_in_a_fresh_system(package: Path, tmp_path: Path) -> None:
    iso = small_iso(tmp_path, "debian.iso")
    hooks = [f"--customize-hook=copy-in {package} {iso} /tmp", '--customize-hook=chroot "$1" sh -c "apt-get -q -y -o APT::Install-Recommends=true install /tmp/*.deb >/dev/null"',
             f"--customize-hook=chroot \"$1\" sh -c '{TRIED_IN_THE_SYSTEM}' >&2"]  # fmt: skip
    settings = [f"--aptopt={setting}" for setting in apt_settings()]
    done = subprocess.run(
        [
            "mmdebstrap",
            "--variant=apt",
            "--include=man-db",
            "--quiet",
            *settings,
            *hooks,
            host_suite(),
            "/dev/null",
            "-",
        ],
        input=debian_sources(host_suite()),
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert f"bootkit {__version__}" in done.stderr
