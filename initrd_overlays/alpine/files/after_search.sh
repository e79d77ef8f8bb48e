# shellcheck shell=sh
# Sourced by beside_init.sh when the ISO file is a disk: the search ends some seconds later, and the disks are given back.
# There is no log and no bootkit-status in the booted system, so the kernel's own log has what became of them.
while pidof nlplug-findfs >/dev/null; do
	sleep 1
done
BK_HERE=/bootkit
# shellcheck source=/dev/null
. "$BK_HERE/lib.sh"
mkdir -p "$BK"
# shellcheck source=/dev/null
. "$BK_HERE/choices"
bk_read_words
bk_run disks
while read -r bk_line; do
	echo "<5>bootkit: $bk_line" >/dev/kmsg
done <"$BK/status"
