"""For every boot stack whose initrd tells by its scripts whether it opens a file: one that does, and ones that do not."""

import io
from dataclasses import replace

import pytest

from bootkit.detect.registry import markers, script_marks, stacks
from bootkit.formats.initrd import read_initrd
from bootkit.model.boot import ISO_PATH, BootEntry, Detection, Recognition, Role
from bootkit.model.catalog import ImageItem
from bootkit.model.check import Answer, StickFacts
from bootkit.model.initrd import InitrdFacts, KernelModules
from bootkit.model.iso import IsoFacts
from bootkit.model.support import Verdict
from bootkit.overlay.pack import pack
from bootkit.plan.check import predict
from bootkit.plan.check_file import file_answer

ENTRY = BootEntry(title="Live", kernel="/k", initrds=("/i",), cmdline=(f"x={ISO_PATH}",), role=Role.DEFAULT)
DRIVERS = KernelModules(modules=("ext4",), builtin=("loop",))
ORDER = "scripts/casper-premount/ORDER"
HOOKS = "var/lib/dracut/hooks/cmdline"
LIVE_BOOT = {
    "usr/lib/live/boot/9990-misc-helpers.sh": 'check_dev ()\n{\n\tif [ -n "${FINDISO}" ]\n}\n',
    "bin/live-boot": "",
}
Files = dict[str, str | None]
"""The files of an initrd; those that are changed in another, ``None`` for one that is taken away."""


def of_mkinitcpio(name: str) -> tuple[Files, list[Files]]:
    hook = f"{name}_loop_mnt"
    whole: Files = {f"hooks/{name}": "", f"hooks/{hook}": "", "config": f'HOOKS="base udev {name} {hook} block"\n'}
    unnamed = f'MODULES=""\n# HOOKS="{hook}"\nHOOKS="base udev {name} block"\n'
    return whole, [{f"hooks/{hook}": None}, {"config": unnamed}]


def of_dracut(module: str) -> tuple[Files, list[Files]]:
    whole: Files = {
        f"usr/sbin/{module}": "", "usr/sbin/iso-scan": "", f"{HOOKS}/30-parse-x.sh": "", f"{HOOKS}/31-parse-iso-scan.sh": "",
    }  # fmt: skip
    return whole, [{"usr/sbin/iso-scan": None}, {f"{HOOKS}/31-parse-iso-scan.sh": None}]


PAIRS: dict[str, tuple[Files, list[Files]]] = {
    "casper": (
        {"scripts/casper": "", "scripts/casper-premount/20iso_scan": "", ORDER: "/scripts/casper-premount/20iso_scan\n"},
        [{"scripts/casper-premount/20iso_scan": None}, {ORDER: "# 20iso_scan\n/scripts/casper-premount/10driver\n"}],
    ),
    "live-boot": (
        {**LIVE_BOOT},
        [{"usr/lib/live/boot/9990-misc-helpers.sh": "check_dev ()\n{\n\t# FINDISO is for others\n\t:\n}\n"}],
    ),
    "live-boot (Chimera)": (
        {**LIVE_BOOT},
        [{"usr/lib/live/boot/9990-misc-helpers.sh": "find_livefs ()\n{\n\t:\n}\n"}],
    ),
    "dmsquash-live": of_dracut("dmsquash-live-root"),
    "agama": of_dracut("dmsquash-live-root"),
    "kiwi-live": of_dracut("kiwi-live-root"),
    "liveiso": of_dracut("liveiso-root"),
    "archiso": of_mkinitcpio("archiso"),
    "sysrescue": of_mkinitcpio("archiso"),
    "parabolaiso": of_mkinitcpio("parabolaiso"),
    "hyperiso": of_mkinitcpio("hyperiso"),
    "kdeosiso": of_mkinitcpio("kdeosiso"),
    "chakraiso": of_mkinitcpio("chakraiso"),
    "miso": of_mkinitcpio("miso"),
    "artix": of_mkinitcpio("artix"),
    "antiX": (
        {"init": "SQFILE=/antiX/linuxfs\ncase $p in\n fromiso=*) ;;\nesac\n"},
        [{"init": "SQFILE=/antiX/linuxfs\n"}],
    ),
    "tinycore": ({"usr/bin/tce-load": "", "usr/bin/fromISOfile": ""}, [{"usr/bin/fromISOfile": None}]),
    "puppy": ({"DISTRO_SPECS": "", "sbin/isoboot": ""}, [{"sbin/isoboot": None}]),
    "genkernel": (
        {"init": "case $x in\n cdroot) ;;\n isoboot=*) ;;\nesac\n"},
        [{"init": "case $x in\n cdroot) ;;\nesac # isoboot=\n"}, {"init": None, "linuxrc": "cdroot) CDROOT=1 ;;\n"}],
    ),
    "Linux Live Kit": (
        {"lib/livekitlib": 'find_data_try()\n{\n   mount -o loop,ro "$1/$F" "$1/../iso"\n}\n'},
        [{"lib/livekitlib": 'find_data_try()\n{\n   mount "$1"\n}\n'}],
    ),
    "liveslak": (
        {"init": "case $a in\n livemedia=*) LIVEPATH=$(echo $a | cut -f2 -d:) ;;\nesac\n"},
        [{"init": "case $a in\n livemedia=*) ;;\nesac\n"}],
    ),
    "nixos stage-1": (
        {"nix/store/0-stage-1-init.sh": 'echo "<<< NixOS Stage 1 >>>"\ncase $o in\n findiso=*) ;;\nesac\n'},
        [{"nix/store/0-stage-1-init.sh": 'echo "<<< Ember Stage 1 >>>"\n'}],
    ),
    "knoppix": ({"init": "D=KNOPPIX\ncase $c in *bootfrom=*) ;; esac\n"}, [{"init": "D=KNOPPIX\n"}]),
    "android-x86": (
        {"init": "[ -e /mnt/system.sfs ]\ncase $c in iso-scan/filename=*) ;; esac\n"},
        [{"init": "[ -e /mnt/system.sfs ]\n"}],
    ),
}  # fmt: skip
UNTOLD = {
    "Alpine initrd": "it opens no file: the overlay makes a disk of it",
    "Guix initrd": "it opens no file: the overlay makes a disk of it",
    "Linux Live Kit (Wifislax)": "its initrd is reported, not read",
    "anaconda": "its one script is the installer's own, and lacks are those of an initrd without it",
    "anaconda on Xen": "its initrd is a module of Xen, which is not looked into",
    "kiwi isoboot": "a program and scripts of KIWI 7, reported, not read",
    "linuxrc": "a program, in which the way is always there",
    "mgalive": "it opens no file: the overlay makes a disk of it",
    "miso (dracut)": "it opens no file: the overlay makes a disk of it",
    "mklivecd": "its initrd is reported, not read",
    "nixos systemd stage-1": "it opens no file: the overlay makes a disk of it",
    "plop": "its initrd is not published",
    "pmagic": "its initrd is not published",
    "porteus": "its linuxrc of today is not published",
    "propagator": "a program, in which the way is always there",
    "proxmox": "its init is given the image in the initrd itself",
}
"""Stacks of which no file or script tells, and why."""
NO_SEARCH = {
    "RAM disk",
    "coreos",
    "dracut on a disk",
    "efi application",
    "grub-mkrescue",
    "host-installer",
    "initramfs-tools on a disk",
    "ipxe",
    "loopback.cfg",
    "memdisk",
    "memtest86+",
    "unified kernel image",
}
"""Stacks that look for no file, or whose own menu does."""


def initrd_of(files: Files) -> InitrdFacts:
    data = pack({path: text.encode() for path, text in files.items() if text is not None})
    facts = read_initrd(io.BytesIO(data), len(data), markers=markers(), scripts=script_marks())
    assert not facts.warnings
    return replace(facts, maker=facts.maker or "x", drivers=DRIVERS)


def finds(stack: str, files: Files) -> tuple[bool | None, str]:
    detection = Detection(stack=stack, distro="Ember", entries=(ENTRY,), filesystems=("ext4",))
    answer = file_answer(detection, ENTRY, [initrd_of(files)], "ext4")
    return answer.readable, answer.reason


@pytest.mark.every_detector
@pytest.mark.parametrize("stack", PAIRS)
def test_what_its_scripts_say_decides(stack: str) -> None:
    whole, broken = PAIRS[stack]
    assert finds(stack, whole)[0]
    for change in broken:
        readable, reason = finds(stack, {**whole, **change})
        assert readable is False, change
        finder = stacks()[stack].finder
        assert finder is not None
        assert reason in (finder.lacking, finder.partial)


@pytest.mark.every_detector
def test_of_every_stack_that_boots_it_is_said_what_its_initrd_must_hold() -> None:
    boots = {name for name, stack in stacks().items() if stack.verdict is Verdict.BOOTS}
    assert boots == PAIRS.keys() | UNTOLD.keys() | NO_SEARCH
    assert not PAIRS.keys() & UNTOLD.keys()


def test_a_later_file_of_the_same_path_takes_the_place_of_its_words() -> None:
    whole, _broken = PAIRS["antiX"]
    first, second = (pack({"init": text.encode()}) for text in (str(whole["init"]), "SQFILE=/antiX/linuxfs\n"))
    for data, known in ((first + second, ("antiX",)), (second + first, ("antiX", "antiX-fromiso"))):
        facts = read_initrd(io.BytesIO(data), len(data), markers=markers(), scripts=script_marks())
        assert facts.markers == known


def test_an_initrd_of_dracut_without_the_stack_is_known_though_it_has_hooks() -> None:
    """The list of hooks is in every initrd of its maker, and stands for no stack."""
    facts = initrd_of({"usr/lib/dracut/dracut-059": "", f"{HOOKS}/30-parse-lvm.sh": ""})
    assert facts.markers == ("dracut-cmdline-hooks",)


@pytest.mark.parametrize(("second", "verdict"), [({"sbin/isoboot": ""}, Answer.BOOTS), ({"notes": ""}, Answer.CANNOT)])
def test_initrds_that_are_loaded_together_are_judged_together(second: Files, verdict: Answer) -> None:
    """Puppy's local-initrd.gz and the like: the kernel unpacks one over the other."""
    microcode = InitrdFacts(size=9)
    initrds = {
        "/ucode": microcode,
        "/i": initrd_of({"DISTRO_SPECS": ""}),
        "/j": replace(initrd_of(second), drivers=KernelModules()),
    }
    entry = replace(ENTRY, initrds=tuple(initrds))
    detection = Detection(stack="puppy", distro="Ember", entries=(entry,), filesystems=("ext4",))
    facts = IsoFacts(name="x.iso", size=9, initrds=initrds)
    item = ImageItem(path="/x.iso", size=9, mtime_ns=0, facts=facts, recognition=Recognition(detection=detection))
    assert predict(item, StickFacts(filesystem="ext4")).answer is verdict
