# shellcheck shell=sh
# without_stick.sh PROGRAM WORD...: what PROGRAM prints, but for lines that begin with the stick's disk or a partition of it.
# As soon as that is kept from anybody the disk cannot be written to either, whatever name it is called by.
bk_lines=$("$@")
bk_status=$?

# The name of the disk that the partition with our files lies on, in bk_disk; empty where it is not there.
bk_find_disk() {
	bk_disk=
	# shellcheck source=/dev/null
	. /bootkit/choices
	bk_node=$(readlink -f "/dev/disk/by-uuid/${BK_STICK_UUID:-unknown}") && [ -e "$bk_node" ] || return 0
	bk_place=$(readlink -f "/sys/class/block/${bk_node##*/}")
	[ ! -e "$bk_place/partition" ] || bk_place=${bk_place%/*}
	bk_disk=${bk_place##*/}
}

# Whether the installer has yet to find its ISO file on the stick, by the same lists.
bk_is_looking() {
	grep -q iso-scan/filename= /proc/cmdline && ! grep -q ' /cdrom ' /proc/mounts
}

bk_find_disk
if [ -z "$bk_disk" ] || bk_is_looking; then
	[ -z "$bk_lines" ] || printf '%s\n' "$bk_lines"
	exit $bk_status
fi
blockdev --setro "/dev/$bk_disk" || logger -t bootkit "$bk_disk can still be written to"
case $bk_disk in
*[0-9]) bk_part="${bk_disk}p" ;;
*) bk_part=$bk_disk ;;
esac
[ -z "$bk_lines" ] || printf '%s\n' "$bk_lines" | while IFS= read -r bk_line; do
	case $bk_line in
	"/dev/$bk_disk" | "/dev/$bk_disk"[[:space:]]* | "/dev/$bk_part"[0-9]*)
		logger -t bootkit "the stick is no disk to install to: $bk_line"
		;;
	*) printf '%s\n' "$bk_line" ;;
	esac
done
exit $bk_status
