"""Extensions laid under a root, with the mounts of this computer's kernel, in a name space of their own."""

import os
import subprocess
from pathlib import Path

import pytest

from bootkit.overlay.manifest import overlay_for, overlay_members

pytestmark = [pytest.mark.root, pytest.mark.skipif(os.geteuid() != 0, reason="mounts")]

STEP = """\
set -e
work=$1
mount -t tmpfs tmpfs /mnt
mkdir -p /mnt/upper /mnt/work /mnt/run /mnt/plain /mnt/lower
cp -a "$work/root/." /mnt/plain
BK_ROOT=/mnt/plain
if [ "$2" = overlay ]; then
	BK_ROOT=/mnt/new
	mkdir /mnt/new
	mount -t overlay -o "lowerdir=$work/root,upperdir=/mnt/upper,workdir=/mnt/work" overlay /mnt/new
fi
if [ "$2" = moved ]; then
	# as casper does it
	BK_ROOT=/mnt/new
	mkdir /mnt/new
	mount -o bind "$work/root" /mnt/lower
	mount -t overlay -o lowerdir=/mnt/lower,upperdir=/mnt/upper,workdir=/mnt/work overlay /mnt/new
	mkdir /mnt/new/rofs
	mount -o move /mnt/lower /mnt/new/rofs
fi
if [ "$2" = kept ]; then
	export BK_KEPT=with
	# a second boot finds what the first has left
	mkdir -p /mnt/plain/.bootkit/usr/lib/work
fi
set +e
BK_HERE=$work/bootkit
. "$BK_HERE/lib.sh"
BK=/mnt/run BK_STICK=$work/stick BK_WORDS=
bk_run extensions
cat "$BK/status"
for file in /usr/bin/own /usr/lib/own /usr/bin/merged /usr/lib/merged /etc/merged /opt/merged /usr/sbin/split /usr/lib/split /usr/bin/split \\
	/lib/split; do
	if [ -e "$BK_ROOT$file" ]; then echo "there $file"; else echo "missing $file"; fi
done
for link in /lib /sbin; do echo "$link is $(readlink "$BK_ROOT$link")"; done
echo new >"$BK_ROOT/usr/lib/own" && echo writable
for folder in usr/lib usr/bin etc; do umount "$BK_ROOT/$folder"; done
cat "$BK_ROOT/usr/lib/own"
cat "$BK/log" >&2
"""
MERGED = ("usr/bin/merged", "usr/lib/merged", "etc/merged", "opt/merged")
SPLIT = ("sbin/split", "lib/split", "usr/bin/split")


@pytest.mark.parametrize("root", ["overlay", "moved", "plain", "kept"])
def test_extensions_of_either_shape_are_laid_under_a_merged_root(root: str, tmp_path: Path) -> None:
    system = tmp_path / "root"
    for name in ("usr/bin/own", "usr/lib/own", "usr/sbin/own", "etc/os-release"):
        write(system / name)
    for name in ("bin", "sbin", "lib"):
        (system / name).symlink_to(f"usr/{name}")
    extensions = tmp_path / "stick/boot/extensions" / os.uname().machine
    extensions.mkdir(parents=True)
    for image, files in (("merged", MERGED), ("split", SPLIT)):
        for name in files:
            write(tmp_path / image / name)
        argv = ["mksquashfs", str(tmp_path / image), str(extensions / f"{image}.raw"), "-quiet", "-no-progress"]
        subprocess.run(argv, check=True, capture_output=True)
    overlay = overlay_for("live-boot")
    assert overlay is not None
    for name, content in overlay_members(overlay).items():
        if name.startswith("bootkit/") and isinstance(content, bytes):
            write(tmp_path / name, content)
    argv = ["unshare", "--mount", "sh", "-c", STEP, "sh", str(tmp_path), root]
    done = subprocess.run(argv, check=True, capture_output=True, text=True)
    lines = done.stdout.splitlines()
    assert lines[0] == "extensions ok merged.raw, split.raw", done.stderr
    assert not [line for line in lines if line.startswith("missing")], done.stderr
    assert lines[-4:-1] == ["/lib is usr/lib", "/sbin is usr/sbin", "writable"]
    # elsewhere it is in a layer, which has gone with the mount
    assert (lines[-1] == "new") == (root == "kept"), done.stderr


def write(path: Path, content: bytes = b"x") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
