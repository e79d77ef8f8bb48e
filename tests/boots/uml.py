"""Sessions under User Mode Linux: a kernel that is a program. It starts an entry's initrds and words without firmware and GRUB.

What initrd and system do is what they do anywhere, in a fraction of the time that an emulator takes. The kernel is not the
system's own: its modules come in an archive of their own, into the initrd only.
"""

import os
import pty
import re
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO, cast

from bootkit.app.menu.overlays import plan_overlays
from bootkit.app.stick.recognition import answered
from bootkit.app.stick.state import read_state
from bootkit.overlay.pack import pack
from bootkit.probe.image import open_image
from bootkit.system.run import kill_group, popen
from bootkit.system.sticks import open_stick
from tests.boots.cache import cached
from tests.boots.machine import Session, report_archive

REGISTERS = Path(__file__).with_name("uml_registers.c")
MODULES = (
    "aes_generic", "af_alg", "algif_skcipher", "cbc", "crc16", "crc32c_generic", "cryptd", "dm-bufio", "dm-crypt", "dm-mod",
    "dm-snapshot", "ecb", "encrypted-keys", "essiv", "ext4", "exfat", "fat", "gf128mul", "jbd2", "libaes", "loop", "mbcache",
    "nls_ascii", "nls_cp437", "nls_iso8859-1", "nls_utf8", "overlay", "squashfs", "trusted", "vfat", "xts",
)  # fmt: skip
EARLY = ("loop", "nls_cp437", "nls_ascii", "nls_iso8859-1", "vfat", "overlay")
"""What the system wants when its own modules are of another kernel."""
CONSOLE = ("con=null", "ssl=null", "ssl0=fd:0,fd:1", "console=ttyS0")
"""The line that is heard. Not tty0: by that name systemd expects a screen, and asks nobody for a passphrase where there is none."""
TIME_LIMIT = 240.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What a line of the menu starts."""

    kernel: str
    """Its path, which says the version; another one runs."""
    words: tuple[str, ...]
    initrds: tuple[bytes, ...]


def uml_session(
    stick: Path,
    chosen: Chosen,
    *,
    script: str,
    answers: Sequence[tuple[str, str]] = (),
    cut_at: str = "",
) -> Session:
    """Boot what was chosen, and wait until the system has switched itself off.

    The kernel's place is taken by User Mode Linux. ``cut_at`` is a regular expression: once the console has shown it, the
    machine stops without another instruction, as where the power fails.
    """
    with TemporaryDirectory(prefix="bootkit-") as name:
        initrd = Path(name, "initrd")
        # the unpacker takes no archive that does not begin at a multiple of four
        parts = (*chosen.initrds, _modules(Path(name)), report_archive(script), _early())
        initrd.write_bytes(b"".join(part + bytes(-len(part) % 4) for part in parts))
        argv = [
            "linux.uml", "mem=900M", f"ubd0={stick}", f"initrd={initrd}", *CONSOLE, f"umid={Path(name).name}",
            *chosen.words, "panic=-1", "pty.legacy_count=0", f"rd.driver.pre={','.join(EARLY)}",
        ]  # fmt: skip
        return _run(argv, answers, cut_at)


def choose(stick: Path, path: str, entry: int) -> Chosen:
    """What the entry of that number of the image at ``path`` starts, as the image is now."""
    with open_stick(stick) as opened:
        volume = opened.volume
        state = read_state(volume, insides=True)
        (item,) = (item for item in state.offered if item.path == path)
        additions = plan_overlays(volume, (item,), state.choices).by_image[path]
        with volume.open(path) as fh, open_image(fh, name=item.name, size=item.size) as view:
            detection = answered(item, view).detection
            assert detection is not None
            first = detection.entries[entry]
            own = [view.read(initrd, 1 << 30) for initrd in first.initrds]
        words = (*(word for word in first.cmdline if word != "quiet"), *additions.words)
        added: list[bytes] = []
        for initrd in additions.initrds:
            with volume.open(initrd) as fh:
                added.append(fh.read())
        return Chosen(kernel=first.kernel, words=words, initrds=(*own, *added))


def _modules(work: Path) -> bytes:
    """The modules of User Mode Linux where initrds keep theirs."""
    (source,) = Path("/usr/lib/uml/modules").iterdir()
    folder = work / "tree/usr/lib/modules" / source.name
    folder.mkdir(parents=True)
    for module in source.rglob("*.ko"):
        if module.stem in MODULES:
            shutil.copy(module, folder)
    for name in ("modules.builtin", "modules.builtin.modinfo", "modules.order"):
        shutil.copy(source / name, folder)
    subprocess.run(["depmod", "-b", work / "tree/usr", source.name], check=True)
    listed = "\0".join(str(one.relative_to(work / "tree")) for one in sorted([folder, *folder.iterdir()]))
    return subprocess.run(
        ["cpio", "--null", "-o", "-H", "newc", "--quiet"], input=listed.encode(), cwd=work / "tree", stdout=subprocess.PIPE,
        check=True,
    ).stdout  # fmt: skip


def _early() -> bytes:
    """The modules loaded by initramfs-tools; dracut does it by ``rd.driver.pre``."""
    return pack({"conf/conf.d/aa-uml": f"for m in {' '.join(EARLY)}; do modprobe $m || :; done\n".encode()})


def _registers() -> Path:
    """The preloaded library, compiled once."""

    def compiled(work: Path) -> Path:
        subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", work / "made", REGISTERS], check=True)
        return work / "made"

    return cached("uml-registers", ".so", REGISTERS.read_bytes(), compiled)


def _run(argv: Sequence[str | Path], answers: Sequence[tuple[str, str]], cut_at: str) -> Session:
    ours, theirs = pty.openpty()
    waiting, text = list(answers), ""
    environment = {**os.environ, "LD_PRELOAD": str(_registers())}
    deadline = time.monotonic() + TIME_LIMIT
    with (
        closing(cast("BinaryIO", os.fdopen(ours, "r+b", buffering=0))) as console,
        popen(argv, stdin=theirs, stdout=theirs, stderr=subprocess.STDOUT, env=environment) as process,
    ):
        os.close(theirs)
        while process.poll() is None and time.monotonic() < deadline and not (cut_at and re.search(cut_at, text)):
            if select.select([console], [], [], 0.2)[0]:
                text += _heard(console)
            if waiting and re.search(waiting[0][0], text):
                console.write(waiting.pop(0)[1].encode() + b"\n")
        ended = process.poll() is not None
        helpers = _helpers(process.pid)
        kill_group(process)
        for helper in helpers:  # one that reads the disk has left the group
            with suppress(ProcessLookupError):
                os.kill(helper, signal.SIGKILL)
        while ended and (rest := _heard(console)):
            text += rest
    return Session(serial=text, ended=ended)


def _helpers(pid: int) -> list[int]:
    """The children of a process that may have ended."""
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []


def _heard(console: BinaryIO) -> str:
    try:
        return console.read(1 << 16).decode("utf-8", "replace")
    except OSError:
        time.sleep(0.05)  # the last process on the other side has gone
        return ""
