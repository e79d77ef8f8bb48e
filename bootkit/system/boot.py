"""Boot one entry of a stick in a test machine, and say how far it came.

Whatever happens, the machine is gone afterwards and so is its folder: an exception, a time limit, Ctrl-C.
"""

import asyncio
import shutil
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType

from qemu.qmp import QMPClient, QMPError

from bootkit.errors import BootkitError
from bootkit.i18n import tr
from bootkit.model.testboot import BootResult, Stage, TestFirmware
from bootkit.system.firmware import FlashImage, find_flash
from bootkit.system.qemu import Accelerator, VirtualMachine, choose_accelerator, qemu_argv
from bootkit.system.run import Process, popen
from bootkit.system.watcher import ConsoleWatcher
from bootkit.system.witness import make_test_disk
from bootkit.units import MIB, format_size

STAGE_LIMITS: Mapping[Stage, float] = MappingProxyType(
    {Stage.FIRMWARE: 20, Stage.MENU: 30, Stage.KERNEL: 20, Stage.INITRD: 60, Stage.ISO: 60}
)
"""Seconds until the next stage under KVM; emulation multiplies them."""

POLL = 0.1
MENU_QUIET = 1.0
"""Seconds without a byte on the serial line after which the menu counts as drawn: it is drawn there too."""
MENU_DRAWN = 20.0
"""Seconds after which a menu whose screen is still of one colour is taken for one without a screen."""
ENTER_AGAIN = 10.0
"""Seconds after which Enter is pressed once more: a submenu waits as its parent did."""
ENTER_TIMES = 3
GRUB_GRACE = 5.0
"""Seconds under KVM in which a kernel must follow an error of GRUB's for the error not to count."""
_REFUSED = "bad shim signature"
"""An error that no kernel follows, however slow the machine; only the menu's own words do."""
SERIAL_LIMIT = 32 << 20
"""Bytes on the serial line that end the test: no boot says so much."""
MONITOR_PATIENCE = 20.0
SCREEN_POLL = 1.0
TEXT_SCREEN = 0xB8000
"""Where a PC keeps its text screen, and how much of that is looked at: 80 columns, 25 rows."""
TEXT_BYTES = 80 * 25 * 2
_QEMU_ITSELF = 256 * MIB
"""Bytes beside the machine's own memory: code that was translated, firmware, the screen."""


@dataclass(slots=True, kw_only=True)
class _Run:
    """One machine while it runs; times are seconds since it was switched on."""

    machine: VirtualMachine
    process: Process
    until: Stage
    limits: Mapping[Stage, float]
    screenshots: Path | None
    on_stage: Callable[[Stage], None]
    heard: Callable[[str], None]
    started: float = field(default_factory=time.monotonic)
    watcher: ConsoleWatcher = field(default_factory=ConsoleWatcher)
    reads_screen: bool = False
    """What it shows is text in the memory of the screen, and not on the serial line."""
    last_look: float = 0.0
    reached: list[tuple[Stage, float]] = field(default_factory=list[tuple[Stage, float]])
    pictures: list[str] = field(default_factory=list[str])
    serial_bytes: int = 0
    last_byte: float = 0.0
    presses: int = 0
    last_press: float = 0.0
    complained: float = 0.0
    waited: float = 0.0
    """The limit that ended it."""

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.started

    @property
    def in_stage(self) -> float:
        return self.seconds - (self.reached[-1][1] if self.reached else 0.0)


def boot(
    stick: Path,
    *,
    entry: str,
    firmware: TestFirmware = TestFirmware.BIOS,
    accelerator: Accelerator | None = None,
    until: Stage = Stage.USERSPACE,
    words: tuple[str, ...] = (),
    sign: str = "",
    screenshots: Path | None = None,
    memory_mib: int = 2048,
    variables: Path | None = None,
    disks: tuple[Path, ...] = (),
    limits: Mapping[Stage, float] = STAGE_LIMITS,
    on_stage: Callable[[Stage], None] = lambda _: None,
    heard: Callable[[str], None] = lambda _: None,
) -> BootResult:
    """Boot ``entry`` (menu ids, ``submenu>entry``) of a stick, an image file or a device, which is only read.

    ``variables`` are those of UEFI instead of the installed ones: a file that is copied, with the keys that the machine trusts.
    ``disks`` are the computer's own beside the stick, raw images, only read as well.
    ``words`` are more kernel words. ``sign`` is a regular expression that a program without an initrd prints when it runs.
    ``screenshots`` is a folder for two pictures, of the menu and of the end.
    ``on_stage`` is told each stage as it is reached. ``heard`` is called ten times a second with what the serial line has
    said since, mostly nothing; what it raises ends the test.

    Raises:
        ToolMissing: QEMU, its firmware or ``mke2fs`` is not installed.
        UsageError: the entry's id or a word cannot be handed to GRUB.
        BootkitError: this computer has too little memory for the machine.
    """
    _require_memory(memory_mib)
    accelerator = Accelerator.TCG if firmware is TestFirmware.ARM64 else accelerator or choose_accelerator()
    flash = None if firmware is TestFirmware.BIOS else find_flash(firmware)
    if flash is not None and variables is not None:
        flash = replace(flash, variables=variables)
    with TemporaryDirectory(prefix="bootkit-") as name:
        folder = Path(name)
        machine = VirtualMachine(
            stick=stick.absolute(),
            test_disk=folder / "test.img",
            folder=folder,
            firmware=firmware,
            accelerator=accelerator,
            flash=_own_variables(flash, folder),
            memory_mib=memory_mib,
            disks=tuple(disk.absolute() for disk in disks),
        )
        make_test_disk(machine.test_disk, entry, words=(*_console(firmware), *accelerator.kernel_words, *words))
        errors = folder / "qemu.log"
        with errors.open("wb") as stderr, popen(qemu_argv(machine), stderr=stderr) as process:
            run = _Run(
                machine=machine,
                process=process,
                until=until,
                limits=limits,
                screenshots=screenshots,
                on_stage=on_stage,
                heard=heard,
                watcher=ConsoleWatcher(sign),
                reads_screen=bool(sign) and firmware is TestFirmware.BIOS,
            )
            reason = asyncio.run(_drive(run))
            if process.poll() not in (None, 0):
                reason = f"QEMU failed: {errors.read_text(errors='replace').strip() or 'it said nothing'}"
    return _result(run, reason)


def _console(firmware: TestFirmware) -> tuple[str, ...]:
    """Behind the words of every test: the last console gets what the initrd says."""
    return ("console=ttyAMA0",) if firmware is TestFirmware.ARM64 else ()


def _require_memory(memory_mib: int) -> None:
    """Refuse a machine that does not fit: it would be killed in the middle, or make everything else crawl."""
    free = _available_memory()
    needed = memory_mib * MIB + _QEMU_ITSELF
    if free < needed:
        message = tr(
            "a test machine needs {needed} of memory, and {free} are free",
            needed=format_size(needed),
            free=format_size(free),
        )
        raise BootkitError(message, hint=tr("close what you do not need, and try again"))


def _available_memory() -> int:
    """Bytes that a new program can have before anything is swapped. Source: proc(5), /proc/meminfo."""
    lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable:"))


def _own_variables(flash: FlashImage | None, folder: Path) -> FlashImage | None:
    if flash is None:
        return None
    copy = folder / "variables"
    shutil.copyfile(flash.variables, copy)
    return replace(flash, variables=copy)


def _result(run: _Run, reason: str) -> BootResult:
    ok = run.watcher.stage >= run.until
    return BootResult(
        stage=run.watcher.stage,
        ok=ok,
        reason="" if ok else reason,
        pretty_name=run.watcher.pretty_name,
        iso=run.watcher.iso,
        seconds=run.seconds,
        waited=run.waited if not ok else 0.0,
        reached=tuple(run.reached),
        tail=run.watcher.tail,
        screenshots=tuple(run.pictures),
    )


async def _drive(run: _Run) -> str:
    """Watch the machine to its end; returns why it went no further, empty if it went far enough."""
    monitor = await _connect(run)
    if monitor is None:
        return "QEMU did not start"
    try:
        while (reason := _read_on(run)) is None:
            await _play(run, monitor)
            await _look_at_screen(run, monitor)
            await asyncio.sleep(POLL)
        await _picture(run, monitor, "end")
    finally:
        # the library tells here that the connection had ended, if the machine switched itself off
        with suppress(QMPError, OSError, EOFError, TimeoutError):
            await asyncio.wait_for(monitor.disconnect(), 2)
    return reason


async def _connect(run: _Run) -> QMPClient | None:
    """QEMU's monitor; ``None`` if QEMU ended, or did not answer in time."""
    while run.process.poll() is None and run.seconds < MONITOR_PATIENCE:
        if run.machine.monitor.exists():
            client = QMPClient("bootkit")
            with suppress(QMPError, OSError, EOFError):
                await client.connect(str(run.machine.monitor))
                return client
        await asyncio.sleep(POLL)
    return None


def _read_on(run: _Run) -> str | None:
    """Take in what the machine said since the last time; why to stop, ``None`` to go on."""
    ended = run.process.poll() is not None
    with run.machine.serial_log.open("rb") as serial:
        serial.seek(run.serial_bytes)
        data = serial.read(SERIAL_LIMIT)
    run.heard(data.decode(errors="replace"))
    if data:
        run.serial_bytes += len(data)
        run.last_byte = run.seconds
        before = run.watcher.stage
        run.watcher.feed(data)
        _note_stages(run, before)
    if run.watcher.complaint and not run.complained:
        run.complained = run.seconds
    return _reason_to_stop(run, ended=ended)


def _note_stages(run: _Run, before: Stage) -> None:
    for stage in Stage:
        if before < stage <= run.watcher.stage:
            run.reached.append((stage, run.seconds))
            run.on_stage(stage)


def _reason_to_stop(run: _Run, *, ended: bool) -> str | None:
    watcher, patience = run.watcher, run.machine.accelerator.patience
    if watcher.stage >= run.until:
        return ""
    if watcher.failure:
        return watcher.failure
    grace = GRUB_GRACE * (min(patience, 2) if _REFUSED in watcher.complaint else patience)
    if watcher.stage is Stage.MENU and run.complained and run.seconds - run.complained > grace:
        return f"GRUB: {watcher.complaint}"
    if ended:
        return f"the machine was switched off or restarted after stage: {watcher.stage.title}"
    if run.serial_bytes > SERIAL_LIMIT:
        return "the serial line does not stop talking"
    limit = run.limits.get(watcher.stage, 60.0) * patience
    if run.in_stage > limit:
        run.waited = limit
        return _firmware_says(run) or f"nothing happened for {limit:.0f} s after stage: {watcher.stage.title}"
    return None


def _firmware_says(run: _Run) -> str:
    """The words of a BIOS, which SeaBIOS gives to the screen and its debug port, not to the serial line."""
    log = run.machine.firmware_log
    if run.watcher.stage is Stage.FIRMWARE and log.exists() and b"No bootable device" in log.read_bytes():
        return "the firmware found nothing to start"
    return ""


async def _play(run: _Run, monitor: QMPClient) -> None:
    """Do what a user would do at the menu: look at it, press Enter."""
    if run.watcher.stage is not Stage.MENU or run.presses >= ENTER_TIMES or run.complained:
        return
    quiet = run.seconds - run.last_byte
    if run.presses == 0 and quiet >= MENU_QUIET:
        if run.screenshots is not None and quiet < MENU_DRAWN and await _is_blank(run, monitor):
            return
        await _picture(run, monitor, "menu")
    elif run.presses == 0 or run.seconds - run.last_press < ENTER_AGAIN:
        return
    run.presses += 1
    run.last_press = run.seconds
    await _ask(monitor, "send-key", {"keys": [{"type": "qcode", "data": "ret"}]})


async def _look_at_screen(run: _Run, monitor: QMPClient) -> None:
    """Read the screen where programs of the BIOS write, behind the menu, which is drawn by pixels."""
    if not run.reads_screen or run.presses == 0 or run.seconds - run.last_look < SCREEN_POLL:
        return
    run.last_look = run.seconds
    path = run.machine.folder / "screen"
    if await _ask(monitor, "pmemsave", {"val": TEXT_SCREEN, "size": TEXT_BYTES, "filename": str(path)}):
        run.watcher.see_screen(screen_text(path.read_bytes()))
        _note_stages(run, run.reached[-1][0] if run.reached else Stage.FIRMWARE)


def screen_text(memory: bytes) -> str:
    """The lines of a PC's text screen: 80 columns, each a character of code page 437 and its colour."""
    text = memory[::2].decode("cp437")
    return "\n".join(text[at : at + 80].rstrip() for at in range(0, len(text), 80))


async def _is_blank(run: _Run, monitor: QMPClient) -> bool:
    """Whether the screen is of one colour: a graphical menu may come up there later than on the serial line."""
    if run.seconds - run.last_look < SCREEN_POLL:
        return True
    run.last_look = run.seconds
    path = run.machine.folder / "screen"
    if not await _ask(monitor, "screendump", {"filename": str(path)}):
        return False
    return is_one_colour(path.read_bytes())


def is_one_colour(picture: bytes) -> bool:
    """Whether all pixels of a binary PPM (P6, one byte a colour) are the same."""
    *_, pixels = picture.split(b"\n", 3)
    return pixels == pixels[:3] * (len(pixels) // 3)


async def _picture(run: _Run, monitor: QMPClient, name: str) -> None:
    if run.screenshots is None:
        return
    path = run.screenshots.absolute() / f"{name}.png"
    if await _ask(monitor, "screendump", {"filename": str(path), "format": "png"}):
        run.pictures.append(str(path))


async def _ask(monitor: QMPClient, command: str, arguments: dict[str, object]) -> bool:
    """Whether QEMU did it: a machine that has just ended does nothing any more, and QEMU before 7.1 has no PNG."""
    try:
        await asyncio.wait_for(monitor.execute(command, arguments), 10)
    except (QMPError, OSError, EOFError, TimeoutError):
        return False
    return True
