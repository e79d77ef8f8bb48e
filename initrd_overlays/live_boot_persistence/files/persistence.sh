# shellcheck shell=sh
# Sourced by live-boot behind its own files, whose function this one replaces. bootkit.persistence= on the kernel line is
# the path of the file on the stick.

# bk_on_stick FOLDER: whether what is mounted there is the stick, as far as udev can tell: live-boot has searched all disks.
bk_on_stick() {
	# shellcheck source=/dev/null
	[ ! -r /bootkit/choices ] || . /bootkit/choices
	bk_stick=$(readlink -f "/dev/disk/by-uuid/${BK_STICK_UUID:-unknown}")
	[ -e "$bk_stick" ] || return 0
	while read -r bk_m_source bk_m_folder _; do
		[ "$bk_m_folder" != "$1" ] || [ "$(readlink -f "$bk_m_source")" != "$bk_stick" ] || return 0
	done </proc/mounts
	return 1
}

find_persistence_media() {
	bk_persistence=
	# shellcheck disable=SC2013 # words is what a kernel's line has
	for bk_word in $(cat /proc/cmdline); do
		case $bk_word in bootkit.persistence=*) bk_persistence=${bk_word#*=} ;; esac
	done
	for bk_place in /run/live/findiso /run/live/fromiso /lib/live/mount/findiso /lib/live/mount/fromiso; do
		if [ -f "$bk_place$bk_persistence" ] && bk_on_stick "$bk_place"; then
			# stdout is the answer
			mount -o remount,rw,noatime "$bk_place" >&2 || return 0
			bk_loop=$(setup_loop "$bk_place$bk_persistence" loop '/sys/block/loop*')
			case ,$PERSISTENCE_ENCRYPTION, in
			# it asks until the file is open, or the user says that he goes without it
			*,luks,*) bk_device=$(open_luks_device "$bk_loop") || { losetup -d "$bk_loop"; return 0; } ;;
			*) bk_device=$bk_loop ;;
			esac
			echo "persistence=$bk_device"
			return 0
		fi
	done
}
