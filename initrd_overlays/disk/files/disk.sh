#!/bin/sh
# shellcheck disable=SC2034 # variables go from here to pieces.sh
# disk.sh: called in the initrd before it looks for its root: make a disk of the file that /bootkit/iso tells of.
#
# bootkit.disk=keep on the kernel's line writes what the system writes to the file, bootkit.disk=live keeps it in RAM. Waits
# BK_WAIT seconds for the stick. The disk is a loop device with partitions, whatever lies below it.
PATH=/usr/sbin:/usr/bin:/sbin:/bin
BK_BOX=/bootkit/busybox
# below /run/initramfs systemd unmounts nothing when it ends, and hands what lies there over to the way out
BK_WORK=/run/initramfs/bootkit
[ ! -e /bootkit/disk.begun ] && [ -r /bootkit/iso ] || exit 0
# shellcheck source=/dev/null
. /bootkit/iso
# shellcheck source=/dev/null
. /bootkit/pieces.sh

disk_log() {
	read -r bk_uptime _ </proc/uptime
	echo "[$bk_uptime] disk: $*" >>/bootkit/cure.log
	echo "<5>bootkit: disk: $*" 2>/dev/null >/dev/kmsg || :
}

disk_fail() {
	disk_log "$*"
	echo "bootkit: $*" >/dev/console 2>/dev/null
	exit 1
}

# The partition with the file, in bk_device.
disk_find() {
	until bk_device=/dev/disk/by-uuid/$BK_ISO_UUID && [ -b "$bk_device" ] ||
		bk_device=$($BK_BOX findfs "UUID=$BK_ISO_UUID" 2>/dev/null) && [ -b "$bk_device" ]; do
		[ "$BK_WAIT" != 0 ] || return 1
		[ "$BK_WAIT" != 1 ] || disk_log "no partition has the UUID $BK_ISO_UUID"
		BK_WAIT=$((BK_WAIT - 1))
		sleep 1
	done
}

# What systemd-shutdown runs when all else has ended. The initrd of initramfs-tools mounts /run without exec.
disk_way_out() {
	mkdir -p /run/initramfs
	[ -d /lib/dracut ] || [ -d /usr/lib/dracut ] || mount -t tmpfs -o mode=755 tmpfs /run/initramfs
	mkdir -p /run/initramfs/bin "$BK_WORK/stick"
	cat $BK_BOX >/run/initramfs/bin/busybox
	cat /bootkit/way_out.sh >/run/initramfs/shutdown
	$BK_BOX chmod 755 /run/initramfs/bin/busybox /run/initramfs/shutdown
	# where there is a shell, dracut puts no initrd of its own over it
	$BK_BOX ln -sf busybox /run/initramfs/bin/sh
	disk_borrow dmsetup
}

# disk_borrow PROGRAM: for the way out, with the libraries that its loader names.
disk_borrow() {
	bk_program=$(command -v "$1") || return 0
	{
		echo "$bk_program"
		LD_TRACE_LOADED_OBJECTS=1 "$bk_program" 2>/dev/null
	} | while read -r bk_word bk_arrow bk_path _; do
		case $bk_arrow in '=>') bk_word=$bk_path ;; esac
		case $bk_word in
		/*)
			$BK_BOX mkdir -p "/run/initramfs${bk_word%/*}"
			$BK_BOX cp -L "$bk_word" "/run/initramfs$bk_word"
			;;
		esac
	done
}

# The stick mounted, and its file in bk_base.
disk_mount() {
	modprobe "$BK_ISO_DRIVER" 2>/dev/null
	bk_options=rw,noatime
	[ -z "$bk_live" ] || bk_options=ro,noatime
	$BK_BOX mount -t "$BK_ISO_DRIVER" -o "$bk_options" "$bk_device" "$BK_WORK/stick" ||
		disk_fail "$bk_device cannot be mounted by $BK_ISO_DRIVER"
	bk_base=$BK_WORK/stick$BK_ISO_PATH
	[ -f "$bk_base" ] || disk_fail "$BK_ISO_PATH is not on the stick"
	bk_size=$($BK_BOX stat -c %s "$bk_base")
}

# disk_show: bk_base as the loop device bk_disk with its partitions.
disk_show() {
	bk_disk=$($BK_BOX losetup -f)
	# shellcheck disable=SC2086 # the flag is none or one
	$BK_BOX losetup $bk_flag -P "$bk_disk" "$bk_base" || disk_fail "$bk_base cannot be made a disk"
}

bk_live=
case $(cat /proc/cmdline) in *bootkit.disk=live*) bk_live=1 ;; esac
modprobe loop 2>/dev/null
disk_find || exit 1
: >/bootkit/disk.begun
disk_way_out
bk_flag='' bk_disk=''
[ -z "$bk_live" ] || bk_flag=-r
if [ -n "$BK_ISO_DRIVER" ]; then disk_mount; else pieces_map; fi
if [ -n "$bk_live" ] && pieces_can_snapshot; then
	pieces_snapshot
	bk_flag=
	echo snapshot >/bootkit/disk.live
elif [ -n "$bk_live" ]; then
	echo overlay >/bootkit/disk.live
fi
[ -n "$bk_disk" ] || disk_show
: >/bootkit/disk.done
$BK_BOX sleep 1
if command -v udevadm >/dev/null; then
	udevadm trigger --action=add --subsystem-match=block
	udevadm settle
fi
set -- /sys/block/"${bk_disk#/dev/}"/"${bk_disk#/dev/}"p*
disk_log "$BK_ISO_PATH is $bk_disk with $([ -e "$1" ] && echo $# || echo no) partitions, from $bk_device, ${bk_live:+live by $(cat /bootkit/disk.live), }${BK_ISO_DRIVER:-mapped}"
exit 0
