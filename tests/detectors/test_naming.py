"""Names for images whose detectors find nothing but a label: by the best source that is there."""

import pytest

from bootkit.detect.registry import recognise
from bootkit.model.boot import Detection
from bootkit.model.initrd import RootFacts
from bootkit.model.iso import IsoFacts, Node, RecordedIso

DRACUT = (
    "menuentry '{title}' {{\n linux /boot/kernel root=live:CDLABEL={label} rd.live.image\n initrd /boot/initrd\n}}\n"
)
LIVE = "menuentry 'Live' {\n linux /live/vmlinuz boot=live components\n initrd /live/initrd.img\n}\n"


class Image(RecordedIso):
    """What nobody recorded is not there."""

    def _listdir(self, path: str) -> tuple[Node, ...] | None:
        return self.facts.dirs.get(path)

    def _root(self, path: str) -> RootFacts:
        return self.facts.roots.get(path, RootFacts(size=0))


def named(
    label: str, texts: dict[str, str], files: tuple[str, ...], name: str = "image.iso", **more: object
) -> Detection:
    dirs: dict[str, dict[str, Node]] = {"/": {}}
    for path in (*files, *texts):
        folder = ""
        for part in path.strip("/").split("/"):
            is_dir = f"{folder}/{part}" != path
            dirs[folder or "/"][part] = Node(name=part, size=None if is_dir else 9)
            folder = f"{folder}/{part}"
            if is_dir:
                dirs.setdefault(folder, {})
    nodes = {path: tuple(members.values()) for path, members in dirs.items()}
    facts = IsoFacts(name=name, size=9, volume_id=label, dirs=nodes, texts=texts, **more)  # type: ignore[arg-type]  # roots
    found = recognise(Image(facts)).detection
    assert found is not None
    return found


def dracut(label: str, title: str, name: str = "image.iso") -> Detection:
    menu = {"/boot/grub/grub.cfg": DRACUT.format(title=title, label=label)}
    return named(label, menu, ("/boot/kernel", "/boot/initrd", "/LiveOS/squashfs.img"), name)


@pytest.mark.parametrize(
    ("title", "name", "who"),
    [
        ("Try or Install Kestrel 3.1", "image.iso", ("Kestrel", "3.1")),
        ("Kestrel", "kestrel-3.1-amd64.iso", ("Kestrel", "")),
        ("Live", "kestrel-3.1-amd64.iso", ("kestrel", "3.1")),
        ("Start Harvester", "image.iso", ("Harvester", "")),
        ("Kestrel Edge Installer", "image.iso", ("Kestrel Edge", "")),
        ("Kestrel OS 4.2 Live/Install", "image.iso", ("Kestrel OS", "4.2")),
        ("Install openKestrel Leap 16.0", "image.iso", ("openKestrel Leap", "16.0")),
        ("OS", "kestrel-3.1-amd64.iso", ("kestrel", "3.1")),
    ],
)
def test_a_label_that_many_have_names_nobody(title: str, name: str, who: tuple[str, str]) -> None:
    found = dracut("COS_LIVE", title, name)
    assert (found.distro, found.version) == who


def test_a_remaster_is_named_by_the_system_in_its_root() -> None:
    os_release = 'NAME="Ember Linux"\nVERSION_ID="13"\n'
    roots = {"/live/filesystem.squashfs": RootFacts(size=9, os_release=os_release)}
    files = ("/live/vmlinuz", "/live/initrd.img", "/live/filesystem.squashfs")
    found = named("OA LIVE", {"/boot/grub/grub.cfg": LIVE}, files, roots=roots)
    assert (found.distro, found.version) == ("Ember Linux", "13")


def test_debians_own_label_is_no_name() -> None:
    files = ("/live/vmlinuz", "/live/initrd.img", "/live/filesystem.squashfs")
    found = named("d-live 13.2.0 gn amd64", {"/boot/grub/grub.cfg": LIVE}, files)
    assert (found.distro, found.version, found.edition) == ("Debian GNU/Linux", "13.2.0", "GNOME")


def test_a_relative_of_freebsd_says_so_in_its_os_release() -> None:
    texts = {"/etc/os-release": 'NAME="EmberBSD"\nVERSION_ID="7.2"\n'}
    found = named("14_1_RELEASE_AMD64_CD", texts, ("/boot/kernel/kernel",))
    assert found.distro == "EmberBSD"


@pytest.mark.parametrize(
    ("label", "name", "edition"),
    [
        ("bazzite_boot", "bazzite-stable-live.iso", ""),
        ("bazzite_boot", "bazzite-gnome-nvidia-stable-amd64.iso", "gnome nvidia"),
        ("aurora_boot", "aurora-nvidia-latest-x86_64.iso", "nvidia"),
        ("bluefin_boot", "bluefin-dx-testing-x86_64.iso", "dx"),
    ],
)
def test_a_channel_is_no_edition(label: str, name: str, edition: str) -> None:
    assert dracut(label, "Install", name).edition == edition
