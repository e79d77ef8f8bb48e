"""``disk encrypt``: the root of an installed system in LUKS2, its kernels outside."""

from collections.abc import Generator
from contextlib import contextmanager

from bootkit.app.stick.catalog import read_catalog
from bootkit.app.stick.user_files import has_holes, plan_copy, take_out
from bootkit.app.verbs.disk import disk_path, find_disks, looked_into
from bootkit.app.verbs.images import Addition
from bootkit.detect.registry import stack_of
from bootkit.errors import BootkitError
from bootkit.i18n import tr
from bootkit.model.catalog import ImageItem
from bootkit.model.filesystem import EXT4
from bootkit.system.changes import Watcher
from bootkit.system.diskcrypt import Encryption, encrypt_disk
from bootkit.system.volume import Volume
from bootkit.system.volumes.raw import scratch

_MENU = """\
menuentry '{title}' {{
	linux {kernel} {words}
	initrd {initrd}
}}
"""


def require_encryptable(volume: Volume, name: str) -> ImageItem:
    """The disk of that name, whose root can be encrypted.

    Raises:
        BootkitError: there is none, or why its root cannot.
    """
    path = disk_path(volume, name)
    (item,) = read_catalog(volume, tuple(pair for pair in find_disks(volume) if pair[0] == path), insides=True).items
    detection, facts = item.detection, item.facts
    if detection is None or facts is None or not detection.entries:
        raise BootkitError(tr("{name} does not start from here", name=name), hint=f"bootkit explain {name}")
    kinds = {row.number: row.filesystem for row in facts.partitions}
    root = facts.mounts.get("/")
    if root is None and "crypto_LUKS" in kinds.values():
        raise BootkitError(tr("{name} is encrypted already", name=name))
    if root not in kinds or kinds[root] != EXT4.name:
        raise BootkitError(
            tr("the root of {name} is no ext4 on a partition", name=name), hint=tr("encrypt it when it is installed")
        )
    way = stack_of(detection.stack).root_encryption
    initrd = facts.initrds.get(detection.entries[0].initrds[0])
    if way is None or initrd is None or not way.needs <= {*initrd.programs, *initrd.markers}:
        raise BootkitError(
            tr("the initrd of {name} cannot ask for a passphrase", name=name),
            hint=way.lacking if way is not None else "",
        )
    return item


@contextmanager
def encrypted_disk(volume: Volume, item: ImageItem, passphrase: bytes, watcher: Watcher) -> Generator[Addition]:
    """What ``disk encrypt`` would copy in the place of a disk that :func:`require_encryptable` has let pass.

    It is made beside the old one, which stays until the new one is complete: an interruption leaves that.

    Raises:
        BootkitError: there is no room for both, or its root is damaged or full.
    """
    assert item.detection is not None  # it was let pass
    assert item.facts is not None
    way = stack_of(item.detection.stack).root_encryption
    assert way is not None
    first, mounts = item.detection.entries[0], item.facts.mounts
    words = (word for word in first.cmdline if not word.startswith("bootkit."))
    wanted = Encryption(
        root=mounts["/"],
        boot=mounts.get("/boot", 0),
        words=way.words,
        menu=_MENU.format(
            title=item.detection.distro,
            kernel=first.kernel.removeprefix("/boot"),
            initrd=first.initrds[0].removeprefix("/boot"),
            words=" ".join(words),
        ),
        passphrase=passphrase,
    )
    with scratch() as work:
        raw = work / item.name
        take_out(volume, item.path, raw, watcher)
        encrypt_disk(raw, wanted, work, watcher)
        made = looked_into(raw, item.path, raw)
        step = plan_copy(volume, raw, item.path, sparse=has_holes(volume), replace=True)
        yield Addition(step=step, item=made)
