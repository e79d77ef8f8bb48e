"""mgalive: Mageia's live images, whose initrd waits for a disk and opens no ISO file.

The dracut module mgalive-root mounts the device of ``root=mgalive:LABEL=...`` on /live/media; dmsquash-live, and with it
iso-scan, is left out of the initrd. A loop device over the file, made in dracut's initqueue, bears the label: dracut's
parse-iso-scan and iso-scan.sh put back by a secondary initrd start Mageia 9 and 10 so, beside the vendor's words, from exFAT
and ext4. bootkit's overlay for dracut makes that device in the same place.

Source, read: Rockets31/Mageia-iso-boot-support (436f9627) README.md. Reported, not read: mgalive-root itself only in
others' patches of it (probonopd/SystemImageKit, mageia-isofrom; ventoy/Ventoy, hook/mageia).
"""

from bootkit.detect import (
    MAKES_A_DISK,
    ON_A_DISK,
    Detection,
    Detector,
    IsoView,
    LookedAt,
    NamePattern,
    NotMine,
    Stack,
    arch_of,
    boot_entries,
    identify,
    read_menus,
    usable_entries,
    word_value,
)

ROOT = "/loopbacks/distrib*.sqfs"
NAMES = (NamePattern("Mageia", r"\bMageia-(?P<version>\d+(?:\.\d+)?)(?:.*?-Live(?:DVD|CD)?-(?P<edition>[A-Za-z]+))?"),)


def detect(iso: IsoView) -> Detection | NotMine:
    images = iso.glob(ROOT)
    if not images:
        return NotMine(reason=f"there is no {ROOT}")
    entries = usable_entries(
        iso, read_menus(iso), lambda entry: word_value(entry.cmdline, "root").startswith("mgalive:")
    )
    if not entries:
        return NotMine(reason="its menu starts no kernel of the image with root=mgalive:")
    who = identify((iso.volume_id, iso.name), NAMES, otherwise="Mageia")
    return Detection(
        stack="mgalive",
        distro=who.distro,
        version=who.version,
        arch=arch_of(iso),
        edition=f"Live {who.edition}".strip(),
        entries=boot_entries(entries, default=entries[0]),
        evidence=(f"{images[0]} is there", f"{entries[0].source} has {word_value(entries[0].cmdline, 'root')}"),
        notes=(ON_A_DISK,),
        wants_disk=True,
    )


DETECTOR = Detector(
    name="mgalive",
    detect=detect,
    rank=20,
    stacks=(
        Stack(
            name="mgalive",
            systems=("Mageia live",),
            source="Rockets31/Mageia-iso-boot-support (436f9627)",
            looked_at=(
                LookedAt(
                    system="Mageia live",
                    version="9",
                    when="2026-11",
                    what="Rockets31/Mageia-iso-boot-support (436f9627)",
                ),
            ),
            overlay=MAKES_A_DISK,
            markers={"mgalive": ("sbin/mgalive-root",)},
        ),
    ),
)
