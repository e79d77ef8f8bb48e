"""A computer's own disk in the state in which it must not be touched: made without root, by the file systems' own tools."""

import tempfile
from pathlib import Path

from bootkit.system.run import run
from bootkit.units import MIB

FIRST_UUID = "00000000-0000-4000-8000-000000000001"
"""Of the ext4 file system: what goes through file systems in order of their names meets it before the stick's."""
SWAP_SUSPENDED = b"S1SUSPEND\0"
"""In the place of the swap area's signature, at the end of its first page. Source: Linux, kernel/power/swap.c."""
_HIBERFIL = b"hibr"
"""The first bytes of a hiberfil.sys that holds a session. Source: ntfs-3g, libntfs-3g/volume.c."""
_START = MIB
_SIZE = 16 * MIB


def make_inner_disk(path: Path) -> None:
    """A GPT disk at ``path`` with an ext4 whose journal was not replayed, and the swap area and the NTFS of sleeping systems.

    Any mount of the first, any use of the second, and any mount of the third that writes changes its bytes.
    """
    with path.open("wb") as disk:
        disk.truncate(_START + 4 * _SIZE)
    table = "label: gpt\n" + "".join(
        f"start={(_START + number * _SIZE) // 512}, size={_SIZE // 512}, type={kind}\n"
        for number, kind in enumerate(("linux", "swap", "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7"))
    )
    run(["sfdisk", "-q", path], stdin=table.encode())
    with tempfile.TemporaryDirectory(prefix="bootkit-", dir=path.parent) as folder:
        made = (_dirty_ext4(Path(folder)), _sleeping_swap(Path(folder)), _sleeping_ntfs(Path(folder)))
        with path.open("r+b") as disk:
            for number, part in enumerate(made):
                disk.seek(_START + number * _SIZE)
                disk.write(part.read_bytes())


def _empty(path: Path) -> Path:
    with path.open("wb") as file:
        file.truncate(_SIZE)
    return path


def _dirty_ext4(folder: Path) -> Path:
    image = _empty(folder / "ext4")
    run(["mke2fs", "-q", "-F", "-t", "ext4", "-U", FIRST_UUID, image])
    block = folder / "block"
    block.write_bytes(b"what the computer was about to write".ljust(1024, b"\0"))
    # a whole transaction that nobody has carried out
    run(["debugfs", "-w", "-f", "-", image], stdin=f"jo\njw -b 9000 {block}\njc\n".encode())
    assert b"needs_recovery" in run(["dumpe2fs", "-h", image])
    return image


def _sleeping_swap(folder: Path) -> Path:
    image = _empty(folder / "swap")
    run(["mkswap", "-q", image])
    with image.open("r+b") as file:
        file.seek(4096 - len(SWAP_SUSPENDED))
        file.write(SWAP_SUSPENDED)
    return image


def _sleeping_ntfs(folder: Path) -> Path:
    image = _empty(folder / "ntfs")
    run(["mkntfs", "-q", "-F", "-Q", image])
    session = folder / "hiberfil.sys"
    session.write_bytes(_HIBERFIL.ljust(8192, b"\1"))
    run(["ntfscp", "-q", image, session, "hiberfil.sys"])
    return image
