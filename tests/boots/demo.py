"""``./dev demo``: the whole way, with the commands a user would type, ending in two pictures.

Makes a small real live ISO from Debian's packages (kept in the cache folder), prepares a stick image, adds the ISO, and
boots the stick as a BIOS machine and as a UEFI machine.
"""

import json
import shlex
import subprocess
import sys
import time
from pathlib import Path

from tests.boots.live_iso import cached_iso, host_suite

BOOTKIT = Path(sys.executable).with_name("bootkit")


def main() -> None:
    started = time.monotonic()
    say("1. A small real live ISO, made from Debian's packages (the first time takes two minutes)")
    iso = cached_iso(host_suite())
    say(f"   {iso}")
    folder = iso.with_name("demo")
    folder.mkdir(exist_ok=True)
    stick = folder / "stick.img"
    stick.unlink(missing_ok=True)
    say("2. A stick, here an image file; on a real one it would be /dev/sdX")
    bootkit("prepare", stick, "--size", "1G", "--yes")
    say("3. The ISO goes on it, unchanged")
    bootkit("add", iso, "--stick", stick)
    say("4. The menu; it is up to date already, because add has written it")
    bootkit("generate", "--stick", stick)
    say("5. The proof: booted in QEMU, once as a BIOS machine and once as a UEFI machine")
    proofs = json.loads(bootkit("test", "--stick", stick, "--pictures", folder / "pictures", "--json"))["boots"]
    rows = [("FIRMWARE", "ENTRY", "VERDICT", "SECONDS"), *map(row, proofs)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    print()
    for cells in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip())
    print()
    for name, picture in zip(("the menu", "the booted system"), proofs[-1]["screenshots"], strict=True):
        print(f"{name}: {picture}")
    say(f"done in {time.monotonic() - started:.0f} s; the stick is {stick}")
    sys.exit(not all(proof["ok"] for proof in proofs))


def row(proof: dict[str, object]) -> tuple[str, str, str, str]:
    verdict = f"{proof['stage']}: {proof['pretty_name']}" if proof["ok"] else f"stuck: {proof['reason']}"
    return str(proof["firmware"]), str(proof["entry"]), verdict, str(proof["seconds"])


def bootkit(*words: str | Path) -> str:
    """Run a command of bootkit's; what it talks is seen, what it answers is returned."""
    argv = [str(BOOTKIT), *map(str, words)]
    say(f"   $ bootkit {shlex.join(argv[1:])}")
    done = subprocess.run(argv, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode and not done.stdout:
        sys.exit(done.returncode)
    return done.stdout


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
