# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # variables go from lib.sh to the steps and back
# The home: an ext4 image of the stick, perhaps inside a LUKS container, in the place of the live user's own folder. What
# lies in it belongs to one owner; the number of that owner is the live user's, whatever it is on this system.
BK_HOME_MAPPED=bootkit-home

bk_step_home() {
	if [ "${BK_HOME-}" = none ]; then
		bk_say off "no home is chosen for this image"
		return 0
	fi
	bk_choose_home || return 0
	if ! [ -r "$BK/user" ]; then
		bk_say failed "this system has no live user whose home it could be"
		return 0
	fi
	read -r bk_user bk_uid bk_gid bk_home <"$BK/user"
	if ! [ -e "$BK/writable" ]; then
		bk_say failed "the stick is read-only: $bk_name is left alone, and what $bk_user writes is lost"
		return 0
	fi
	bk_loop=$(losetup -f) && losetup "$bk_loop" "$bk_image" || return 1
	bk_device=$bk_loop
	if ! bk_is_encrypted; then
		bk_check_and_mount
	elif bk_unlock; then
		bk_device=/dev/mapper/$BK_HOME_MAPPED
		bk_check_and_mount || cryptsetup close "$BK_HOME_MAPPED"
	fi
	# once it is mounted, the loop device goes with the last who uses it
	losetup -d "$bk_loop"
}

# by the magic of LUKS 1 and 2
bk_is_encrypted() {
	[ "$(dd if="$bk_image" bs=4 count=1 2>/dev/null | tr -d '\0')" = LUKS ]
}

# The passphrase goes from systemd's agents (plymouth, every console) to cryptsetup by pipes, and into no file or log.
bk_unlock() {
	for bk_program in cryptsetup systemd-ask-password; do
		if ! command -v "$bk_program" >/dev/null 2>&1; then
			bk_say failed "$bk_name is encrypted, and this system has no $bk_program to open it"
			return 1
		fi
	done
	for bk_try in 1 2 3; do
		bk_passphrase=$(systemd-ask-password --id=bootkit-home --timeout=180 "Passphrase of the home ${bk_name%.home} ($bk_try of 3):") || {
			bk_say failed "$bk_name is encrypted, and nobody gave its passphrase"
			return 1
		}
		if printf %s "$bk_passphrase" | cryptsetup open --type luks --key-file - "$bk_loop" "$BK_HOME_MAPPED"; then
			bk_passphrase=
			return 0
		fi
	done
	bk_say failed "$bk_name could not be opened: wrong passphrase"
	return 1
}

# The one of the choices; where none is named, the only one.
bk_choose_home() {
	if [ -n "${BK_HOME-}" ]; then
		bk_image=$BK_STICK/boot/home/$BK_HOME.home
	else
		set -- "$BK_STICK"/boot/home/*.home
		bk_image=$1
		if [ $# -gt 1 ]; then
			bk_say none "there are $# homes, and none is chosen"
			return 1
		fi
	fi
	bk_name=${bk_image##*/}
	[ -f "$bk_image" ] && return 0
	if [ -n "${BK_HOME-}" ]; then bk_say failed "there is no $bk_name in /boot/home"; else bk_say none "there is none"; fi
	return 1
}

bk_check_and_mount() {
	mkdir -p "$BK/home" "$bk_home"
	# one that says it is clean is looked at only where it cannot be mounted
	if ! bk_check -p || ! { bk_mount_home || { bk_check -fp && bk_mount_home; }; }; then
		bk_say failed "$bk_name is damaged: on your computer, bootkit home check ${bk_name%.home}"
		return 1
	fi
	# a home that is not of this image's file system yet is the one to begin with
	bk_fill
	bk_give_to_user
	mount -o bind "$BK/home" "$bk_home" && bk_say ok "$bk_name is $bk_home"
}

# 1 and 2: mended; from 4 on: not
bk_check() {
	command -v e2fsck >/dev/null 2>&1 || return 0
	bk_limited 300 e2fsck "$1" "$bk_device"
	[ $? -lt 4 ]
}

bk_mount_home() {
	mount -t ext4 -o "rw,noatime,nosuid,nodev${1:-}" "$bk_device" "$BK/home"
}

# A new home begins with what the system would have given its user.
bk_fill() {
	for bk_member in "$BK/home"/* "$BK/home"/.[!.]*; do
		case $bk_member in */lost+found) continue ;; esac
		if [ -e "$bk_member" ]; then return 0; fi
	done
	cp -a "$bk_home/." "$BK/home/" || bk_say failed "$bk_name is too small for the system's own files"
	chown "$bk_uid:$bk_gid" "$BK/home"
	chmod 700 "$BK/home"
}

# An idmapped mount shows the owner's files as the live user's and leaves them as they are (Linux 5.12 for ext4, mount of
# util-linux 2.39; an older mount passes over the word). Else they change hands, once for each change of systems.
bk_give_to_user() {
	# shellcheck disable=SC2046 # two numbers
	set -- $(stat -c '%u %g' "$BK/home")
	if [ "$1:$2" = "$bk_uid:$bk_gid" ]; then return 0; fi
	bk_was_uid=$1 bk_was_gid=$2
	umount "$BK/home"
	bk_swap u "$bk_was_uid" "$bk_uid"
	bk_map=$bk_swapped
	bk_swap g "$bk_was_gid" "$bk_gid"
	bk_mount_home ",X-mount.idmap=$bk_map $bk_swapped" || bk_mount_home
	if [ "$(stat -c %u "$BK/home")" = "$bk_uid" ]; then
		bk_log "its owner $bk_was_uid is shown as $bk_uid"
		return 0
	fi
	bk_log "its owner is changed from $bk_was_uid:$bk_was_gid to $bk_uid:$bk_gid"
	find "$BK/home" -xdev -user "$bk_was_uid" -exec chown -h "$bk_uid" {} +
	find "$BK/home" -xdev -group "$bk_was_gid" -exec chgrp -h "$bk_gid" {} +
}

# bk_swap KIND FROM TO: every number as it is, but these two in each other's place; in bk_swapped.
bk_swap() {
	bk_low=$2 bk_high=$3
	if [ "$2" -gt "$3" ]; then bk_low=$3 bk_high=$2; fi
	bk_swapped="$1:0:0:$bk_low $1:$bk_low:$bk_high:1 $1:$bk_high:$bk_low:1"
	bk_next=$((bk_low + 1))
	bk_between=$((bk_high - bk_next))
	[ "$bk_between" = 0 ] || bk_swapped="$bk_swapped $1:$bk_next:$bk_next:$bk_between"
	bk_next=$((bk_high + 1))
	bk_swapped="$bk_swapped $1:$bk_next:$bk_next:$((65536 - bk_next))"
}
