"""For every boot stack that opens a file: an initrd that sees the stick and reads the image, and initrds that lack one driver for it."""

from dataclasses import replace

import pytest

from bootkit.detect.registry import stacks
from bootkit.model.boot import ISO_PATH, BootEntry, Detection, Recognition, Role
from bootkit.model.catalog import ImageItem
from bootkit.model.check import Answer, Prediction, StickFacts
from bootkit.model.initrd import InitrdFacts, KernelModules, RootFacts
from bootkit.model.iso import IsoFacts
from bootkit.model.stack import Stack
from bootkit.model.support import Verdict
from bootkit.plan.check import predict

VERSION = "6.12.0"
FILE_FINDERS = [stack for stack in stacks().values() if stack.verdict is Verdict.BOOTS]
WITH_ROOTS = [stack for stack in FILE_FINDERS if stack.roots]
WITH_LAYERS = [stack for stack in FILE_FINDERS if stack.layers]
ENTRY = BootEntry(title="Live", kernel="/k", initrds=("/i",), cmdline=(f"x={ISO_PATH}",), role=Role.DEFAULT)
MODULES = (
    "aufs", "cdrom", "crc32c_generic", "dm_mod", "dm_snapshot", "ext4", "isofs", "loop", "mmc_block", "overlay", "overlayfs",
    "scsi_mod", "sd_mod", "sdhci_pci", "squashfs", "uas", "usb_storage", "usbcore", "xhci_hcd", "xhci_pci",
    "xhci_pci_renesas", "zstd_decompress",
)  # fmt: skip
DEPENDS = {
    "isofs": ("cdrom",),
    "sd_mod": ("scsi_mod",),
    "usb_storage": ("scsi_mod", "usbcore"),
    "xhci_hcd": ("usbcore",),
    "xhci_pci": ("usbcore", "xhci_hcd", "xhci_pci_renesas"),
}
KERNEL = KernelModules(
    modules=MODULES,
    builtin=(),
    displays=("simpledrm",),
    depends=DEPENDS,
    softdeps={"ext4": ("crc32c",)},
    unpacks={"squashfs": ("gzip", "zstd")},
)


def without(*modules: str) -> KernelModules:
    return replace(KERNEL, modules=tuple(name for name in MODULES if name not in modules))


def predicted(
    stack: Stack,
    drivers: KernelModules,
    *,
    brings: bool = False,
    compression: str = "zstd",
    filesystem: str = "iso9660",
) -> Prediction:
    """On an ext4 stick; ``brings`` says whether the image's root has its kernel's modules to be taken from."""
    finder = stack.finder
    markers = (*finder.markers, finder.scripts) if finder else ()
    maker = (finder.maker if finder else "") or "x"
    initrd = InitrdFacts(
        size=9,
        maker=maker,
        markers=tuple(filter(None, markers)),
        kernels=(VERSION,),
        drivers=drivers,
        allowed=("ext4",),
    )
    paths = {name: f"/lib/modules/{VERSION}/{name}.ko" for name in MODULES} if brings else {}
    root = RootFacts(
        size=9,
        filesystem="squashfs",
        compression=compression,
        kernels={VERSION: replace(KERNEL, paths=paths)} if brings else {},
    )
    facts = IsoFacts(
        name="x.iso", size=9, filesystem=filesystem, initrds={"/i": initrd}, roots={path_of_root(stack): root}
    )
    found = Detection(stack=stack.name, distro="Ember", entries=(ENTRY,), filesystems=("ext4",))
    item = ImageItem(path="/x.iso", size=9, mtime_ns=0, facts=facts, recognition=Recognition(detection=found))
    return predict(item, StickFacts(filesystem="ext4"))


def path_of_root(stack: Stack) -> str:
    """Where the stack has its root when no word of the menu says otherwise."""
    pattern = stack.roots[0] if stack.roots else "/root.squashfs"
    while "{" in pattern:
        before, _, rest = pattern.partition("{")
        slot, _, after = rest.partition("}")
        pattern = before + slot.partition(":")[2] + after
    return pattern.replace("*", "x")


@pytest.mark.parametrize(
    ("part", "reason"),
    [
        (("xhci_pci", "xhci_hcd"), "Its initrd sees no USB stick: it has no driver for USB ports, xhci_pci."),
        (
            ("xhci_pci_renesas", "usbcore"),
            "Its initrd sees no USB stick: it has no driver for USB ports, xhci_pci that works",
        ),
        (("usb_storage",), "Its initrd sees no USB stick: it has no usb_storage."),
        (("sd_mod",), "Its initrd sees no USB stick: it has no sd_mod."),
        (("scsi_mod",), "Its initrd sees no USB stick: it has no usb_storage that works: usb_storage wants scsi_mod."),
        (("isofs",), "Its initrd cannot mount the image itself: it has no isofs."),
        (("cdrom",), "Its initrd cannot mount the image itself: it has no isofs that works: isofs wants cdrom."),
    ],
)
def test_an_initrd_that_lacks_a_driver_boots_from_no_stick(part: tuple[str, ...], reason: str) -> None:
    for stack in FILE_FINDERS:
        assert predicted(stack, KERNEL).answer is Answer.BOOTS
        prediction = predicted(stack, without(*part))
        assert prediction.answer is not Answer.BOOTS
        assert prediction.reason.startswith(reason)


def test_an_initrd_without_the_checksum_of_its_file_system_has_no_driver_for_it() -> None:
    for stack in FILE_FINDERS:
        prediction = predicted(stack, without("crc32c_generic"))
        if stack.takes_device:  # the place of the file's bytes is told, and nothing mounts the stick
            assert prediction.verdict == "boots with overlay map"
        else:
            assert prediction.reason == (
                "Its initrd holds ext4, but not crc32c_generic, without which ext4 is not mounted."
            )
        intel = replace(without("crc32c_generic"), modules=("crc32c_intel", *without("crc32c_generic").modules))
        assert predicted(stack, intel).verdict == "boots"


def test_the_root_has_to_be_unpacked() -> None:
    for stack in WITH_ROOTS:
        path = path_of_root(stack)
        assert predicted(stack, KERNEL, compression="gzip").answer is Answer.CANNOT  # zlib_inflate is nowhere
        assert predicted(stack, KERNEL, compression="xz").reason == (
            f"Its initrd cannot open {path}: squashfs of its kernel does not unpack xz."
        )
        assert predicted(stack, without("zstd_decompress")).reason == (
            f"Its initrd cannot open {path}: squashfs wants zstd_decompress to unpack zstd, which is not there."
        )
        assert predicted(stack, without("squashfs")).reason == f"Its initrd cannot open {path}: it has no squashfs."
        builtin = replace(without("squashfs"), builtin=("squashfs", "xz_dec"))
        assert predicted(stack, builtin, compression="xz").answer is Answer.BOOTS
        assert predicted(stack, builtin, compression="zstd").answer is Answer.CANNOT  # what is built in takes no module


def test_the_root_has_to_be_made_writable() -> None:
    for stack in WITH_LAYERS:
        assert predicted(stack, without(*stack.layers[1:])).answer is Answer.BOOTS
        assert predicted(stack, without(*stack.layers)).reason == (
            f"Its initrd cannot make the root writable: it has no {' or '.join(stack.layers[:2])}."
        )


@pytest.mark.parametrize(
    "part", ["loop", "xhci_pci xhci_hcd", "usb_storage", "sd_mod", "isofs", "cdrom", "crc32c_generic"]
)
def test_what_the_root_has_is_brought_where_the_stack_takes_modules(part: str) -> None:
    for stack in FILE_FINDERS:
        prediction = predicted(stack, without(*part.split()), brings=True)
        if not stack.takes_modules:
            assert prediction.answer is not Answer.BOOTS
            continue
        assert prediction.verdict == "boots with overlay modules"
        cure = prediction.files[0].cure
        assert cure is not None
        names = [member.rpartition("/")[2].removesuffix(".ko") for member in cure.members]
        assert set(part.split()) <= set(names)
        for name in names:
            before = [one for one in DEPENDS.get(name, ()) if one in names]
            assert names.index(name) > max((names.index(one) for one in before), default=-1)


def test_an_image_of_udf_alone_wants_another_driver() -> None:
    stack = stacks()["dmsquash-live"]
    assert predicted(stack, KERNEL, filesystem="udf").reason == (
        "Its initrd cannot mount the image itself: it has no udf."
    )
    with_udf = replace(KERNEL, modules=(*MODULES, "udf"))
    assert predicted(stack, with_udf, filesystem="udf").answer is Answer.BOOTS


def test_nothing_is_said_where_the_kernels_own_drivers_are_not_known() -> None:
    for stack in FILE_FINDERS:
        assert predicted(stack, replace(without("isofs", "usb_storage"), displays=None)).answer is Answer.BOOTS


def test_ports_of_before_2015_are_named() -> None:
    old = replace(
        without("xhci_pci", "xhci_hcd"), modules=("ehci_hcd", "ehci_pci", *without("xhci_pci", "xhci_hcd").modules)
    )
    assert predicted(stacks()["casper"], old).reason == (
        "Its initrd sees no USB stick: it has no driver for USB ports, xhci_pci (it has one for the ports of before 2015)."
    )


def test_sticks_of_rarer_kinds_are_noted_only() -> None:
    prediction = predicted(stacks()["casper"], without("uas", "mmc_block"))
    assert prediction.answer is Answer.BOOTS
    assert prediction.notes == (
        "A fast USB disk that speaks UAS is not seen: its initrd has no uas.",
        "A stick in an SD card slot is not seen: its initrd has no mmc_block.",
    )
