"""Systems that are known to boot only from a disc or stick of their own, and why.

Their initrds search devices for a label or a marker file and open no ISO file. Some can be helped by an initrd of ours
that attaches the file beforehand; until there is one, they have an obstacle here.

Source, read: clearlinux/clr-installer (1c35cd4) iso_templates/initrd_init_template, isoutils; the installer of
vmware/photon (photon.media=, repo=, /RPMS in the mounted disc). By markers that others rely on: /crux-media (CRUX),
/endless/endless.img. The places where Ventoy (6568972a, IMG/cpio/ventoy/hook) patches the others' initrds show that
none of them has a word for a file.
Reported, not read: how images of NuTyX, Adélie, T2, kwort, Dragora, Lunar and GoboLinux look inside; they are known by
their labels, as are the niche systems at the end. Disk images (LibreELEC, Batocera, EasyOS, SteamOS) are no ISO files and come here only as conversions.
"""

import re
from dataclasses import dataclass

from bootkit.detect import (
    Detection,
    Detector,
    IsoView,
    NotMine,
    Stack,
    Verdict,
    arch_of,
    read_menus,
)

OWN_STICK = "Write this image to a stick of its own."


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    distro: str
    has: tuple[str, ...] = ()
    """Patterns of files, and with a slash at the end of folders, that must all be there."""
    label: str = ""
    """Must be found in the volume id, whatever the case."""
    words: str = ""
    """Must be found in a kernel line of the menu."""
    obstacle: str
    instead: str = OWN_STICK
    version: str = r"(\d+(?:\.\d+)+)"
    """Found in the volume id or the file's name."""
    source: str = "ventoy/Ventoy (6568972a) IMG/cpio/ventoy/hook"
    overlay: str = "attach the file before it searches"


def _searches(distro: str) -> str:
    return f"The initrd of {distro} searches disks for its files and does not open an ISO file."


SYSTEMS = (
    System(
        distro="Clear Linux",
        has=("/images/rootfs.img", "/kernel/kernel.xz"),
        obstacle="The initrd of Clear Linux waits for a disk labelled CLR_ISO and does not open an ISO file.",
        version=r"clear-(\d{5})",
        source="clearlinux/clr-installer (1c35cd4)",
    ),
    System(
        distro="Photon OS",
        has=("/RPMS/", "/isolinux/initrd.img"),
        words="photon.media",
        obstacle="The installer of Photon OS looks for its packages on a disc and does not open an ISO file.",
        instead=f"{OWN_STICK[:-1]}, or install from the network with ks= and repo=.",
        source="the installer of vmware/photon",
    ),
    System(distro="CRUX", has=("/crux/core/",), obstacle=_searches("CRUX")),
    System(distro="Austrumi", has=("/austrumi/",), obstacle=_searches("Austrumi")),
    System(
        distro="Porteus Kiosk",
        has=("/xzm/*.xzm",),
        obstacle="The initrd of Porteus Kiosk takes its modules from the disk that it searches and does not open an ISO file.",
    ),
    System(
        distro="PrimeOS",
        has=("/kernel", "/initrd.img", "/system.*"),
        label="prime",
        obstacle=_searches("PrimeOS"),
    ),
    System(
        distro="Phoenix OS",
        has=("/kernel", "/initrd.img", "/system.*"),
        label="phoenix",
        obstacle=_searches("Phoenix OS"),
    ),
    System(
        distro="Endless OS",
        has=("/endless/endless.*",),
        obstacle="Endless OS is an image file that has to lie on the partition itself, not inside an ISO file.",
        source="reported",
        overlay="",
    ),
    System(
        distro="LibreELEC",
        has=("/KERNEL", "/SYSTEM"),
        obstacle="Its files KERNEL and SYSTEM have to lie on a partition, not inside an ISO file.",
        source="reported",
        overlay="",
    ),
    System(
        distro="Kaspersky Rescue Disk",
        has=("/boot/grub/k-x86*", "/boot/grub/initrd.xz"),
        obstacle="The initrd of Kaspersky Rescue Disk puts a folder of its own before the path of an ISO file.",
        instead="Write it to a stick of its own, or copy its files to a FAT32 partition of their own.",
        source="a1ive/grub2-filemanager (3a906f93) boot/grubfm/distro/krd.sh",
        overlay="take the folder out of its init",
    ),
    System(distro="k3OS", has=("/k3os/",), obstacle=_searches("k3OS"), source="reported"),
    System(distro="NuTyX", label=r"^nutyx", obstacle=_searches("NuTyX")),
    System(distro="Adélie Linux", label=r"^ad[eé]lie", obstacle=_searches("Adélie")),
    System(distro="T2 SDE", label=r"^t2(?:sde)?[-_ ]", obstacle=_searches("T2")),
    System(distro="Kwort", label=r"^kwort", obstacle=_searches("Kwort")),
    System(distro="Dragora", label=r"^dragora", obstacle=_searches("Dragora")),
    System(
        distro="Lunar Linux",
        label=r"^lunar",
        obstacle="The initrd of Lunar takes the disc for its root file system and does not open an ISO file.",
    ),
    System(distro="GoboLinux", label=r"^gobolinux", obstacle=_searches("GoboLinux")),
    System(distro="IPFire", label=r"^ipfire", obstacle=_searches("IPFire")),
    System(distro="Smoothwall", label=r"^smoothwall", obstacle=_searches("Smoothwall")),
    System(distro="Zeroshell", label=r"^zeroshell", obstacle=_searches("Zeroshell")),
    System(distro="Daphile", label=r"^daphile", obstacle=_searches("Daphile")),
    System(distro="Untangle", label=r"^untangle", obstacle=_searches("Untangle")),
    System(distro="Cucumber Linux", label=r"^cucumber", obstacle=_searches("Cucumber Linux")),
    System(distro="Vine Linux", label=r"^vine", obstacle=_searches("Vine Linux")),
    System(distro="Berry Linux", label=r"^berry", obstacle=_searches("Berry Linux")),
    System(distro="Pisi Linux", label=r"^pisi", obstacle=_searches("Pisi Linux")),
    System(distro="AryaLinux", label=r"^arya", obstacle=_searches("AryaLinux")),
    System(distro="EasyStartup", label=r"^easystartup", obstacle=_searches("EasyStartup")),
)


ALIASES = {"LibreELEC": ("LibreELEC", "CoreELEC")}


def detect(iso: IsoView) -> Detection | NotMine:
    system = next((system for system in SYSTEMS if _is(system, iso)), None)
    if system is None:
        return NotMine(reason="it has neither the files nor the label of a system that needs a medium of its own")
    texts = (iso.volume_id, iso.name)
    version = next((match[1] for text in texts if (match := re.search(system.version, text))), "")
    seen = [f"{pattern.rstrip('/')} is there" for pattern in system.has]
    seen += [f"its label is {iso.volume_id!r}"] if system.label else []
    return Detection(
        stack=f"the initrd of {system.distro}",
        distro=system.distro,
        version=version,
        arch=arch_of(iso, *texts),
        evidence=tuple(seen),
        obstacle=system.obstacle,
        instead=system.instead,
    )


def _is(system: System, iso: IsoView) -> bool:
    if system.label and not re.search(system.label, iso.volume_id, re.IGNORECASE):
        return False
    if not all(_has(iso, pattern) for pattern in system.has):
        return False
    return not system.words or any(system.words in word for entry in read_menus(iso).linux for word in entry.cmdline)


def _has(iso: IsoView, pattern: str) -> bool:
    return any(iso.is_dir(path) == pattern.endswith("/") for path in iso.glob(pattern))


DETECTOR = Detector(
    name="own-medium",
    detect=detect,
    rank=60,
    stacks=tuple(
        Stack(
            name=f"the initrd of {system.distro}",
            systems=ALIASES.get(system.distro, (system.distro,)),
            source=system.source,
            verdict=Verdict.NO,
            overlay=system.overlay,
        )
        for system in SYSTEMS
    ),
)
