"""os-release, .disk/info, .treeinfo and the environment block."""

import pytest

from bootkit.bootcfg.diskinfo import parse_disk_info
from bootkit.bootcfg.grubenv import parse_grubenv
from bootkit.bootcfg.osrelease import parse_os_release
from bootkit.bootcfg.treeinfo import parse_ini, parse_treeinfo


def test_os_release_is_unquoted() -> None:
    release = parse_os_release(
        '# comment\nNAME="Fedora Linux"\nVERSION=\'41 (KDE)\'\nID=fedora\nID_LIKE="rhel centos"\nVERSION_ID=41\n'
        'VARIANT="KDE \\"Plasma\\""\nHOME_URL=https://x.invalid\nBROKEN="no end\nnot an assignment\n'
    )
    assert (release.name, release.version, release.version_id) == ("Fedora Linux", "41 (KDE)", "41")
    assert (release.id, release.id_like, release.variant) == ("fedora", ("rhel", "centos"), 'KDE "Plasma"')
    assert release.values["HOME_URL"] == "https://x.invalid"
    assert release.values["BROKEN"] == "no end"
    assert release.version_codename == ""


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (
            'Ubuntu 24.04.1 LTS "Noble Numbat" - Release amd64 (20240827.1)',
            ("Ubuntu", "24.04.1 LTS", "Noble Numbat", "x86_64", "", "20240827"),
        ),
        (
            'Debian GNU/Linux 12.5.0 "Bookworm" - Official amd64 NETINST with firmware 20240210-11:27',
            ("Debian GNU/Linux", "12.5.0", "Bookworm", "x86_64", "NETINST with firmware", "20240210"),
        ),
        (
            "Official Debian GNU/Linux Live 12.5.0 gnome 2024-02-10T11:51",
            ("Debian GNU/Linux Live", "12.5.0", "", "", "gnome", "2024-02-10"),
        ),
        (
            'Debian GNU/Linux 12 "Bookworm" - Official Snapshot amd64 LIVE Binary 20261121-07:59',
            ("Debian GNU/Linux", "12", "Bookworm", "x86_64", "LIVE", "20261121"),
        ),
        ('MX-23.4_x64 "Libretto"', ("MX", "23.4", "Libretto", "x86_64", "", "")),
        (
            'Ubuntu 14.04.5 LTS "Trusty Tahr" - Release i386 (20160803)',
            ("Ubuntu", "14.04.5 LTS", "Trusty Tahr", "i686", "", "20160803"),
        ),
        ("Zorin-OS 17.2 Core 64bit", ("Zorin-OS", "17.2", "", "x86_64", "Core", "")),
        ("neon user edition 20240901", ("neon user edition", "", "", "", "", "20240901")),
        ("", ("", "", "", "", "", "")),
    ],
)
def test_disk_info_is_told_apart(text: str, parts: tuple[str, ...]) -> None:
    info = parse_disk_info(f"\n  {text}\n")
    assert (info.name, info.version, info.codename, info.arch, info.edition, info.date) == parts
    assert info.text == text


def test_treeinfo_names_the_product_and_its_boot_images() -> None:
    info = parse_treeinfo(
        "[header]\ntype = productmd.treeinfo\n[release]\nname = Fedora\nversion = 41\n[tree]\narch = x86_64\n"
        "variants = Server,Extra\n[images-x86_64]\nkernel = images/pxeboot/vmlinuz\ninitrd = images/pxeboot/initrd.img\n"
        "[stage2]\nmainimage = images/install.img\n"
    )
    assert (info.name, info.version, info.arch, info.variant) == ("Fedora", "41", "x86_64", "Server")
    assert (info.kernel, info.initrd) == ("/images/pxeboot/vmlinuz", "/images/pxeboot/initrd.img")
    assert info.stage2 == "/images/install.img"


def test_an_old_treeinfo_has_the_general_section_only() -> None:
    info = parse_treeinfo("[general]\nfamily = CentOS\nversion = 6.10\narch = x86_64\nvariant =\n")
    assert (info.name, info.version, info.arch, info.variant, info.kernel) == ("CentOS", "6.10", "x86_64", "", "")


def test_ini_takes_the_last_of_equal_keys() -> None:
    assert parse_ini("lost = 1\n[a]\n# x\n; y\nKey = 1 = 2\nkey=3\nno value\n[a]\nb=4") == {"a": {"key": "3", "b": "4"}}


def test_the_environment_block_must_have_its_header() -> None:
    assert parse_grubenv("# GRUB Environment Block\nsaved_entry=a\\\nb\nempty=\n########") == {
        "saved_entry": "a\nb",
        "empty": "",
    }
    assert parse_grubenv("saved_entry=a\n") == {}
