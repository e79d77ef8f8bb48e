"""Installers, by what they leave out of the disks that they offer: the stick that they were started from must not be one."""

from bootkit.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Installer:
    """An installer that live systems bring along."""

    name: str
    leaves_mounted: bool = False
    """Whether it leaves out a disk of which a partition is mounted, wherever that is."""
    leaves_read_only: bool = False
    """Whether it leaves out a disk that cannot be written to."""


SUBIQUITY = Installer(name="subiquity", leaves_mounted=True)
"""Ubuntu's, for servers, and for desktops since 23.04.

Source: canonical/subiquity (44e42fc6), subiquity/models/storage.py (every mount marks its disk as one with a partition in use)
and subiquity/ui/views/storage/guided.py (which takes no such disk).
"""
UBIQUITY = Installer(name="ubiquity")
"""Ubuntu's older one for desktops, and Mint's: partman's lists.

Source: partman-auto 162, lib/auto-shared.sh (get_auto_disks: only what is mounted at /cdrom itself is left out).
"""
CALAMARES = Installer(name="Calamares", leaves_read_only=True)
"""Source: calamares/calamares (4cd1f0f40, 3.3.10), src/modules/partition/core/DeviceList.cpp (left out: the disk of the root, and
what blkid calls iso9660), which asks KDE/kpmcore (5a31da1a), src/plugins/sfdisk/sfdiskbackend.cpp (no disk whose ``ro`` is 1).
"""
ANACONDA = Installer(name="Anaconda", leaves_read_only=True)
"""Source: rhinstaller/anaconda (8eddd3c95d, 45.21), pyanaconda/modules/storage/devicetree/model.py (usable_disks: none that is
protected; what the ISO *file* lies on is not, because a loop device has no disk above it), with storaged-project/blivet (8c63a2aa,
3.14), blivet/populator/populator.py and blivet/devices/storage.py (a read-only disk is protected).
"""
YAST = Installer(name="YaST", leaves_mounted=True)
"""Source: yast/yast-storage-ng (d831b098), src/lib/y2storage/disk_analyzer.rb (available_device?: no mounted file system, and no
repository that the installation is made from).
"""
AGAMA = Installer(name="Agama", leaves_mounted=True)
"""Source: agama-project/agama (f0b1e9c1d, 23), service/lib/agama/storage/system.rb, which asks YaST's analyzer."""
ARCHINSTALL = Installer(name="archinstall")
"""Source: archlinux/archinstall (ede2bd38, 4.4), archinstall/lib/disk/device_handler.py (load_devices: only the loop device of
archiso is left out; umount_all_existing: what is mounted of the chosen disk is unmounted).
"""
LIVE_INSTALLER = Installer(name="live-installer")
"""LMDE's. Source: linuxmint/live-installer (f65da63d), usr/lib/live-installer/partitioning.py (get_disks: only the disk mounted at
/run/live/medium is left out, which is a loop device here).
"""
SETUP_DISK = Installer(name="setup-disk", leaves_mounted=True)
"""Alpine's. Source: alpinelinux/alpine-conf (c6002e5, 3.22.0), setup-disk.in (is_available_disk: none that is in /proc/mounts)."""
