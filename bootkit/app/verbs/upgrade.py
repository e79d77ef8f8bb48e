"""``upgrade``: newer boot loaders and a menu of this version for a stick."""

import re
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from bootkit import __version__
from bootkit.app.menu.first_files import stick_file
from bootkit.app.menu.freshness import MENU_LIMIT
from bootkit.app.stick.loaders import read_loaders
from bootkit.app.stick.program import plan_program
from bootkit.app.stick.target import look_at_target, stick_record_of
from bootkit.app.verbs.generate import plan_menu
from bootkit.app.verbs.loaders import comparison, host_release, release_of
from bootkit.errors import BootkitError, DeviceRefused, ToolMissing
from bootkit.i18n import tr
from bootkit.model.places import FOREIGN_MENU, FOREIGN_OLD_MENU, MENU, OLD_LOADERS_FOLDER, OLD_MENU, STICK_FILE
from bootkit.model.plan import WriteFile
from bootkit.model.prepare import HostLoaders, LoaderChoice, PreparePlan, Target, Wish
from bootkit.plan.prepare import plan_back, plan_upgrade
from bootkit.plan.safety import Circumstances
from bootkit.render.stub import render_stub
from bootkit.system.changes import apply_changes
from bootkit.system.loaders import find_loaders
from bootkit.system.recognise import Contents, of_systemimagekit
from bootkit.system.sticks import open_stick
from bootkit.system.volume import read_file

_ADOPTED = (
    "SystemImageKit made this stick: it becomes a bootkit stick, and every file of yours stays where it is",
    f"its menu is kept as {FOREIGN_MENU}, the boot loaders that it had in {OLD_LOADERS_FOLDER}",
)


def plan_upgrade_of(
    path: Path, *, loader: LoaderChoice = LoaderChoice.AUTO, loaders_from: Path | None = None, allow: Iterable[str] = ()
) -> PreparePlan:
    """What ``upgrade`` would do; ``loaders_from`` is as for :func:`plan_preparation`.

    A stick that SystemImageKit made becomes one of ours, which the plan says of itself.

    Raises:
        DeviceRefused: no stick of ours, a newer one than we are, or a safety rule speaks against it.
        BootkitError: its signed loaders are newer than those at hand.
    """
    target, contents = _looked_at(path, allow)
    foreign = of_systemimagekit(path, contents)
    stick = foreign or stick_record_of(path, contents)
    if _version(stick.version) > _version(__version__):
        raise DeviceRefused(
            tr(
                "{path} was prepared by bootkit {version}, and this is {ours}",
                path=path,
                version=stick.version,
                ours=__version__,
            ),
            hint=tr("its boot loaders would become older: update bootkit first"),
        )
    host = find_loaders(extra=loaders_from)
    if loader is not LoaderChoice.BUILT:
        _refuse_older(path, host)
    wish = Wish(
        layout=stick.layout, data_fs=stick.data_fs, loader=loader, created=time.strftime("%Y-%m-%d", time.gmtime())
    )
    plan = plan_upgrade(
        target,
        wish,
        host=host,
        stub=render_stub(stick.data.uuid),
        boot=(stick.boot.offset, stick.boot.size),
        data=(stick.data.offset, stick.data.size),
        core=stick.core,
        files=() if foreign is None else _of_a_new_stick(path, wish),
    )
    return plan if foreign is None else replace(plan, adopts="SystemImageKit", notes=(*_ADOPTED, *plan.notes))


def _of_a_new_stick(path: Path, wish: Wish) -> tuple[WriteFile, ...]:
    """What makes a stick ours that is not, and the menus that it had, under names that no other menu takes."""
    with open_stick(path) as stick:
        menus = {
            kept: read_file(stick.volume, menu, MENU_LIMIT)
            for menu, kept in ((MENU, FOREIGN_MENU), (OLD_MENU, FOREIGN_OLD_MENU))
        }
    kept = (WriteFile(path=name, content=menu) for name, menu in menus.items() if menu is not None)
    return (*kept, WriteFile(path=STICK_FILE, content=stick_file(wish).encode()))


def plan_way_back(path: Path, *, allow: Iterable[str] = ()) -> PreparePlan:
    """What ``upgrade --back`` would do.

    Raises:
        DeviceRefused: no stick of ours, or a safety rule speaks against it.
    """
    target, contents = _looked_at(path, allow)
    stick = stick_record_of(path, contents)
    boot, data = (stick.boot.offset, stick.boot.size), (stick.data.offset, stick.data.size)
    return plan_back(target, boot=boot, data=data, core=stick.core)


def _looked_at(path: Path, allow: Iterable[str]) -> tuple[Target, Contents]:
    circumstances = Circumstances(allowed=frozenset(allow) | {"large", "foreign", "partitions"})
    return look_at_target(path, None, circumstances)


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
                tr(
                    "{path} has {release_of}, and this computer {here}, which is older",
                    path=path,
                    release_of=release_of(file),
                    here=here,
                ),
                hint=tr("update this computer, or name newer packages: --loaders-from FOLDER"),
            )


def renew_menu(path: Path) -> bool:
    """Write the menu of an upgraded stick with this version's templates; false if its file system has to be mounted first."""
    try:
        with open_stick(path, writing=True) as stick:
            apply_changes(plan_menu(stick).plan, stick.volume)
    except ToolMissing:
        raise
    except BootkitError:
        return False
    return True


def renew_program(path: Path) -> str:
    """Put this program on an upgraded stick, if it carries no newer one; a sentence that tells which it carries then.

    It is empty where the stick's file system has to be mounted first.
    """
    try:
        with open_stick(path, writing=True) as stick:
            found = plan_program(stick.volume)
            apply_changes(found.plan, stick.volume)
    except ToolMissing:
        raise
    except BootkitError:
        return ""
    return found.told


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text)[:4])
