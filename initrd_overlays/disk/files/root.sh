#!/bin/sh
# root.sh NEWROOT: called in the initrd when the root is mounted there.
#
# A live run gets a layer in RAM, unless the whole disk has one, and the user's own things. One that keeps its changes is the
# user's own system: it gets them where that was chosen, else only the computer's disks back.
PATH=/usr/sbin:/usr/bin:/sbin:/bin
BK_BOX=/bootkit/busybox
BK_WORK=/run/initramfs/bootkit
[ -e /bootkit/disk.done ] || exit 0

root_overlay() {
	modprobe overlay 2>/dev/null
	# the module is the system's own where the initrd has none
	$BK_BOX grep -q overlay /proc/filesystems || modprobe -d "$1" overlay 2>/dev/null ||
		$BK_BOX insmod "$1/lib/modules/$(uname -r)/kernel/fs/overlayfs/overlay.ko"
	mkdir -p "$BK_WORK/lower" "$BK_WORK/written"
	$BK_BOX mount -o move "$1" "$BK_WORK/lower"
	$BK_BOX mount -t tmpfs -o mode=755 tmpfs "$BK_WORK/written"
	mkdir "$BK_WORK/written/new" "$BK_WORK/written/work"
	$BK_BOX mount -t overlay -o "lowerdir=$BK_WORK/lower,upperdir=$BK_WORK/written/new,workdir=$BK_WORK/written/work" overlay "$1" || {
		$BK_BOX mount -o move "$BK_WORK/lower" "$1"
		echo "<4>bootkit: disk: no layer in RAM can be laid over the root, which stays read-only" >/dev/kmsg
		return 0
	}
	# what is mounted at / has options of ext4, which an overlay refuses
	$BK_BOX sed -i 's/^[^#[:space:]]*[[:space:]]\{1,\}\/[[:space:]]/# in RAM: &/' "$1/etc/fstab"
}

# The mount of klibc, which a plain initrd of initramfs-tools has, knows neither remount nor bind; from here on nobody needs it.
# What such an initrd lacks at all stands last in the PATH of the steps.
root_take_tools() {
	$BK_BOX mkdir -p /bootkit/bin
	$BK_BOX --install -s /bootkit/bin
	for bk_library in /lib/klibc-*.so /usr/lib/klibc-*.so; do
		[ -e "$bk_library" ] || continue
		for bk_tool in losetup mount umount; do
			$BK_BOX ln -sf $BK_BOX "$(command -v "$bk_tool" || echo "/bin/$bk_tool")"
		done
		break
	done
}

bk_how=kept
[ ! -r /bootkit/disk.live ] || read -r bk_how </bootkit/disk.live
case $bk_how in
kept) if $BK_BOX grep -q "BK_OWN_THINGS='yes'" /bootkit/choices; then BK_KEPT=with; else BK_KEPT=without; fi ;;
overlay) root_overlay "$1" ;;
esac
[ "${BK_KEPT-}" = without ] || root_take_tools
export BK_KEPT
sh /bootkit/main.sh "$1" "$BK_WORK/stick"
exit 0
