"""debian-installer as its netboot image has it, with the part of partman that looks for disks, told to take the first one.

The kernel, the initrd, list-devices, parted_server and partman's scripts are Debian's own. Two things are not: the image
brings partman along, which netboot's fetches from a mirror, and parted_devices is a stand-in, because Debian ships the program
in a package (partman-utils) that needs that mirror, too.
"""

import shutil
import subprocess
from pathlib import Path

from bootkit.overlay.pack import secondary_initrd

NETBOOT = Path("/usr/lib/debian-installer/images/12/amd64/text/debian-installer/amd64")
UDEBS = ("partman-base", "partman-auto")
LIBRARIES = (
    "libparted.so.2", "libparted-fs-resize.so.0", "libdevmapper.so.1.02.1", "libudev.so.1", "libselinux.so.1", "libpcre2-8.so.0",
    "libuuid.so.1", "libblkid.so.1",
)  # fmt: skip
"""What parted_server needs and netboot's initrd lacks, or has in a smaller build."""
PARTED_DEVICES = r"""#!/bin/sh
for block in /sys/block/sd*; do
	read -r sectors <"$block/size"
	printf '/dev/%s\t%s\tDisk of %s sectors\tgpt\n' "${block##*/}" "$((sectors * 512))" "$sectors"
done
"""
TAKE_A_DISK = r"""#!/bin/sh
say() { echo "report: $*" >/dev/ttyS0; }
off() { sync; echo o >/proc/sysrq-trigger; sleep 60; }
for second in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
	set -- /sys/block/sd?
	[ $# = "$(cat /how-many-disks)" ] && [ -e "$1" ] && break
	sleep 1
done
udevadm settle
say "there=$(echo /sys/block/sd?)"
say "listed=$(list-devices disk | tr '\n' ' ')"
say "partitions=$(list-devices partition | tr '\n' ' ')"
. /lib/partman/lib/base.sh
. /lib/partman/lib/auto-shared.sh
mkdir -p /var/lib/partman
for script in /lib/partman/init.d/29bootkit /lib/partman/init.d/30parted; do
	[ ! -x "$script" ] || "$script"
done
say "offered=$(get_auto_disks | cut -f 1 | tr '\n' ' ')"
dev=$(get_auto_disks | head -n 1 | cut -f 1)
if [ -z "$dev" ]; then
	say "taken=none"
	tail -n 40 /var/log/syslog /var/log/partman >/dev/ttyS0 2>&1
	off
fi
cd "$dev"
open_dialog NEW_LABEL gpt
close_dialog
open_dialog PARTITIONS
read_line num free size type fs path name
close_dialog
open_dialog NEW_PARTITION primary ext4 "$free" beginning 8000000
read_line num id size type fs path name
close_dialog
open_dialog COMMIT
close_dialog
say "taken=$(cat device) $path"
off
"""
START = "debconf-loadtemplate d-i /partman.templates\nDEBIAN_FRONTEND=text debconf -o d-i /take-a-disk\n"


def partman(folder: Path) -> Path:
    """The unpacked packages of partman, fetched by apt from the machine's own sources for udebs.

    Raises:
        subprocess.CalledProcessError: they are not to be had.
    """
    sources = folder / "udebs.list"
    sites = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(SITE) $(RELEASE)", "Created-By: Packages"],
        check=True, capture_output=True, text=True,
    ).stdout.split("\n")  # fmt: skip
    site = next(line.split()[0] for line in sites if line.endswith(" bookworm"))
    sources.write_text(f"deb {site} bookworm main/debian-installer\n")
    (folder / "lists/partial").mkdir(parents=True)
    options = {
        "Dir::Etc::sourcelist": sources,
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::State::lists": folder / "lists",
    }
    argv = ["apt-get", *(word for key, value in options.items() for word in ("-o", f"{key}={value}"))]
    subprocess.run([*argv, "update"], check=True, capture_output=True)
    subprocess.run([*argv, "download", *UDEBS], cwd=folder, check=True, capture_output=True)
    tree = folder / "partman"
    for udeb in folder.glob("*.udeb"):
        subprocess.run(["dpkg-deb", "-x", udeb, tree], check=True)
        subprocess.run(["dpkg-deb", "-e", udeb, folder / "control"], check=True)
        with (folder / "templates").open("ab") as templates:
            templates.write((folder / "control/templates").read_bytes() + b"\n")
        shutil.rmtree(folder / "control")
    return tree


def installer_iso(work: Path, *, disks: int) -> Path:
    """mini.iso that takes the first disk that partman offers, as soon as ``disks`` are there."""
    folder = work / "udebs"
    folder.mkdir()
    tree = partman(folder)
    files = {path.relative_to(tree).as_posix(): path for path in tree.rglob("*") if path.is_file()}
    members = {
        **{name: path.read_bytes() for name, path in files.items()},
        **{f"lib/x86_64-linux-gnu/{name}": (Path("/lib/x86_64-linux-gnu") / name).read_bytes() for name in LIBRARIES},
        "bin/parted_devices": PARTED_DEVICES.encode(),
        "partman.templates": (folder / "templates").read_bytes(),
        "how-many-disks": f"{disks}\n".encode(),
        "take-a-disk": TAKE_A_DISK.encode(),
        "lib/debian-installer.d/S69take-a-disk": START.encode(),
    }
    folders = {parent.as_posix() for name in members for parent in Path(name).parents if parent.as_posix() != "."}
    iso = work / "mini"
    (iso / "boot/grub").mkdir(parents=True)
    shutil.copy(NETBOOT / "linux", iso / "linux")
    initrd = (NETBOOT / "initrd.gz").read_bytes() + secondary_initrd(members, directories=folders - {"lib64"})
    (iso / "initrd.gz").write_bytes(initrd)
    menu = (NETBOOT / "grub/grub.cfg").read_text().replace("/debian-installer/amd64/", "/")
    (iso / "boot/grub/grub.cfg").write_text(menu)
    path = work / "mini.iso"
    argv = ["xorriso", "-as", "mkisofs", "-quiet", "-R", "-V", "Debian 12 mini", "-o", str(path), str(iso)]
    subprocess.run(argv, check=True, capture_output=True)
    return path
