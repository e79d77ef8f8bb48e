"""What ``generate`` puts on a stick so that an image finds its ISO file there."""

from bootkit.errors import BootkitError, FormatError
from bootkit.formats.compression import detect, unpack_block
from bootkit.formats.kmodules import module_name
from bootkit.i18n import tr
from bootkit.model.catalog import ImageItem
from bootkit.model.check import Cure
from bootkit.overlay.cures import ModuleFile, WayToIso, driver_members, iso_members
from bootkit.overlay.pack import Member
from bootkit.plan.cures import MAP
from bootkit.probe.image import open_image
from bootkit.system.volume import Volume

Extents = tuple[tuple[int, int], ...]
"""Offset on the partition and length of each piece of a file, bytes."""
MODULE_LIMIT = 16 << 20
"""Bytes of one kernel module, unpacked; the largest file-system driver (btrfs, xfs) has 3 MiB."""
PIECES_LIMIT = 64
"""Pieces of a file that is mapped: more would be slow, and a copy to a stick with room lies in a few."""


def cure_members(volume: Volume, item: ImageItem, cure: Cure, extents: Extents = ()) -> dict[str, Member]:
    """The members of the image's archive that bring the cure; ``extents`` is where the bytes of one that is mapped lie.

    Raises:
        BootkitError: a module cannot be read.
    """
    members: dict[str, Member] = {}
    if cure.members:
        members.update(driver_members(cure.kernel, _modules(volume, item, cure)))
    if cure.overlay == MAP:
        members.update(iso_members(_way(volume, item, extents=extents)))
    elif cure.driver:
        members.update(iso_members(_way(volume, item, driver=cure.driver)))
    return members


def extents_of(volume: Volume, item: ImageItem) -> Extents:
    """Where the bytes of the image lie on its partition.

    Raises:
        BootkitError: nobody can tell, or it lies in more pieces than its initrd can join.
    """
    found = volume.extents(item.path)
    if found is None:
        raise BootkitError(
            tr("{name}: where its bytes lie on the stick cannot be found out", name=item.name),
            hint=tr("run it as root: sudo bootkit generate"),
        )
    pieces = tuple((offset, length) for offset, length in found if offset is not None)
    hint = tr("copy it once more, with bootkit add --replace")
    if len(pieces) < len(found) or len(pieces) > PIECES_LIMIT:
        raise BootkitError(
            tr("{name} lies in {count} pieces on the stick", name=item.name, count=len(found)), hint=hint
        )
    if len(pieces) > 1 and not _joins_pieces(item):
        message = tr(
            "{name} lies in {count} pieces on the stick, and its initrd has no dmsetup to join them",
            name=item.name,
            count=len(pieces),
        )
        raise BootkitError(message, hint=hint)
    return pieces


def _joins_pieces(item: ImageItem) -> bool:
    """Whether the initrd can put the pieces of a file together: by dmsetup, which brings its module along."""
    initrds = item.facts.initrds.values() if item.facts else ()
    return any("dmsetup" in initrd.programs for initrd in initrds)


def _way(volume: Volume, item: ImageItem, *, driver: str = "", extents: Extents = ()) -> WayToIso:
    return WayToIso(stick_uuid=volume.uuid, path=item.path, driver=driver, extents=extents)


def _modules(volume: Volume, item: ImageItem, cure: Cure) -> list[ModuleFile]:
    try:
        with volume.open(item.path) as fh, open_image(fh, name=item.name, size=item.size) as view:
            tree = view.open_root(cure.root).tree
            return [
                ModuleFile(name=module_name(path), content=_unpacked(tree.read(path, MODULE_LIMIT)))
                for path in cure.members
            ]
    except FormatError as error:
        raise BootkitError(
            tr("{name}: its kernel's modules cannot be read: {message}", name=item.name, message=error.message)
        ) from error


def _unpacked(content: bytes) -> bytes:
    """The module, unpacked: kernels read compressed ones, insmod of a small initrd does not."""
    name = detect(content[:16])
    return unpack_block(name, content, MODULE_LIMIT) if name else content
