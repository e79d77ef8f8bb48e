"""LUKS, as far as it is told from a file system. Source: LUKS2 On-Disk Format Specification 1.1.3, 2.1."""

_MAGIC = b"LUKS\xba\xbe"


def is_encrypted(head: bytes) -> bool:
    """Whether a file or a device that begins so is in LUKS, of whichever version."""
    return head.startswith(_MAGIC)
