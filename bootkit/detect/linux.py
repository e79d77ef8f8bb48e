"""What holds for live systems of many kinds: words of systemd, sets of file systems, sentences."""

from bootkit.model.boot import NotMine
from bootkit.model.filesystem import FILE_SYSTEMS, names_of
from bootkit.model.stack import ChoiceWords

ANY_FILESYSTEM = names_of(FILE_SYSTEMS)
"""What GRUB reads: enough for a system that is whole in RAM once kernel and initrd are loaded."""
LINUX_FILESYSTEMS = names_of(one for one in FILE_SYSTEMS if one.is_unix)
"""Those of a stick that hold what a Linux system changes: owners, modes, and the marks of an overlay."""
SYSTEMD_WORDS = ChoiceWords(
    language=("locale.LANG={locale}",), keyboard=("vconsole.keymap={keymap}",), host=("systemd.hostname={value}",)
)
"""What systemd itself reads in any live system. Source: kernel-command-line(7), systemd-firstboot(1)."""
NEEDS_LINUX_FILESYSTEM = "the changed files of an overlay need a file system of Linux"
KEEPS_NOTHING = "its initrd keeps nothing of a system that starts from an ISO file"
NOT_WHOLE = NotMine(reason="no kernel and initrd of its menu are in the image")
NO_MENU_NOTE = "Its menu could not be read: the kernel's words are the usual ones of its stack."
ISO_NAME_NOTE = "The file's name has to end in .iso, in small letters."
ON_A_DISK = "Its initrd opens no ISO file: it boots only with the overlay that bootkit loads behind it."
"""The note of an image that ``wants_disk``."""
MAKES_A_DISK = "makes a disk of the file"
"""What its overlay does."""
