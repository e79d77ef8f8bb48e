"""A root with a shell of an initrd and stand-ins for the programs that want a machine: what they were told is what was done."""

import subprocess
from pathlib import Path

from bootkit.system.run import which
from tests.overlay.small_initrd import BUSYBOX, add_program

OVERLAYS = Path(__file__).parents[2] / "initrd_overlays"
SHELLS = ("busybox", "dash")
"""The first is ash, with programs of its own behind it; dash takes the same ones."""
_APPLETS = ("cat", "chmod", "cp", "dd", "false", "grep", "mkdir", "readlink", "rm", "sync", "timeout", "tr", "true")


class Sandbox:
    """Scripts run in ``root`` as it is; ``/said`` has a line for each call of a stand-in."""

    def __init__(self, root: Path, shell: str) -> None:
        self.root = root
        self._calls: dict[str, str] = {}
        for folder in ("bin", "dev", "proc", "run/bootkit/stick", "sys/module", "tmp", "etc", "bootkit"):
            (root / folder).mkdir(parents=True)
        (root / "bin/busybox").write_bytes(Path(which("busybox") or BUSYBOX).read_bytes())
        (root / "bin/busybox").chmod(0o755)
        for applet in _APPLETS:
            (root / "bin" / applet).symlink_to("busybox")
        if shell == "dash":
            add_program(root, "dash", "bin/sh")
        else:
            (root / "bin/sh").symlink_to("busybox")
        self.write("dev/null", "")
        self.write("proc/uptime", "1.50 1.0\n")
        self.write("proc/cmdline", "quiet\n")
        self.write("said", "")

    def write(self, path: str, content: str | bytes) -> None:
        """A file of the root, with the folders on the way."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)

    def stand_in(self, name: str, body: str = ":") -> None:
        """A program that notes its words, and then does what ``body`` says.

        A function, because the shell of busybox takes its own programs before those in a folder, and a script for those
        who look for a program.
        """
        steps = f'echo "{name} $*" >>/said\n{body}\n'
        # a function in which to exit would be to end the script
        if name.isidentifier():
            self._calls[name] = f"{name}() (\n{steps})\n"
        self.write(f"bin/{name}", f"#!/bin/sh\n{steps}")
        (self.root / "bin" / name).chmod(0o755)

    def forget(self, name: str) -> None:
        """A program that is not there after all."""
        self._calls.pop(name, None)
        (self.root / "bin" / name).unlink()

    def take(self, *names: str) -> None:
        """Scripts of the overlays, where they lie in an initrd."""
        scripts = {path.name: path for path in OVERLAYS.glob("*/files/*.sh")}
        for name in names:
            self.write(f"bootkit/{name}", scripts[name].read_bytes())

    def run(self, script: str) -> tuple[int, list[str]]:
        """The status, and the lines on standard output."""
        self.write("calls", "".join(self._calls.values()))
        self.write("script", script)
        # a device cannot be made without root, but taken from this computer
        enter = 'mount --bind /dev/null "$1/dev/null" && exec chroot "$1" /bin/sh -c ". /calls; . /script"'
        argv: list[str | Path] = ["unshare", "--map-root-user", "--mount", "sh", "-c", enter, "sh", self.root]
        done = subprocess.run(argv, env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}, capture_output=True, check=False)
        assert not done.stderr, done.stderr.decode()
        return done.returncode, done.stdout.decode().splitlines()

    def step(self, name: str, choices: str = "") -> list[str]:
        """What a step says of itself when main.sh runs it: ``ok it is done``."""
        steps = f"BK_HERE=/bootkit; BK_WORDS=; . /bootkit/lib.sh; {choices}\nbk_run {name}\ncat $BK/status"
        _, lines = self.run(steps)
        return [line.removeprefix(f"{name} ") for line in lines]

    @property
    def said(self) -> list[str]:
        return (self.root / "said").read_text().splitlines()

    @property
    def log(self) -> str:
        return (self.root / "run/bootkit/log").read_text()
