"""What a user keeps on a stick beside the images: a home, extensions, scripts and an AppImage, made by the real tools."""

import fcntl
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from bootkit.app.verbs.ext_create import ExtensionWish, make, plan_extension
from bootkit.detect.registry import recognise
from bootkit.formats.compression import detect, unpack_block
from bootkit.plan.wanted_files import root_images
from bootkit.probe.image import open_image
from bootkit.system.fsimage import make_ext4
from bootkit.units import MIB
from tests.boots.live_iso import cached_iso, host_suite

MACHINE = "x86_64"
LOCALE = "de_DE"
PASSPHRASE = "open sesame"
APP = "Hello-x86_64.AppImage"
DRIVER = "hello"
"""A file system's driver; as long as ``msdos``."""

INIT = b"#!/bin/sh\necho init >>/run/customized\n"
"""SystemImageKit's own name for it, which comes first."""
MARK = b"#!/bin/sh\r\necho mark >>/run/customized\r\necho the user is $(id -un)\r\n"
"""As a Windows editor leaves it."""
HANGS = b"#!/bin/sh\ntrap '' TERM\nwhile :; do sleep 1; done\n"
"""Until it is killed."""
APPIMAGE = b"#!/bin/sh\necho the app runs\n"
"""An AppImage is a program in one file; which one does not matter to the overlay."""
UNIT = b"[Service]\nType=oneshot\nExecStart=/bin/sh -c 'echo started >/run/from-extension'\n"


def unpacked(tree: Path, *names: str) -> Path:
    """Debian packages by their names, out of the machine's own apt sources, kept in the cache folder."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "bootkit" / "debs"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if missing := [name for name in names if not [*folder.glob(f"{name}_*.deb")]]:
            subprocess.run(["apt-get", "-qq", "download", *missing], cwd=folder, check=True, stdout=sys.stderr)
    for name in names:
        subprocess.run(["dpkg-deb", "-x", next(folder.glob(f"{name}_*.deb")), tree], check=True)
    return tree


def squashed(tree: Path, image: Path) -> Path:
    argv = ["mksquashfs", str(tree), str(image), "-noappend", "-quiet", "-no-progress", "-all-root", "-comp", "gzip"]
    subprocess.run(argv, check=True, stdout=sys.stderr)
    return image


def hello_extension(work: Path, *, isos: Sequence[Path] = ()) -> Path:
    """Debian's hello, a language, and what has to be there before the system's own init looks.

    That is a unit, a file in /etc, firmware, and for the kernel of each of ``isos`` a module that systemd is told to load.
    """
    tree = work / "hello"
    unit = tree / "usr/lib/systemd/system/from-extension.service"
    unit.parent.mkdir(parents=True)
    unit.write_bytes(UNIT)
    wants = tree / "etc/systemd/system/basic.target.wants"
    wants.mkdir(parents=True)
    (wants / unit.name).symlink_to(f"/usr/lib/systemd/system/{unit.name}")
    (tree / "etc/hello.conf").write_text("of the extension\n")
    (tree / "opt/hello").mkdir(parents=True)
    (tree / "opt/hello/note").write_text("in /opt\n")
    firmware = tree / "lib/firmware/hello.bin"
    firmware.parent.mkdir(parents=True)
    firmware.write_text("of the extension\n")
    if isos:
        (tree / "etc/modules-load.d").mkdir()
        (tree / "etc/modules-load.d/hello.conf").write_text(f"fs-{DRIVER}\n")
    for iso in isos:
        add_module(iso, tree)
    locale = tree / f"usr/lib/locale/{LOCALE}.utf8"
    locale.parent.mkdir(parents=True)
    sources = unpacked(work / "locales", "locales") / "usr/share/i18n"
    argv = ["localedef", "--no-archive", "-i", LOCALE, "-f", "UTF-8", str(locale)]
    subprocess.run(argv, env={**os.environ, "I18NPATH": str(sources)}, check=True)
    onto = cached_iso(host_suite())  # without the packages that live systems have
    wish = ExtensionWish(name="hello", output=work / "hello.raw", sources=(tree,), packages=("hello",), onto=onto)
    return make(plan_extension(wish)).path


def add_module(iso: Path, tree: Path) -> None:
    """A module for the kernel in ``iso`` that the system there does not have: its own ``msdos.ko`` by another name.

    So it needs another module (``fat``), and answers to an alias. A signature would not fit what was changed; Linux takes
    a module without one.
    """
    with open_image(iso) as view:
        detection = recognise(view).detection
        assert detection is not None
        root = view.open_root(root_images(view, detection)[0]).tree
        (version,) = (entry.name for entry in root.listdir("/usr/lib/modules") or ())
        folder = f"/usr/lib/modules/{version}/kernel/fs/fat"
        (name,) = (entry.name for entry in root.listdir(folder) or () if entry.name.startswith("msdos.ko"))
        module = root.read(f"{folder}/{name}", MIB)
    if packed := detect(module[:16]):
        module = unpack_block(packed, module, MIB)
    ours = tree / f"lib/modules/{version}/updates/{DRIVER}.ko"
    ours.parent.mkdir(parents=True, exist_ok=True)
    ours.write_bytes(module.removesuffix(b"~Module signature appended~\n").replace(b"msdos", DRIVER.encode()))


def cryptsetup_extension(work: Path) -> Path:
    """As users of SystemImageKit have made theirs: packages as they are, with a real /sbin and /lib."""
    names = (
        "cryptsetup-bin",
        "libcryptsetup12",
        "libargon2-1",
        "libdevmapper1.02.1",
        "libjson-c5",
        "libpopt0",
        "libssl3",
    )
    return squashed(unpacked(work / "cryptsetup", *names), work / "cryptsetup.ExtensionImage")


def damaged_home(path: Path) -> Path:
    """One that says it is clean and has lost its root directory, which no checker mends without asking."""
    make_ext4(path, 24 * MIB, label="anna", owner=(1000, 1000))
    subprocess.run(["debugfs", "-w", "-R", "clri <2>", path], check=True, capture_output=True)
    return path


def foreign_extension(work: Path) -> Path:
    """One that says it is for Fedora."""
    tree = work / "foreign"
    release = tree / "usr/lib/extension-release.d/extension-release.foreign"
    release.parent.mkdir(parents=True)
    release.write_text("ID=fedora\nVERSION_ID=42\n")
    return squashed(tree, work / "foreign.raw")
