#!/bin/sh
# mount.sh WORD...: in the place of mount, in an initrd whose /init tries one partition after another without udev. A disk
# that is not the stick is read-only before it is mounted, or is not mounted.
# shellcheck source=/dev/null
. /bootkit/lib.sh
# shellcheck source=/dev/null
[ ! -r /bootkit/choices ] || . /bootkit/choices
# shellcheck source=/dev/null
. /bootkit/disks.sh

# Whether one of the words names a partition or disk of the computer, in bk_name.
bk_is_a_disk() {
	for bk_word in "$@"; do
		case $bk_word in
		/dev/loop* | /dev/ram* | /dev/zram* | /dev/mapper/* | /dev/dm-* | /dev/sr* | /dev/fd* | /dev/shm* | /dev/pts*) return 1 ;;
		/dev/disk/*) return 1 ;; # by a name that somebody chose
		/dev/*)
			bk_name=${bk_word#/dev/}
			[ -e "/sys/class/block/$bk_name/ro" ]
			return
			;;
		esac
	done
	return 1
}

# True as well where the stick is not there yet, or nothing tells which it is: rather a disk too much than no system.
bk_may_be_the_stick() {
	bk_stick=$(findfs "UUID=$BK_STICK_UUID" 2>/dev/null)
	case $bk_stick in '' | "/dev/$1") return 0 ;; esac
	return 1
}

if [ -n "${BK_STICK_UUID-}" ] && bk_is_a_disk "$@" && ! bk_may_be_the_stick "$bk_name"; then
	bk_read_words
	! bk_disks_wanted || bk_disk_close "$bk_name" || exit 1
fi
exec mount "$@"
