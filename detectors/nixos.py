"""NixOS: its scripted initrd opens the file that ``findiso=`` names; the one made of systemd units does not.

The scripted initrd mounts each device that blkid finds, read-write on /findiso, until one has the path; it does so
twice, five seconds apart. A blank or a ``=`` ends the path.
The mandatory ``init=/nix/store/...`` and the kernel's place come from the menu, every one of whose specialisations has
its own. The generations differ in the kernel line: the scripted one says ``root=LABEL=``, systemd's mounts
/dev/disk/by-label by a unit and says ``root=fstab`` (its image has no loopback.cfg either, but a grub.cfg that still
passes ``findiso``). That unit takes any disk of the label, so bootkit's overlay makes one of the file before it gives up.

Source, read: NixOS/nixpkgs nixos/modules/installer/cd-dvd/iso-image.nix, at 007ab6fb, f519ce0a and in a version of 2026
(kernelParams, isoFileSystems, services.copytoram, "not supported by systemd initrd", supportedFilesystems = vfat). Issue
14512 (blanks). exFAT does not work with 23.11: Mexit/MultiOS-USB (5a8765a) docs/Supported_OS.md.
nixos/modules/system/boot/stage-1-init.sh (in a copy of 2022) and systemd/initrd.nix (00e6b22b). How the overlay opens the
file was booted with an initrd of systemd and such units, made from Debian's packages (tests/boots/test_no_shell.py).
Reported, not read: that ext4 works.
"""

from dataclasses import replace

from bootkit.detect import (
    ISO_PATH,
    KEEPS_NOTHING,
    MAKES_A_DISK,
    ON_A_DISK,
    Detection,
    Detector,
    FileFinder,
    IsoView,
    LookedAt,
    MenuEntry,
    NamePattern,
    NotMine,
    ScriptMark,
    Stack,
    arch_of,
    boot_entries,
    has_word,
    identify,
    own_menu,
    read_menus,
    usable_entries,
    without,
    without_loader_words,
)

STORE = "/nix-store.squashfs"
WAITS = "It waits 15 seconds at each start before it goes on: its initrd looks for the file in a shell of its own."
"""Source: stage-1-init.sh, whose ``break 2`` ends only the subshell behind ``blkid |``; booted."""
FILESYSTEMS = ("vfat", "ext4")
SCRIPTED = "nixos-stage-1"
"""The marker of an initrd whose ``/init`` is NixOS' own script."""
STAGE_1 = ("init", "nix/store/*-stage-1-init.sh")
OF_UNITS = ("root=fstab", "root=gpt-auto")
NAMES = (
    NamePattern("NixOS", r"^nixos(?:-(?P<edition>minimal|gnome|plasma\d?|graphical|kde))?-(?P<version>\d\d\.\d\d)(?:-(?P<arch>x86_64|aarch64|i686))?"),
    NamePattern("NixOS", r"^nixos\b"),
    NamePattern("NixOS", r"\bNixOS (?P<version>\d\d\.\d\d)"),
)  # fmt: skip


def detect(iso: IsoView) -> Detection | NotMine:
    if not iso.is_file(STORE):
        return NotMine(reason=f"there is no {STORE}")
    entries = usable_entries(iso, read_menus(iso), lambda entry: has_word(entry.cmdline, "init"))
    if not entries:
        return NotMine(reason="its menu starts no kernel of the image with init=/nix/store/...")
    first = entries[0]
    who = identify((iso.volume_id, *(entry.title for entry in entries), iso.name), NAMES)
    version = iso.text("/version.txt").strip().split("\n")[0][:40]
    known = Detection(
        stack="nixos systemd stage-1",
        distro=who.distro or "NixOS",
        version=version or who.version,
        arch=who.arch or arch_of(iso, first.title),
        edition=who.edition.capitalize().replace("Gnome", "GNOME"),
        evidence=(f"{STORE} is there",),
    )
    is_scripted, evidence = _is_scripted(iso, first)
    if is_scripted:
        return replace(
            known,
            stack="nixos stage-1",
            entries=(
                *boot_entries(entries, _words, default=first, to_ram=("copytoram",)),
                *own_menu(iso, "findiso"),
            ),
            filesystems=FILESYSTEMS,
            evidence=(*known.evidence, evidence),
            notes=(WAITS,),
        )
    return replace(
        known,
        entries=boot_entries(entries, _own_words, default=first, to_ram=("copytoram",)),
        evidence=(*known.evidence, evidence),
        notes=(ON_A_DISK,),
        wants_disk=True,
    )


def _is_scripted(iso: IsoView, first: MenuEntry) -> tuple[bool, str]:
    """Whether NixOS' own script is the initrd's ``/init``, and how that is known."""
    initrd = iso.initrd(first.initrds[-1])
    markers = initrd.markers if initrd is not None else ()
    if SCRIPTED in markers:
        return True, f"the /init in {first.initrds[-1]} is NixOS' script"
    if "systemd" in markers:
        return False, f"the /init in {first.initrds[-1]} is systemd"
    if any(word.startswith("root=") and word not in OF_UNITS for word in first.cmdline):
        return True, f"{first.source} has root=, as the scripted initrd needs it"
    return False, f"{first.source} has no disk in root=: its initrd is made of systemd units"


def _words(entry: MenuEntry) -> tuple[str, ...]:
    return (f"findiso={ISO_PATH}", *_own_words(entry))


def _own_words(entry: MenuEntry) -> tuple[str, ...]:
    return without_loader_words(without(entry.cmdline, "findiso"))


DETECTOR = Detector(
    name="nixos",
    detect=detect,
    rank=30,
    stacks=(
        Stack(
            name="nixos stage-1",
            systems=("NixOS (scripted initrd)",),
            source="NixOS/nixpkgs (f519ce0a) iso-image.nix, stage-1-init.sh",
            looked_at=(
                LookedAt(
                    system="NixOS",
                    version="25.11",
                    when="2026-06",
                    what="its image, in the tests of linuxboot/heads (aedae4ff)",
                ),
            ),
            no_persistence=KEEPS_NOTHING,
            scripts={
                SCRIPTED: ScriptMark(files=STAGE_1, says=r"<<< .*Stage 1 >>>"),
                "nixos-findiso": ScriptMark(files=STAGE_1, says=r"\bfindiso="),
            },
            finder=FileFinder(
                markers=("nixos-findiso",),
                scripts=SCRIPTED,
                lacking="The scripted stage 1 in its initrd knows no findiso=, which names an ISO file.",
            ),
        ),
        Stack(
            name="nixos systemd stage-1",
            systems=("NixOS (systemd initrd)",),
            source="NixOS/nixpkgs (00e6b22b) nixos/modules/system/boot/systemd/initrd.nix, (f519ce0a) iso-image.nix",
            looked_at=(LookedAt(system="NixOS", version="26.05", when="2026-11", what="NixOS/nixpkgs (00e6b22b)"),),
            overlay=MAKES_A_DISK,
        ),
    ),
)
