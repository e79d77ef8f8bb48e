# shellcheck shell=sh
# cure.sh drivers | iso FOLDER: called in the initrd by a stack's adapter, before the stack looks for its ISO file.
#
# drivers  insert the modules of the ISO's own kernel that the image's archive has brought along
# iso      where the stack does not look, or nothing can mount the stick: make a block device of the ISO file and print
#          its name; FOLDER is where the stack would have mounted the stick. What to do is in /bootkit/iso.
#
# bootkit=nocure on the kernel's line switches it off. /run may not be there yet: the log waits in /bootkit.
PATH=/usr/sbin:/usr/bin:/sbin:/bin:/bootkit/bin
BK_WAIT=${BK_WAIT:-30}

bk_cure_log() {
	read -r bk_uptime _ </proc/uptime
	echo "[$bk_uptime] cure: $*" >>/bootkit/cure.log
	echo "<5>bootkit: cure: $*" 2>/dev/null >/dev/kmsg || :
}

bk_cure_drivers() {
	bk_release=$(uname -r)
	while read -r bk_version bk_file bk_module; do
		[ "$bk_version" = "$bk_release" ] || continue
		if [ -d "/sys/module/$bk_module" ]; then
			bk_cure_log "$bk_module is there already"
		elif bk_said=$(insmod "/bootkit/$bk_file" 2>&1); then
			bk_cure_log "$bk_module, which is the ISO's own, was inserted"
		else
			bk_cure_log "$bk_module cannot be inserted: $bk_said"
		fi
	done </bootkit/drivers
}

# The partition with the ISO file, in bk_device; false if it is not there yet.
bk_cure_device() {
	bk_device=/dev/disk/by-uuid/$BK_ISO_UUID
	# not every initrd has udev
	[ -b "$bk_device" ] || bk_device=$(findfs "UUID=$BK_ISO_UUID" 2>/dev/null)
}

# A stick takes its seconds to appear.
bk_cure_wait() {
	while ! bk_cure_device; do
		if [ "$BK_WAIT" -le 0 ]; then
			bk_cure_log "no partition has the UUID $BK_ISO_UUID"
			return 1
		fi
		BK_WAIT=$((BK_WAIT - 1))
		sleep 1
	done
}

# bk_cure_loop FILE OFFSET: a loop device that begins there, in bk_iso
bk_cure_loop() {
	modprobe loop 2>/dev/null
	bk_iso=$(losetup -f) && losetup -r -o "$2" "$bk_iso" "$1"
}

bk_cure_mount() {
	mkdir -p "$1"
	modprobe "$BK_ISO_DRIVER" 2>/dev/null
	if mount -t "$BK_ISO_DRIVER" -o ro "$bk_device" "$1" 2>>/bootkit/cure.log && bk_cure_loop "$1$BK_ISO_PATH" 0; then
		bk_cure_log "$BK_ISO_PATH is $bk_iso, found on $bk_device, mounted by $BK_ISO_DRIVER"
	else
		bk_cure_log "$BK_ISO_PATH on $bk_device cannot be opened by $BK_ISO_DRIVER"
		return 1
	fi
}

# BK_ISO_EXTENTS: OFFSET+LENGTH in bytes, one word for each piece of the file on the partition
bk_cure_map() {
	case $BK_ISO_EXTENTS in
	*' '*) bk_cure_pieces ;;
	*) bk_cure_loop "$bk_device" "${BK_ISO_EXTENTS%+*}" ;;
	esac || {
		bk_cure_log "$BK_ISO_PATH cannot be mapped on $bk_device"
		return 1
	}
	bk_cure_log "$BK_ISO_PATH is $bk_iso, mapped on $bk_device without its file system"
}

bk_cure_pieces() {
	modprobe dm-mod 2>/dev/null
	bk_at=0
	for bk_piece in $BK_ISO_EXTENTS; do
		bk_length=$((${bk_piece#*+} / 512))
		echo "$bk_at $bk_length linear $bk_device $((${bk_piece%+*} / 512))"
		bk_at=$((bk_at + bk_length))
	done >/bootkit/iso.table
	dmsetup create --readonly bootkit-iso /bootkit/iso.table >/dev/null && bk_iso=/dev/mapper/bootkit-iso
}

case $(cat /proc/cmdline) in
*bootkit=*nocure*)
	bk_cure_log "switched off for this boot"
	exit 1
	;;
esac
case $1 in
drivers)
	[ ! -r /bootkit/drivers ] || bk_cure_drivers
	;;
iso)
	[ -r /bootkit/iso ] || exit 1
	# shellcheck source=/dev/null
	. /bootkit/iso
	bk_cure_wait || exit 1
	if [ -n "$BK_ISO_DRIVER" ]; then bk_cure_mount "$2"; else bk_cure_map; fi || exit 1
	echo "$bk_iso"
	;;
esac
exit 0
