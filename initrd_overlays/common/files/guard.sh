# shellcheck shell=sh
# shellcheck disable=SC2154 # variables go from lib.sh to the steps and back
# The stick's whole disk made read-only when the system is up, where that was chosen: installers that would offer a disk
# which is in use pass over one that cannot be written to, or fail on it. What the user keeps on it comes first.

bk_guard_wanted() {
	case ,$BK_WORDS, in *,guard,*) return 0 ;; esac
	[ "${BK_GUARD_STICK-}" = yes ]
}

# Whether another partition of the stick's disk is written to: changes may be kept there.
bk_writes_beside() {
	while read -r bk_m_source _ _ bk_m_options _; do
		case $bk_m_source,$bk_m_options in
		"/dev/$bk_part",* | *,ro | *,ro,*) ;;
		"/dev/$bk_disk"*) return 0 ;;
		esac
	done </proc/mounts
	return 1
}

bk_step_guard() {
	if ! bk_guard_wanted; then
		bk_say none "the stick can be written to"
		return 0
	fi
	# shellcheck source=/dev/null
	. "$BK_HERE/held.sh"
	if ! bk_find_stick_disk; then
		bk_say none "there is no stick"
		return 0
	fi
	sync
	# the kernel refuses this while a file is open for writing: a home, or kept changes
	if bk_writes_beside || ! mount -o remount,ro "$BK_STICK"; then
		bk_say failed "$bk_disk can be written to: something on it is being changed, a home or what is kept"
		return 0
	fi
	rm -f "$BK/writable"
	blockdev --setro "/dev/$bk_disk" && bk_say ok "$bk_disk cannot be written to: no installer can take it"
}
