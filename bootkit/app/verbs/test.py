"""``test``: which entries are booted in which machines, and what came out of each."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from bootkit.app.stick.images import image_named
from bootkit.app.stick.state import read_state
from bootkit.errors import BootkitError, UsageError
from bootkit.i18n import tr
from bootkit.model.testboot import BootResult, TestFirmware
from bootkit.plan.choices import chosen_item, menu_settings
from bootkit.render.menu import MenuTarget, menu_targets
from bootkit.system.boot import STAGE_LIMITS, boot
from bootkit.system.qemu import choose_accelerator
from bootkit.system.stickbytes import stick_image
from bootkit.system.sticks import Stick
from bootkit.system.volume import Volume
from bootkit.values import dataclass

_BUSY = 1.5
"""Programs that want to run, for each processor, from which a virtual machine runs at less than half its speed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BootedEntry:
    """One boot of one entry."""

    target: MenuTarget
    firmware: TestFirmware
    result: BootResult


def parse_firmwares(names: Sequence[str]) -> tuple[TestFirmware, ...]:
    """The machines that are meant; BIOS and UEFI if none is named.

    Raises:
        UsageError: there is no such machine.
    """
    try:
        return tuple(map(TestFirmware, names)) or (TestFirmware.BIOS, TestFirmware.UEFI)
    except ValueError:
        known = ", ".join(firmware.value for firmware in TestFirmware)
        raise UsageError(
            tr("there is no firmware {names}", names=repr(names[-1])), hint=tr("known are {known}", known=known)
        ) from None


def choose_targets(volume: Volume, names: Sequence[str], *, every: bool) -> tuple[MenuTarget, ...]:
    """The entries that are meant: each image's default one, those that are named, or all.

    A name is that of an image, or of an image and one of its entries with a colon between them.

    Raises:
        BootkitError: nothing on the stick boots, or a name fits no image or entry, or several.
    """
    state = read_state(volume)
    chosen = tuple(chosen_item(item, state.choices) for item in state.offered)
    targets = menu_targets(chosen, menu_settings(state.choices, state.offered))
    if names:
        return tuple(_named(volume, targets, name) for name in names)
    if not targets:
        raise BootkitError(
            tr("there is nothing on {where} that boots", where=volume.where), hint=tr("bootkit list tells why")
        )
    if every:
        return targets
    firsts = {target.path: target for target in reversed(targets)}
    return tuple(reversed(firsts.values()))


def boot_targets(
    stick: Stick,
    targets: Sequence[MenuTarget],
    firmwares: Sequence[TestFirmware],
    *,
    timeout: float = 0,
    words: tuple[str, ...] = (),
    pictures: Path | None = None,
    variables: Path | None = None,
    told: Callable[[str], None] = lambda _: None,
    heard: Callable[[str], None] = lambda _: None,
) -> tuple[BootedEntry, ...]:
    """Boot each entry in each machine that it is for, one after the other.

    ``timeout`` bounds each stage in seconds, 0 for what suits this computer. ``words`` are more kernel words. ``told`` hears what
    goes on; ``variables``, and ``heard`` for what each machine says on its serial line, are as :func:`bootkit.system.boot.boot`
    has them.

    Raises:
        BootkitError: the stick's bytes cannot be read.
    """
    image = stick_image(stick.where)
    accelerator = choose_accelerator()
    if accelerator.note:
        told(accelerator.note)
    folder = pictures or _state_folder()
    proofs: list[BootedEntry] = []
    for firmware in firmwares:
        for target in targets:
            if firmware.firmware not in target.entry.firmware:
                continue
            told(f"{firmware.value}: {target.title}")
            where = folder / f"{firmware.value}-{_file_name(target.id_path)}"
            where.mkdir(parents=True, exist_ok=True)
            limits = dict.fromkeys(STAGE_LIMITS, timeout / accelerator.patience) if timeout else STAGE_LIMITS
            result = boot(
                image,
                entry=target.id_path,
                firmware=firmware,
                accelerator=accelerator,
                words=words,
                variables=variables,
                sign=target.entry.sign,
                screenshots=where,
                limits=limits,
                on_stage=lambda stage: told(f"  {stage.title}"),
                heard=heard,
            )
            proofs.append(BootedEntry(target=target, firmware=firmware, result=result))
    return tuple(proofs)


def _named(volume: Volume, targets: Sequence[MenuTarget], name: str) -> MenuTarget:
    image, _, wanted = name.partition(":")
    path = image_named(volume, image)
    entries = [target for target in targets if target.path == path]
    if not entries:
        raise BootkitError(
            tr("{path} has no entry that boots", path=path), hint=tr("bootkit explain {path} tells why", path=path)
        )
    fitting = [target for target in entries if wanted.lower() in target.entry.title.lower()]
    exact = [target for target in entries if target.entry.title == wanted]
    if not wanted or len(fitting) == 1 or exact:
        return (exact or fitting)[0]
    known = "; ".join(target.entry.title for target in entries)
    raise BootkitError(
        tr("{wanted} names {count} entries of {path}", wanted=repr(wanted), count=len(fitting), path=path),
        hint=tr("its entries are: {known}", known=known),
    )


def _state_folder() -> Path:
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state"
    return Path(base) / "bootkit" / "test"


def _file_name(id_path: str) -> str:
    return "".join(char if char.isalnum() or char in "-_." else "-" for char in id_path)


def more_time(waited: float) -> str:
    """What to say behind the reason of a boot that was given up after ``waited`` seconds in one stage; nothing if it was not.

    A machine that gets no processor looks like a stick that does not boot, so what keeps this computer busy is told.
    """
    if not waited:
        return ""
    load, processors = os.getloadavg()[0], os.cpu_count() or 1
    busy = load > _BUSY * processors
    seen = f" (it is busy: {load:.0f} programs want its {processors} processors)" if busy else ""
    return f"; if this computer is slow{seen}, give each stage more time: --timeout {2 * waited:.0f}"
