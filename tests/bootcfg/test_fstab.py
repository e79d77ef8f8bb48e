"""The table of file systems of an installed system."""

from bootkit.bootcfg.fstab import parse_fstab

TABLE = """\
# <file system> <mount point> <type> <options> <dump> <pass>
UUID=0b1f6d6a-5b0f-4c57-8c3a-5d1c6a3c1e01 / ext4 errors=remount-ro 0 1
LABEL="EFI" /boot/efi vfat umask=0077
/dev/sda5 none swap sw 0 0
PARTLABEL=my\\040data /srv/my\\040data ext4
tmpfs
"""


def test_reads_what_is_mounted_and_leaves_out_the_rest() -> None:
    root, esp, data = parse_fstab(TABLE)
    assert (root.device, root.folder, root.type) == ("UUID=0b1f6d6a-5b0f-4c57-8c3a-5d1c6a3c1e01", "/", "ext4")
    assert root.options == ("errors=remount-ro",)
    assert (esp.device, esp.folder, esp.options) == ("LABEL=EFI", "/boot/efi", ("umask=0077",))
    assert (data.device, data.folder, data.options) == ("PARTLABEL=my data", "/srv/my data", ("defaults",))
