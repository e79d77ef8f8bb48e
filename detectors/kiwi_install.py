"""KIWI's installers of whole disks (OEM, SelfInstall): openSUSE MicroOS, Leap Micro, Aeon and what else KIWI builds so.

Their dracut module dumps a disk image that lies beside the kernel on a disk of the computer. It knows the medium by
``root=install:CDLABEL=`` and has no iso-scan: it opens no ISO file. With ``rd.kiwi.oem.installdevice=`` or
``rd.kiwi.install.pass.bootparam`` set it may not even ask which disk.

Source: OSInside/kiwi 10.3.9 (fb48da9c): dracut/modules.d/55kiwi-dump (kiwi-installer-device.sh, kiwi-dump-image.sh),
kiwi/builder/install.py (/config.isoclient, volume id INSTALL); issue 2281.
"""

import re

from bootkit.detect import (
    Detection,
    Detector,
    IsoView,
    NamePattern,
    NotMine,
    Stack,
    Verdict,
    arch_of,
    clean_title,
    has_word,
    identify,
    read_menus,
    word_value,
)

ROOT = "install:"
NAMES = (
    NamePattern("openSUSE MicroOS", r"openSUSE[-_ ]MicroOS"),
    NamePattern("openSUSE Leap Micro", r"Leap[-_ ]Micro(?:[-_ .](?P<version>\d+\.\d+))?"),
    NamePattern("SUSE Linux Micro", r"(?:SLE|SL|SUSE[-_ ]Linux)[-_ ]Micro(?:[-_ .](?P<version>\d+\.\d+))?"),
    NamePattern("openSUSE Aeon", r"\bAeon\b"),
    NamePattern("openSUSE Kalpa", r"\bKalpa\b"),
    NamePattern("openSUSE MicroOS", r"\bMicroOS\b"),
)
STARTS = re.compile(r"^(?:Install|Start|Boot)\s+", re.IGNORECASE)


def detect(iso: IsoView) -> Detection | NotMine:
    found = [entry for entry in read_menus(iso).linux if word_value(entry.cmdline, "root").startswith(ROOT)]
    if not found:
        return NotMine(reason="no kernel line of its menu says root=install:")
    first = found[0]
    titles = tuple(clean_title(entry.title) for entry in found)
    images = tuple(node.name for node in iso.listdir("/"))
    who = identify((*titles, iso.name, *images), NAMES, otherwise=STARTS.sub("", titles[0]) or iso.volume_id)
    asks = not has_word(first.cmdline, "rd.kiwi.oem.installdevice")
    return Detection(
        stack="kiwi oem installer",
        distro=who.distro,
        version=who.version,
        arch=arch_of(iso, first.kernel, *titles),
        evidence=(
            f"{first.source} starts {first.kernel} with root={word_value(first.cmdline, 'root')}",
            *(("/config.isoclient is there",) if iso.is_file("/config.isoclient") else ()),
        ),
        obstacle="Its installer looks for a disk with its label and opens no ISO file.",
        instead="Write this image to a stick of its own; it overwrites a disk of the computer"
        + (", so choose that with care." if asks else " without asking which."),
    )


DETECTOR = Detector(
    name="kiwi-install",
    detect=detect,
    rank=30,
    stacks=(
        Stack(
            name="kiwi oem installer",
            only_installs=True,
            systems=("openSUSE MicroOS SelfInstall", "Leap Micro SelfInstall", "Aeon", "OEM images built by KIWI"),
            source="OSInside/kiwi 10.3.9 (fb48da9c) dracut/modules.d/55kiwi-dump",
            verdict=Verdict.NO,
            overlay="attach the file before it searches",
        ),
    ),
)
