#!/bin/busybox sh
# /run/initramfs/shutdown ACTION: systemd-shutdown has made /run/initramfs the root and put the old one at /oldroot. The
# root lies on a disk that lies on the stick, so that only from here all of it can be unmounted.
exec </dev/console >/dev/console 2>&1
PATH=/bin
BK_BOX=/bin/busybox
BK_HERE=/oldroot/run/initramfs/bootkit

say_mounted() {
	$BK_BOX grep -q " $1 " /proc/mounts
}

# unmount ROUND: everything of the old root, the last first. What cannot be, is made read-only in the last round.
unmount() {
	$BK_BOX tac /proc/mounts | while read -r _ bk_folder bk_type _; do
		case $bk_folder in /oldroot*) ;; *) continue ;; esac
		case $bk_type in
		ext[234] | xfs | btrfs | f2fs | vfat | exfat | fuse* | ntfs* | overlay | tmpfs | squashfs)
			$BK_BOX umount "$bk_folder" 2>/dev/null || {
				[ "$1" != 4 ] || $BK_BOX mount -o remount,ro "$bk_folder" 2>/dev/null
			}
			;;
		*) $BK_BOX umount -l "$bk_folder" 2>/dev/null ;;
		esac
	done
}

# Mappings and loop devices that nothing uses any more.
let_go() {
	for bk_dmsetup in /sbin/dmsetup /usr/sbin/dmsetup; do
		[ ! -x "$bk_dmsetup" ] || DM_DISABLE_UDEV=1 "$bk_dmsetup" remove_all 2>/dev/null
	done
	for bk_loop in /sys/block/loop*/loop/backing_file; do
		[ -e "$bk_loop" ] || continue
		bk_loop=${bk_loop#/sys/block/}
		$BK_BOX losetup -d "/dev/${bk_loop%%/*}" 2>/dev/null
	done
}

# the stick first, and what a live run has written: out of the tree that is taken down, whose disk lies on them
for bk_mount in stick written; do
	say_mounted "$BK_HERE/$bk_mount" || continue
	$BK_BOX mkdir -p "/$bk_mount"
	$BK_BOX mount -o move "$BK_HERE/$bk_mount" "/$bk_mount" 2>/dev/null || {
		$BK_BOX mount -o bind "$BK_HERE/$bk_mount" "/$bk_mount"
		$BK_BOX umount -l "$BK_HERE/$bk_mount"
	}
done
for bk_round in 1 2 3 4; do
	unmount "$bk_round"
	let_go
	$BK_BOX grep -q ' /oldroot' /proc/mounts || break
done
let_go
if say_mounted /stick && ! $BK_BOX umount /stick; then
	# the kernel's own way out: everything read-only
	$BK_BOX sync
	echo u >/proc/sysrq-trigger
	$BK_BOX sleep 3
fi
$BK_BOX sync
echo "bootkit: at the end: $($BK_BOX grep '^/dev/' /proc/mounts || echo nothing mounted)"
case $1 in
reboot | kexec) $BK_BOX reboot -f ;;
halt) $BK_BOX halt -f ;;
*) $BK_BOX poweroff -f ;;
esac
