"""mdk-stage1: the classic installers of Mageia, Mandriva and OpenMandriva's and ROSA's forebears.

The first stage, a C program in all.rdz, looks for an installation tree on CDs, or with ``automatic=method:disk`` on every
partition. It can open an ISO file, but finds none by itself: when no partition holds a tree it forgets what
``automatic=`` said and asks for the disk, the partition and the path. ``directory:`` is given all the same, for
/proc/cmdline and older stages. Network images (boot.iso, netinstall) have nothing to find.

Source, read: DrakXtools/drakx 17.96 (b3b00e10f): mdk-stage1/disk.cpp (disk_prepare, try_with_device), directory.cpp
(try_with_directory), automatic.cpp, tools.cpp (try_mount), stage1.cpp, kernel/list_modules.pm. Mexit/MultiOS-USB
(5a8765a): config/Mageia/Mageia_netinstall.cfg.
"""

import posixpath

from bootkit.detect import (
    ANY_FILESYSTEM,
    ISO_PATH,
    NOT_WHOLE,
    ChoiceWords,
    Detection,
    Detector,
    IsoView,
    LookedAt,
    MenuEntry,
    NamePattern,
    NotMine,
    Stack,
    Verdict,
    arch_of,
    boot_entries,
    identify,
    read_menus,
    usable_entries,
    with_words,
    without,
    without_loader_words,
)

INITRDS = (
    "/isolinux/*/all.rdz", "/isolinux/*/*/all.rdz", "/x86_64/isolinux/*/all.rdz", "/i586/isolinux/*/all.rdz",
)  # fmt: skip
FIND_ISO = f"automatic=method:disk,directory:{ISO_PATH}"
FILESYSTEMS = ("ext4", "btrfs", "vfat", "ntfs", "xfs")
NAMES = (
    NamePattern("Mageia", r"\bMageia-(?P<version>\d+(?:\.\d+)?)"),
    NamePattern("Mandriva Linux", r"\bMandriva(?:[-_ ]Linux)?[-_ ](?P<version>[\d.]+\d)"),
    NamePattern("ROSA", r"\bROSA"),
)


def detect(iso: IsoView) -> Detection | NotMine:
    if not any(iso.glob(pattern) for pattern in INITRDS):
        return NotMine(reason=f"there is no {INITRDS[0]}")
    entries = usable_entries(iso, read_menus(iso), _is_installer)
    if not entries:
        return NOT_WHOLE
    first = entries[0]
    from_network = not iso.glob("/*/media") and not iso.glob("/*/install/stage2")
    who = identify(
        (iso.volume_id, iso.name, *(entry.title for entry in entries)),
        NAMES,
        otherwise=iso.volume_id or "DrakX installer",
    )

    def words(entry: MenuEntry) -> tuple[str, ...]:
        kept = without_loader_words(entry.cmdline)
        return kept if from_network else with_words(without(kept, "automatic"), FIND_ISO)

    return Detection(
        stack="mdk-stage1",
        distro=who.distro,
        version=who.version,
        arch=arch_of(iso, first.kernel.replace("/", " ")),
        edition="netinstall" if from_network else "installer",
        entries=boot_entries(entries, words, default=first),
        filesystems=ANY_FILESYSTEM if from_network else FILESYSTEMS,
        evidence=(f"{first.source} starts {first.kernel} with {posixpath.basename(first.initrds[-1])}",),
        notes=_notes(from_network=from_network),
    )


def _is_installer(entry: MenuEntry) -> bool:
    return any(posixpath.basename(path) == "all.rdz" for path in entry.initrds)


def _notes(*, from_network: bool) -> tuple[str, ...]:
    if from_network:
        return ("It installs from the network and does not need its ISO file.",)
    return ("It asks where it is: choose the stick's disk and partition, and type the ISO file's path from its root.",)


DETECTOR = Detector(
    name="mdk-stage1",
    detect=detect,
    rank=25,
    stacks=(
        Stack(
            name="mdk-stage1",
            only_installs=True,
            systems=("Mageia classic and network installers", "Mandriva installer", "ROSA installer (old)"),
            source="DrakXtools/drakx 17.96 (b3b00e10f)",
            looked_at=(
                LookedAt(
                    system="Mageia classic and network installers",
                    version="9",
                    when="2026-11",
                    what="DrakXtools/drakx 17.96 (b3b00e10f)",
                ),
            ),
            verdict=Verdict.HELPED,
            but="the classic installer asks for the disk, the partition and the path",
            words=ChoiceWords(language=("lang={language}",), keyboard=("kbd={layout}",)),
        ),
    ),
)
