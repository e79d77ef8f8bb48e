"""Adapters of stacks whose images cannot be made here: in a small initrd of that shape, unpacked by a real kernel."""

from pathlib import Path

import pytest

from bootkit.overlay.choices import choices_archive
from bootkit.overlay.manifest import overlay_for, overlay_members
from bootkit.overlay.pack import pack
from bootkit.probe.image import open_image
from bootkit.system.qemu import PROGRAM, Accelerator
from bootkit.system.run import run
from bootkit.units import MIB
from tests.boots.live_iso import cached_iso, host_suite
from tests.overlay.small_initrd import INITS, NEW_INIT, RECORDER, has_static_busybox, initrd_members, unpack

pytestmark = [
    pytest.mark.boots,
    pytest.mark.skipif(not has_static_busybox(), reason="an initrd of busybox alone; needs busybox-static"),
]

TIME_LIMIT = 30.0
REAL = b'sh /bootkit/real.sh "$@"\n'
SAY = b"cat /run/bootkit/status /etc/hostname /etc/inittab\n"
OFF = b"\necho ended\npoweroff -f\n"


@pytest.mark.parametrize(
    ("stack", "line"),
    [
        ("archiso", "main.sh /new_root /run/archiso/img_dev"),
        ("antiX", "main.sh /live/aufs /run/initramfs/iso-dev /live/aufs/live/iso-dev"),
        ("liveslak", "main.sh /mnt/overlay /mnt/super_* /mnt/super /mnt/iso"),
        ("Linux Live Kit", "main.sh /memory/union /memory/data"),
    ],
)
def test_a_kernel_unpacks_the_overlay_where_the_initrd_looks_for_it(
    stack: str, line: str, accelerator: Accelerator, tmp_path: Path
) -> None:
    overlay = overlay_for(stack)
    assert overlay is not None
    kernel, initrd, serial = (tmp_path / name for name in ("kernel", "initrd", "serial"))
    with open_image(cached_iso(host_suite())) as iso:
        kernel.write_bytes(iso.read("/live/vmlinuz", 64 * MIB))
    members = overlay_members(overlay)
    overlay_files = {**members, "bootkit/main.sh": RECORDER + REAL, "bootkit/real.sh": members["bootkit/main.sh"]}
    choices = choices_archive({"BK_HOSTNAME": "stick1"})
    archives = pack(overlay_files, directories=["bootkit"]) + choices
    initrd.write_bytes(_initrd(stack, tmp_path / "root") + archives)
    words = ("console=ttyS0", "panic=-1", *overlay.words, *accelerator.kernel_words)
    run(
        [PROGRAM, *accelerator.argv, "-m", "256", "-display", "none", "-net", "none", "-no-reboot", "-serial", f"file:{serial}",
         "-kernel", kernel, "-initrd", initrd, "-append", " ".join(words)],
        timeout=TIME_LIMIT * accelerator.patience,
    )  # fmt: skip
    lines = [text.strip() for text in serial.read_text(errors="replace").splitlines()]
    assert line in lines, lines[-20:]
    assert "ended" in lines
    if overlay.name == "init_script":
        # said by process 1 of the new root
        assert {"written", "settings ok host stick1", "stick1", "bk::bootwait:/bin/sh /run/bootkit/late.sh"} <= {*lines}


def _initrd(stack: str, root: Path) -> bytes:
    """As a distribution's tool packs it: with its folders, which the kernel wants before the files in them."""
    system = {"system/sbin/init": NEW_INIT + SAY + OFF, "system/etc/inittab": b""}
    unpack({**initrd_members(stack), "init": INITS[stack].encode() + OFF, **system}, root)
    for folder in ("run", "proc", "dev"):
        (root / folder).mkdir()
    names = "\n".join(sorted(str(path.relative_to(root)) for path in root.rglob("*")))
    archive = run(["cpio", "-o", "-H", "newc", "-R", "0:0", "--quiet"], stdin=names.encode(), cwd=root)
    return archive + bytes(-len(archive) % 4)
