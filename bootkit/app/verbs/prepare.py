"""``prepare``: from a path to a plan, and from a confirmed plan to a stick."""

import os
import secrets
import time
import uuid
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from bootkit.app.menu.first_files import first_files
from bootkit.app.stick.program import program_files
from bootkit.app.stick.target import look_at_target
from bootkit.app.verbs.loaders import secure_boot_notes
from bootkit.errors import DeviceRefused
from bootkit.i18n import tr
from bootkit.model.filesystem import DataFs
from bootkit.model.prepare import Action, FreshIds, Layout, LoaderChoice, PreparePlan, TakeLoader, Wish
from bootkit.plan.layout import minimum_size
from bootkit.plan.prepare import data_uuid, plan_prepare
from bootkit.plan.safety import Circumstances
from bootkit.render.stub import render_stub
from bootkit.system.apply import Told, apply_plan
from bootkit.system.efivars import machine_keys
from bootkit.system.interrupted import interrupted_action
from bootkit.system.loaders import find_loaders


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
    target, contents = look_at_target(path, size, Circumstances(minimum=minimum, allowed=frozenset(allow)))
    begun = interrupted_action(target)
    if contents.stick is not None and begun != Action.PREPARE:
        raise DeviceRefused(
            tr("{path} was prepared by bootkit {version} already", path=path, version=contents.stick.version),
            hint=tr(
                "bootkit upgrade {path} renews its boot loaders, bootkit restore {path} gives it back empty", path=path
            ),
        )
    ids = fresh_ids()
    wish = Wish(layout=layout, data_fs=filesystem, loader=loader, owner=owner(), created=_today())
    wish = replace(wish, exchange=exchange, exchange_fs=exchange_fs)
    stub = render_stub(data_uuid(layout, filesystem, ids))
    host = find_loaders(extra=loaders_from)
    plan = plan_prepare(target, wish, host=host, ids=ids, stub=stub, files=(*first_files(wish), *program_files()))
    if any(isinstance(step, TakeLoader) for step in plan.steps):
        plan = replace(plan, notes=(*plan.notes, *secure_boot_notes(host, machine_keys())))
    return replace(plan, notes=(f"an earlier {begun} of this disk was not finished", *plan.notes)) if begun else plan


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
        raise DeviceRefused(tr("{path} exists and is not empty", path=path), hint=tr("take another name"))
    apply_plan(plan, told=told)
    return plan


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


def owner() -> tuple[int, int]:
    """The user who is at the keyboard, also under sudo."""
    uid, gid = os.environ.get("SUDO_UID", ""), os.environ.get("SUDO_GID", "")
    if os.geteuid() == 0 and uid.isdecimal() and gid.isdecimal():
        return int(uid), int(gid)
    return os.geteuid(), os.getegid()


def _today() -> str:
    return time.strftime("%Y-%m-%d", time.gmtime())
