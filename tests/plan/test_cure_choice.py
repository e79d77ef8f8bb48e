"""Which cure is chosen for an initrd that does not find its file on a file system."""

from dataclasses import replace

import pytest

from bootkit.model.boot import ISO_PATH, BootEntry, Detection, Role
from bootkit.model.check import Cure
from bootkit.model.initrd import InitrdFacts, KernelModules, RootFacts
from bootkit.model.iso import IsoFacts
from bootkit.plan.check_file import file_answer
from bootkit.plan.cures import FINDER, MAP, MODULES, cure_for

KERNEL = "6.1.0-9-amd64"
FOLDER = f"/usr/lib/modules/{KERNEL}/kernel/fs"
ENTRY = BootEntry(
    title="Live",
    kernel="/live/vmlinuz",
    initrds=("/live/initrd.img",),
    cmdline=("boot=live", f"findiso={ISO_PATH}"),
    role=Role.DEFAULT,
)
LIVE_BOOT = InitrdFacts(
    size=9,
    maker="initramfs-tools",
    markers=("live-boot",),
    kernels=(KERNEL,),
    drivers=KernelModules(modules=("ext4", "loop"), builtin=()),
)
ROOT = KernelModules(
    modules=("exfat", "fat", "nls_ascii", "nls_cp437", "ntfs3", "vfat"),
    builtin=(),
    depends={"exfat": (), "vfat": ("fat",), "ntfs3": ()},
    aliases={"exfat": "exfat", "vfat": "vfat", "ntfs3": "ntfs3"},
    paths={name: f"{FOLDER}/{name}.ko" for name in ("exfat", "fat", "nls_ascii", "nls_cp437", "ntfs3", "vfat")},
)


def cure(
    filesystem: str, *, initrd: InitrdFacts = LIVE_BOOT, root: KernelModules | None = ROOT, stack: str = "live-boot"
) -> Cure | None:
    roots = {"/live/filesystem.squashfs": RootFacts(size=9, kernels={KERNEL: root})} if root else {}
    facts = IsoFacts(name="live.iso", size=9, initrds={"/live/initrd.img": initrd}, roots=roots)
    return cure_for(Detection(stack=stack, distro="Ember", entries=(ENTRY,)), ENTRY, facts, filesystem)


def test_a_driver_that_the_root_has_is_brought() -> None:
    found = cure("exfat")
    assert found is not None
    assert (found.overlay, found.kernel, found.root) == (MODULES, KERNEL, "/live/filesystem.squashfs")
    assert found.members == (f"{FOLDER}/exfat.ko",)


def test_dependencies_and_character_sets_are_inserted_before_the_driver() -> None:
    found = cure("vfat")
    assert found is not None
    assert [path.rpartition("/")[2] for path in found.members] == ["nls_cp437.ko", "nls_ascii.ko", "fat.ko", "vfat.ko"]


def test_modules_of_another_kernel_are_left_alone() -> None:
    found = cure("exfat", initrd=replace(LIVE_BOOT, kernels=("5.10.0-1-amd64",)))
    assert found is not None
    assert (found.overlay, found.members) == (MAP, ())


def test_where_the_stack_does_not_look_the_overlay_does() -> None:
    found = cure("ntfs", initrd=replace(LIVE_BOOT, markers=("live-boot", "live-boot-ntfs-3g")))
    assert found is not None
    assert (found.overlay, found.driver, found.members) == (FINDER, "ntfs3", (f"{FOLDER}/ntfs3.ko",))


def test_a_file_is_mapped_where_no_driver_can_be_had() -> None:
    found = cure("ntfs", root=None)
    assert found is not None
    assert (found.overlay, found.driver, found.members) == (MAP, "", ())


@pytest.mark.parametrize(
    ("filesystem", "reads", "modules", "answer"),
    [
        ("vfat", (), ("vfat", "loop"), (FINDER, "vfat")),
        ("vfat", (), ("isofs",), (MAP, "")),
        ("ext4", ("ext4",), ("isofs",), (FINDER, "ext4")),
        ("btrfs", (), ("isofs",), None),
    ],
)
def test_a_disk_is_made_of_the_file_where_the_initrd_wants_one(
    filesystem: str, reads: tuple[str, ...], modules: tuple[str, ...], answer: tuple[str, str] | None
) -> None:
    """Also where the modules lie in no folder of a kernel's."""
    initrd = InitrdFacts(size=9, drivers=KernelModules(modules=modules))
    facts = IsoFacts(name="live.iso", size=9, initrds={"/live/initrd.img": initrd})
    entry = replace(ENTRY, cmdline=("root=LABEL",))
    detection = Detection(stack="Ember", distro="Ember", entries=(entry,), filesystems=reads, wants_disk=True)
    found = cure_for(detection, entry, facts, filesystem)
    assert (found and (found.overlay, found.driver)) == answer
    assert not file_answer(detection, entry, [initrd], filesystem).readable


@pytest.mark.parametrize("stack", ["anaconda", "antiX", "genkernel"])
def test_a_stack_that_cannot_be_given_a_device_is_not_cured(stack: str) -> None:
    assert cure("ntfs", root=None, stack=stack) is None


def test_nothing_is_promised_for_an_initrd_that_was_not_read() -> None:
    entry = replace(ENTRY, initrds=("/live/other.img",))
    facts = IsoFacts(name="live.iso", size=9)
    assert cure_for(Detection(stack="live-boot", distro="Ember", entries=(entry,)), entry, facts, "exfat") is None


@pytest.mark.parametrize("stack", ["casper", "live-boot", "archiso"])
def test_a_missing_character_set_is_brought_and_nothing_else(stack: str) -> None:
    modules = ("fat", "nls_cp437", "nls_utf8", "vfat")
    drivers = KernelModules(modules=modules, builtin=("loop",), charsets={"fat": "ascii"})
    initrd = replace(LIVE_BOOT, drivers=drivers, maker="mkinitcpio" if stack == "archiso" else LIVE_BOOT.maker)
    found = cure("vfat", initrd=initrd, stack=stack)
    assert found is not None
    assert found.members == (f"{FOLDER}/nls_ascii.ko",)
    assert found.reason == (
        "Its initrd has vfat for FAT32, but not all that it takes; the overlay brings nls_ascii out of "
        "/live/filesystem.squashfs."
    )


def test_an_archiso_without_its_loop_hook_is_given_the_file_by_the_overlay() -> None:
    drivers = KernelModules(modules=("ext4",), builtin=("loop",))
    initrd = InitrdFacts(size=9, maker="mkinitcpio", markers=("archiso",), drivers=drivers)
    facts = IsoFacts(name="arch.iso", size=9, initrds={"/live/initrd.img": initrd})
    detection = Detection(stack="archiso", distro="Ember", entries=(ENTRY,), filesystems=("ext4", "vfat"))
    assert file_answer(detection, ENTRY, [initrd], "ext4").readable is False
    found = cure_for(detection, ENTRY, facts, "ext4")
    assert (found and found.overlay, found and found.driver) == ("finder", "ext4")


def test_what_a_module_depends_on_comes_along_though_the_initrd_has_it() -> None:
    """It is not loaded yet when ours is inserted."""
    drivers = KernelModules(modules=("ext4", "fat", "loop", "nls_ascii", "nls_cp437"), builtin=())
    found = cure("vfat", initrd=replace(LIVE_BOOT, drivers=drivers))
    assert found is not None
    assert found.members == (f"{FOLDER}/fat.ko", f"{FOLDER}/vfat.ko")


@pytest.mark.parametrize("stack", ["casper", "live-boot"])
def test_nothing_is_promised_for_a_stack_in_an_initrd_of_another_maker(stack: str) -> None:
    """The overlay's hook is one of initramfs-tools, which dracut's initrd does not run."""
    assert cure("exfat", stack=stack)
    assert cure("exfat", stack=stack, initrd=replace(LIVE_BOOT, maker="dracut")) is None
