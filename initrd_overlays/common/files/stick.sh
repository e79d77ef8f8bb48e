# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # variables go from lib.sh to the steps and back
# The stick's partition at /run/bootkit/stick, writable where it can be.

bk_step_stick() {
	mkdir -p "$BK_STICK"
	bk_from=
	for bk_folder in $BK_FOLDERS; do
		bk_mount_of "$bk_folder" || continue
		if bk_is_stick "$bk_source"; then
			bk_from=$bk_folder
			break
		fi
		bk_log "$bk_folder is $bk_source, which is not the stick: nothing is written there"
	done
	if [ -n "$bk_from" ]; then
		bk_take_over "$bk_from" || return 1
	else
		bk_mount_stick || return 1
	fi
	bk_mount_of "$BK_STICK" || return 0 # that has been said
	bk_log "the stick is $bk_source, $bk_type, $bk_options"
	case $bk_type,$bk_options in
	fuse*) bk_say failed "$bk_type cannot be written here: the stick is read-only" ;;
	*,ro | *,ro,*) bk_say failed "the stick is read-only" ;;
	*) bk_try_writing ;;
	esac
}

# Whether a device is the stick. A system that has searched all disks may have found its file on another one, by the same
# path. True where nothing here can tell.
bk_is_stick() {
	bk_device=$(readlink -f "/dev/disk/by-uuid/${BK_STICK_UUID:-unknown}")
	[ -e "$bk_device" ] || bk_device=$(findfs "UUID=${BK_STICK_UUID:-unknown}" 2>/dev/null)
	case $bk_device in '' | "$(readlink -f "$1")") return 0 ;; esac
	return 1
}

# ntfs-3g says that it can be written after a remount, and then refuses every write: it stays as it is
bk_take_over() {
	case $bk_type in
	fuse*) ;;
	*) mount -o remount,rw,noatime "$1" || bk_log "it cannot be made writable" ;;
	esac
	mount -o bind "$1" "$BK_STICK" || {
		bk_say failed "it cannot be seen at $BK_STICK"
		return 0
	}
}

bk_mount_stick() {
	bk_device=/dev/disk/by-uuid/${BK_STICK_UUID:-unknown}
	# not every initrd has udev
	[ -e "$bk_device" ] || bk_device=$(findfs "UUID=${BK_STICK_UUID:-unknown}")
	if ! [ -e "$bk_device" ]; then
		bk_say failed "no partition has the UUID ${BK_STICK_UUID:-(unknown)}"
		return 0
	fi
	mount -o rw,noatime "$bk_device" "$BK_STICK" && return 0
	mount -o ro "$bk_device" "$BK_STICK" || {
		bk_say failed "$bk_device cannot be mounted"
		return 0
	}
	# a stack that keeps it mounted read-only somewhere forbids a second mount that can be written, but no remount
	mount -o remount,rw,noatime "$BK_STICK" || bk_log "it cannot be made writable"
}

bk_try_writing() {
	: >"$BK/writable"
	if mkdir -p "$bk_log_folder" && echo x >"$bk_log_folder/.try" && [ -s "$bk_log_folder/.try" ]; then
		bk_log_name >"$BK/log-name"
		bk_say ok "$bk_source is writable at /isodevice"
	else
		bk_say failed "$bk_source is full: there is no log of this boot on it"
	fi
	rm -f "$bk_log_folder/.try"
}

# The time first, so that the names sort; part of the boot's own id, for machines without a clock. dracut has no date.
bk_log_name() {
	read -r bk_boot_id </proc/sys/kernel/random/boot_id
	bk_day=0000-00-00 bk_time=00:00:00
	for bk_clock in /sys/class/rtc/rtc*; do
		[ ! -r "$bk_clock/time" ] || { read -r bk_day <"$bk_clock/date" && read -r bk_time <"$bk_clock/time"; }
		break
	done
	(
		IFS=:-
		# shellcheck disable=SC2086 # its parts, without the signs that FAT does not take
		set -- $bk_day $bk_time
		echo "$1$2$3-$4$5$6-${bk_boot_id%%-*}.log"
	)
}
