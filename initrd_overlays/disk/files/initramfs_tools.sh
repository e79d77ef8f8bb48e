# shellcheck shell=sh
# Sourced by /init, which is process 1, before it reads the command line: no exit, no failing. A plain initrd has neither
# folder for these moments, and both ORDER files are shell text that /init sources. Ours go first: cryptsetup, LVM and root=
# are to see the disk, and the last script of init-bottom moves /dev away.
if [ -z "${bootkit_here-}" ]; then
	bootkit_here=1
	sh /bootkit/close_disk.sh
	mkdir -p /scripts/init-premount /scripts/init-bottom
	bootkit_order=$(cat /scripts/init-premount/ORDER 2>/dev/null)
	printf '%s\n' 'BK_WAIT=30 sh /bootkit/disk.sh' "$bootkit_order" >/scripts/init-premount/ORDER
	bootkit_order=$(cat /scripts/init-bottom/ORDER 2>/dev/null)
	# shellcheck disable=SC2016 # init expands rootmnt when it gets there
	printf '%s\n' 'sh /bootkit/root.sh "$rootmnt"' "$bootkit_order" >/scripts/init-bottom/ORDER
fi
