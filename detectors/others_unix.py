"""Systems that no boot loader can start out of an ISO file: illumos, ReactOS, Haiku. Recognised, with what to do instead.

Source: the files of each are those that ventoy/Ventoy (6568972a) INSTALL/grub/grub.cfg and its own patches look for;
reported, not read, where no other is named.
"""

from dataclasses import dataclass

from bootkit.detect import Detection, Detector, IsoView, NotMine


@dataclass(frozen=True, slots=True, kw_only=True)
class Unix:
    distro: str
    files: tuple[str, ...]
    """All of them are there; patterns."""
    obstacle: str
    instead: str = "Write it to a stick of its own: sudo cp FILE /dev/sdX."


SYSTEMS = (
    Unix(
        distro="illumos (OmniOS, OpenIndiana, Tribblix)",
        files=("/platform/i86pc/kernel/*/unix",),
        obstacle="Its kernel starts, but then looks for its disc on drives only and never inside a file.",
    ),
    Unix(
        distro="ReactOS",
        files=("/freeldr.sys", "/reactos"),
        obstacle="Its loader hands over to drivers that look for a real CD drive, and it knows BIOS machines only.",
        instead="Burn it to a disc, or start it in a virtual machine.",
    ),
    Unix(
        distro="ReactOS",
        files=("/loader/setupldr.sys", "/reactos"),
        obstacle="Its loader hands over to drivers that look for a real CD drive, and it knows BIOS machines only.",
        instead="Burn it to a disc, or start it in a virtual machine.",
    ),
    Unix(
        distro="Haiku",
        files=("/haiku-boot-floppy.img",),
        obstacle="Its boot loader looks for a partition or a disc with its own file system.",
    ),
    Unix(
        distro="Haiku",
        files=("/boot/haiku_loader*",),
        obstacle="Its boot loader looks for a partition or a disc with its own file system.",
    ),
)


def detect(iso: IsoView) -> Detection | NotMine:
    for system in SYSTEMS:
        found = [iso.glob(pattern)[:1] for pattern in system.files]
        if all(found):
            return Detection(
                stack="own loader",
                distro=system.distro,
                evidence=tuple(f"{paths[0]} is there" for paths in found),
                obstacle=system.obstacle,
                instead=system.instead,
            )
    return NotMine(reason="it has the files of none of these systems")


DETECTOR = Detector(
    name="other systems",
    detect=detect,
    rank=24,
    distributions=("OmniOS, OpenIndiana, Tribblix, ReactOS, Haiku (recognised only)",),
)
