"""A stick in the layout of SystemImageKit: boot/iso, boot/customize/<machine>/*ExtensionImage, boot/customize/init."""

import json
import shutil
import subprocess
from pathlib import Path

from tests.app.conftest import MakeIso
from tests.cli.conftest import Bootkit

INIT = '#!/bin/sh\n# SystemImageKit\nmount -o loop "$1" /ext\n'


def test_it_is_understood_as_it_is(bootkit: Bootkit, make_iso: MakeIso, tmp_path: Path) -> None:
    stick, tree = tmp_path / "stick", tmp_path / "tree"
    for folder in ("boot/iso", "boot/grub"):
        (stick / folder).mkdir(parents=True)
    (tree / "usr/bin").mkdir(parents=True)
    (tree / "usr/bin/tool").write_text("#!/bin/sh\n")
    shutil.copy(make_iso("debian-live.iso"), stick / "boot/iso")
    refused = bootkit("list", "--stick", stick)
    assert refused.returncode == 1
    assert "is not a bootkit stick" in refused.stderr
    (stick / "boot/customize/x86_64").mkdir(parents=True)
    extension = stick / "boot/customize/x86_64/hello.ExtensionImage"
    subprocess.run(["mksquashfs", tree, extension, "-quiet"], check=True, capture_output=True)
    (stick / "boot/customize/init").write_text(INIT)
    (stick / "boot/grub/grub.cfg").write_text("# written by SystemImageKit\n")
    (image,) = json.loads(bootkit("list", "--stick", stick, "--json").stdout)
    assert image["path"] == "/boot/iso/debian-live.iso"
    assert image["recognition"]["detection"]["stack"] == "live-boot"
    (row,) = json.loads(bootkit("ext", "list", "--stick", stick, "--json").stdout)
    assert (row["path"], row["enabled"], row["facts"]["programs"]) == (
        "/boot/customize/x86_64/hello.ExtensionImage", True, ["tool"],
    )  # fmt: skip
    assert bootkit("generate", "--stick", stick).returncode == 0
    assert "image:" in (stick / "boot/grub/grub.cfg").read_text()
    assert (stick / "boot/grub/grub.cfg.old").read_text() == "# written by SystemImageKit\n"
    assert (stick / "boot/customize/init").read_text() == INIT
    assert (stick / "boot/bootkit/overlays/live-boot.cpio").is_file()
    assert bootkit("options", "set", "timeout", "5", "--stick", stick).returncode == 0
    assert "timeout = 5" in (stick / "boot/bootkit/stick.toml").read_text()
