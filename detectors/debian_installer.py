"""debian-installer: netinst, CD and DVD images of Debian, Devuan, Kali and old Ubuntu servers; netboot's mini.iso.

The initrd of a CD image has neither loop devices nor iso-scan (debian-cd leaves them out): it looks for CD drives and for
USB partitions that are ISO9660 themselves. No word helps. The initrd of the installer's hd-media build of the same
release is made for ISO files: it looks through the top folder of every partition and the folders in it (FAT, ext4,
NTFS), and, told so, everywhere. It fits the kernel on the image; the user puts it on the stick. A mini.iso brings everything out of the network and has nothing to find, so it starts.

A live image that also carries this installer is ``live_boot``'s.

Source, read: iso-scan's postinst as of 2006, in a published copy (mounts each disk and partition by ``mount -t auto``;
``*.iso`` in the top folder and the folders in it, all others in the second pass; a file with /.disk/info is taken).
Reported, not read: today's, which asks where several fit; Debian bugs 724931 and 953836; debian-cd 3.2.1 (exclude-udebs); installation guide, "Booting from USB"
(hd-media); Mexit/MultiOS-USB (5a8765a) config/devuan/devuan-install.cfg and config/debian.
Words of choices: the appendix on preseeding of Debian's installation guide.
Answer files: the same appendix.
"""

from dataclasses import replace

from bootkit.detect import (
    ANY_FILESYSTEM,
    ISO_PATH,
    ON_STICK,
    PRESEEDED,
    AnswerFile,
    BootEntry,
    ChoiceWords,
    Detection,
    Detector,
    DiskInfo,
    IsoView,
    LookedAt,
    MenuEntry,
    NotMine,
    Stack,
    Verdict,
    arch_of,
    before_separator,
    boot_entries,
    has_word,
    image_name,
    read_menus,
    usable_entries,
    without_loader_words,
)

INSTALLERS = ("/install*/initrd.gz", "/install*/gtk/initrd.gz", "/boot/isolinux/initrd.gz")
LIVE = ("/casper", "/live")
NETBOOT_KERNEL = "/linux"
NETBOOT_INITRD = "/initrd.gz"
NAMES = {"debian": "Debian", "devuan": "Devuan", "kali": "Kali", "ubuntu": "Ubuntu", "parrot": "Parrot"}
SIGN = "Select a language"
"""The installer's first question, wherever its console is."""
HD_MEDIA = "/boot/bootkit/hd-media"
SCAN = ("iso-scan/ask_second_pass=true", f"iso-scan/filename={ISO_PATH}")
"""The first pass looks only two folders deep into a partition, the second everywhere."""
HD_MEDIA_FILESYSTEMS = ("vfat", "ext4", "ntfs")


def detect(iso: IsoView) -> Detection | NotMine:
    if iso.is_file(NETBOOT_KERNEL) and iso.is_file(NETBOOT_INITRD):
        return _netboot(iso)
    if not (iso.is_dir("/dists") and iso.is_dir("/pool")):
        return NotMine(reason="there are no /dists and /pool")
    if any(iso.is_dir(path) for path in LIVE):
        return NotMine(reason="it is a live system as well")
    initrd = next((path for pattern in INSTALLERS for path in iso.glob(pattern)), "")
    if not initrd:
        return NotMine(reason=f"there is no {INSTALLERS[0]}")
    info = image_name(iso)
    kernel = next((path for path in _kernels(initrd) if iso.is_file(path)), "")
    if not kernel:
        return NotMine(reason=f"there is no kernel beside {initrd}")
    place = _hd_media(_distro(iso, info), info.version, info.arch or arch_of(iso))
    return Detection(
        stack="debian-installer",
        distro=_distro(iso, info),
        version=info.version,
        arch=info.arch or arch_of(iso),
        edition=_edition(iso, info),
        entries=_hd_media_entries(iso, kernel, place),
        filesystems=HD_MEDIA_FILESYSTEMS,
        evidence=(f"{initrd} is there", "/dists and /pool are there, and no live system"),
        notes=(
            "The initrd on the image looks for a CD drive and cannot open an ISO file.",
            "It looks for installer images by itself, on all disks: where several fit, see which one it names.",
            f"It takes the initrd.gz of the same release's hd-media folder, from a mirror, as {place} on the stick.",
        ),
    )


def _hd_media(distro: str, version: str, arch: str) -> str:
    """Where the stick keeps the initrd for one release: its modules fit no other kernel."""
    words = (word for word in (distro, version.partition(" ")[0], arch) if word)
    return f"{HD_MEDIA}/{'-'.join(words).lower()}/initrd.gz"


def _kernels(initrd: str) -> tuple[str, str]:
    folder = initrd.rpartition("/")[0].removesuffix("/gtk")
    return f"{folder}/vmlinuz", f"{folder}/linux"


def _hd_media_entries(iso: IsoView, kernel: str, place: str) -> tuple[BootEntry, ...]:
    """The text entries of the image's menu with the other initrd; the graphical ones have one of their own."""
    texts = [entry for entry in read_menus(iso).linux if "/gtk/" not in "".join(entry.initrds)]
    found = [entry for entry in texts if entry.kernel == kernel]
    found = found or [MenuEntry(title="Install", loader="linux", kernel=kernel, cmdline=("---", "quiet"))]
    ready = [replace(entry, initrds=(ON_STICK + place,)) for entry in found]
    entries = boot_entries(ready, lambda entry: before_separator(_words(entry), *SCAN), default=ready[0])
    return tuple(replace(entry, sign=SIGN) for entry in entries)


def _netboot(iso: IsoView) -> Detection | NotMine:
    entries = usable_entries(iso, read_menus(iso), lambda entry: entry.kernel == NETBOOT_KERNEL)
    says_so = any(has_word(entry.cmdline, word) for entry in entries for word in ("rescue/enable", "priority", "auto"))
    if not entries or not (_is_installers(iso) or says_so):
        return NotMine(reason=f"no kernel line of its menu has {NETBOOT_KERNEL} and words of the debian-installer")
    first = entries[0]
    info = image_name(iso)
    return Detection(
        stack="debian-installer",
        distro=_distro(iso, info),
        version=info.version,
        arch=info.arch or arch_of(iso),
        edition="netboot",
        entries=tuple(replace(entry, sign=SIGN) for entry in boot_entries(entries, _words, default=first)),
        filesystems=ANY_FILESYSTEM,
        evidence=(f"{first.source} starts {first.kernel}", "its menu has words of the debian-installer"),
        notes=("It installs from the network and does not need its ISO file.",),
    )


def _is_installers(iso: IsoView) -> bool:
    """Whether the initrd is the installer's, whatever the menu says: somebody may have made it anew, or put answers inside."""
    initrd = iso.initrd(NETBOOT_INITRD)
    return initrd is not None and initrd.maker == "debian-installer"


def _words(entry: MenuEntry) -> tuple[str, ...]:
    return without_loader_words(entry.cmdline)


def _distro(iso: IsoView, info: DiskInfo) -> str:
    said = f"{info.text} {iso.volume_id} {iso.name}".lower()
    return next((name for word, name in NAMES.items() if word in said), "") or info.name or "debian-installer"


def _edition(iso: IsoView, info: DiskInfo) -> str:
    """The edition by /.disk/info, or by /.disk/cd_type: an image that is not complete needs the network."""
    if "NETINST" in info.text.upper() or "not_complete" in iso.text("/.disk/cd_type"):
        return "netinst"
    return "DVD" if " DVD" in info.text else "installer"


DETECTOR = Detector(
    name="debian-installer",
    detect=detect,
    rank=60,
    stacks=(
        Stack(
            name="debian-installer",
            only_installs=True,
            systems=(
                "Debian installer",
                "Devuan installer",
                "Kali installer",
                "Parrot installer",
                "Debian and Ubuntu mini.iso",
            ),
            source="installation guide (hd-media); debian-cd 3.2.1; reported",
            looked_at=(
                LookedAt(
                    system="Debian installer",
                    version="13.6",
                    when="2026-11",
                    what="its image, started by CIBU's menu (reported)",
                ),
                LookedAt(system="Kali installer", version="2024.3", when="2026-11", what="debian-cd as Kali uses it"),
            ),
            verdict=Verdict.HELPED,
            but="CD and DVD images want the initrd of hd-media beside them; mini.iso boots by itself",
            booted="tests/boots/test_tools.py::test_a_program_runs",
            words=ChoiceWords(
                language=("locale={locale}",),
                keyboard=("keyboard-configuration/xkb-keymap={layout}",),
                timezone=("time/zone={value}",),
                user=("passwd/username={value}",),
                host=("netcfg/get_hostname={value}",),
            ),
            no_persistence="it is an installer",
            markers={PRESEEDED: ("preseed.cfg",)},
            answers=(
                AnswerFile(
                    kind="preseed",
                    file="preseed.cfg",
                    member="preseed.cfg",
                    words=("auto=true", "priority=critical"),
                    suffixes=(".seed", ".preseed", "preseed.cfg"),
                    first_words=("d-i ", "#_preseed_V1"),
                ),
            ),
        ),
    ),
)
