"""Extensions: made by real tools, put on a stick, and looked at by others."""

import io
import json
import os
import shutil
import subprocess
import tarfile
import tomllib
from pathlib import Path

import pytest

from bootkit.app.verbs.ext_create import ExtensionPlan, ExtensionWish, make
from bootkit.model.extension import ANY, Release
from tests.cli.conftest import Bootkit, make_appimage


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    folder = tmp_path / "stick"
    (folder / "boot/bootkit").mkdir(parents=True)
    (folder / "boot/bootkit/stick.toml").write_text("# mine\n")
    return folder


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """What an old package would bring: a real /lib and /bin, a file in /etc, a program with setuid."""
    root = tmp_path / "tree"
    for path, text in {
        "bin/tool": "#!/bin/sh\necho tool\n",
        "lib/udev/rules.d/50-x.rules": "",
        "etc/tool.conf": "a=1\n",
    }.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    (root / "bin/tool").chmod(0o4755)
    (root / "lib/tool.so").symlink_to("../usr/lib/real.so")
    (root / "usr").mkdir()
    (root / "usr/sub").symlink_to("share")
    (root / "run").mkdir()
    (root / "run/pid").write_text("1")
    return root


def listed(image: Path) -> dict[str, str]:
    """Mode and owner of each member by its path, links with their targets, as unsquashfs sees them."""
    out = subprocess.run(["unsquashfs", "-lln", "-d", "", image], check=True, capture_output=True, text=True).stdout
    found: dict[str, str] = {}
    for line in out.splitlines():
        mode, owner, *_, rest = line.split(maxsplit=5) if line else ("", "", "")
        path, arrow, target = rest.partition(" -> ")
        found[path] = target if arrow else f"{mode} {owner}"
    return found


def make_deb(folder: Path, name: str, files: dict[str, str], *, depends: str = "", postinst: str = "") -> Path:
    root = folder / f"{name}.d"
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    control = root / "DEBIAN"
    control.mkdir(parents=True)
    lines = [
        f"Package: {name}",
        "Version: 1:2.0-1",
        "Architecture: amd64",
        "Maintainer: A <a@example.org>",
        "Description: x",
    ]
    (control / "control").write_text("\n".join([*lines, *([f"Depends: {depends}"] if depends else [])]) + "\n")
    if postinst:
        (control / "postinst").write_text(postinst)
        (control / "postinst").chmod(0o755)
    deb = folder / f"{name}.deb"
    subprocess.run(["dpkg-deb", "--root-owner-group", "-b", root, deb], check=True, capture_output=True)
    return deb


def test_a_folder_becomes_an_extension_with_everything_below_usr(bootkit: Bootkit, tree: Path, tmp_path: Path) -> None:
    image = tmp_path / "tool.raw"
    done = bootkit("ext", "create", tree, "--name", "tool", "--id", "debian", "--version-id", "12", "--output", image)
    assert done.returncode == 0
    assert done.stdout == f"{image}\n"
    assert "/run is of the running system: what is in it is left out" in done.stderr
    assert "note: its /etc counts with bootkit, not with systemd-sysext alone" in done.stderr
    members = listed(image)
    assert members["/usr/bin/tool"] == "-rwsr-xr-x 0/0"
    assert members["/etc/tool.conf"] == "-rw-r--r-- 0/0"
    assert members["/usr/lib/tool.so"] == "real.so"
    assert members["/usr/sub"] == "share"
    assert {"/bin", "/lib", "/run"}.isdisjoint(members)
    release = subprocess.run(
        ["unsquashfs", "-cat", image, "usr/lib/extension-release.d/extension-release.tool"],
        check=True,
        capture_output=True,
    )
    assert release.stdout == b"ID=debian\nVERSION_ID=12\n"


def test_a_file_of_another_name_than_the_extension_is_told(bootkit: Bootkit, tree: Path, tmp_path: Path) -> None:
    done = bootkit("ext", "create", tree, "--name", "tool", "--any", "--output", tmp_path / "other.raw")
    assert done.returncode == 0
    assert "systemd-sysext wants extension-release.other" in done.stderr


def test_a_stick_without_extensions_has_none_to_verify(bootkit: Bootkit, stick: Path) -> None:
    done = bootkit("ext", "verify", "--stick", stick)
    assert (done.returncode, done.stdout) == (0, "")
    assert "No extensions" in done.stderr


def test_kernel_modules_are_said_to_be_for_one_linux(bootkit: Bootkit, tree: Path, tmp_path: Path) -> None:
    module = tree / "lib/modules/6.1.0-56-amd64/updates/x.ko"
    module.parent.mkdir(parents=True)
    module.write_bytes(b"")
    image = tmp_path / "tool.raw"
    done = bootkit("ext", "create", tree, "--name", "tool", "--any", "--output", image)
    note = "its kernel modules are for Linux 6.1.0-56-amd64, and for no other"
    assert f"note: {note}" in done.stderr
    assert note in bootkit("ext", "inspect", image).stdout


def test_kernel_modules_that_the_live_system_cannot_use_are_told(tree: Path, tmp_path: Path) -> None:
    (tree / "lib/modules/6.1.0-56-amd64").mkdir(parents=True)
    for kernels, warnings in (
        (("6.1.0-56-amd64", "6.12.1"), 0),
        (("6.12.1", "6.12.2"), 1),
    ):
        wish = ExtensionWish(name="x", output=tmp_path / f"{warnings}.raw", sources=(tree,), onto=Path("live.iso"))
        made = make(ExtensionPlan(wish=wish, release=Release(id=ANY), kernels=kernels))
        told = [warning for warning in made.warnings if "modules" in warning]
        assert told == ["its kernel modules do not fit live.iso, which has Linux 6.12.1 and 6.12.2"] * warnings


def live_iso(folder: Path, root: str, boot: str, words: str) -> Path:
    """An ISO file with a root file system at ``root`` in it, and in the folder ``boot`` what its menu starts with ``words``."""
    system, image = folder / "system", folder / "image"
    release = system / "usr/lib/os-release"
    release.parent.mkdir(parents=True)
    release.write_text("ID=ember\nVERSION_ID=7\n")
    (system / "usr/lib/modules/6.12.1").mkdir(parents=True)
    grub = f'menuentry "Live" {{\n linux /{boot}/vmlinuz {words}\n initrd /{boot}/initrd.img\n}}\n'
    for path, text in ((f"{boot}/vmlinuz", "k"), (f"{boot}/initrd.img", "i"), ("boot/grub/grub.cfg", grub)):
        (image / path).parent.mkdir(parents=True, exist_ok=True)
        (image / path).write_text(text)
    (image / root).parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mksquashfs", system, image / root, "-quiet", "-no-progress"], check=True)
    iso = folder / "live.iso"
    argv = ["xorriso", "-as", "mkisofs", "-quiet", "-R", "-V", "LIVE", "-o", str(iso), str(image)]
    subprocess.run(argv, check=True, capture_output=True)
    return iso


@pytest.mark.parametrize(
    ("root", "boot", "words"),
    [
        ("arch/x86_64/airootfs.sfs", "arch/boot/x86_64", "archisobasedir=arch archisolabel=LIVE"),
        ("ember/x86_64/airootfs.sfs", "ember/boot/x86_64", "archisobasedir=ember archisolabel=LIVE"),
        ("casper_ember/filesystem.squashfs", "casper_ember", "boot=casper live-media-path=/casper_ember"),
        ("ember/filesystem.squashfs", "ember", "boot=live live-media-path=ember"),
        ("coal.squashfs", "boot", "root=live:CDLABEL=LIVE rd.live.dir=/ rd.live.squashimg=coal.squashfs"),
        ("live/filesystem.squashfs", "boot", "root=/dev/ram0 findiso=${iso_path}"),
    ],
)
def test_an_extension_is_made_for_a_live_system_wherever_its_root_lies(
    bootkit: Bootkit, tree: Path, tmp_path: Path, root: str, boot: str, words: str
) -> None:
    iso, image = live_iso(tmp_path / "live", root, boot, words), tmp_path / "tool.raw"
    done = bootkit("ext", "create", tree, "--name", "tool", "--onto", iso, "--output", image)
    assert done.stderr.count("bootkit: ") == 0
    assert "for          ember 7, any machine" in bootkit("ext", "inspect", image).stdout


def test_packages_that_a_live_system_has_can_be_left_out_only_where_it_says_so(
    bootkit: Bootkit, tmp_path: Path
) -> None:
    iso = live_iso(tmp_path / "live", "arch/x86_64/airootfs.sfs", "arch/boot", "archisobasedir=arch archisolabel=LIVE")
    done = bootkit("ext", "create", "--from-apt", "hello", "--name", "tool", "--onto", iso)
    assert done.returncode == 1
    assert "live.iso has no /var/lib/dpkg/status that bootkit finds" in done.stderr
    assert "--without PACKAGE" in done.stderr


def test_an_image_without_a_live_system_is_no_place_for_an_extension(
    bootkit: Bootkit, tree: Path, tmp_path: Path
) -> None:
    iso = live_iso(tmp_path / "live", "nowhere/x", "arch/boot", "archisobasedir=arch archisolabel=LIVE")
    done = bootkit("ext", "create", tree, "--name", "tool", "--onto", iso)
    assert done.returncode == 1
    assert "live.iso has no live system that bootkit finds" in done.stderr


def test_the_same_files_give_the_same_bytes(bootkit: Bootkit, tree: Path, tmp_path: Path) -> None:
    images = [tmp_path / "1.raw", tmp_path / "2.raw"]
    for image in images:
        assert bootkit("ext", "create", tree, "--name", "tool", "--any", "--output", image).returncode == 0
        os.utime(tree / "etc/tool.conf", (1, 1))
    assert images[0].read_bytes() == images[1].read_bytes()


@pytest.mark.skipif(shutil.which("systemd-dissect") is None, reason="systemd-dissect is not installed")
def test_systemd_takes_it_for_an_extension(bootkit: Bootkit, tree: Path, tmp_path: Path) -> None:
    image = tmp_path / "tool.raw"
    bootkit("ext", "create", tree, "--name", "tool", "--id", "debian", "--version-id", "12", "--output", image)
    said = subprocess.run(["systemd-dissect", image], check=True, capture_output=True, text=True).stdout
    assert "Ext. Rel.: ID=debian" in said
    assert any("extension for system" in line and line.strip().startswith("✓") for line in said.splitlines())


def test_packages_keep_owners_and_say_what_their_scripts_would_do(bootkit: Bootkit, tmp_path: Path) -> None:
    one = make_deb(
        tmp_path, "one", {"usr/bin/one": "1", "lib/firmware/x.bin": "f"}, postinst="#!/bin/sh\nadduser --system x\n"
    )
    two = make_deb(tmp_path, "two", {"usr/bin/two": "2"})
    image = tmp_path / "both.raw"
    done = bootkit(
        "ext", "create", one, two, "--name", "both", "--id", "debian", "--version-id", "12", "--output", image
    )
    assert done.returncode == 0
    assert "one.deb: its postinst runs adduser" in done.stderr
    assert {"/usr/bin/one", "/usr/bin/two", "/usr/lib/firmware/x.bin"} <= listed(image).keys()
    look = json.loads(bootkit("ext", "inspect", image, "--json").stdout)
    assert look["facts"]["release"] == {"id": "debian", "version_id": "12", "level": "", "machine": "x86-64"}
    assert look["facts"]["programs"] == ["one", "two"]
    assert look["facts"]["problems"] == []


def test_packages_must_say_for_which_system_they_are(bootkit: Bootkit, tmp_path: Path) -> None:
    deb = make_deb(tmp_path, "one", {"usr/bin/one": "1"})
    done = bootkit("ext", "create", deb, "--name", "one", "--output", tmp_path / "one.raw")
    assert done.returncode == 2
    assert "--id debian --version-id 12" in done.stderr


def test_a_tarball_keeps_numbers_and_hard_links_and_stays_inside(bootkit: Bootkit, tmp_path: Path) -> None:
    tarball = tmp_path / "x.tar.xz"
    with tarfile.open(tarball, "w:xz") as tar:
        info = tarfile.TarInfo("./usr/bin/first")
        info.size, info.uid, info.gid, info.mode = 5, 7, 8, 0o2755
        tar.addfile(info, io.BytesIO(b"hello"))
        link = tarfile.TarInfo("./usr/bin/second")
        link.type, link.linkname = tarfile.LNKTYPE, "./usr/bin/first"
        tar.addfile(link)
        outside = tarfile.TarInfo("../../usr/share/escaped")
        tar.addfile(outside, io.BytesIO())
        device = tarfile.TarInfo("./usr/null")
        device.type = tarfile.CHRTYPE
        tar.addfile(device)
    image = tmp_path / "x.raw"
    done = bootkit("ext", "create", tarball, "--name", "x", "--any", "--output", image)
    assert done.returncode == 0
    assert "/usr/null is a device or a pipe" in done.stderr
    members = listed(image)
    assert members["/usr/bin/second"] == members["/usr/bin/first"] == "-rwxr-sr-x 7/8"
    assert "/usr/share/escaped" in members
    assert "/usr/null" not in members


def test_an_appimage_is_unpacked_without_being_started(bootkit: Bootkit, tmp_path: Path) -> None:
    tree = tmp_path / "app"
    tree.mkdir()
    (tree / "AppRun").write_text("#!/bin/sh\n")
    (tree / "AppRun").chmod(0o755)
    (tree / "viewer.desktop").write_text("[Desktop Entry]\nName=Viewer\nExec=viewer %F\nIcon=viewer\n")
    (tree / "viewer.png").write_bytes(b"png")
    appimage = make_appimage(tmp_path, tree)
    image = tmp_path / "viewer.raw"
    assert bootkit("ext", "create", appimage, "--name", "viewer", "--output", image).returncode == 0
    members = listed(image)
    assert members["/usr/lib/appimages/viewer/AppRun"] == "-rwxr-xr-x 0/0"
    assert members["/usr/bin/viewer"] == "-rwxr-xr-x 0/0"
    assert "/usr/share/pixmaps/viewer.png" in members
    entry = subprocess.run(
        ["unsquashfs", "-cat", image, "usr/share/applications/viewer.desktop"], check=True, capture_output=True
    )
    assert b"Exec=viewer %U\n" in entry.stdout
    look = json.loads(bootkit("ext", "inspect", image, "--json").stdout)
    assert look["facts"]["release"]["id"] == "_any"
    assert look["machine"] == "x86_64"


def test_apt_brings_what_a_package_needs_and_the_live_system_lacks(tmp_path: Path) -> None:
    from bootkit.app.verbs.ext_create import ExtensionWish, make, plan_extension

    repository = tmp_path / "repository"
    repository.mkdir()
    make_deb(repository, "needed", {"usr/lib/needed.so": "n"})
    make_deb(repository, "there", {"usr/lib/there.so": "t"})
    make_deb(repository, "wanted", {"usr/bin/wanted": "w"}, depends="needed, there")
    packages: list[str] = []
    for deb in sorted(repository.glob("*.deb")):
        control = subprocess.run(["dpkg-deb", "-f", deb], check=True, capture_output=True, text=True).stdout
        digest = subprocess.run(["sha256sum", deb], check=True, capture_output=True, text=True).stdout.split()[0]
        packages.append(f"{control}Filename: ./{deb.name}\nSize: {deb.stat().st_size}\nSHA256: {digest}\n")
    (repository / "Packages").write_text("\n".join(packages))
    lists = tmp_path / "lists"
    (lists / "partial").mkdir(parents=True)
    (tmp_path / "sources.list").write_text(f"deb [trusted=yes] file://{repository} ./\n")
    options = (
        f"Dir::State::lists={lists}/",
        f"Dir::Etc::sourcelist={tmp_path}/sources.list",
        "Dir::Etc::sourceparts=-",
        "APT::Architecture=amd64",
    )
    update = ["apt-get", "update", "-qq", *(word for option in options for word in ("-o", option))]
    subprocess.run(
        [*update, "-o", "Debug::NoLocking=1", "-o", f"Dir::Cache={tmp_path}/cache", "-o", "APT::Sandbox::User=root"],
        check=True,
    )
    image = tmp_path / "wanted.raw"
    wish = ExtensionWish(
        name="wanted", output=image, packages=("wanted",), without=("there",), id="debian", version_id="12"
    )
    plan = plan_extension(wish, apt_options=options)
    assert [(package.name, package.version) for package in plan.packages] == [
        ("needed", "1:2.0-1"),
        ("wanted", "1:2.0-1"),
    ]
    made = make(plan, apt_options=options)
    assert made.facts.programs == ("wanted",)
    assert "/usr/lib/needed.so" in listed(image)


def test_an_extension_is_added_listed_switched_verified_and_removed(
    bootkit: Bootkit, stick: Path, tree: Path, tmp_path: Path
) -> None:
    image = tmp_path / "tool.raw"
    bootkit("ext", "create", tree, "--name", "tool", "--any", "--output", image)
    assert bootkit("ext", "add", image, "--stick", stick, "--dry-run").stdout.startswith(
        f"copy {image} to /boot/extensions/x86_64/tool.raw"
    )
    assert not (stick / "boot/extensions").exists()
    assert bootkit("ext", "add", image, "--stick", stick).returncode == 0
    there = stick / "boot/extensions/x86_64/tool.raw"
    assert there.read_bytes() == image.read_bytes()
    assert bootkit("ext", "disable", "tool", "--stick", stick).returncode == 0
    toml = stick / "boot/bootkit/stick.toml"
    assert tomllib.loads(toml.read_text())["options"]["extensions_off"] == ["tool.raw"]
    assert [
        row["enabled"] for row in json.loads(bootkit("ext", "list", "--stick", stick, "--json").stdout)["extensions"]
    ] == [False]
    assert bootkit("ext", "enable", "tool.raw", "--stick", stick).returncode == 0
    assert "extensions_off" not in toml.read_text()
    assert bootkit("ext", "verify", "--stick", stick).stdout.splitlines()[1].startswith("good ")
    with there.open("r+b") as fh:
        fh.seek(200)
        fh.write(b"\xff")
    assert bootkit("ext", "verify", "tool", "--stick", stick).returncode == 1
    assert bootkit("ext", "remove", "tool", "--stick", stick).returncode == 0
    assert not there.exists()
    assert not list((stick / "boot/bootkit/state").rglob("*.sha256"))


def test_an_extension_of_systemimagekit_is_understood_where_it_lies(bootkit: Bootkit, stick: Path, tree: Path) -> None:
    folder = stick / "boot/customize/x86_64"
    folder.mkdir(parents=True)
    subprocess.run(
        ["mksquashfs", tree, folder / "toolExtensionImage", "-quiet", "-comp", "xz"], check=True, capture_output=True
    )
    (row,) = json.loads(bootkit("ext", "list", "--stick", stick, "--json").stdout)["extensions"]
    assert row["name"] == "toolExtensionImage"
    assert row["facts"]["release"] is None
    assert "real /bin" in " ".join(row["facts"]["problems"])
    assert "it does not say for which system it is, so it is laid over every one" in row["facts"]["notes"]
    assert bootkit("ext", "disable", "toolExtensionImage", "--stick", stick).returncode == 0


def test_a_file_that_is_no_squashfs_is_refused_and_one_on_the_stick_is_told(
    bootkit: Bootkit, stick: Path, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.raw"
    bad.write_bytes(b"x" * 5000)
    done = bootkit("ext", "add", bad, "--stick", stick)
    assert done.returncode == 1
    assert "bad.raw is no extension" in done.stderr
    (stick / "boot/extensions/x86_64").mkdir(parents=True)
    (stick / "boot/extensions/x86_64/bad.raw").write_bytes(b"x" * 5000)
    assert "no squashfs" in bootkit("ext", "list", "--stick", stick).stdout


def test_problems_of_a_foreign_image_are_told(bootkit: Bootkit, tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "usr/lib/extension-release.d").mkdir(parents=True)
    (root / "usr/lib/extension-release.d/extension-release.other").write_text("ID=debian\nARCHITECTURE=arm64\n")
    (root / "usr/lib/os-release").write_text("ID=debian\n")
    (root / "usr/bin").mkdir()
    (root / "usr/bin/x").write_bytes(b"\x7fELF\x02\x01".ljust(18, b"\0") + b"\x3e\0" + bytes(64))
    image = tmp_path / "mine.raw"
    subprocess.run(["mksquashfs", root, image, "-quiet", "-comp", "lz4"], check=True, capture_output=True)
    said = bootkit("ext", "inspect", image).stdout
    assert "packed with lz4" in said
    assert "extension-release.mine" in said
    assert "takes it for a whole system" in said
    assert "says ARCHITECTURE=arm64, but its programs are for x86_64" in said
