"""Entries that erase disks: which are known for it, and what an image starts by itself instead."""

import pytest

from bootkit.detect import BootEntry, Detection, EntryKind, Role
from bootkit.detect.answer_files import A_DISK, ALL_DISKS, BY_ANSWERS, BY_INITRD, BY_TITLE, PUT_TOGETHER, UNATTENDED
from bootkit.detect.destroys import PRESEEDED, wiped_by, with_warnings_of_wiping
from bootkit.model.initrd import InitrdFacts
from bootkit.model.iso import IsoFacts, Node, RecordedIso

KICKSTART = "install\n# nobody is asked\nzerombr\nclearpart --all --initlabel\nautopart\n"
PRESEED = "d-i partman-auto/method string lvm\nd-i partman/confirm boolean true\n"
AUTOYAST = '<drive><initialize config:type="boolean">true</initialize><use>all</use></drive>'
CONFIRMED = f'<confirm config:type="boolean">true</confirm>{AUTOYAST}'
USER_DATA = "#cloud-config\nautoinstall:\n  version: 1\n"
ASKING = f"{USER_DATA}  interactive-sections:\n    - network\n    - storage\n"


def image(texts: dict[str, str]) -> RecordedIso:
    nodes = tuple(Node(name=path.strip("/"), size=len(text)) for path, text in texts.items())
    return RecordedIso(IsoFacts(name="x.iso", size=1, dirs={"/": nodes}, texts=texts))


def judged(texts: dict[str, str], *lines: tuple[str, ...]) -> Detection:
    entries = tuple(
        BootEntry(title=f"Entry {at}", kernel="/k", cmdline=words, role=Role.OTHER if at else Role.DEFAULT)
        for at, words in enumerate(lines)
    )
    return with_warnings_of_wiping(image(texts), Detection(stack="s", distro="d", entries=entries))


@pytest.mark.parametrize(
    ("words", "text", "wipes"),
    [
        (("ks=cdrom:/a",), KICKSTART, ALL_DISKS),
        (("inst.ks=hd:LABEL=X:/a",), KICKSTART, ALL_DISKS),
        (("inst.ks=file:///run/install/repo/a",), KICKSTART, ALL_DISKS),
        (("ks=cdrom:/a",), "clearpart --none\n", ""),
        (("ks=cdrom:/a",), "clearpart --linux\n", "It erases the Linux partitions of all disks without a question."),
        (
            ("ks=cdrom:/a",),
            "ignoredisk --only-use=sda\nclearpart --all\n",
            "It erases sda without a question, which may be the stick.",
        ),
        (("ks=cdrom:/other",), KICKSTART, ""),
        (("inst.ks=https://x.invalid/ks.cfg",), "", UNATTENDED),
        (("file=/cdrom/a",), PRESEED, A_DISK),
        (("file=/cdrom/a",), "d-i partman-auto/method string lvm\n", ""),
        (("autoyast=file:///a",), AUTOYAST, A_DISK),
        (("autoyast=file:///a",), CONFIRMED, ""),
        (
            ("file=/cdrom/a",),
            f"{PRESEED}d-i partman-auto/disk string /dev/sda\n",
            "It erases /dev/sda without a question, which may be the stick.",
        ),
        (
            ("autoyast=file:///a",),
            AUTOYAST.replace("<drive>", "<drive><device>/dev/nvme0n1</device>"),
            "It erases /dev/nvme0n1 without a question, which may be the stick.",
        ),
        (("rd.kiwi.oem.installdevice=/dev/vda",), "", "It erases /dev/vda without a question."),
        (("nuke=dwipe --autonuke",), "", ALL_DISKS),
        (("ocs_live_run=ocs-sr -b restoredisk image sda",), "", A_DISK),
        (("coreos.inst.install_dev=/dev/sda",), "", "It erases /dev/sda without a question."),
        (("autoyast=device://sr0/a",), AUTOYAST, A_DISK),
        (("autoyast=label://DISC/a",), CONFIRMED, ""),
        (("inst.ks=file:/ks.cfg",), KICKSTART, BY_INITRD),
        (("preseed/file=/preseed.cfg",), PRESEED, BY_INITRD),
        (("file=/cdrom/preseed/x.seed",), PRESEED, ""),
        (("inst.auto=https://x.invalid/profile.json",), "", UNATTENDED),
        (("inst.auto=device://sr0/profile.json",), "", A_DISK),
        (("FAI_ACTION=install", "FAI_FLAGS=verbose"), "", A_DISK),
        (("install", "answerfile=file:///answer.xml"), "", A_DISK),
        (("ocs_live_run=ocs-restore-mdisks image sda sdb",), "", A_DISK),
        (("quiet", "splash"), KICKSTART, ""),
    ],
)
def test_what_erases_is_told_by_the_words_and_their_file(words: tuple[str, ...], text: str, wipes: str) -> None:
    found = judged({"/a": text}, ("quiet",), words)
    assert [entry.wipes for entry in found.entries] == ["", wipes]


@pytest.mark.parametrize(("text", "wipes"), [(USER_DATA, A_DISK), (ASKING, "")])
def test_an_autoinstall_asks_only_where_it_says_so(text: str, wipes: str) -> None:
    assert judged({"/autoinstall.yaml": text}, ("quiet",), ("autoinstall",)).entries[1].wipes == wipes
    assert not judged({"/autoinstall.yaml": text}, ("quiet",)).entries[0].wipes


@pytest.mark.parametrize(("path", "wipes"), [("/cdrom/my.yaml", A_DISK), ("/cdrom/other.yaml", "")])
def test_an_autoinstall_is_read_from_where_the_kernel_line_says(path: str, wipes: str) -> None:
    words = ("autoinstall", f"subiquity.autoinstallpath={path}")
    assert judged({"/my.yaml": USER_DATA}, ("quiet",), words).entries[1].wipes == wipes


@pytest.mark.parametrize(
    ("text", "wipes"),
    [
        ("%include /run/install/repo/b\n", ALL_DISKS),
        ("%include /mnt/install/repo/b\n", ALL_DISKS),
        ("%ksappend /b\n", ALL_DISKS),
        ("# %include /run/install/repo/b\n", ""),
        ("%include /run/install/repo/itself\n", PUT_TOGETHER),
        ("%include https://x.invalid/b\n", UNATTENDED),
        ("%include /tmp/part\n", PUT_TOGETHER),
        ("%pre\necho 'clearpart --all' > /tmp/part\n%end\n%include /tmp/part\n", ALL_DISKS),
        ("%pre\ncat > /tmp/part <<E\nclearpart --drives=sdb\nE\n%end\n", "It erases sdb without a question, which may be the stick."),
        ("%pre\nwipefs -a /dev/sda\n%end\n", A_DISK),
        ("%pre\ndd if=/dev/zero of=/dev/nvme0n1 bs=1M count=1\n%end\n", A_DISK),
        ("%pre\nsgdisk --zap-all /dev/vda\n%end\n", A_DISK),
        ("%pre\ndd if=/dev/urandom of=/dev/null\n# wipefs /dev/sda\n%end\n", ""),
        ("clearpart --list=sda2,sda3\n", "It erases sda2,sda3 without a question, which may be the stick."),
        ("clearpart --initlabel\n", ""),
    ],
)  # fmt: skip
def test_a_kickstart_is_read_with_what_it_includes_and_what_it_runs(text: str, wipes: str) -> None:
    texts = {"/a": text, "/b": KICKSTART, "/itself": "%include /run/install/repo/itself\n"}
    assert judged(texts, ("ks=cdrom:/a",)).entries[-1].wipes == wipes


@pytest.mark.parametrize(
    ("command", "wipes"), [("wipefs -a /dev/sda", A_DISK), ("true \\\n  && dd of=/dev/sda", A_DISK), ("wget x", "")]
)
def test_what_a_preseed_runs_before_the_installer_may_erase_as_well(command: str, wipes: str) -> None:
    text = f"d-i preseed/early_command string {command}\n"
    assert judged({"/a": text}, ("file=/cdrom/a",)).entries[-1].wipes == wipes


def test_answers_in_the_root_of_debian_installers_initrd_count_without_a_word() -> None:
    entries = tuple(BootEntry(title=path, kernel="/k", initrds=(path,)) for path in ("/asks", "/knows", "/unread"))
    initrds = {
        "/asks": InitrdFacts(size=1, maker="debian-installer"),
        "/knows": InitrdFacts(size=1, maker="debian-installer", markers=(PRESEEDED,)),
    }
    iso = RecordedIso(IsoFacts(name="x.iso", size=1, initrds=initrds))
    found = with_warnings_of_wiping(iso, Detection(stack="s", distro="d", entries=entries))
    assert [entry.wipes for entry in found.entries] == ["", BY_INITRD, ""]


def test_an_entry_that_erases_gives_its_place_to_one_that_does_not() -> None:
    found = judged({"/a": KICKSTART}, ("ks=cdrom:/a",), ("quiet",))
    assert [(entry.title, entry.role, bool(entry.wipes)) for entry in found.entries] == [
        ("Entry 1", Role.DEFAULT, False),
        ("Entry 0", Role.INSTALL, True),
    ]


def test_where_all_erase_the_same_installer_starts_without_its_answers() -> None:
    found = judged({"/a": KICKSTART}, ("ks=cdrom:/a", "quiet"))
    assert [(entry.title, entry.cmdline, entry.role) for entry in found.entries] == [
        ("Entry 0, by hand", ("quiet",), Role.DEFAULT),
        ("Entry 0", ("ks=cdrom:/a", "quiet"), Role.INSTALL),
    ]


@pytest.mark.parametrize(
    ("storage", "disks"),
    [
        ("    config:\n      - type: disk\n        path: /dev/sda\n", "/dev/sda"),
        ("    config:\n      - {type: disk, id: a}\n        serial: WD-1\n", "WD-1"),
        ("    layout:\n      name: lvm\n      match:\n        size: largest\n", "the largest disk"),
    ],
)
def test_an_autoinstall_names_its_disk(storage: str, disks: str) -> None:
    said = wiped_by("autoinstall", f"{USER_DATA}  storage:\n{storage}")
    assert said == f"It erases {disks} without a question, which may be the stick."


def test_answers_of_the_sticks_own_are_asked_about_whatever_they_say() -> None:
    assert wiped_by("kickstart", KICKSTART) == ALL_DISKS
    assert wiped_by("preseed", "d-i time/zone string UTC\n") == BY_ANSWERS
    assert wiped_by("sysrescuecfg", "global: {}\n") == ""


def test_windows_with_an_answer_file_that_wipes_a_disk_says_which() -> None:
    text = "<Disk wcm:action='add'><WillWipeDisk>true</WillWipeDisk><DiskID>0</DiskID></Disk>"
    entries = (BootEntry(title="Setup", kernel="/sources/boot.wim", kind=EntryKind.WIMBOOT),)
    found = with_warnings_of_wiping(
        image({"/autounattend.xml": text}), Detection(stack="s", distro="d", entries=entries)
    )
    assert found.entries[0].wipes == "It erases disk 0 without a question, which may be the stick."


@pytest.mark.parametrize(
    ("words", "asking"),
    [
        (("nwipe_options=--autonuke --method=zero",), ("nwipe_options=--method=zero",)),
        (("nuke=dwipe --autonuke", "silent"), ("nuke=dwipe", "silent")),
        (("x", "coreos.inst.install_dev=/dev/sda", "coreos.inst.image_url=u"), ("x",)),
        (("harvester.install.automatic=true", "harvester.install.device=/dev/sda", "x"), ("x",)),
        (("FAI_ACTION=install",), ("FAI_ACTION=sysinfo",)),
        (("AUTO_INSTALL=force", "DEBUG=2"), ("DEBUG=2",)),
        (("ocs_live_run=ocs-sr restoredisk i sda", "ocs_live_batch=yes"), ("ocs_live_run=ocs-live-general",)),
    ],
)
def test_an_image_that_does_nothing_but_erase_starts_by_asking(words: tuple[str, ...], asking: tuple[str, ...]) -> None:
    found = judged({}, words)
    assert [(entry.cmdline, bool(entry.wipes)) for entry in found.entries] == [(asking, False), (words, True)]


@pytest.mark.parametrize(
    ("title", "wipes"),
    [
        ("Automated install (erases everything)", BY_TITLE),
        ("Install Kestrel - WARNING: this DESTROYS ALL DATA", BY_TITLE),
        ("Wipe disks", BY_TITLE),
        ("Deploy, overwriting the first hard disk", BY_TITLE),
        ("Install without erasing the disk", ""),
        ("Install, does not wipe your data", ""),
        ("Non-destructive test of the disk", ""),
        ("Eraser's all-in-one system", ""),
        ("Swipe keyboard for all", ""),
    ],
)
def test_a_title_that_says_so_is_believed_and_such_an_entry_is_not_the_default(title: str, wipes: str) -> None:
    lines = (("role=unknown",), ("quiet",))
    entries = tuple(
        BootEntry(
            title=title if at == 0 else "Try", kernel="/k", cmdline=words, role=Role.OTHER if at else Role.DEFAULT
        )
        for at, words in enumerate(lines)
    )
    found = with_warnings_of_wiping(image({}), Detection(stack="s", distro="d", entries=entries))
    assert {entry.title: entry.wipes for entry in found.entries} == {title: wipes, "Try": ""}
    assert found.entries[0].title == ("Try" if wipes else title)
