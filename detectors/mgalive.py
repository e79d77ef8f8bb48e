"""mgalive: Mageia's live images. Recognised, but not started.

The dracut module mgalive-root mounts the device of ``root=mgalive:LABEL=...`` on /live/media; dmsquash-live, and with it
iso-scan, is left out of the initrd. With dracut's parse-iso-scan and iso-scan.sh put back by a secondary initrd (as
Rockets31/Mageia-iso-boot-support does) ``iso-scan/filename=`` works beside the vendor's words.

Source, read: Rockets31/Mageia-iso-boot-support (436f9627) README.md (Mageia 9 and 10 on exFAT and ext4). Reported, not
read: mgalive-root itself only in others' patches of it (probonopd/SystemImageKit, mageia-isofrom; ventoy/Ventoy, hook/mageia).
"""

from bootkit.detect import (
    Detection,
    Detector,
    IsoView,
    NotMine,
    Support,
    Verdict,
)
from bootkit.detectors._live import Name, arch_of, identify

ROOT = "/loopbacks/distrib*.sqfs"
NAMES = (Name("Mageia", r"\bMageia-(?P<version>\d+(?:\.\d+)?)(?:.*?-Live(?:DVD|CD)?-(?P<edition>[A-Za-z]+))?"),)


def detect(iso: IsoView) -> Detection | NotMine:
    images = iso.glob(ROOT)
    if not images:
        return NotMine(reason=f"there is no {ROOT}")
    who = identify((iso.volume_id, iso.name), NAMES, otherwise="Mageia")
    return Detection(
        stack="mgalive",
        distro=who.distro,
        version=who.version,
        arch=arch_of(iso),
        edition=f"Live {who.edition}".strip(),
        evidence=(f"{images[0]} is there",),
        obstacle="The initrd of Mageia's live images looks for a device with its label and cannot open an ISO file.",
        instead=(
            "Write this image to a stick of its own; an overlay with dracut's iso-scan for its initrd would help, "
            "and bootkit has none yet."
        ),
    )


DETECTOR = Detector(
    name="mgalive",
    detect=detect,
    rank=20,
    support=(
        Support(
            stack="mgalive",
            systems=("Mageia live",),
            source="Rockets31/Mageia-iso-boot-support (436f9627)",
            verdict=Verdict.NO,
            overlay="put dracut's iso-scan back",
        ),
    ),
)
