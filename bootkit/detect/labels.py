"""What the label of an image says who it is, for all distributions whose labels are known, whatever stack they boot by.

Detectors name what they know better by their own signs; here is asked where those fail, and where an image of one stack
bears a name that its detector has never heard.

Source: the records of osinfo-db (a test goes through all of them) and the labels of newer releases in their builders'
sources: live-build 20250505 (``d-live``), lorax, KIWI, agama, livecd-rootfs, void-mklive, catalyst 4.
"""

import re
from dataclasses import replace
from functools import cache

from bootkit.detect.identity import Identity, NamePattern, identify
from bootkit.model.iso import IsoView

_V = r"(?P<version>\d+(?:[._-]\d+)*)"
_ARCH = r"(?P<arch>x86_64|amd64|i[3-6]86|aarch64|arm64)"
_TABLE: tuple[tuple[str, str], ...] = (
    ("Fedora", rf"^Fedora-(?P<edition>.+?)-(?:Live-)?{_ARCH}-(?P<version>\d+|eln|rawh\w*)"),
    ("Fedora", r"^Fedora-(?P<edition>(?!Live)[\w-]+?)-(?:Live-)?(?P<version>\d+|eln|rawh\w*)"),
    ("Fedora", r"^Fedora-[SC](?P<version>2\d)-"),
    ("Fedora", r"^Fedora[- ](?:Live-)?(?P<version>\d+|eln|rawh\w*)"),
    ("CentOS", rf"^CentOS[-_ ](?:(?P<edition>Stream)-)?{_V}"),
    ("CentOS", r"^CentOS$|^CentOS-(?P<edition>Stream)-BaseOS"),
    ("Red Hat Enterprise Linux", rf"\bRHEL[-_/ ]{_V}"),
    ("Red Hat Enterprise Linux", r"^RHEL(?P<edition>Atomic)(?P<version>\d+)"),
    ("Red Hat Enterprise Linux", r"^Red Hat Enterprise Linux (?P<edition>Atomic)?"),
    ("Oracle Linux", rf"^(?:OL|Oracle[- ]Linux[- ])[-_]?{_V}"),
    ("Rocky Linux", r"^Rocky-(?:(?P<edition>[A-Z][A-Za-z-]*?)-)?(?P<version>\d+(?:-\d+)?)"),
    ("AlmaLinux", r"^AlmaLinux[- ](?P<version>\d+(?:[-_.]\d+)?)"),
    ("Circle Linux", rf"^Circle-{_V}"),
    ("MIRACLE LINUX", rf"\bMIRACLE-LINUX-{_V}"),
    ("Asianux", r"^Asianux[- ]Server[- ](?P<version>\d+(?:\.\d+)?(?: SP\d+)?)"),
    ("Scientific Linux", rf"^(?:SL|Scientific Linux)[- ]{_V}"),
    ("Ubuntu Server", rf"^Ubuntu-Server {_V}"),
    ("Ubuntu", rf"^Ubuntu {_V}"),
    ("Pop!_OS", rf"^Pop_OS {_V}(?: {_ARCH})?(?: (?P<edition>\w+))?"),
    ("elementary OS", rf"^elementary OS {_V}"),
    ("Trisquel", rf"^tris(?:quel|kel)(?:-(?P<edition>\w+))? {_V}"),
    ("Debian GNU/Linux", rf"^d-live (?:{_V}|testing|unstable) (?P<edition>\w+)"),
    ("Debian GNU/Linux", rf"^Debian (?:{_V}|testing\b)"),
    ("PureOS", rf"^PureOS {_V}(?:~devel)?(?: (?P<edition>\w+))?"),
    ("Univention Corporate Server", rf"^UCS {_V}"),
    ("Endless OS", r"^ENDLESS (?:COMPUTERS|OS FOUNDATION)"),
    ("Endless OS", r"^(?:Endless-OS|eos\w*)-(?P<version>\d+-\d+)-\d"),
    ("openSUSE Leap", r"openSUSE[-_]Leap[-_](?P<version>\d+\.\d+)(?:[-_](?P<edition>[A-Z]\w+?)[-_](?:Live|CD))?"),
    ("openSUSE Leap Micro", r"^(?:Install-|openSUSE-)?Leap-Micro-(?P<version>\d+\.\d+)"),
    ("openSUSE Leap", r"^Install-Leap-(?P<version>\d+\.\d+)"),
    ("openSUSE Tumbleweed", r"openSUSE[-_]Tumbleweed|^Install-(?:openSUSE-)?Tumbleweed"),
    ("openSUSE", rf"^openSUSE[-_ ](?:(?:DVD|NET|KDE|GNOME)[-_])?{_V}"),
    ("openSUSE", r"^openSUSE\b"),
    ("SUSE Linux Enterprise", r"^SLE[SD]?-(?P<version>\d+(?:-SP\d+)?)(?:-(?P<edition>Server|Desktop)-)?"),
    ("SUSE Linux Enterprise", r"^Install-(?:SUSE-)?SLES?[-_](?P<version>\d+\.\d+)"),
    ("SUSE Linux Enterprise Micro", r"^SUSE-MicroOS-(?P<version>\d+\.\d+)"),
    ("SUSE CaaS Platform", rf"^SUSE-CaaS-Platform-{_V}"),
    ("Mageia", r"^Mageia-(?P<version>\d+(?:\.\d+)?)(?:-Live-(?P<edition>[A-Z]\w+))?"),
    ("Simply Linux", r"^Simply Linux\b(?: live)?[ /]?(?P<version>\d+(?:\.\d+)*)?"),
    ("ALT", r"^ALT (?!Linux )(?P<edition>[A-Za-z][\w-]*(?: K)?) (?P<version>\d+(?:\.\d+)*)"),
    ("ALT", r"^(?:ALT )?(?P<edition>Workstation K)\b"),
    ("ALT", r"^ALT (?:Linux )?(?P<version>p?\d+(?:\.\d+)*)?"),
    ("NixOS", r"^nixos-(?:(?P<edition>[a-z]\w*)?-)?(?P<version>\d\d\.\d\d)"),
    ("Alpine Linux", rf"^alpine-(?P<edition>\w*) {_V}"),
    ("OpenBSD", r"^OpenBSD/\w+\s+(?P<version>\d+\.\d+)"),
    ("NetBSD", r"^NETBSD_?(?P<version>\d+)"),
    ("FreeBSD", r"^(?:FreeBSD[-_])?(?P<version>\d+_\d+)_(?:RELEASE|RC\d|BETA\d|STABLE|CURRENT|ALPHA\d)"),
    ("DragonFly BSD", rf"^DragonFly[ _]v?{_V}"),
    ("Haiku", r"^haiku-(?P<version>r\d(?:[~-]?(?:a|b)(?:lpha|eta)?\d*)?|nightly)|^Haiku$"),
    ("Guix System", r"^GUIX_(?:IMAGE|[\w-]+?-LINUX_(?P<version>\d+(?:\.\d+)+)?)"),
    ("Android-x86", r"^Android-x86\b"),
    ("Manjaro", r"^MANJARO_(?P<edition>[A-Z]+)"),
    ("Clear Linux", r"^CLR_ISO$"),
    ("FreeDOS", r"^FD-SETUP|^FDI-CD|^FD-?1\d"),
    ("Gentoo", r"^Gentoo[- ](?P<arch>amd64|x86|arm64)[- ](?P<version>\d{8})"),
    ("Gentoo", r"^gentoo-(?P<arch>amd64|arm64)-(?P<edition>\w+)"),
    ("GNOME OS", r"^GNOMEOS"),
    ("GNOME live", r"^GNOME(?P<version>\d\d)-LiveCD"),
    ("Hyperbola", r"^HYPER_v(?P<version>\d\d)"),
    ("Slackware", r"^S(?P<version>\d+\.\d)d\d|^SlackDVD"),
    ("Void Linux", r"^VOID_LIVE"),
    ("Arch Linux", r"^ARCH_(?P<version>\d{6})"),
    ("Freenix", r"^FXPDVD"),
    ("Windows 8", r"^H(?:RM|B1)_C"),
    ("Windows Server 2012", r"^HRM_S"),
    ("Windows 8.1", r"^IR[M1-5]_C"),
    ("Windows Server 2012 R2", r"^IR[M1-5]_S"),
    ("Windows Server", r"^(?:SSS|SHV|SESS)_(?:X64|A64)"),
    ("Windows", r"^(?:J_)?C[A-Z]{2,5}_(?:X64|X86|A64)"),
)  # fmt: skip
"""Names and patterns, the narrower ones of a family first."""
DEBIAN_DESKTOPS = {
    "gn": "GNOME", "kd": "KDE", "xf": "Xfce", "ci": "Cinnamon", "ma": "MATE", "lx": "LXDE", "lq": "LXQt", "st": "Standard",
}  # fmt: skip
_SAID = re.compile(r"\b(\d+\.\d+(?:\.\d+)?)")
_ENDLESS = re.compile(r"^\D+-(\d+-\d+)-\d+\b")
"""Endless OS has labels in many languages, by which only its publisher is known."""
_SOLID = frozenset({"NetBSD", "GNOME live"})
"""Whose versions stand in the label without the points."""


@cache
def _patterns() -> tuple[NamePattern, ...]:
    return tuple(NamePattern(name, pattern) for name, pattern in _TABLE)


def by_label(iso: IsoView) -> Identity:
    """Who the image is by its label and its publisher; the version also by its application id. Empty if nobody knows it."""
    found = identify((iso.volume_id, iso.facts.publisher_id), _patterns())
    if not found.distro:
        return found
    version = re.sub(r"[-_ ](?=\d)", ".", found.version)
    if found.distro in _SOLID:
        version = re.sub(r"^(1\d|\d)(\d)(\d)?$", lambda match: ".".join(filter(None, match.groups())), version)
    if not version:
        said = _SAID.search(iso.facts.application_id) or _ENDLESS.search(iso.volume_id)
        version = said[1].replace("-", ".") if said is not None else ""
    edition = DEBIAN_DESKTOPS.get(found.edition, found.edition)
    if found.distro == "ALT" and edition:  # its distributions are called ALT Workstation, ALT Server
        return replace(found, distro=f"ALT {edition}", version=version, edition="")
    return replace(found, version=version.replace("-SP", " SP"), edition=edition)
