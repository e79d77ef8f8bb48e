# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # variables go from disk.sh here and back
# Sourced by disk.sh: disks that are not simply a file: the place of its bytes on the partition, and a snapshot in RAM.

# pieces_map: BK_ISO_EXTENTS (OFFSET+LENGTH in bytes, one word for each piece) as bk_base or, if it has its partitions
# already, bk_disk. It must end where the file ends: what is written behind would hit other files.
pieces_map() {
	bk_size=0
	for bk_piece in $BK_ISO_EXTENTS; do
		bk_size=$((bk_size + ${bk_piece#*+}))
	done
	modprobe dm-mod 2>/dev/null
	if command -v dmsetup >/dev/null && pieces_join; then return 0; fi
	case $BK_ISO_EXTENTS in *' '*) disk_fail "$BK_ISO_PATH lies in pieces, and there is no dmsetup to join them" ;; esac
	pieces_limit
}

pieces_join() {
	bk_at=0
	for bk_piece in $BK_ISO_EXTENTS; do
		bk_length=$((${bk_piece#*+} / 512))
		echo "$bk_at $bk_length linear $bk_device $((${bk_piece%+*} / 512))"
		bk_at=$((bk_at + bk_length))
	done >/bootkit/disk.table
	dmsetup create bootkit-file /bootkit/disk.table >/dev/null || return 1
	bk_base=/dev/mapper/bootkit-file
}

# By a losetup that knows of limits: the initrd's, or the system's own.
pieces_limit() {
	bk_disk=$($BK_BOX losetup -f)
	bk_words="$bk_flag -P -o ${BK_ISO_EXTENTS%+*} --sizelimit $bk_size $bk_disk $bk_device"
	# shellcheck disable=SC2086 # words
	losetup $bk_words 2>/dev/null || pieces_by_the_system
	[ "$($BK_BOX blockdev --getsize64 "$bk_disk" 2>/dev/null)" = "$bk_size" ] ||
		disk_fail "$BK_ISO_PATH cannot be limited to its place on the stick: nothing was opened"
}

# The root is opened read-only for as long as its losetup runs.
pieces_by_the_system() {
	bk_look=$BK_WORK/look
	mkdir -p "$bk_look"
	$BK_BOX losetup -r -P -o "${BK_ISO_EXTENTS%+*}" "$bk_disk" "$bk_device" || return 1
	$BK_BOX blockdev --rereadpt "$bk_disk" 2>/dev/null
	$BK_BOX sleep 1
	bk_next=/dev/loop$((${bk_disk#/dev/loop} + 1))
	[ -b "$bk_next" ] || $BK_BOX mknod "$bk_next" b 7 "${bk_next#/dev/loop}"
	for bk_part in "$bk_disk" "$bk_disk"p*; do
		$BK_BOX mount -t ext4 -o ro,noload "$bk_part" "$bk_look" 2>/dev/null || continue
		if [ -x "$bk_look/usr/sbin/losetup" ] || [ -x "$bk_look/sbin/losetup" ]; then
			$BK_BOX mount -o bind /dev "$bk_look/dev"
			# shellcheck disable=SC2086 # the flag is none or one
			PATH=/usr/sbin:/sbin $BK_BOX chroot "$bk_look" losetup $bk_flag -P -o "${BK_ISO_EXTENTS%+*}" \
				--sizelimit "$bk_size" "$bk_next" "$($BK_BOX readlink -f "$bk_device")" && bk_found=$bk_next
			# the loop device holds on to the place that it was found at, which must not hold on to the root
			$BK_BOX umount -l "$bk_look/dev"
		fi
		$BK_BOX umount "$bk_look"
		[ -z "${bk_found-}" ] || break
	done
	$BK_BOX losetup -d "$bk_disk"
	bk_disk=${bk_found:-none}
}

pieces_can_snapshot() {
	command -v dmsetup >/dev/null || return 1
	modprobe dm-snapshot 2>/dev/null
	dmsetup targets | $BK_BOX grep -q '^snapshot '
}

# All of the disk, writable: what is written stays in a file on a tmpfs, which grows as it is needed.
pieces_snapshot() {
	if [ -n "$bk_disk" ]; then
		bk_below=$bk_disk
	else
		bk_below=$($BK_BOX losetup -f)
		$BK_BOX losetup -r "$bk_below" "$bk_base" || disk_fail "$bk_base cannot be read as a disk"
	fi
	mkdir -p "$BK_WORK/written"
	$BK_BOX mount -t tmpfs -o size=75% tmpfs "$BK_WORK/written"
	$BK_BOX dd if=/dev/zero of="$BK_WORK/written/disk" bs=1 count=0 seek="$bk_size" 2>/dev/null
	bk_above=$($BK_BOX losetup -f)
	$BK_BOX losetup "$bk_above" "$BK_WORK/written/disk"
	echo "0 $((bk_size / 512)) snapshot $bk_below $bk_above N 8" >/bootkit/disk.table
	dmsetup create bootkit-live /bootkit/disk.table >/dev/null || disk_fail "no snapshot can be made of $bk_below"
	bk_base=/dev/mapper/bootkit-live bk_disk=
}
