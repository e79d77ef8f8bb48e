"""What the detectors of installers and of lone live systems refuse, and what their rules for GRUB need."""

from dataclasses import replace
from pathlib import Path

import pytest

from bootkit.detect import Detection, NotMine
from bootkit.detectors import (
    anaconda,
    antix,
    coreos,
    debian_installer,
    kiwi_isoboot,
    knoppix,
    linuxrc,
    mdk_stage1,
    mklivecd,
    propagator,
    qubes,
)
from bootkit.model.initrd import InitrdFacts
from bootkit.model.iso import IsoFacts, Node, RecordedIso

HERE = Path(__file__).parent
PXEBOOT = ("/images/pxeboot/vmlinuz", "/images/pxeboot/initrd.img")
STAGE2 = "/images/install.img"
INSTALL_AMD = ("/install.amd/vmlinuz", "/install.amd/initrd.gz", "/dists/stable/Release", "/pool/main/x.deb")


class BareIso(RecordedIso):
    """An image of a few files: what is not named is not there."""

    def __init__(self, files: tuple[str, ...], texts: dict[str, str] | None = None, **facts: str) -> None:
        texts = texts or {}
        dirs: dict[str, dict[str, Node]] = {"/": {}}
        for path in (*files, *texts):
            *folders, name = path.strip("/").split("/")
            here = ""
            for folder in folders:
                dirs[here or "/"].setdefault(folder, Node(name=folder, size=None))
                here = f"{here}/{folder}"
                dirs.setdefault(here, {})
            dirs[here or "/"][name] = Node(name=name, size=1000)
        members = {path: tuple(nodes.values()) for path, nodes in dirs.items()}
        name, volume_id = facts.get("name", "x.iso"), facts.get("volume_id", "SOME_ISO")
        super().__init__(IsoFacts(name=name, size=1, volume_id=volume_id, dirs=members, texts=texts))

    def _text(self, path: str) -> str:
        return self.facts.texts.get(path, "")


def menu(kernel: str, words: str, *initrds: str, path: str = "/boot/grub/grub.cfg") -> dict[str, str]:
    return {path: f"menuentry 'Start' {{\n\tlinux {kernel} {words}\n\tinitrd {' '.join(initrds)}\n}}\n"}


def reason(answer: Detection | NotMine) -> str:
    assert isinstance(answer, NotMine)
    return answer.reason


def found(answer: Detection | NotMine) -> Detection:
    assert isinstance(answer, Detection)
    return answer


def test_anaconda_leaves_xen_to_qubes() -> None:
    iso = BareIso((*PXEBOOT, STAGE2, qubes.XEN), menu(PXEBOOT[0], "inst.repo=hd:LABEL=QUBES", PXEBOOT[1]))
    assert "xen.gz" in reason(anaconda.detect(iso))
    assert found(qubes.detect(iso)).entries


def test_anaconda_refuses_the_installer_of_el_6_which_knows_no_inst_words() -> None:
    iso = BareIso((*PXEBOOT, STAGE2), menu(PXEBOOT[0], "stage2=hd:LABEL=CentOS", PXEBOOT[1]))
    assert "inst.stage2" in reason(anaconda.detect(iso))


def test_anaconda_takes_out_every_other_place_of_the_installer() -> None:
    words = "root=live:CDLABEL=X inst.stage2=hd:LABEL=X inst.repo=cdrom iso-scan/filename=/x.iso rd.live.check quiet"
    iso = BareIso((*PXEBOOT, STAGE2), menu(PXEBOOT[0], words, PXEBOOT[1]))
    (entry,) = found(anaconda.detect(iso)).entries
    assert entry.cmdline == ("inst.stage2=hd:UUID={stick_uuid}:{iso_path}", "quiet")


def test_anaconda_names_a_product_without_treeinfo_by_its_menu() -> None:
    text = f"menuentry 'Install Ember 7.1' {{\n linux {PXEBOOT[0]} inst.stage2=hd:LABEL=E\n initrd {PXEBOOT[1]}\n}}\n"
    iso = BareIso((*PXEBOOT, STAGE2, "/EFI/BOOT/BOOTX64.EFI"), {"/EFI/BOOT/grub.cfg": text}, volume_id="E")
    assert found(anaconda.detect(iso)).title == "Ember 7.1 netinst (x86_64)"


def test_coreos_without_its_root_image_is_refused() -> None:
    iso = BareIso((*PXEBOOT, coreos.IGNITION), menu(PXEBOOT[0], "coreos.liveiso=x", PXEBOOT[1]))
    assert coreos.ROOTFS in reason(coreos.detect(iso))


def test_coreos_starts_without_the_word_that_waits_for_its_label() -> None:
    words = "coreos.liveiso=x coreos.liveiso.fromram ignition.firstboot"
    iso = BareIso((*PXEBOOT, coreos.IGNITION, coreos.ROOTFS), menu(PXEBOOT[0], words, PXEBOOT[1]))
    (entry,) = found(coreos.detect(iso)).entries
    assert entry.cmdline == ("ignition.firstboot",)
    assert entry.initrds == (PXEBOOT[1], coreos.ROOTFS, coreos.IGNITION)


LOADER = ("/boot/x86_64/loader/linux", "/boot/x86_64/loader/initrd")


def test_linuxrc_refuses_live_systems_with_the_same_loader() -> None:
    text = menu(LOADER[0], "root=live:CDLABEL=X", LOADER[1], path="/boot/grub2/grub.cfg")
    assert "live system" in reason(linuxrc.detect(BareIso((*LOADER, "/LiveOS/squashfs.img"), text)))
    assert "live system" in reason(linuxrc.detect(BareIso((*LOADER, "/config.isoclient"), text)))


def test_linuxrc_keeps_the_path_for_a_network_image_with_packages() -> None:
    files = (*LOADER, "/boot/x86_64/root", "/repodata/repomd.xml")
    iso = BareIso(files, menu(LOADER[0], "quiet", LOADER[1]), volume_id="openSUSE-Leap-15.6-NET-x86_64710")
    assert "{iso_path}" in " ".join(found(linuxrc.detect(iso)).entries[0].cmdline)


def test_kiwi_isoboot_refuses_installation_images_that_have_the_same_file() -> None:
    texts = {"/config.isoclient": 'IMAGE="disk.raw"\n', **menu(LOADER[0], "root=install:CDLABEL=INSTALL", LOADER[1])}
    assert "installation image" in reason(kiwi_isoboot.detect(BareIso(LOADER, texts)))
    live = BareIso((*LOADER, "/x-read-only.x86_64"), texts)
    assert "no kernel" in reason(kiwi_isoboot.detect(live))


def test_debian_installer_refuses_a_live_image_that_brings_it_along() -> None:
    assert "live system" in reason(debian_installer.detect(BareIso((*INSTALL_AMD, "/live/filesystem.squashfs"))))
    assert "live system" in reason(debian_installer.detect(BareIso((*INSTALL_AMD, "/casper/filesystem.squashfs"))))


def test_debian_installer_refuses_repositories_that_start_nothing() -> None:
    assert "/install" in reason(debian_installer.detect(BareIso(("/dists/stable/Release", "/pool/main/x.deb"))))


def test_debian_installer_refuses_a_lone_kernel_without_its_words() -> None:
    for maker, claimed in (("dracut", False), ("debian-installer", True)):
        facts = BareIso(("/linux", "/initrd.gz"), menu("/linux", "quiet", "/initrd.gz")).facts
        iso = RecordedIso(replace(facts, initrds={"/initrd.gz": InitrdFacts(size=1, maker=maker)}))
        answer = debian_installer.detect(iso)
        assert isinstance(answer, Detection) if claimed else "debian-installer" in reason(answer)


def test_the_installer_of_an_old_ubuntu_server_wants_the_initrd_of_its_hd_media() -> None:
    files = ("/install/vmlinuz", "/install/initrd.gz", "/dists/bionic/Release", "/pool/main/x.deb")
    info = {"/.disk/info": 'Ubuntu-Server 18.04.6 LTS "Bionic Beaver" - Release amd64 (20210915)'}
    detection = found(debian_installer.detect(BareIso(files, info)))
    assert detection.title == "Ubuntu 18.04.6 LTS installer (x86_64)"
    assert detection.entries[0].stick_files == ("/boot/bootkit/hd-media/ubuntu-18.04.6-x86_64/initrd.gz",)


def test_propagator_refuses_a_folder_in_place_of_a_stage() -> None:
    assert "files" in reason(propagator.detect(BareIso(("/live/filesystem.squashfs",))))


def test_propagator_refuses_entries_for_the_network() -> None:
    text = menu("/boot/vmlinuz", "automatic=method:http stagename=altinst", "/boot/full.cz")
    iso = BareIso(("/altinst", "/boot/vmlinuz", "/boot/full.cz"), text)
    assert "automatic=method:" in reason(propagator.detect(iso))


@pytest.mark.parametrize(
    ("name", "version", "edition"),
    [
        ("KNOPPIX_V9.1DVD-2021-01-25-EN.iso", "9.1", "DVD"),
        ("KNOPPIX_V8.6.1-2019-10-14-EN.iso", "8.6.1", ""),
        ("knoppix.iso", "", ""),
    ],
)
def test_knoppix_reads_its_version_out_of_the_name(name: str, version: str, edition: str) -> None:
    iso = BareIso((knoppix.ROOT, knoppix.INITRD, "/boot/isolinux/linux"), name=name, volume_id="KNOPPIX_8")
    detection = found(knoppix.detect(iso))
    assert (detection.version, detection.edition, detection.arch) == (version, edition, "i686")


MODULES = (anaconda, antix, knoppix, linuxrc, mklivecd, propagator)


@pytest.mark.parametrize("vendors", ["", "automatic=method:cdrom", "automatic=method:disk,disk:sda"])
def test_the_first_stage_of_mageia_asks_for_the_disk(vendors: str) -> None:
    files = ("/isolinux/x86_64/vmlinuz", "/isolinux/x86_64/all.rdz", "/x86_64/media/core/x.rpm")
    iso = BareIso(files, menu(files[0], vendors, files[1]), volume_id="Mageia-9-x86_64")
    detection = found(mdk_stage1.detect(iso))
    assert detection.entries[0].cmdline == ("automatic=method:disk,directory:{iso_path}",)
    assert "It asks where it is" in detection.notes[0]
