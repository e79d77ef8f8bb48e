"""Which images of a live system its root is put together from, and in which order."""

from collections.abc import Mapping

import pytest

from bootkit.model.boot import BootEntry, Detection
from bootkit.model.initrd import KernelModules, RootFacts
from bootkit.model.iso import IsoFacts, Node, RecordedIso
from bootkit.plan.root_layers import root_layers

VERSION = "6.8.0-41-generic"
Sizes = Mapping[str, int]

DESKTOP: Sizes = {
    "minimal.squashfs": 9,
    "minimal.de.squashfs": 1,
    "minimal.standard.squashfs": 8,
    "minimal.standard.de.squashfs": 1,
    "minimal.standard.live.squashfs": 7,
    "minimal.enhanced-secureboot.squashfs": 1,
}
SERVER: Sizes = {
    "ubuntu-server-minimal.squashfs": 9,
    "ubuntu-server-minimal.ubuntu-server.squashfs": 8,
    "ubuntu-server-minimal.ubuntu-server.installer.squashfs": 7,
    "ubuntu-server-minimal.ubuntu-server.installer.generic.squashfs": 6,
    "ubuntu-server-minimal.ubuntu-server.installer.generic-hwe.squashfs": 6,
}
PLAIN: Sizes = {"b.squashfs": 3, "a.squashfs": 1, "c.squashfs": 2}


def layers(
    stack: str, files: Sizes, with_modules: str, *, words: tuple[str, ...] = (), module: str = ""
) -> tuple[str, ...]:
    """The names of the layers, where the images in ``with_modules`` have those of the kernel."""
    folder = {"casper": "casper", "live-boot": "live"}[stack]
    listed = [Node(name=name, size=size) for name, size in files.items()]
    texts: dict[str, str] = {}
    if module:
        listed.append(Node(name="filesystem.module", size=len(module)))
        texts[f"/{folder}/filesystem.module"] = module
    iso = RecordedIso(
        IsoFacts(
            name="x.iso", size=1, dirs={"/": (Node(name=folder, size=None),), f"/{folder}": tuple(listed)}, texts=texts
        )
    )
    modules = {VERSION: KernelModules()}
    roots = {
        f"/{folder}/{name}": RootFacts(size=1, kernels=modules if name in with_modules.split() else {})
        for name in files
    }
    entry = BootEntry(title="x", kernel=f"/{folder}/vmlinuz", cmdline=words)
    found = root_layers(iso, Detection(stack=stack, distro="x", entries=(entry,)), roots, (VERSION,))
    assert all(path.startswith(f"/{folder}/") for path in found)
    return tuple(path.rpartition("/")[2].removesuffix(".squashfs") for path in found)


@pytest.mark.parametrize(
    ("with_modules", "expected"),
    [
        ("minimal.standard.live.squashfs", ("minimal", "minimal.standard", "minimal.standard.live")),
        # the live layer has nothing that the kernel needs
        ("minimal.standard.squashfs", ("minimal", "minimal.standard")),
        ("minimal.squashfs", ("minimal", "minimal.standard")),
    ],
)
def test_what_is_only_for_the_live_run_is_left_out_where_the_modules_are_below(
    with_modules: str, expected: tuple[str, ...]
) -> None:
    for words in ((), ("layerfs-path=minimal.standard.live.squashfs",)):
        assert layers("casper", DESKTOP, with_modules, words=words) == expected


def test_of_several_kernels_the_layers_of_the_one_that_starts_are_taken() -> None:
    top = "ubuntu-server-minimal.ubuntu-server.installer.generic"
    assert layers("casper", SERVER, f"{top}.squashfs")[-1] == top
    assert layers("casper", SERVER, f"{top}-hwe.squashfs")[-1] == f"{top}-hwe"


def test_names_that_tell_nothing_are_layers_in_their_order() -> None:
    assert layers("casper", PLAIN, "a.squashfs") == ("a", "b", "c")
    assert layers("live-boot", PLAIN, "a.squashfs") == ("a", "b", "c")


def test_a_list_in_the_image_says_what_belongs_to_the_root() -> None:
    assert layers("live-boot", PLAIN, "", module="c.squashfs\na.squashfs\nnone.squashfs\n") == ("c", "a")
