"""For every boot stack that opens a file: an initrd with all that it takes, and initrds that lack one part of it."""

from dataclasses import replace

import pytest

from bootkit.detect.registry import stacks
from bootkit.model.boot import ISO_PATH, BootEntry, Detection, Role
from bootkit.model.initrd import InitrdFacts, KernelModules
from bootkit.model.stack import Stack
from bootkit.model.support import Verdict
from bootkit.plan.check_file import file_answer

FILE_FINDERS = [stack for stack in stacks().values() if stack.verdict is Verdict.BOOTS]
WITH_SCRIPTS = [
    stack
    for stack in FILE_FINDERS
    if stack.finder and stack.finder.scripts and stack.finder.scripts not in stack.finder.markers
]
MODULES = ("fat", "nls_ascii", "nls_cp437", "vfat")
ENTRY = BootEntry(title="Live", kernel="/k", initrds=("/i",), cmdline=(f"x={ISO_PATH}",), role=Role.DEFAULT)


def whole(stack: Stack) -> InitrdFacts:
    finder = stack.finder
    markers = (*finder.markers, finder.scripts) if finder else ()
    drivers = KernelModules(modules=MODULES, builtin=("loop",), charsets={"fat": "ascii"}, depends={"vfat": ("fat",)})
    return InitrdFacts(size=9, maker="x", markers=tuple(filter(None, markers)), kernels=("6.1",), drivers=drivers)


def without(initrd: InitrdFacts, *modules: str) -> InitrdFacts:
    drivers = initrd.drivers
    kept = tuple(name for name in drivers.modules if name not in modules)
    builtin = tuple(name for name in drivers.builtin or () if name not in modules)
    return replace(initrd, drivers=replace(drivers, modules=kept, builtin=builtin))


def finds(stack: Stack, initrd: InitrdFacts) -> bool | None:
    detection = Detection(stack=stack.name, distro="Ember", entries=(ENTRY,), filesystems=("vfat",))
    return file_answer(detection, ENTRY, [initrd], "vfat").readable


@pytest.mark.parametrize("stack", FILE_FINDERS, ids=lambda stack: stack.name)
@pytest.mark.parametrize("part", ["vfat", "fat", "nls_cp437", "nls_ascii", "loop"])
def test_an_initrd_that_lacks_a_module_finds_no_file(stack: Stack, part: str) -> None:
    assert finds(stack, whole(stack))
    assert finds(stack, without(whole(stack), part)) is False


@pytest.mark.parametrize("stack", WITH_SCRIPTS, ids=lambda stack: stack.name)
def test_an_initrd_that_lacks_the_script_which_looks_finds_no_file(stack: Stack) -> None:
    assert stack.finder is not None
    assert finds(stack, whole(stack))
    assert finds(stack, replace(whole(stack), markers=(stack.finder.scripts,))) is False


def test_the_character_set_is_that_of_the_kernels_configuration() -> None:
    """Debian's wants ascii, Ubuntu's iso8859-1; one of another kernel does not help."""
    initrd = whole(stacks()["casper"])
    drivers = replace(initrd.drivers, charsets={"fat": "iso8859-1"})
    assert not replace(initrd, drivers=drivers).support("vfat").is_readable
    support = replace(initrd, drivers=replace(drivers, modules=(*MODULES, "nls_iso8859_1"))).support("vfat")
    assert support.is_readable
    assert replace(initrd, drivers=drivers).support("vfat").lacks == ("nls_iso8859_1",)


def test_a_character_set_is_missed_beside_its_code_page_though_nobody_lists_what_is_built_in() -> None:
    drivers = KernelModules(modules=("fat", "nls_cp437", "vfat"), charsets={"fat": "ascii"})
    initrd = replace(whole(stacks()["casper"]), drivers=drivers)
    assert initrd.support("vfat").lacks == ("nls_ascii",)
    inside = replace(drivers, modules=("fat", "vfat"))
    assert replace(initrd, drivers=inside).support("vfat").is_readable
