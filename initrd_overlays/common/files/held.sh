# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # variables go from lib.sh to the steps and back
# The stick as a disk: in use for as long as the system runs, also by one that has copied itself to RAM, so that nobody gets
# it for himself alone (mkfs, parted and wipefs refuse it); and marked for udisks, so that desktops ask for a password
# before they change it and hide what is no business of theirs.

# The partition with our files, and the disk that it is a part of, by the kernel's names, in bk_part and bk_disk.
bk_find_stick_disk() {
	bk_part=$(readlink -f "/dev/disk/by-uuid/${BK_STICK_UUID:-unknown}")
	if ! [ -b "$bk_part" ]; then
		# not every initrd has udev
		bk_mount_of "$BK_STICK" || return 1
		bk_part=$bk_source
	fi
	bk_part=${bk_part##*/}
	bk_place=$(readlink -f "/sys/class/block/$bk_part") && [ -e "$bk_place" ] || return 1
	[ ! -e "$bk_place/partition" ] || bk_place=${bk_place%/*}
	bk_disk=${bk_place##*/}
}

# The names of the disk and of all its partitions, as a rule of udev wants them.
bk_names_of_disk() {
	case $bk_disk in
	*[0-9]) echo "$bk_disk|${bk_disk}p[0-9]*" ;;
	*) echo "$bk_disk|${bk_disk}[0-9]*" ;;
	esac
}

bk_step_held() {
	if ! bk_find_stick_disk; then
		bk_say none "there is no stick"
		return 0
	fi
	mkdir -p /run/udev/rules.d
	{
		echo "SUBSYSTEM==\"block\", KERNEL==\"$(bk_names_of_disk)\", ENV{UDISKS_SYSTEM}=\"1\", ENV{UDISKS_AUTO}=\"0\""
		echo "SUBSYSTEM==\"block\", KERNEL==\"$(bk_names_of_disk)\", KERNEL!=\"$bk_part\", ENV{UDISKS_IGNORE}=\"1\""
	} >/run/udev/rules.d/99-bootkit-stick.rules
	if bk_mount_of "$BK_STICK"; then
		bk_say ok "$bk_disk is in use: no program gets it for itself alone"
	else
		bk_say failed "$bk_disk is not in use: an installer may take it"
	fi
}
