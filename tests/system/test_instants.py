"""A menu that is replaced, as GRUB finds it at every instant of the change: it knows nothing of records that are to be repeated."""

import io
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import BinaryIO, cast

import pytest

from bootkit.formats.exfat import Exfat
from bootkit.formats.ext4 import Ext4
from bootkit.formats.fat import Fat
from bootkit.formats.reader import Window
from bootkit.system.volume import Volume
from bootkit.system.volumes.exfat import ExfatVolume
from bootkit.system.volumes.ext4 import Ext4Volume
from bootkit.system.volumes.fat import FatVolume
from tests.faults.trace import Sync, Trace, Write, recorded

OFFSET, SIZE = 1 << 20, 48 << 20
MENU = "/boot/grub/grub.cfg"
OLD, NEW = b"old menu\n" * 999, b"the new menu\n" * 1999


def _together(trace: Trace) -> Iterator[Sequence[Write]]:
    """What may reach the medium in any order, one after another."""
    group: list[Write] = []
    for event in trace.events:
        if isinstance(event, Sync):
            yield group
            group = []
        else:
            group.append(event)
    yield group


def _sectors(group: Sequence[Write]) -> Sequence[Write]:
    return [
        Write(write.offset + at, write.data[at : at + 512]) for write in group for at in range(0, len(write.data), 512)
    ]


@pytest.mark.parametrize(
    ("maker", "volume_of", "tree_of"),
    [
        (("mke2fs", "-q", "-F", "-t", "ext4", "-b", "4096"), Ext4Volume, Ext4),
        (("mke2fs", "-q", "-F", "-t", "ext4", "-b", "1024", "-I", "128"), Ext4Volume, Ext4),
        (("mkfs.fat", "-F", "32", "-s", "1", "-h", str(OFFSET // 512)), FatVolume, Fat),
        (("mkfs.exfat", "-c", "4096"), ExfatVolume, Exfat),
    ],
)
def test_a_menu_that_is_replaced_is_the_old_or_the_new_one_whichever_sectors_are_there(
    maker: Sequence[str],
    volume_of: Callable[[Path, int, int], Volume],
    tree_of: Callable[[BinaryIO], Fat | Ext4 | Exfat],
    tmp_path: Path,
) -> None:
    part, image = tmp_path / "part", tmp_path / "stick.img"
    with part.open("wb") as file:
        file.truncate(SIZE)
    subprocess.run([*maker, part], check=True, capture_output=True)
    image.write_bytes(bytes(OFFSET) + part.read_bytes())
    with closing(volume_of(image, OFFSET, SIZE)) as volume:
        volume.write({MENU: OLD, "/boot/iso/one.iso": b"image"})
        medium = io.BytesIO(image.read_bytes())
        with recorded(image) as trace:
            volume.write(
                {MENU: NEW, "/boot/new/first": b"1", "/boot/new/deep/second": b"2"}
                | {f"/boot/grub/{number:060}": b"" for number in range(30)}  # its folder grows
            )

    def put(writes: Sequence[Write]) -> None:
        for write in writes:
            medium.seek(write.offset)
            medium.write(write.data)

    def undone(writes: Sequence[Write]) -> Sequence[Write]:
        view = medium.getbuffer()
        return [Write(write.offset, bytes(view[write.offset : write.offset + len(write.data)])) for write in writes]

    def menu() -> bytes:
        return tree_of(cast("BinaryIO", Window(cast("BinaryIO", medium), OFFSET, SIZE))).read(MENU, 1 << 20)

    seen: set[bytes] = set()
    for group in map(_sectors, _together(trace)):
        before = undone(group)
        for number in range(len(group)):
            for some in ((group[number],), (*group[:number], *group[number + 1 :])):
                put(some)
                seen.add(menu())
                put(before)
        put(group)
        seen.add(menu())
    assert seen == {OLD, NEW}
