#!/usr/bin/env python3
"""Build live ISOs whose initrds have no shell and open no ISO file, from what a dracut ISO holds: inputs of the boot tests.

    tests/boots/no_shell_iso.py --kind nixos|guix [--out live.iso] [--suite bookworm]

nixos
    The initrd is Debian's systemd and udev with units that mount the ISO by its label and the squashfs in it, as those of
    NixOS do; the squashfs is Debian, with a closure of NixOS' shape in its store.
guix
    The initrd is one program in Perl that does what the one of Guix does, in the same order: it mounts /proc, /sys and
    /dev and fails if it cannot, inserts modules, looks at every disk once a second for the label, mounts it and loads a
    file from it, which says so on the serial line and switches off.

Written after the interfaces that the overlays name under ``relies_on``; no text of the two projects is in it.
"""

import argparse
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from tests.boots.cache import cached
from tests.boots.dracut_iso import cached_dracut_iso
from tests.boots.live_iso import host_suite

KINDS = ("nixos", "guix")
LABELS = {"nixos": "nixos-minimal-26.05-x86_64", "guix": "GUIX_IMAGE"}
STORE = "/nix/store/5v2x-nixos-system-nixos-26.05"
LOADED = "/gnu/store/2h6i-system/boot"
NO_SHELL = ("systemd", "udevadm", "systemctl", "kmod", "mount", "umount", "mkdir", "journalctl")
"""Programs that stay in the initrd of systemd."""

UNITS = {
    "run-iso.mount": f"""\
[Unit]
DefaultDependencies=no
[Mount]
What=/dev/disk/by-label/{LABELS["nixos"]}
Where=/run/iso
Type=iso9660
Options=ro
""",
    "run-lower.mount": """\
[Unit]
DefaultDependencies=no
Requires=run-iso.mount
After=run-iso.mount
[Mount]
What=/run/iso/nix-store.squashfs
Where=/run/lower
Type=squashfs
Options=loop,ro
""",
    "upper.service": """\
[Unit]
DefaultDependencies=no
[Service]
Type=oneshot
ExecStart=/usr/bin/mkdir -p /run/upper/new /run/upper/work
""",
    "sysroot.mount": """\
[Unit]
DefaultDependencies=no
Requires=run-lower.mount upper.service
After=run-lower.mount upper.service
Before=initrd-root-fs.target
[Mount]
What=overlay
Where=/sysroot
Type=overlay
Options=lowerdir=/run/lower,upperdir=/run/upper/new,workdir=/run/upper/work
""",
}

MENUS = {
    "nixos": f"""\
set timeout=10
search --set=root --file /EFI/nixos-installer-image
if [ ${{iso_path}} ] ; then
  set isoboot="findiso=${{iso_path}}"
fi
menuentry 'NixOS 26.05 Installer ' --class installer {{
  linux /boot/nix/store/8qf3-linux/bzImage ${{isoboot}} init={STORE}/init root=fstab loglevel=4
  initrd /boot/nix/store/1zb7-initrd-linux/initrd
}}
""",
    "guix": f"""\
set default=0
set timeout=10
menuentry "GNU with Linux-Libre 6.1" {{
  linux /gnu/store/3x5g-linux-libre-6.1/bzImage root={LABELS["guix"]} gnu.system=/gnu/store/2h6i-system gnu.load={LOADED} quiet
  initrd /gnu/store/q7m2-raw-initrd/initrd.cpio.gz
}}
""",
}
BOOT_FILES = {
    "nixos": ("boot/nix/store/8qf3-linux/bzImage", "boot/nix/store/1zb7-initrd-linux/initrd", "EFI/BOOT/grub.cfg"),
    "guix": (
        "gnu/store/3x5g-linux-libre-6.1/bzImage",
        "gnu/store/q7m2-raw-initrd/initrd.cpio.gz",
        "boot/grub/grub.cfg",
    ),
}
"""Kernel, initrd and menu."""

GUIX_MODULES = (
    "usb_storage",
    "uas",
    "xhci_pci",
    "ehci_pci",
    "virtio_blk",
    "sd_mod",
    "isofs",
    "loop",
    "crc32c_generic",
    "ext4",
)
"""Guix builds the last three into its kernel, Debian does not."""
GUIX_INIT = r"""#!/usr/bin/perl
# system calls: mount 165, reboot 169, finit_module 313
sub attach {
  my ($what, $where, $type, $flags) = @_;
  mkdir $where unless -e $where;
  syscall(165, $what, $where, $type, $flags, 0) == 0 or fail("$what on $where: $!");
}
sub say_it { open(my $out, '>', '/dev/console'); syswrite $out, "report: @_\n" }
sub fail { say_it("failed=@_"); sleep 1; syscall(169, 0xfee1dead, 672274793, 0x4321fedc, 0) }
attach('none', '/proc', 'proc', 0);
attach('none', '/sys', 'sysfs', 0);
attach('none', '/dev', 'devtmpfs', 0);
open(my $order, '<', '/gnu/store/9l1k-linux-modules/order');
while (my $file = <$order>) {
  chomp $file;
  open(my $module, '<', "/gnu/store/9l1k-linux-modules/$file");
  my $none = '';
  syscall(313, fileno($module), $none, 0);
}
open(my $line, '<', '/proc/cmdline');
my $words = <$line>;
my ($label) = $words =~ /root=(\S+)/;
my ($load) = $words =~ /gnu\.load=(\S+)/;
my $found;
for my $trial (0 .. 20) {
  open(my $disks, '<', '/proc/partitions');
  while (my $row = <$disks>) {
    my ($major, undef, undef, $name) = $row =~ /(\d+)\s+(\d+)\s+(\d+)\s+(\S+)/ or next;
    next if $major <= 2;
    $seen .= " $name";
    open(my $disk, '<', "/dev/$name") or next;
    seek $disk, 32768, 0;
    sysread $disk, my $block, 2048;
    next unless substr($block, 1, 5) eq 'CD001';
    (my $own = substr $block, 40, 32) =~ s/ +$//;
    $found = "/dev/$name" if $own eq $label;
  }
  last if $found;
  sleep 1;
}
fail("no disk has the label $label: $seen") unless $found;
attach($found, '/root', 'iso9660', 1);
open(my $boot, '<', "/root$load") or fail("no $load");
chomp(my $text = <$boot>);
say_it("root=$found");
say_it("loaded=$text");
syscall(169, 0xfee1dead, 672274793, 0x4321fedc, 0);
sleep 60;
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kind", choices=KINDS, required=True)
    parser.add_argument(
        "--out", type=Path, help="where to put the ISO; without it only the cached file's path is printed"
    )
    parser.add_argument("--suite", default=host_suite(), help="Debian release (default: this machine's)")
    options = parser.parse_args()
    cached = cached_no_shell_iso(options.suite, options.kind)
    if options.out is None:
        sys.stdout.write(f"{cached}\n")
    else:
        subprocess.run(["cp", "--reflink=auto", "--", cached, options.out], check=True)


def cached_no_shell_iso(suite: str, kind: str) -> Path:
    """The ISO in the cache, built if it is not there yet."""
    source = cached_dracut_iso(suite, "f42")
    recipe = Path(__file__).read_bytes() + source.name.encode()
    return cached(f"no-shell-{suite}-{kind}", ".iso", recipe, lambda work: build(work, source, kind))


def build(work: Path, source: Path, kind: str) -> Path:
    """Make the ISO below ``work``."""
    files = {
        "/boot/x86_64/loader/linux": "kernel",
        "/boot/x86_64/loader/initrd": "initrd",
        "/LiveOS/squashfs.img": "squashfs",
    }
    extract = [word for path, name in files.items() for word in ("-extract", path, work / name)]
    run_quietly(["xorriso", "-osirrox", "on", "-indev", source, *extract])
    dracut = work / "dracut"
    dracut.mkdir()
    run_quietly(["sh", "-c", 'zstd -d <"$1" | cpio -idm --quiet', "sh", work / "initrd"], cwd=dracut)
    tree = work / "iso"
    if kind == "nixos":
        initrd = work / "nixos"
        dracut.rename(initrd)
        keep_systemd_alone(initrd)
        write_closure(work)
        write(tree, {"EFI/nixos-installer-image": "", "version.txt": "26.05.1234.abcdef\n"})
        (work / "squashfs").rename(tree / "nix-store.squashfs")
    else:
        initrd = work / "guix"
        write_guix_initrd(initrd, dracut)
        write(tree, {LOADED[1:]: "the system of the image\n"})
    kernel, packed, menu = (tree / path for path in BOOT_FILES[kind])
    for path in (kernel, packed, menu):
        path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(work / "kernel", kernel)
    menu.write_text(MENUS[kind])
    with packed.open("wb") as out:
        pack = "find . | LC_ALL=C sort | cpio -o -H newc -R 0:0 --quiet | gzip -1"
        subprocess.run(["sh", "-c", pack], cwd=initrd, stdout=out, check=True)
    iso = work / "made.iso"
    run_quietly(["xorriso", "-as", "mkisofs", "-quiet", "-R", "-r", "-J", "-V", LABELS[kind], "-o", iso, tree])
    return iso


def keep_systemd_alone(initrd: Path) -> None:
    """Take shells, hooks and all other programs out of dracut's initrd, and put the units in that mount the root."""
    for program in (initrd / "usr/bin").iterdir():
        if program.name not in NO_SHELL and not program.name.startswith("systemd-"):
            program.unlink()
    for program in (initrd / "usr/sbin").iterdir():
        if not program.exists() or program.resolve().name not in NO_SHELL:
            program.unlink()
    shutil.rmtree(initrd / "usr/lib/dracut")
    for unit in (*initrd.rglob("dracut-*.service"), *initrd.rglob("dracut-*-generator")):
        unit.unlink()
    units = initrd / "etc/systemd/system"
    shutil.rmtree(units)
    write(units, UNITS)
    (units / "default.target").symlink_to("/usr/lib/systemd/system/initrd.target")
    wanted = units / "initrd-root-fs.target.requires"
    wanted.mkdir()
    (wanted / "sysroot.mount").symlink_to("../sysroot.mount")
    write(initrd, {"etc/modules-load.d/nixos.conf": "loop\noverlay\n"})
    for folder in ("bin", "sbin", "usr/bin", "usr/sbin"):
        assert not (initrd / folder / "sh").exists()


def write_closure(work: Path) -> None:
    """A script that starts systemd, with a link to its package beside it, in the store of the squashfs."""
    closure = work / STORE[1:]
    write(closure, {"init": '#!/bin/sh\nexec /lib/systemd/systemd "$@"\n'})
    (closure / "init").chmod(0o755)
    (closure / "systemd").symlink_to("/usr")
    run_quietly(
        [
            "mksquashfs",
            work / "nix",
            work / "squashfs",
            "-keep-as-directory",
            "-root-owned",
            "-no-recovery",
            "-quiet",
            "-no-progress",
        ]
    )


def write_guix_initrd(initrd: Path, dracut: Path) -> None:
    write(initrd, {"init": GUIX_INIT})
    (initrd / "init").chmod(0o755)
    perl = Path("/usr/bin/perl")
    libraries = subprocess.run(["ldd", perl], stdout=subprocess.PIPE, text=True, check=True).stdout
    for path in (str(perl), *re.findall(r"(/\S+) \(0x", libraries)):
        target = initrd / path[1:]
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    modules = next((dracut / "usr/lib/modules").iterdir())
    files = in_order((modules / "modules.dep").read_text(), GUIX_MODULES)
    store = initrd / "gnu/store/9l1k-linux-modules"
    store.mkdir(parents=True)
    for file in files:
        shutil.copy(modules / file, store)
    (store / "order").write_text("".join(f"{Path(file).name}\n" for file in files))


def in_order(modules_dep: str, wanted: Iterable[str]) -> list[str]:
    """The files of modules behind those that they need."""
    needs = {path: rest.split() for path, _, rest in (line.partition(":") for line in modules_dep.splitlines())}
    paths = {Path(path).name.partition(".")[0].replace("-", "_"): path for path in needs}
    found = (file for name in wanted if name in paths for file in (*reversed(needs[paths[name]]), paths[name]))
    return list(dict.fromkeys(found))


def write(root: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def run_quietly(command: list[str | Path], *, cwd: Path | None = None) -> None:
    subprocess.run(command, cwd=cwd, stdout=sys.stderr, stderr=subprocess.PIPE, check=True)


if __name__ == "__main__":
    main()
