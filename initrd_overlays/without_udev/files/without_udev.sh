# shellcheck shell=sh
# shellcheck disable=SC2034 # its variables are read by those who source it
# Sourced where no rule of udev has looked at a device before somebody mounts it.

# bk_uuid_of NAME: the UUID of what lies on a block device, in bk_uuid; empty if nothing here can tell.
bk_uuid_of() {
	bk_uuid=$(blkid "/dev/$1" 2>/dev/null | while read -r bk_node bk_tags; do
		bk_tags=" $bk_tags"
		# an old busybox lists all devices
		case $bk_node$bk_tags in
		"/dev/$1:"*\ UUID=\"*)
			bk_tags=${bk_tags#*\ UUID=\"}
			echo "${bk_tags%%\"*}"
			;;
		esac
	done)
}

# bk_is_divided NAME: whether a block device has partitions, each of which is looked at by itself.
bk_is_divided() {
	for bk_part_of in "/sys/class/block/$1/$1"*; do
		[ ! -e "$bk_part_of/partition" ] || return 0
	done
	return 1
}
