"""The kernel's own unpacker takes the packer's archives behind initrds of every kind."""

import subprocess
import tempfile
from collections.abc import Generator
from hashlib import md5
from pathlib import Path
from typing import BinaryIO, cast

import pytest

from bootkit.formats.iso9660 import Iso9660
from bootkit.overlay.choices import choices_archive
from bootkit.overlay.manifest import overlay_archive, overlay_for, overlay_members
from bootkit.overlay.pack import pack
from bootkit.system.qemu import Accelerator
from bootkit.system.witness import witness_archive
from tests.boots.live_iso import cached_iso, host_suite

pytestmark = pytest.mark.boots

BUSYBOX = Path("/bin/busybox")
COMPRESSORS = {"gzip": ("gzip", "-9n"), "xz": ("xz", "--check=crc32"), "zstd": ("zstd", "-q")}
LZ4 = ("lz4", "-l", "-q")  # the only format of lz4 that the kernel reads
HOOKS = (
    "cmdline",
    "pre-udev",
    "pre-trigger",
    "initqueue/settled",
    "initqueue/finished",
    "pre-mount",
    "mount",
    "pre-pivot",
)
INIT = """\
#!/usr/bin/busybox sh
busybox=/usr/bin/busybox
$busybox mkdir -p /proc
$busybox mount -t proc proc /proc
$busybox find / -xdev -path /proc -prune -o -type f -exec $busybox md5sum {} + | while read -r sum name; do
	echo "found $sum $name"
done
for link in /bin /lib /usr/lib/dracut/hooks; do echo "link $link $($busybox readlink $link)"; done
for file in /bootkit /bootkit/main.sh /bootkit/lib.sh; do echo "mode $file $($busybox stat -c %a:%u:%g $file)"; done
echo all told
$busybox poweroff -f
"""


@pytest.fixture
def work() -> Generator[Path]:
    with tempfile.TemporaryDirectory(prefix="bootkit-") as folder:
        yield Path(folder)


def merged_initrd(work: Path, compressor: tuple[str, ...]) -> bytes:
    """An initrd of today's shape: microcode for the kernel's first moments, then a compressed root with merged /usr."""
    tree = work / "tree"
    for folder in ("usr/bin", "usr/lib/dracut", "dev", *(f"var/lib/dracut/hooks/{hook}" for hook in HOOKS)):
        (tree / folder).mkdir(parents=True)
    for link, target in (("bin", "usr/bin"), ("lib", "usr/lib"), ("usr/lib/dracut/hooks", "/var/lib/dracut/hooks")):
        (tree / link).symlink_to(target)
    (tree / "usr/bin/busybox").write_bytes(BUSYBOX.read_bytes())
    (tree / "usr/bin/busybox").chmod(0o755)
    (tree / "init").write_text(INIT)
    (tree / "init").chmod(0o755)
    names = "".join(f"{path.relative_to(tree)}\n" for path in sorted(tree.rglob("*")))
    cpio = subprocess.run(
        ["cpio", "-o", "-H", "newc", "--quiet", "-R", "0:0"],
        cwd=tree,
        input=names.encode(),
        stdout=subprocess.PIPE,
        check=True,
    ).stdout
    packed = subprocess.run([*compressor, "-c"], input=cpio, stdout=subprocess.PIPE, check=True).stdout
    early = pack({"kernel/x86/microcode/GenuineIntel.bin": bytes(2048)})
    return early + packed + bytes(-len(packed) % 4)  # as GRUB pads it


def kernel(work: Path) -> Path:
    path = work / "vmlinuz"
    with cached_iso(host_suite()).open("rb") as file:
        path.write_bytes(cast("BinaryIO", Iso9660(file).open("/live/vmlinuz")).read())
    return path


def say_all(work: Path, initrd: bytes, accelerator: Accelerator) -> list[str]:
    """What a kernel says that was started with an initrd."""
    (work / "initrd").write_bytes(initrd)
    words = " ".join(("console=ttyS0", "loglevel=4", *accelerator.kernel_words))
    argv = ["qemu-system-x86_64", "-machine", "q35", *accelerator.argv, "-m", "512", "-nodefaults", "-no-reboot"]
    argv += ["-display", "none", "-serial", "stdio", "-kernel", str(kernel(work)), "-initrd", str(work / "initrd")]
    done = subprocess.run(
        [*argv, "-append", words], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, timeout=300, check=True
    )
    return [line.strip() for line in done.stdout.decode(errors="replace").splitlines()]


@pytest.mark.parametrize("compressor", list(COMPRESSORS))
def test_the_kernel_unpacks_an_overlay_behind_an_initrd(compressor: str, work: Path, accelerator: Accelerator) -> None:
    overlay = overlay_for("dmsquash-live")
    assert overlay is not None
    choices = choices_archive({"BK_HOSTNAME": "stick1"})
    told = say_all(work, merged_initrd(work, COMPRESSORS[compressor]) + overlay_archive(overlay) + choices, accelerator)
    assert "all told" in told, told[-20:]
    found = {name: digest for _, digest, name in (line.split() for line in told if line.startswith("found "))}
    for name, content in overlay_members(overlay).items():
        if isinstance(content, bytes) and "usr/lib/dracut" not in name:
            assert found[f"/{name}"] == md5(content).hexdigest(), name
    assert "/bootkit/choices" in found
    # through the link, and the links themselves are what they were
    assert "/var/lib/dracut/hooks/pre-pivot/90-bootkit.sh" in found
    assert {line for line in told if line.startswith("link ")} == {
        "link /bin usr/bin", "link /lib usr/lib", "link /usr/lib/dracut/hooks /var/lib/dracut/hooks",
    }  # fmt: skip
    assert {line for line in told if line.startswith("mode ")} == {
        "mode /bootkit 755:0:0", "mode /bootkit/main.sh 755:0:0", "mode /bootkit/lib.sh 644:0:0",
    }  # fmt: skip


def test_the_kernel_unpacks_overlays_round_an_initrd_of_lz4(work: Path, accelerator: Accelerator) -> None:
    overlay = overlay_for("casper")
    assert overlay is not None
    assert overlay.goes_first
    in_front = overlay_archive(overlay) + choices_archive({"BK_HOSTNAME": "stick1"})
    told = say_all(work, in_front + merged_initrd(work, LZ4) + witness_archive(), accelerator)
    assert "all told" in told, told[-20:]
    found = {name: digest for _, digest, name in (line.split() for line in told if line.startswith("found "))}
    for name, content in overlay_members(overlay).items():
        if isinstance(content, bytes):
            assert found[f"/{name}"] == md5(content).hexdigest(), name
    assert {"/bootkit/choices", "/bootkit-witness/witness.sh"} <= found.keys()
