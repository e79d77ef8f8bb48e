#!/bin/sh
# shellcheck disable=SC2154 # bk_uuid comes from without_udev.sh
# mount.sh WORD...: in the place of mount, in an initrd whose /init tries one partition after another without udev. A disk
# that is not the stick is read-only before it is mounted, or is not mounted.
# shellcheck source=/dev/null
. /bootkit/lib.sh
# shellcheck source=/dev/null
[ ! -r /bootkit/choices ] || . /bootkit/choices
# shellcheck source=/dev/null
. /bootkit/disks.sh
# shellcheck source=/dev/null
. /bootkit/without_udev.sh

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

# True as well where nothing tells what it is, and no other is the stick: rather a disk too much than no system.
bk_may_be_the_stick() {
	bk_uuid_of "$1"
	case $bk_uuid in
	"$BK_STICK_UUID") return 0 ;;
	?*) return 1 ;; # the stick may take seconds to show up
	esac
	bk_stick=$(findfs "UUID=$BK_STICK_UUID" 2>/dev/null)
	case $bk_stick in '' | "/dev/$1") return 0 ;; esac
	return 1
}

if [ -n "${BK_STICK_UUID-}" ] && bk_is_a_disk "$@" && ! bk_may_be_the_stick "$bk_name"; then
	bk_read_words
	! bk_disks_wanted || bk_disk_close "$bk_name" || exit 1
fi
exec mount "$@"
