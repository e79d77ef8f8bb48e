"""The user's own things on every live system: sessions on sticks that are written to, each looked at afterwards."""

import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from bootkit.app.verbs.generate import plan_generation
from bootkit.app.verbs.home import create_home
from bootkit.app.verbs.images import add_images, plan_additions
from bootkit.app.verbs.options import plan_change
from bootkit.app.verbs.persist import create_persistence, plan_persistence
from bootkit.app.verbs.prepare import prepare_image
from bootkit.app.verbs.test import choose_targets
from bootkit.formats.partitions import read_partitions
from bootkit.model.prepare import Layout
from bootkit.plan.edit_settings import Change
from bootkit.system.changes import apply_changes
from bootkit.system.qemu import Accelerator
from bootkit.system.run import run
from bootkit.system.sticks import open_stick
from bootkit.system.volume import read_file
from bootkit.units import MIB
from tests.boots import live_iso, things
from tests.boots.clean import require_clean, require_clean_data
from tests.boots.conftest import Proves
from tests.boots.dracut_iso import cached_dracut_iso
from tests.boots.live_iso import cached_iso, host_suite
from tests.boots.machine import Session, session
from tests.boots.no_shell_iso import KINDS, cached_no_shell_iso
from tests.boots.things import APP, MACHINE, PASSPHRASE

pytestmark = pytest.mark.boots

SETTINGS = {
    "language": "de_DE.UTF-8",
    "keyboard": "de(nodeadkeys)",
    "timezone": "Europe/Berlin",
    "host": "stick1",
}
LIVE_USERS = {"live-boot": "user 1000 /home/user"}
LIVE_USER_OF_DRACUT = "liveuser 1001 /home/liveuser"
DATA = {Layout.SINGLE: "vfat", Layout.SPLIT: "ext4"}
EXTENSIONS = f"/boot/extensions/{MACHINE}"
LOGS = "/boot/bootkit/log"

REPORT = r"""
bootkit-status >/run/said
echo "status code=$?"
while IFS= read -r line; do echo "said $line"; done </run/said
[ ! -r /run/bootkit/user ] || read -r user uid gid home </run/bootkit/user
echo "user=${user-} ${uid-} ${home-}"
echo "hello=$(hello)"
echo "from extension=$(cat /run/from-extension /etc/hello.conf /opt/hello/note | tr '\n' ' ')"
echo "driver=$(grep -w hello /proc/filesystems | tr -d '\t')"
echo "firmware=$(cat /lib/firmware/hello.bin)"
echo "customized=$(tr '\n' ' ' </run/customized)"
echo "weekday=$(LC_ALL= LANG=$(. /etc/locale.conf; echo $LANG) date -d 2024-02-25 +%A)"
echo "init speaks=$(systemctl show-environment | grep ^LANG=)"
echo "zone=$(date -d '2024-07-01 12:00 UTC' '+%Z %H')"
echo "host=$(uname -n)"
echo "keyboard=$(. /etc/vconsole.conf; echo $KEYMAP $XKBLAYOUT $XKBVARIANT)"
app=$(sed -n 's/^Exec="\(.*\)" %U$/\1/p' /usr/local/share/applications/bootkit-Hello-x86_64.desktop)
echo "app=$("$app") $(Hello-x86_64)"
echo "kernel=$(uname -r)"
[ -z "${home-}" ] || {
  echo "before=$(tr '\n' ' ' <"$home/visits")"
  echo "owners=$(stat -c %u:%g "$home" "$home/visits" "$home/.profile" | sort -u | tr '\n' ' ')"
  runuser -u "$user" -- sh -c 'echo "$1" >>"$2/visits"' sh "$(uname -n)-$uid" "$home"
}
echo "device=$(grep " ${home:-none} " /proc/mounts | cut -d' ' -f1)"
echo "stick=$(grep ' /isodevice ' /proc/mounts)"
while IFS= read -r line; do echo "log $line"; done </run/bootkit/log
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stick:
    """An image file that stands for a stick, and what is done with it."""

    image: Path
    layout: Layout
    accelerator: Accelerator
    isos: tuple[Path, ...]

    def put(self, *files: tuple[Path, str]) -> None:
        with open_stick(self.image, writing=True) as opened:
            for source, path in files:
                opened.volume.copy_in(source, path, lambda _: None)

    def write(self, files: dict[str, bytes]) -> None:
        with open_stick(self.image, writing=True) as opened:
            opened.volume.write(files)

    def choose(self, values: dict[str, str]) -> None:
        changes = [Change(key=key, value=value) for key, value in values.items()]
        with open_stick(self.image, writing=True) as opened:
            apply_changes(plan_change(opened.volume, changes).plan, opened.volume)

    def boot(
        self,
        stack: str,
        *,
        words: Sequence[str] = (),
        read_only: bool = False,
        answers: Sequence[tuple[str, str]] = (),
    ) -> Session:
        """A session on the system of a boot stack, up to its end; all it said is in the test's output if it fails."""
        with open_stick(self.image) as opened:
            targets = choose_targets(opened.volume, [], every=False)
        (entry,) = (target.id_path for target in targets if target.path.endswith(f"/{iso(stack).name}"))
        ran = session(
            self.image,
            entry=entry,
            script=REPORT,
            accelerator=self.accelerator,
            words=words,
            read_only=read_only,
            answers=answers,
        )
        sys.stdout.write("\n".join((f"--- {stack} from {DATA[self.layout]}", *ran.report, "")))
        assert ran.ended, ran.serial[-4000:]
        return ran

    def fill(self, work: Path) -> None:
        """Until nothing fits any more: by mtools, since bootkit leaves itself room for its next change."""
        with self.image.open("rb") as file:
            data = max(read_partitions(file).partitions, key=lambda partition: partition.size)
        drive = f"{self.image}@@{data.start}"
        filler = work / "filler"
        filler.touch()
        os.truncate(filler, _told_free(drive))
        run(["mcopy", "-i", drive, filler, "::/filler"])
        assert _told_free(drive) == 0

    def read(self, path: str) -> bytes:
        with open_stick(self.image) as opened:
            content = read_file(opened.volume, path, 256 * MIB)
        assert content is not None, path
        return content

    def logs(self) -> list[str]:
        """What the boots have left, oldest first."""
        with open_stick(self.image) as opened:
            names = [stat.name for stat in opened.volume.listdir(LOGS)]
        return [self.read(f"{LOGS}/{name}").decode() for name in names]

    def check(self) -> None:
        """The checker of its file system finds nothing to mend."""
        require_clean_data(self.image, DATA[self.layout])

    def check_home(self, name: str) -> None:
        with tempfile.TemporaryDirectory(prefix="bootkit-") as folder:
            image = Path(folder, "home")
            image.write_bytes(self.read(f"/boot/home/{name}.home"))
            require_clean(image, "ext4")


def iso(stack: str) -> Path:
    if stack == "live-boot":
        return cached_iso(host_suite())
    return cached_no_shell_iso(host_suite(), stack) if stack in KINDS else cached_dracut_iso(host_suite(), stack)


def live_user(stack: str) -> str:
    return LIVE_USERS.get(stack, LIVE_USER_OF_DRACUT)


def _told_free(drive: str) -> int:
    """The bytes that mtools finds free, which stand in the last line of what it lists, with blanks between thousands."""
    last = run(["mdir", "-i", drive, "::/"]).decode().strip().splitlines()[-1]
    return int(last.removesuffix("bytes free").replace(" ", ""))


def said(ran: Session) -> list[str]:
    """The lines of bootkit-status, each with single blanks."""
    return [" ".join(line.split()[1:]) for line in ran.report if line.startswith("said ")]


def make_stick(work: Path, layout: Layout, stacks: Sequence[str], accelerator: Accelerator, room: int = 128) -> Stick:
    """A stick with the images of some boot stacks, and about ``room`` MiB for other things."""
    image = work / "stick.img"
    isos = [iso(stack) for stack in stacks]
    prepare_image(image, sum(one.stat().st_size for one in isos) + (64 + room) * MIB, layout=layout)
    with open_stick(image, writing=True) as opened:
        add_images(opened.volume, plan_additions(opened.volume, isos))
        apply_changes(plan_generation(opened.volume).plan, opened.volume)
    return Stick(image=image, layout=layout, accelerator=accelerator, isos=tuple(isos))


def furnish(stick: Stick, work: Path, *, passphrase: str = "", driver: bool = False) -> None:
    """All that a user may lay on it, in good order; with ``driver``, a kernel module that no system has, too."""
    app = work / APP
    app.write_bytes(things.APPIMAGE)
    stick.put(
        (things.hello_extension(work, isos=stick.isos if driver else ()), f"{EXTENSIONS}/hello.raw"),
        (app, f"/apps/{APP}"),
    )
    stick.write({"/boot/customize/init": things.INIT, "/boot/customize/10-mark": things.MARK})
    stick.choose(SETTINGS)
    if passphrase:
        stick.put((things.cryptsetup_extension(work), f"/boot/customize/{MACHINE}/cryptsetup.ExtensionImage"))
    with open_stick(stick.image, writing=True) as opened:
        create_home(opened.volume, "anna", 48 * MIB, passphrase=passphrase.encode() or None)


def require_all(ran: Session, stack: str, *, before: Sequence[str]) -> None:
    """Everything that :func:`furnish` has laid on the stick counts in the booted system."""
    facts = ran.facts
    number = live_user(stack).split()[1]
    assert facts["user"] == live_user(stack)
    assert facts["hello"] == "Hallo, Welt!"
    assert facts["from extension"] == "started of the extension in /opt "
    assert facts["firmware"] == "of the extension"
    assert facts["customized"] == "init mark "
    assert facts["weekday"] == "Sonntag"
    assert facts["init speaks"] == "LANG=de_DE.UTF-8"
    assert facts["zone"] == "CEST 14"
    assert facts["host"] == "stick1"
    assert facts["keyboard"] == "de-latin1-nodeadkeys de nodeadkeys"
    assert facts["app"] == "the app runs the app runs"
    assert facts["before"].split() == list(before)
    assert facts["owners"] == f"{number}:{number} "
    assert " rw," in facts["stick"]
    assert facts["status code"] == "0"
    assert not [line for line in said(ran) if " failed " in line]


def visits(stacks: Sequence[str]) -> list[str]:
    """The lines that sessions leave in the home, each with the number of the live user who wrote it."""
    return [f"stick1-{live_user(stack).split()[1]}" for stack in stacks]


def run_through(stick: Stick, stacks: Sequence[str], answers: Sequence[tuple[str, str]] = ()) -> list[Session]:
    """A session on each stack, one after the other: each finds what those before have left, and leaves the stick clean."""
    sessions: list[Session] = []
    for number, stack in enumerate(stacks):
        ran = stick.boot(stack, answers=answers)
        require_all(ran, stack, before=visits(stacks[:number]))
        stick.check()
        logs = stick.logs()
        assert len(logs) == number + 1
        assert "customize: ok: 10-mark" in logs[-1]
        assert "\nthe user is root\n" in logs[-1]
        sessions.append(ran)
    return sessions


def test_the_same_things_on_three_systems_from_fat32(work: Path, accelerator: Accelerator) -> None:
    stacks = ("live-boot", "f42", "kiwi")
    stick = make_stick(work, Layout.SINGLE, stacks, accelerator)
    furnish(stick, work)
    run_through(stick, stacks)
    stick.check_home("anna")
    home = stick.read("/boot/home/anna.home")
    off = stick.boot("live-boot", words=["bootkit=off"])
    assert said(off)[0] == "boot off bootkit=off is on the kernel line: nothing was changed"
    assert off.facts["hello"] == ""
    assert off.facts["customized"] == ""
    assert off.facts["status code"] == "0"
    assert off.facts["stick"] == ""
    assert stick.read("/boot/home/anna.home") == home
    stick.check()


@pytest.mark.parametrize(
    "stack", ["kiwi", *(pytest.param(stack, marks=pytest.mark.long) for stack in ("live-boot", "f41", "f42"))]
)
def test_an_encrypted_home_is_opened_at_boot_from_ext4(stack: str, work: Path, accelerator: Accelerator) -> None:
    stick = make_stick(work, Layout.SPLIT, (stack,), accelerator)
    driver = stack == "f41"
    furnish(stick, work, passphrase=PASSPHRASE, driver=driver)
    question = r"Passphrase of the home anna \({} of 3\)"
    answers = [(question.format(1), "close sesame"), (question.format(2), PASSPHRASE)]
    (ran,) = run_through(stick, (stack,), answers)
    assert ran.facts["driver"] == (things.DRIVER if driver else "")


def test_a_system_starts_though_all_is_broken_on_a_full_stick(work: Path, accelerator: Accelerator) -> None:
    stick = make_stick(work, Layout.SINGLE, ("f41",), accelerator, room=64)
    good = things.hello_extension(work)
    broken = work / "broken.raw"
    broken.write_bytes(good.read_bytes()[:4096])
    stick.put(
        (broken, f"{EXTENSIONS}/broken.raw"),
        (things.foreign_extension(work), f"{EXTENSIONS}/foreign.raw"),
        (good, f"{EXTENSIONS}/hello.raw"),
        (things.damaged_home(work / "anna.home"), "/boot/home/anna.home"),
    )
    stick.write({"/boot/customize/10-hangs": things.HANGS, "/boot/customize/20-fails": b"exit 3\n"})
    stick.choose(SETTINGS)
    stick.fill(work)
    ran = stick.boot("f41", words=["systemd.setenv=BK_SCRIPT_LIMIT=5"])
    # what is done with disks, and with the program on the stick, has tests of its own
    steps = [line for line in said(ran) if line and line.split()[0] not in {"disks", "held", "program", "guard"}]
    assert steps == [
        "stick failed /dev/sda1 is full: there is no log of this boot on it",
        "extensions failed broken.raw: it is damaged, or no squashfs",
        "extensions failed foreign.raw: it is for ID=fedora, and this is ID=debian",
        "extensions ok hello.raw",
        "isodevice ok the stick is there",
        "settings ok language de_DE.UTF-8, keyboard de nodeadkeys, time zone Europe/Berlin, host stick1",
        "apps none there are none in /apps",
        "user ok liveuser (1001), /home/liveuser",
        "home failed anna.home is damaged: on your computer, bootkit home check anna",
        "language ok the system speaks de_DE.UTF-8",
        "customize failed 10-hangs was stopped after 5 seconds",
        "customize failed 20-fails ended with status 3",
    ]
    assert ran.facts["status code"] == "1"
    assert ran.facts["hello"] == "Hallo, Welt!"
    stick.check()


def test_a_stick_that_cannot_be_written_gives_what_it_can(work: Path, accelerator: Accelerator, proves: Proves) -> None:
    stick = make_stick(work, Layout.SPLIT, ("f42",), accelerator)
    proves(stick.image, ".iso")
    furnish(stick, work)
    before = stick.image.read_bytes()
    ran = stick.boot("f42", read_only=True)
    assert [line for line in said(ran) if " failed " in line] == [
        "stick failed the stick is read-only",
        "home failed the stick is read-only: anna.home is left alone, and what liveuser writes is lost",
    ]
    facts = ran.facts
    assert facts["status code"] == "1"
    assert facts["hello"] == "Hallo, Welt!"
    assert facts["customized"] == "init mark "
    assert facts["host"] == "stick1"
    assert facts["before"] == ""
    assert stick.image.read_bytes() == before


@pytest.mark.long
@pytest.mark.parametrize("layout", list(Layout), ids=lambda layout: DATA[layout])
def test_every_system_from_every_file_system(layout: Layout, work: Path, accelerator: Accelerator) -> None:
    stacks = ("live-boot", "f41", "f42", "kiwi", "nixos")
    stick = make_stick(work, layout, stacks, accelerator)
    furnish(stick, work, driver=True)
    ran = run_through(stick, [stack for stack in stacks for _ in range(2)])
    assert {one.facts["driver"] for one in ran} == {things.DRIVER}
    stick.check_home("anna")


@pytest.mark.long
def test_encrypted_changes_are_opened_where_the_initrd_asks(
    work: Path, accelerator: Accelerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With an image that was made with the package cryptsetup-initramfs, as Kali's are."""
    monkeypatch.setattr(live_iso, "PACKAGES", (*live_iso.PACKAGES, "cryptsetup-initramfs"))
    work.chmod(0o755)
    image = live_iso.build(work, host_suite())
    stick = Stick(image=work / "stick.img", layout=Layout.SINGLE, accelerator=accelerator, isos=(image,))
    prepare_image(stick.image, image.stat().st_size + 192 * MIB, layout=stick.layout)
    with open_stick(stick.image, writing=True) as opened:
        volume = opened.volume
        add_images(volume, plan_additions(volume, [image]))
        plan = plan_persistence(volume, image.name, 64 * MIB, encrypted=True)
        create_persistence(volume, plan, passphrase=PASSPHRASE.encode())
        apply_changes(plan_generation(volume).plan, volume)
        (target,) = choose_targets(volume, [], every=False)
    script = 'echo "before=$(cat /root/mark)"\necho "left here" >/root/mark\n'
    asked = [(r"Please unlock disk \S+: ", PASSPHRASE)]
    for before in ("", "left here"):
        ran = session(stick.image, entry=target.id_path, script=script, accelerator=accelerator, answers=asked)
        assert ran.ended, ran.serial[-4000:]
        assert ran.facts["before"] == before
        stick.check()
