# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # variables go from lib.sh to the steps and back
# The computer's own disks, closed while the stack looks for its ISO file: a mount replays a journal, even a read-only one,
# and what a sleeping system has in memory no longer fits its disk. A closed disk is read-only for the kernel (blockdev),
# which stops the journal, too. It also loses the names that udev gave it, by UUID and label: dracut searches by those,
# and not every initrd of its has blockdev.
#
# bootkit=nodisks on the kernel's line closes none, bootkit=closed keeps them closed for the whole session.
BK_CLOSED=/bootkit/closed

# Whether disks are closed at all.
bk_disks_wanted() {
	case ,${BK_WORDS-}, in
	*,off,* | *,nodisks,*) return 1 ;;
	*,closed,*) return 0 ;;
	esac
	[ "${BK_OWN_DISKS-}" != open ]
}

# Whether they stay closed when the system is up.
bk_disks_stay_closed() {
	case ,${BK_WORDS-}, in *,closed,*) return 0 ;; esac
	[ "${BK_OWN_DISKS-}" = closed ]
}

# bk_disks_rule PROGRAM [hidden]: a rule of udev that gives every file system, swap area or member of an array that is not
# the stick's to PROGRAM. Disks made of others (loop, device mapper, md) follow those below them.
bk_disks_rule() {
	echo 'ACTION=="remove", GOTO="bootkit_end"'
	echo 'SUBSYSTEM!="block", GOTO="bootkit_end"'
	echo 'KERNEL=="loop*|ram*|zram*|dm-*|md*|sr*|fd*|nbd*", GOTO="bootkit_end"'
	echo 'ENV{ID_FS_USAGE}=="", GOTO="bootkit_end"'
	echo "ENV{ID_FS_UUID}==\"$BK_STICK_UUID\", GOTO=\"bootkit_end\""
	# the booted system's udev names everything anew
	[ "${2-}" != hidden ] || echo 'SYMLINK=""'
	echo "RUN+=\"/bin/sh $1 %k\""
	echo 'LABEL="bootkit_end"'
}

# bk_disk_close NAME: a block device by its kernel name, read-only from now on; false if nothing here can do that.
bk_disk_close() {
	read -r bk_ro <"/sys/class/block/$1/ro" || return 1
	# one that cannot be written has nothing to be given back
	[ "$bk_ro" = 0 ] || return 0
	blockdev --setro "/dev/$1" 2>/dev/null && echo "$1" >>"$BK_CLOSED"
}

# When the new root is complete: given back, or kept closed by a rule that the booted system's udev finds on /run.
bk_step_disks() {
	if ! bk_disks_wanted; then
		bk_say off "the computer's own disks are open"
		return 0
	fi
	bk_names=
	if [ -r "$BK_CLOSED" ]; then
		while read -r bk_name; do
			case " $bk_names " in *" $bk_name "*) ;; *) bk_names="$bk_names${bk_names:+ }$bk_name" ;; esac
		done <"$BK_CLOSED"
	fi
	if bk_disks_stay_closed; then
		mkdir -p /run/udev/rules.d
		bk_disks_rule "$BK/close_disk.sh" >/run/udev/rules.d/99-bootkit-disks.rules
		bk_say ok "the computer's own disks stay read-only until it is switched off: ${bk_names:-as soon as they are found}"
		return 0
	fi
	for bk_name in $bk_names; do
		blockdev --setrw "/dev/$bk_name" || bk_say failed "$bk_name is still read-only"
	done
	bk_say ok "the computer's own disks were left alone${bk_names:+: $bk_names}"
}
