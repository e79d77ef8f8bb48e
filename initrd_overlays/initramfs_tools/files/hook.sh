# shellcheck shell=sh
# Sourced by /init, which is process 1, before it reads the command line: no exit, no failing.
# init-bottom/ORDER is shell text that /init sources when the root is complete; our line goes first, because the last
# script moves /dev away. casper mounts the stick at /isodevice and, up to 21.10, moves that into the new root.
if [ -e /scripts/init-bottom/ORDER ] && [ -z "${bootkit_here-}" ]; then
	bootkit_here=1
	sh /bootkit/close_disk.sh
	sh /bootkit/cure.sh drivers
	if [ -e /bootkit/iso ] && [ -e /bin/live-boot ]; then
		mkdir -p /etc/live/boot
		cat /bootkit/live-boot.sh >/etc/live/boot/zz-bootkit
	fi
	if [ -e /bootkit/iso ] && [ -e /scripts/casper ]; then
		mkdir -p /scripts/casper-premount
		bootkit_order=$(cat /scripts/casper-premount/ORDER 2>/dev/null)
		printf '%s\n' '. /bootkit/casper.sh' "$bootkit_order" >/scripts/casper-premount/ORDER
	fi
	bootkit_order=$(cat /scripts/init-bottom/ORDER)
	# shellcheck disable=SC2016 # init expands rootmnt when it gets there
	printf '%s\n' 'sh /bootkit/main.sh "$rootmnt" /run/live/findiso /run/live/fromiso /isodevice "$rootmnt/isodevice" /lib/live/mount/findiso "$rootmnt/lib/live/mount/findiso"' \
		"$bootkit_order" >/scripts/init-bottom/ORDER
fi
