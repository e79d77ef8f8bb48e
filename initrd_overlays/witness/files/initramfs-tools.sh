# shellcheck shell=sh
# Sourced by /init (initramfs-tools 0.142, init: the loop over /conf/conf.d) before the command line is read.
# scripts/*/ORDER is shell text that init sources: our line goes first, because the last script moves /dev away.
if [ -e /scripts/init-bottom/ORDER ] && [ -z "${bkw_here-}" ]; then
	bkw_here=1
	# shellcheck source=/dev/null
	. /bootkit-witness/witness.sh
	bkw_say initrd
	bkw_order=$(cat /scripts/init-bottom/ORDER)
	# shellcheck disable=SC2016 # init expands rootmnt when it gets there
	printf '%s\n' '. /bootkit-witness/witness.sh; bkw_late "$rootmnt"' "$bkw_order" >/scripts/init-bottom/ORDER
fi
