"""The install lines of README.md, as typed in a fresh Debian; then what a newcomer types next: by ``./dev test install``, as root.

CI tries the line of the package in the Debian that it runs on, in ``test_deb.py``.
"""

import os
import re
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from bootkit import __version__
from tests.app.conftest import small_iso
from tests.boots.live_iso import apt_settings, debian_sources, host_suite

ROOT = Path(__file__).parents[2]
SUITES = ("bookworm", "trixie")
"""Debian 12 and 13."""
PACKAGES = (
    "ca-certificates", "pipx", "python3-venv", "sudo", "man-db", "e2fsprogs", "fdisk", "grub-common", "grub-pc-bin", "mtools", "dosfstools",
)  # fmt: skip
FIRST_STEPS = """\
set -eu
export PATH="$HOME/.local/bin:$PATH"
test "$(bootkit --version)" = "bootkit VERSION"
rm -f /tmp/stick.img
bootkit prepare /tmp/stick.img --size 300M --yes
bootkit add /tmp/debian.iso --stick /tmp/stick.img
bootkit check --stick /tmp/stick.img
_BOOTKIT_COMPLETE=bash COMP_WORDS='bootkit
remove
d' COMP_CWORD=2 BOOTKIT_STICK=/tmp/stick.img bootkit | grep -x debian.iso
"""
MANUAL = "man --where bootkit && man --where 5 stick.toml && man --where 7 bootkit-detector"

pytestmark = [pytest.mark.boots, pytest.mark.long]


def lines() -> dict[str, str]:
    """The lines of README.md by their first word; a comment is for people."""
    blocks = re.findall(r"^```\n(.*?)^```$", readme_section(), flags=re.MULTILINE | re.DOTALL)
    return {line.split()[0]: line.partition("  #")[0] for block in blocks for line in block.splitlines()}


def readme_section() -> str:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return text.partition("## Install it\n")[2].partition("\n## ")[0]


@contextmanager
def fresh_system(suite: str) -> Generator[Path]:
    """A root with Debian and this repository in /root/bootkit, in which one may become root and look at the network."""
    with TemporaryDirectory(prefix="bootkit-") as name:
        root = Path(name, "root")
        settings = [f"--aptopt={setting}" for setting in apt_settings()]
        argv = ["mmdebstrap", "--variant=apt", "--quiet", *settings, f"--include={','.join(PACKAGES)}", suite, "-", "-"]
        root.mkdir()
        # by way of an archive: what mmdebstrap mounts in a folder is not always gone when it ends
        with Path(name, "root.tar").open("w+b") as tar:
            subprocess.run(argv, input=sources_of(suite).encode(), stdout=tar, check=True)
        subprocess.run(["tar", "-x", "-f", Path(name, "root.tar"), "-C", root], check=True)
        (root / "root/bootkit").mkdir()
        tree = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
        names: list[str | Path] = [*tree.decode().rstrip("\0").split("\0")]
        copy: list[str | Path] = ["cp", "--parents", "--no-dereference", "-t", root / "root/bootkit"]
        subprocess.run([*copy, *names], cwd=ROOT, check=True)
        answers = [*apt_settings(), 'APT::Get::Assume-Yes "true";']
        (root / "etc/apt/apt.conf.d/90test").write_text("".join(f"{setting}\n" for setting in answers))
        # how this machine's pip reaches an index
        for path in (Path("/etc/pip.conf"), Path("/etc/ssl/certs/ca-certificates.crt"), Path("/etc/resolv.conf")):
            if path.exists():
                (root / path.relative_to("/")).write_bytes(path.read_bytes())
        small_iso(Path(name), "debian.iso").rename(root / "tmp/debian.iso")
        yield root
        assert os.fspath(root) not in Path("/proc/mounts").read_text()  # or all that is mounted there would go, too


def typed(root: Path, script: str) -> str:
    """What is said on standard output; with a /proc that nobody else sees, and which is gone afterwards."""
    enter = 'mount -t proc proc "$0/proc" && exec chroot "$0" /usr/bin/env HOME=/root LANG=C.UTF-8 bash -c "$1"'
    argv: list[str | Path] = ["unshare", "--mount", "sh", "-c", enter, root, f"cd ~/bootkit && {script}"]
    done = subprocess.run(argv, check=False, capture_output=True, text=True)
    assert done.returncode == 0, f"{script}\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
    return done.stdout


def sources_of(suite: str) -> str:
    """The machine's sources, which serve other releases as well, for ``suite``."""
    return debian_sources(host_suite()).replace(host_suite(), suite)


@pytest.fixture(scope="module", params=SUITES)
def system(request: pytest.FixtureRequest) -> Generator[Path]:
    with fresh_system(request.param) as root:
        typed(root, "apt-get update")
        yield root


def test_the_package_is_built_and_installed_as_typed(system: Path) -> None:
    said = typed(system, "packaging/deb 2>&1 || true")
    typed(system, said.partition("Install these first: ")[2].strip())  # what a newcomer is told
    typed(system, lines()["packaging/deb"])
    assert "debian.iso" in typed(system, FIRST_STEPS.replace("VERSION", __version__))
    assert typed(system, MANUAL).split()[0].endswith("/man1/bootkit.1.gz")
    typed(system, "sudo apt purge bootkit && ! command -v bootkit")


@pytest.mark.parametrize("line", ["pipx", "uv", "packaging/zipapp"])
def test_a_line_installs_it_as_typed(system: Path, line: str) -> None:
    if line == "uv":
        typed(system, "pipx install uv")
    typed(system, f'export PATH="$HOME/.local/bin:$PATH"; {lines()[line]}')
    said = typed(system, FIRST_STEPS.replace("VERSION", __version__))
    assert "debian.iso" in said
    typed(system, {"pipx": "pipx uninstall bootkit", "uv": "~/.local/bin/uv tool uninstall bootkit"}.get(line, "true"))
