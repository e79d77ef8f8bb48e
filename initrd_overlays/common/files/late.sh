#!/bin/sh
# Started by the booted system before anybody can log in: what needs its users and its own programs.
# at its end where NixOS has all of it
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/run/current-system/sw/bin
export PATH
BK_HERE=/run/bootkit
umask 022
# shellcheck source=/dev/null
. "$BK_HERE/lib.sh"
# shellcheck source=/dev/null
[ ! -r "$BK_HERE/choices" ] || . "$BK_HERE/choices"
bk_read_words
for bk_step in user home language customize; do
	bk_run "$bk_step"
done
bk_keep_log
# behind the last that is written to the stick
bk_run guard
exit 0
