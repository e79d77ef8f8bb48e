"""``disk encrypt``: the root of an installed system in LUKS2, its kernels outside."""

from collections.abc import Generator
from contextlib import contextmanager

from bootkit.app.stick.state import read_item
from bootkit.app.verbs.disk import changed_disk, disk_path
from bootkit.app.verbs.images import Addition
from bootkit.detect.registry import stack_of
from bootkit.errors import BootkitError
from bootkit.i18n import tr
from bootkit.model.catalog import ImageItem
from bootkit.model.filesystem import EXT4
from bootkit.plan.persistence import read_initrds
from bootkit.render.grub import grub_quote
from bootkit.system.changes import Watcher
from bootkit.system.diskcrypt import Encryption, encrypt_disk
from bootkit.system.volume import Volume

_MENU = """\
menuentry {title} {{
	linux {kernel} {words}
	initrd {initrd}
}}
"""


def require_encryptable(volume: Volume, name: str) -> ImageItem:
    """The disk of that name, whose root can be encrypted.

    Raises:
        BootkitError: there is none, or why its root cannot.
    """
    item = read_item(volume, disk_path(volume, name), insides=True)
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
    _require_unlock(item, name)
    return item


def _require_unlock(item: ImageItem, name: str) -> None:
    """Refuse what an initrd, which was made before its root is encrypted, could not open.

    Raises:
        BootkitError: what it lacks for that, or that it could not be looked into.
    """
    way = stack_of(item.stack).root_encryption
    initrds = read_initrds(item)
    if way is None or not initrds or any(initrd.warnings for initrd in initrds):
        raise BootkitError(
            tr("whether the initrd of {name} can ask for a passphrase cannot be seen", name=name),
            hint=tr("what was read of it: bootkit inspect {name}", name=item.path),
        )
    lacks = way.lacks({found for initrd in initrds for found in (*initrd.programs, *initrd.markers)})
    if lacks:
        raise BootkitError(
            tr(
                "the initrd of {name} cannot ask for a passphrase: it has no {lacks}",
                name=name,
                lacks=", ".join(sorted(lacks)),
            ),
            hint=way.lacking,
        )


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
            title=grub_quote(item.detection.distro),
            kernel=first.kernel.removeprefix("/boot"),
            initrd=" ".join(initrd.removeprefix("/boot") for initrd in first.initrds),
            words=" ".join(words),
        ),
        passphrase=passphrase,
    )
    with changed_disk(
        volume, item.path, lambda raw, work: encrypt_disk(raw, wanted, work, watcher), watcher
    ) as changed:
        yield changed
