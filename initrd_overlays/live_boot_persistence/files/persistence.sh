# shellcheck shell=sh
# Sourced by live-boot behind its own files, whose function this one replaces. bootkit.persistence= on the kernel line is
# the path of the file on the stick.
find_persistence_media() {
	bk_persistence=
	# shellcheck disable=SC2013 # words is what a kernel's line has
	for bk_word in $(cat /proc/cmdline); do
		case $bk_word in bootkit.persistence=*) bk_persistence=${bk_word#*=} ;; esac
	done
	for bk_place in /run/live/findiso /run/live/fromiso /lib/live/mount/findiso /lib/live/mount/fromiso; do
		if [ -f "$bk_place$bk_persistence" ]; then
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
