"""The disk that turns a boot into a test, beside the stick and never on it.

A tested machine gets a second, tiny disk (ext2, file-system UUID ``TEST_UUID``) and one SMBIOS OEM string (type 11)
``bootkit-test=<that UUID>``. The stick's ``grub.cfg`` reads the string as its last act and sources ``test.cfg`` from
the disk; a machine without the string never gets that far. What ``grub.cfg`` and ``test.cfg`` agree on:

``test_words``
    Words at the end of every ``linux`` line that boots an image; empty in a normal boot.
``test_initrd``
    One more file at the end of every ``initrd`` line that boots an image: the witness overlay
    (``initrd_overlays/witness``), which makes the system say on the serial line how far it came.
``default``
    The entry under test, as ids: ``entry`` or ``submenu>entry``.
``timeout``
    -1: the menu stays until the test has its picture of it and presses Enter.

``test.cfg`` switches the serial terminal on and ends by printing ``MENU_LINE``.
"""

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from tempfile import TemporaryDirectory

from bootkit.errors import UsageError
from bootkit.i18n import tr
from bootkit.overlay.pack import secondary_initrd
from bootkit.system.run import run

TEST_UUID = "b007c177-7e57-4000-8000-000000000001"
OEM_STRING = f"bootkit-test={TEST_UUID}"
MENU_LINE = "bootkit: menu"
TEST_WORDS = (
    "console=tty0",
    "console=ttyS0,115200",  # the last one is /dev/console: what an initrd complains about has to be seen
    "loglevel=7",
    "ignore_loglevel",  # Alpine, MX and Linux Live Kit lower the console's level, and the witness' lines are lost
    "enforcing=0",  # SELinux knows no label for a unit that an initrd has left in /run
)

_ARCHIVE = {
    "bootkit-witness/witness.sh": "witness.sh",
    "bootkit-witness/userspace.sh": "userspace.sh",
    "bootkit-witness/bootkit-witness.service": "bootkit-witness.service",
    "bootkit-witness/early.sh": "dracut-early.sh",
    "bootkit-witness/late.sh": "dracut-late.sh",
    "conf/conf.d/zz-bootkit-witness": "initramfs-tools.sh",
    "usr/lib/dracut/hooks/cmdline/00-bootkit-witness.sh": "dracut-early.sh",
    "var/lib/dracut/hooks/cmdline/00-bootkit-witness.sh": "dracut-early.sh",
    "usr/lib/dracut/hooks/pre-pivot/95-bootkit-witness.sh": "dracut-late.sh",
    "var/lib/dracut/hooks/pre-pivot/95-bootkit-witness.sh": "dracut-late.sh",
}
"""Name in the archive to name in ``initrd_overlays/witness/files``; its README says who runs which."""


def witness_archive() -> bytes:
    """The witness overlay as a secondary initrd."""
    source: Traversable = files("bootkit").joinpath("initrd_overlays", "witness", "files")
    members = {name: source.joinpath(file).read_bytes() for name, file in _ARCHIVE.items()}
    return secondary_initrd(members, directories=["bootkit-witness"])


def render_test_cfg(entry: str, *, words: tuple[str, ...] = ()) -> str:
    """``test.cfg`` for one entry; ``words`` go behind the usual kernel words.

    Raises:
        UsageError: an id or a word that GRUB would take apart.
    """
    kernel_words = " ".join((*TEST_WORDS, *words))
    for text in (entry, kernel_words):
        if set(text) & set("\"\\$\n'"):
            raise UsageError(tr("{text} cannot be handed to GRUB", text=repr(text)))
    return f"""\
serial --unit=0 --speed=115200
terminal_output --append serial
set default="{entry}"
set timeout=-1
set test_words="{kernel_words}"
set test_initrd="($bk_test)/witness.cpio"
export test_words test_initrd
echo "{MENU_LINE}"
"""


def make_test_disk(path: Path, entry: str, *, words: tuple[str, ...] = ()) -> None:
    """Write the test disk to a new file.

    Raises:
        ToolMissing, CommandFailed: ``mke2fs`` is not there, or failed.
    """
    with TemporaryDirectory(prefix="bootkit-witness-") as folder:
        tree = Path(folder)
        (tree / "test.cfg").write_text(render_test_cfg(entry, words=words))
        (tree / "witness.cpio").write_bytes(witness_archive())
        with path.open("xb") as disk:
            disk.truncate(2 << 20)
        run(["mke2fs", "-q", "-F", "-t", "ext2", "-U", TEST_UUID, "-L", "BOOTKITTEST", "-d", tree, path])
