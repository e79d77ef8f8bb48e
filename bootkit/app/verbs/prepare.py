"""``prepare``, ``upgrade`` and ``restore``: from a path to a plan, and from a confirmed plan to a stick."""

import os
import re
import secrets
import stat
import sys
import time
import uuid
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from bootkit import __version__
from bootkit.app.menu.grub_cfg import menu_of
from bootkit.app.stick.loaders import read_loaders
from bootkit.app.verbs.generate import plan_generation
from bootkit.app.verbs.loaders import comparison, host_release, release_of, secure_boot_notes
from bootkit.errors import BootkitError, DeviceRefused, HostError, ToolMissing, UsageError
from bootkit.model.catalog import MenuSettings
from bootkit.model.device import BlockDevice
from bootkit.model.filesystem import DataFs
from bootkit.model.options import Choices, option
from bootkit.model.places import GRUBENV, IMAGE_FOLDER, MENU, MENU_FONT, STICK_FILE
from bootkit.model.plan import WriteFile
from bootkit.model.prepare import (
    Action,
    FreshIds,
    HostLoaders,
    Layout,
    LoaderChoice,
    PreparePlan,
    TakeLoader,
    Target,
    Wish,
)
from bootkit.plan.layout import minimum_size
from bootkit.plan.prepare import data_uuid, plan_prepare, plan_restore, plan_upgrade
from bootkit.plan.safety import Circumstances, Refusal, safety
from bootkit.render.appearance import appearance_files
from bootkit.render.menu import empty_grubenv
from bootkit.render.stub import render_stub
from bootkit.system.apply import Told, apply_plan
from bootkit.system.changes import apply_changes
from bootkit.system.devices import clean, find_device, read_host
from bootkit.system.efivars import machine_keys
from bootkit.system.interrupted import interrupted_action
from bootkit.system.loaders import find_loaders, menu_font
from bootkit.system.recognise import Contents, StickRecord, read_contents
from bootkit.system.sticks import open_stick
from bootkit.units import MIB, format_size

RESTORE_LABEL = "USB"
_LABEL = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,10}")
"""Labels that every file system takes; FAT is the narrowest, and would rather have capitals."""


def plan_preparation(
    path: Path,
    *,
    size: int | None = None,
    layout: Layout = Layout.SPLIT,
    data_fs: DataFs | None = None,
    loader: LoaderChoice = LoaderChoice.AUTO,
    exchange: int = 0,
    exchange_fs: DataFs = DataFs.EXFAT,
    loaders_from: Path | None = None,
    allow: Iterable[str] = (),
) -> PreparePlan:
    """What ``prepare`` would do; ``size`` in bytes is for an image file, and only there.

    ``loaders_from`` is a folder into which packages with loaders were unpacked; what is in it goes before the host's.

    ``exchange`` is bytes of a second partition for the user's files; 0 for none.

    Raises:
        DeviceRefused: a safety rule speaks against it, or bootkit prepared it before.
        UsageError: wishes that do not go together.
        ToolMissing: there is no boot loader on this host.
    """
    filesystem = data_fs or (DataFs.FAT32 if layout is Layout.SINGLE else DataFs.EXT4)
    minimum = minimum_size(layout, filesystem, exchange=exchange)
    target, contents = _look_at(path, size, Circumstances(minimum=minimum, allowed=frozenset(allow)))
    begun = interrupted_action(target)
    if contents.stick is not None and begun != Action.PREPARE:
        raise DeviceRefused(
            f"{path} was prepared by bootkit {contents.stick.version} already",
            hint=f"bootkit upgrade {path} renews its boot loaders, bootkit restore {path} gives it back empty",
        )
    ids = fresh_ids()
    wish = Wish(layout=layout, data_fs=filesystem, loader=loader, owner=_owner(), created=_today())
    wish = replace(wish, exchange=exchange, exchange_fs=exchange_fs)
    stub = render_stub(data_uuid(layout, filesystem, ids))
    host = find_loaders(extra=loaders_from)
    plan = plan_prepare(target, wish, host=host, ids=ids, stub=stub, files=first_files(wish))
    if any(isinstance(step, TakeLoader) for step in plan.steps):
        plan = replace(plan, notes=(*plan.notes, *secure_boot_notes(host, machine_keys())))
    return replace(plan, notes=(f"an earlier {begun} of this disk was not finished", *plan.notes)) if begun else plan


def plan_upgrade_of(
    path: Path,
    *,
    loader: LoaderChoice = LoaderChoice.AUTO,
    loaders_from: Path | None = None,
    allow: Iterable[str] = (),
) -> PreparePlan:
    """What ``upgrade`` would do; ``loaders_from`` is as for :func:`plan_preparation`.

    Raises:
        DeviceRefused: no stick of ours, a newer one than we are, or a safety rule speaks against it.
        BootkitError: its signed loaders are newer than those at hand.
    """
    target, contents = _look_at(
        path, None, Circumstances(allowed=frozenset(allow) | {"large", "foreign", "partitions"})
    )
    stick = _the_stick(path, contents)
    if _version(stick.version) > _version(__version__):
        raise DeviceRefused(
            f"{path} was prepared by bootkit {stick.version}, and this is {__version__}",
            hint="its boot loaders would become older: update bootkit first",
        )
    host = find_loaders(extra=loaders_from)
    if loader is not LoaderChoice.BUILT:
        _refuse_older(path, host)
    return plan_upgrade(
        target,
        Wish(layout=stick.layout, data_fs=stick.data_fs, loader=loader),
        host=host,
        stub=render_stub(stick.data.uuid),
        boot=(stick.boot.offset, stick.boot.size),
        data=(stick.data.offset, stick.data.size),
        core=stick.core,
    )


def _refuse_older(path: Path, host: HostLoaders) -> None:
    """A signed loader is never replaced by an older one: what was revoked in between would come back."""
    try:
        with open_stick(path) as stick:
            found = read_loaders(stick)
    except BootkitError:
        return  # a stick whose data cannot be read gets loaders that work
    for file in found.files if found is not None else ():
        here = host_release(file, host) if file.signed else ""
        if comparison(here, release_of(file)) < 0:
            raise BootkitError(
                f"{path} has {release_of(file)}, and this computer {here}, which is older",
                hint="update this computer, or name newer packages: --loaders-from FOLDER",
            )


def plan_restoration(
    path: Path, *, data_fs: DataFs = DataFs.EXFAT, label: str = RESTORE_LABEL, allow: Iterable[str] = ()
) -> PreparePlan:
    """What ``restore`` would do.

    Raises:
        DeviceRefused: neither a stick of ours nor one that an interrupted run left behind, or a safety rule.
    """
    if not _LABEL.fullmatch(label):
        raise UsageError(f"{label!r} is no label", hint="take 1 to 11 letters, digits, - and _")
    target, contents = _look_at(path, None, Circumstances(allowed=frozenset(allow)))
    if not interrupted_action(target):
        _the_stick(path, contents)
    return plan_restore(target, data_fs=data_fs, label=label, ids=fresh_ids(), owner=_owner())


def prepare_image(
    path: Path,
    size: int,
    *,
    layout: Layout = Layout.SPLIT,
    data_fs: DataFs | None = None,
    loader: LoaderChoice = LoaderChoice.AUTO,
    exchange: int = 0,
    exchange_fs: DataFs = DataFs.EXFAT,
    told: Told = lambda _: None,
) -> PreparePlan:
    """A new image file of ``size`` bytes, prepared.

    Raises:
        DeviceRefused: the file exists.
    """
    plan = plan_preparation(
        path, size=size, layout=layout, data_fs=data_fs, loader=loader, exchange=exchange, exchange_fs=exchange_fs
    )
    if plan.destroys_data:
        raise DeviceRefused(f"{path} exists and is not empty", hint="take another name")
    apply_plan(plan, told=told)
    return plan


def renew_menu(path: Path) -> bool:
    """Write the menu of an upgraded stick with this version's templates; false if its file system has to be mounted first."""
    try:
        with open_stick(path, writing=True) as stick:
            apply_changes(plan_generation(stick.volume).plan, stick.volume)
    except ToolMissing:
        raise
    except BootkitError:
        return False
    return True


def needs_confirmation(plan: PreparePlan) -> bool:
    """Whether something would be lost or changed that is there."""
    return plan.target.exists


def accepts(plan: PreparePlan, word: str) -> bool:
    """Whether ``word`` names the target of the plan: one of the words that the plan shows."""
    return clean(word) in plan.target.confirm


def expects(plan: PreparePlan, name: str) -> bool:
    """Whether a script's ``--expect`` names the target: the by-id name or the serial of a disk, the name of a file."""
    return name in expected_names(plan)


def expected_names(plan: PreparePlan) -> tuple[str, ...]:
    """What ``--expect`` takes, the best one first."""
    target = plan.target
    if not target.is_device:
        return (Path(target.path).name,)
    names = () if target.twins else (target.identity.by_id, target.identity.serial)
    # a device without either, such as a loop device, has no better name than its node
    return tuple(filter(None, names)) or (target.path,)


def fresh_ids() -> FreshIds:
    """Random identifiers; drawn once, so that the plan that is shown is the plan that is carried out."""
    first, second, third, fourth = (str(uuid.uuid4()).upper() for _ in range(4))
    return FreshIds(
        disk=str(uuid.uuid4()).upper(),
        partitions=(first, second, third),
        filesystem=str(uuid.uuid4()),
        fat_data=secrets.token_hex(4),
        fat_esp=secrets.token_hex(4),
        ntfs=secrets.token_hex(8),
        exchange=secrets.token_hex(4),
        exchange_partition=fourth,
    )


def first_files(wish: Wish) -> tuple[WriteFile, ...]:
    """What the data partition begins with."""
    font = menu_font()
    return (
        WriteFile(path=MENU, content=menu_of((), Choices())),
        WriteFile(path=GRUBENV, content=empty_grubenv()),
        *(WriteFile(path=path, content=content) for path, content in appearance_files(MenuSettings()).items()),
        *(() if font is None else (WriteFile(path=MENU_FONT, content=font),)),
        WriteFile(path=STICK_FILE, content=_stick_file(wish).encode()),
    )


def _stick_file(wish: Wish) -> str:
    return f"""\
# Your choices for this stick. Change them with an editor. Run 'bootkit generate' afterwards. stick.toml(5) tells all keys.

[stick]
# Written by 'bootkit prepare', for you to know; nothing reads them back but 'bootkit upgrade'.
prepared_by = "{__version__}"
created = "{wish.created}"
layout = "{wish.layout}"

[menu]
# Seconds until the first entry starts; -1 waits for ever.
timeout = {option("timeout").default}
# Image that starts by itself, as a path on this partition: "{IMAGE_FOLDER}/debian.iso". Empty: the first one.
default = ""
# true: the menu and the kernels talk to the first serial port, too.
serial = false

[options]
# For all images; [stack.NAME] and [image."{IMAGE_FOLDER}/NAME.iso"] take the same choices for some of them.
# language = "de_DE.UTF-8"
# keyboard = "de(nodeadkeys)"
# timezone = "Europe/Berlin"
# Words added to every kernel command line: ["quiet"].
extra_words = []
"""


def _look_at(path: Path, size: int | None, circumstances: Circumstances) -> tuple[Target, Contents]:
    # an absolute path is never taken for an option by the programs that get it
    path = Path(os.path.abspath(path))  # noqa: PTH100  # resolve() would follow /dev/disk/by-id
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return _new_file(path, size), Contents()
    except OSError as error:
        raise BootkitError(f"{path}: {error.strerror}") from error
    if stat.S_ISREG(mode):
        return _old_file(path, size)
    if not stat.S_ISBLK(mode):
        raise DeviceRefused(f"{path} is neither a disk nor a file", hint="bootkit devices lists the disks")
    if size is not None:
        raise UsageError(f"{path} has the size it has", hint="--size is for image files")
    return _disk(path, circumstances)


def _new_file(path: Path, size: int | None) -> Target:
    folder = path.parent.resolve()
    if folder.is_relative_to("/dev") and not folder.is_relative_to("/dev/shm"):  # noqa: S108  # not made by us
        raise DeviceRefused(f"there is no {path}", hint="bootkit devices lists the disks")
    if not path.parent.is_dir():
        raise BootkitError(f"there is no folder {path.parent}")
    if size is None:
        raise UsageError(f"{path} does not exist", hint="for a new image file, say how large: --size 8G")
    return Target(path=os.fspath(path), size=size // MIB * MIB)


def _old_file(path: Path, size: int | None) -> tuple[Target, Contents]:
    held = path.stat().st_size
    if not held and size is None:
        raise UsageError(f"{path} is empty", hint="say how large it shall become: --size 8G")
    contents = _read(path)
    target = Target(
        path=os.fspath(path),
        size=(size or held) // MIB * MIB,
        exists=held > 0,
        title="image file",
        contents=_told(contents),
        confirm=(clean(path.name),) if held else (),
    )
    return target, contents


def _disk(path: Path, circumstances: Circumstances) -> tuple[Target, Contents]:
    device = find_device(path, read_host())
    circumstances = replace(circumstances, in_use=our_needs())
    refused = safety(device, circumstances)
    if not [refusal for refusal in refused if not refusal.key]:
        # only what nobody uses is opened; its bytes may tell of more than udev does
        contents = _read(path)
        foreign = (contents.whole, *(part.filesystem for part in contents.partitions))
        refused = safety(device, replace(circumstances, foreign=foreign))
    else:
        contents = Contents()
    if refused:
        raise refusal_error(device, refused)
    identity = device.identity
    words = (device.model, identity.serial[-4:], identity.by_id, identity.serial)
    target = Target(
        path=device.node,
        size=device.size // MIB * MIB,
        is_device=True,
        exists=True,
        identity=identity,
        sector_size=device.sector_size,
        title=clean(f"{device.vendor} {device.model}"),
        contents=_told(contents),
        confirm=(device.node,)
        if device.twins
        else tuple(dict.fromkeys(word for word in words if word)) or (device.node,),
        twins=device.twins,
    )
    return target, contents


def refusal_error(device: BlockDevice, refused: tuple[Refusal, ...]) -> DeviceRefused:
    """All reasons in one error; the way out is that of the gravest."""
    reasons = "; it ".join(refusal.reason for refusal in refused)
    title = clean(f"{device.vendor} {device.model}")
    keys = [refusal.key for refusal in refused]
    hint = refused[0].hint
    if all(keys):
        hint = "if it really is to be overwritten, add: " + " ".join(f"--allow {key}" for key in keys)
    return DeviceRefused(f"{device.node}{f' ({title})' if title else ''} {reasons}", hint=hint)


def our_needs() -> tuple[tuple[str, str], ...]:
    """What must stay readable while we run, and the mount point that carries it."""
    needs = (
        ("the folder you are in", Path.cwd()),
        ("the running program", Path(sys.executable)),
        ("bootkit", Path(__file__)),
    )
    return tuple((what, _mount_point(path)) for what, path in needs)


def _mount_point(path: Path) -> str:
    here = path.resolve()
    while not _is_mount(here) and here != here.parent:
        here = here.parent
    return os.fspath(here)


def _is_mount(path: Path) -> bool:
    try:
        return path.is_mount()
    except OSError:  # it lies where we may not look; what it is mounted from, its parents tell
        return False


def _read(path: Path) -> Contents:
    try:
        return read_contents(path)
    except OSError as error:
        raise HostError.of(error, f"{path} cannot be read") from error


def _told(contents: Contents) -> tuple[str, ...]:
    if not contents.partitions:
        return (f"a file system without partitions: {contents.whole}",) if contents.whole else ()
    return tuple(
        clean(f"partition {part.number}: {format_size(part.size)} {part.filesystem or 'unknown'} {part.label}")
        for part in contents.partitions
    )


def _the_stick(path: Path, contents: Contents) -> StickRecord:
    if contents.stick is None:
        raise DeviceRefused(f"{path} is not a stick that bootkit prepared", hint=f"bootkit prepare {path}")
    return contents.stick


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text)[:4])


def _owner() -> tuple[int, int]:
    """The user who is at the keyboard, also under sudo."""
    uid, gid = os.environ.get("SUDO_UID", ""), os.environ.get("SUDO_GID", "")
    if os.geteuid() == 0 and uid.isdecimal() and gid.isdecimal():
        return int(uid), int(gid)
    return os.geteuid(), os.getegid()


def _today() -> str:
    return time.strftime("%Y-%m-%d", time.gmtime())
