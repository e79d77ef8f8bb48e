#!/bin/sh
# main.sh NEWROOT FOLDER...: called in the initrd by a stack's adapter, when the new root is complete.
#
# NEWROOT is where the new root is mounted. The first FOLDER on which something is mounted is the stick's partition; where
# none is (the stack has copied itself to RAM), it is found by its UUID. /run is handed over to the booted system.
# BK_KEPT: an installed system that keeps its changes, with the user's own things or without.
# Whatever fails here is logged, and the system boots.
PATH=/usr/sbin:/usr/bin:/sbin:/bin:/bootkit/bin
BK_HERE=/bootkit
umask 022
# shellcheck source=/dev/null
. "$BK_HERE/lib.sh"
BK_ROOT=$1
shift
export BK_ROOT BK_FOLDERS="$*"
mkdir -p "$BK" || exit 0
# shellcheck source=/dev/null
[ ! -r "$BK_HERE/choices" ] || . "$BK_HERE/choices"
bk_read_words

# What others have put into the initrd for this moment, in folders of their own: the witness of bootkit test.
bk_others() {
	for bk_other in /bootkit-*/late.sh; do
		# shellcheck source=/dev/null
		[ ! -r "$bk_other" ] || NEWROOT=$BK_ROOT . "$bk_other"
	done
}

bk_step=boot
bk_log "bootkit ${BK_VERSION:-?}, Linux $(uname -r)"
bk_log "kernel line: $(cat /proc/cmdline)"
[ ! -r "$BK_HERE/cure.log" ] || cat "$BK_HERE/cure.log" >>"$BK/log"
for bk_file in lib.sh disks.sh close_disk.sh held.sh guard.sh late.sh user.sh home.sh language.sh customize.sh choices bootkit-status bootkit.service; do
	[ ! -r "$BK_HERE/$bk_file" ] || cat "$BK_HERE/$bk_file" >"$BK/$bk_file"
done
if [ "${BK_KEPT-}" = without ]; then
	bk_run disks
	exit 0
fi
case ,$BK_WORDS, in
*,off,*)
	bk_say off "bootkit=off is on the kernel line: nothing was changed"
	bk_run start
	bk_others
	exit 0
	;;
esac
# in a shell of its own: a redirection of : that fails ends the one that it is in
if ! (: >"$BK_ROOT/.bootkit") 2>/dev/null; then
	mount -o remount,rw "$BK_ROOT" 2>>"$BK/log" || bk_say failed "the system's root is read-only"
fi
rm -f "$BK_ROOT/.bootkit"
for bk_step in disks stick held extensions isodevice settings apps program start; do
	bk_run "$bk_step"
done
bk_keep_log
bk_others
exit 0
