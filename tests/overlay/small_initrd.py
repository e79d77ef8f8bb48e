"""A small initrd of busybox, in which an adapter finds what it relies on: one shell script for each interface.

The scripts are written after the interfaces that ``overlay.toml`` names under ``relies_on``, not after the projects' text.
"""

import re
from pathlib import Path

from bootkit.overlay.manifest import overlay_for, overlay_members
from bootkit.overlay.pack import Member, Symlink
from bootkit.system.run import run, which

BUSYBOX = "/bin/busybox"
RECORDER = b'#!/bin/sh\necho "main.sh $*"\necho written >/run/by-main\n'
"""In the place of main.sh."""
SWITCH_ROOT = b'#!/bin/sh\necho "switch_root $*, $(cat $3/run/by-main)"\n'
"""In the place of the program, which wants to be process 1."""
NEW_INIT = b"#!/bin/sh\ncat /run/by-main\n"
"""Of the new root, where the initrd makes one out of its folder ``system``."""
APPLETS = (
    "ash", "cat", "chmod", "chroot", "cp", "ln", "mkdir", "mknod", "mount", "pivot_root", "poweroff", "readlink", "rm", "sh",
    "switch_root", "umount", "uname",
)  # fmt: skip

MKINITCPIO = """\
#!/bin/sh
. /config
mkdir -p /new_root /run/archiso/img_dev
for hook in $HOOKS; do
	[ -r "/hooks/$hook" ] || continue
	. "/hooks/$hook"
	run_hook
done
${mount_handler:-:} /new_root
for hook in $LATEHOOKS; do
	[ -x "/hooks/$hook" ] || continue
	. "/hooks/$hook"
	run_latehook
done
"""
ARCHISO = """\
#!/bin/sh
run_hook() {
	archisodevice=/dev/disk/by-label/EMBER
	mount_handler=archiso_mount_handler
}
archiso_mount_handler() {
	echo "the medium is $archisodevice"
}
"""
ARCHISO_LOOP = """\
#!/bin/sh
run_hook() {
	mount_handler=archiso_loop_mount_handler
}
archiso_loop_mount_handler() {
	echo "the medium is a file on img_dev"
}
"""
CASPER = """\
#!/bin/sh
rootmnt=/root
for file in /conf/conf.d/*; do
	. $file
done
mkdir -p $rootmnt /run
[ ! -e /scripts/casper-premount/ORDER ] || . /scripts/casper-premount/ORDER
echo "the medium is ${LIVEMEDIA:-any}"
. /scripts/init-bottom/ORDER
"""
ANTIX = """\
#!/bin/sh
NEW_ROOT=/live/aufs
mkdir -p $NEW_ROOT/run
mount -t tmpfs tmpfs $NEW_ROOT/run
mkdir -p $NEW_ROOT/run/initramfs/iso-dev
for file in /live/custom/antiX/9.sh /live/custom/MX/9.sh; do
	[ -r $file ] && . $file && break
done
cat $NEW_ROOT/run/by-main
"""
GENKERNEL = """\
#!/bin/sh
CHROOT=/newroot
mkdir -p $CHROOT
mount -t tmpfs tmpfs $CHROOT
echo "Switching to real root: switch_root $CHROOT"
	exec /sbin/switch_root -c "/dev/console" "$CHROOT" "${init:-/sbin/init}"
"""
LIVESLAK = """\
#!/bin/ash
mount -t tmpfs -o mode=0755 tmpfs /run
mkdir -p /mnt/overlay
mount -t tmpfs tmpfs /mnt/overlay
cp -a /bin /system/* /mnt/overlay
umount /run
exec switch_root /mnt/overlay /sbin/init
"""
LIVE_KIT = """\
#!/bin/sh
. /lib/livekitlib
transfer_initramfs
mkdir -p /memory/union
mount -t tmpfs tmpfs /memory/union
cp -a /bin /system/* /memory/union
change_root /memory/union
"""
LIVE_KIT_LIB = """\
transfer_initramfs() {
	[ -e /lib/escaped ] && return
	mkdir /m
	mount -t tmpfs tmpfs /m
	cp -a /??* /m
	cd /m
	: >lib/escaped
	exec switch_root -c /dev/console . $0
}
change_root() {
	cd "$1"
	mkdir -p run dev
	[ -e dev/console ] || mknod dev/console c 5 1
	mount -t tmpfs tmpfs run
	mkdir -p run/initramfs
	pivot_root . run/initramfs
	exec bin/chroot . sbin/init <dev/console >dev/console 2>&1
}
"""
ALPINE = """\
#!/bin/sh
/bin/busybox --install -s
nlplug-findfs -p /sbin/mdev -a /tmp/apkovls
echo "the medium is found"
"""
NLPLUG_FINDFS = """\
#!/bin/sh
for path in /sys/class/block/*; do
	ACTION=add SUBSYSTEM=block DEVNAME=${path##*/} "$2"
	mount "/dev/${path##*/}" /media
done
"""
INITS = {
    "Alpine initrd": ALPINE,
    "archiso": MKINITCPIO,
    "antiX": ANTIX,
    "casper": CASPER,
    "genkernel": GENKERNEL,
    "liveslak": LIVESLAK,
    "Linux Live Kit": LIVE_KIT,
}
"""``/init``, by the boot stack."""


def has_static_busybox() -> bool:
    """Whether there is a busybox that runs in an empty root."""
    path = Path(which("busybox") or BUSYBOX)
    return path.exists() and b"/ld-linux" not in path.read_bytes()


def initrd_members(stack: str) -> dict[str, Member]:
    """The initrd without the overlay."""
    return {
        "bin/busybox": Path(which("busybox") or BUSYBOX).read_bytes(),
        **{f"bin/{name}": Symlink(target="busybox") for name in APPLETS},
        "init": INITS[stack].encode(),
        "config": b'LATEHOOKS="usr"\n',
        "hooks/usr": b"#!/bin/sh\nrun_latehook() {\n\techo 'its own hook'\n}\n",
        "live/custom/MX/8.sh": b":\n",
        **(
            {"scripts/casper": b":\n", "scripts/init-bottom/ORDER": b"", "conf/conf.d/x": b""}
            if stack == "casper"
            else {}
        ),
        "system/sbin/init": NEW_INIT,
        **({"sbin/switch_root": SWITCH_ROOT} if stack == "genkernel" else {}),
        **({"sbin/nlplug-findfs": NLPLUG_FINDFS.encode()} if stack == "Alpine initrd" else {}),
        **({"lib/livekitlib": LIVE_KIT_LIB.encode()} if stack == "Linux Live Kit" else {}),
    }


def adapted(stack: str) -> dict[str, Member]:
    """The members of the overlay of a stack, as far as their folders are there, with a recorder in place of main.sh."""
    overlay = overlay_for(stack)
    assert overlay is not None
    folders = {"bootkit", *(name.rpartition("/")[0] for name in initrd_members(stack))}
    members = {name: member for name, member in overlay_members(overlay).items() if name.rpartition("/")[0] in folders}
    return {**members, "bootkit/main.sh": RECORDER}


def unpack(members: dict[str, Member], root: Path) -> None:
    """Put members into a folder, with the modes that the archive gives them."""
    for name, member in members.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(member, Symlink):
            path.symlink_to(member.target)
        else:
            path.unlink(missing_ok=True)
            path.write_bytes(member)
            path.chmod(0o755 if member.startswith((b"#!", b"\x7fELF")) else 0o644)


def add_program(root: Path, name: str, to: str) -> None:
    """Copy a program of this computer, with the libraries that it wants, into a root; it is called ``to`` there."""
    program = which(name)
    assert program is not None
    libraries = re.findall(r"(/\S+) \(0x", run(["ldd", program]).decode())
    for source, target in ((program, to), *((path, path[1:]) for path in libraries)):
        copy = root / target
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.unlink(missing_ok=True)
        copy.write_bytes(Path(source).read_bytes())
        copy.chmod(0o755)


def in_root(root: Path, *command: str) -> list[str]:
    """Lines that a command prints in a root of its own, where it may mount."""
    argv: list[str | Path] = ["unshare", "--map-root-user", "--mount", "chroot", root, *command]
    return run(argv).decode().splitlines()
