#!/bin/sh
# close_disk.sh: called in the initrd by a stack's adapter before udev starts: no disk but the stick is to be touched.
# close_disk.sh NAME: called by the rule that this leaves, in the initrd and in a system that keeps them closed.
# at its end where NixOS has all of it
PATH=/usr/sbin:/usr/bin:/sbin:/bin:/bootkit/bin:/run/current-system/sw/bin
for BK_HERE in /bootkit /run/bootkit; do
	[ ! -r "$BK_HERE/disks.sh" ] || break
done
# shellcheck source=/dev/null
[ -r "$BK_HERE/choices" ] && . "$BK_HERE/choices" || exit 0
# shellcheck source=/dev/null
. "$BK_HERE/lib.sh"
# shellcheck source=/dev/null
. "$BK_HERE/disks.sh"
[ -d "${BK_CLOSED%/*}" ] || BK_CLOSED=/run/bootkit/closed
if [ $# != 0 ]; then
	bk_disk_close "$1"
	exit 0
fi
bk_read_words
[ -n "${BK_STICK_UUID-}" ] && bk_disks_wanted || exit 0
mkdir -p /etc/udev/rules.d
bk_disks_rule /bootkit/close_disk.sh hidden >/etc/udev/rules.d/99-bootkit-disks.rules
exit 0
