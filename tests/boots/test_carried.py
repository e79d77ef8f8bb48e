"""A stick that looks after itself: a live system booted from it writes its menu, and the new entry boots.

./dev test carried
"""

import sys
from pathlib import Path

import pytest

from bootkit.app.verbs.ext_create import ExtensionWish, make, plan_extension
from bootkit.app.verbs.generate import plan_generation
from bootkit.app.verbs.images import add_images, plan_additions
from bootkit.app.verbs.prepare import prepare_image
from bootkit.app.verbs.test import choose_targets
from bootkit.model.prepare import Layout
from bootkit.system.changes import apply_changes
from bootkit.system.qemu import Accelerator
from bootkit.system.sticks import open_stick
from bootkit.units import MIB
from tests.app.conftest import small_iso
from tests.boots.clean import require_clean_data
from tests.boots.live_iso import cached_iso, host_suite
from tests.boots.machine import Session, session

pytestmark = [pytest.mark.boots, pytest.mark.long]

DOES = r"""
does() {
	bk_key=$1
	shift
	"$@" >/run/said 2>&1
	echo "$bk_key=$?"
	while IFS= read -r line; do echo "said $line"; done </run/said
}
"""
LOOKS_AFTER_ITSELF = rf"""{DOES}
cp /isodevice/download /isodevice/boot/iso/second.iso
echo "entry=$(grep -c 'Look after this stick' /usr/local/share/applications/bootkit.desktop)"
does generated /isodevice/boot/generate
does removed bootkit remove live-first.iso --yes
does options bootkit options set timeout 7
does extensions bootkit ext list
does checked bootkit check
# as a browser leaves it, in the user's folder
cp /isodevice/small /run/small.iso
does added bootkit add /run/small.iso
does home bootkit home create mine --size 64M
does shown python3 /isodevice/terminal.py
"""
TERMINAL = r"""
import fcntl, os, pty, re, select, struct, sys, termios, time

child, line = pty.fork()
if child == 0:
    os.execvpe("bootkit", ["bootkit", "tui"], {**os.environ, "TERM": "xterm-256color", "HOME": "/root"})
fcntl.ioctl(line, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
seen, deadline, asked = b"", time.monotonic() + 240, False
while time.monotonic() < deadline:
    if select.select([line], [], [], 1)[0]:
        try:
            seen += os.read(line, 1 << 16)
        except OSError:
            break
    screen = re.sub(rb"\x1b\[[0-9;?]*[A-Za-z]", b"", seen)
    if not asked and b"Debian Bookworm Live" in screen and b"Debian 12.5.0 Live" in screen:
        asked = True
        os.write(line, b"\x11")  # Ctrl+Q
print("images on the screen:", asked, "" if asked else screen[-1500:])
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) if asked else 99)
"""
NEW_ENTRY = r"""
echo "words=$(cat /proc/cmdline)"
echo "system=$(. /etc/os-release; echo $ID)"
echo "home=$(while read -r device folder rest; do [ "$device" = "${device#/dev/loop}" ] || echo "$folder"; done </proc/mounts | grep -c ^/home/)"
"""


def boot(stick: Path, name: str, script: str, accelerator: Accelerator) -> Session:
    with open_stick(stick) as opened:
        targets = choose_targets(opened.volume, [], every=False)
    (entry,) = (target.id_path for target in targets if target.path.endswith(f"/{name}"))
    ran = session(stick, entry=entry, script=script, accelerator=accelerator, stick_driver="virtio-blk-pci")
    sys.stdout.write("\n".join((f"--- {name}", *ran.report, "")))
    assert ran.ended, ran.serial[-4000:]
    return ran


@pytest.mark.parametrize("layout", Layout)
def test_the_running_system_writes_the_menu_and_the_new_entry_boots(
    layout: Layout, work: Path, accelerator: Accelerator
) -> None:
    iso = work / "live-first.iso"
    iso.symlink_to(cached_iso(host_suite()))
    python = ExtensionWish(name="python", output=work / "python.raw", packages=("python3",), onto=iso)
    stick = work / "stick.img"
    prepare_image(stick, 640 * MIB, layout=layout)
    with open_stick(stick, writing=True) as opened:
        add_images(opened.volume, plan_additions(opened.volume, [iso]))
        opened.volume.copy_in(make(plan_extension(python)).path, "/boot/extensions/x86_64/python.raw", lambda _: None)
        # what is no ISO file by its name is no image yet
        opened.volume.copy_in(iso, "/download", lambda _: None)
        opened.volume.copy_in(small_iso(work, "small"), "/small", lambda _: None)
        opened.volume.write({"/terminal.py": TERMINAL.encode()})
        apply_changes(plan_generation(opened.volume).plan, opened.volume)
    ran = boot(stick, "live-first.iso", LOOKS_AFTER_ITSELF, accelerator)
    facts = ran.facts
    assert facts["entry"] == "1"
    assert facts["generated"] == "0"
    assert "said The menu is written: 2 of 2 images boot from it. 1 image looked into." in ran.report
    assert facts["removed"] == "1"
    assert [line for line in ran.report if "/boot/iso/live-first.iso is in use as /dev/loop" in line]
    assert facts["options"] == "0"
    assert facts["extensions"] == "0"
    assert facts["added"] == "0"
    assert facts["home"] == "0"
    assert facts["shown"] == "0"
    require_clean_data(stick, "vfat" if layout is Layout.SINGLE else "ext4")
    new = boot(stick, "second.iso", NEW_ENTRY, accelerator)
    assert "findiso=/boot/iso/second.iso" in new.facts["words"]
    assert new.facts["system"] == "debian"
    assert new.facts["home"] == "1"
