"""Systems that no boot loader can start out of an ISO file: illumos, ReactOS, Haiku. Recognised, with what to do instead.

Source: the files of each are those that ventoy/Ventoy (6568972a) INSTALL/grub/grub.cfg and its own patches look for;
reported, not read, where no other is named. Plan 9, MINIX and the Hurd are known by the usual places of their kernels,
which nobody has checked against an image.
"""

from dataclasses import dataclass

from bootkit.detect import Detection, Detector, IsoView, NotMine, Stack, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Unix:
    distro: str
    files: tuple[str, ...]
    """All of them are there; patterns."""
    names: tuple[str, ...] = ()
    """Distributions, if the label or the file's name begins like one of them."""
    obstacle: str
    instead: str = "Write it to a stick of its own: sudo cp FILE /dev/sdX."


SYSTEMS = (
    Unix(
        distro="illumos",
        files=("/platform/i86pc/kernel/*/unix",),
        names=("SmartOS", "OmniOS", "OpenIndiana", "Tribblix"),
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
    Unix(
        distro="Plan 9",
        files=("/386/9*", "/cfg"),
        names=("9front",),
        obstacle="Its kernel looks for its root on a disc or a disk, and cannot open an ISO file on the stick.",
    ),
    Unix(
        distro="MINIX",
        files=("/boot/minix*",),
        obstacle="Its boot monitor hands over to drivers that look for a disc or a disk of its own.",
    ),
    Unix(
        distro="GNU Hurd",
        files=("/boot/gnumach*",),
        obstacle="Its kernel looks for its root on a disc or a disk, and cannot open an ISO file on the stick.",
    ),
)


def detect(iso: IsoView) -> Detection | NotMine:
    for system in SYSTEMS:
        found = [iso.glob(pattern)[:1] for pattern in system.files]
        if all(found):
            return Detection(
                stack="own loader",
                distro=_distro(iso, system),
                evidence=tuple(f"{paths[0]} is there" for paths in found),
                obstacle=system.obstacle,
                instead=system.instead,
            )
    return NotMine(reason="it has the files of none of these systems")


def _distro(iso: IsoView, system: Unix) -> str:
    seen = (iso.volume_id.lower(), iso.name.lower())
    return next((name for name in system.names if any(text.startswith(name.lower()) for text in seen)), system.distro)


DETECTOR = Detector(
    name="other systems",
    detect=detect,
    rank=24,
    stacks=(
        Stack(
            name="own loader",
            systems=tuple(dict.fromkeys(name for system in SYSTEMS for name in (system.distro, *system.names))),
            source="ventoy/Ventoy (6568972a) INSTALL/grub/grub.cfg; reported",
            verdict=Verdict.NO,
        ),
    ),
)
