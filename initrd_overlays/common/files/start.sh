# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # variables go from lib.sh to the steps and back
# What is left for the booted system: late.sh as a unit on /run, which needs no write to the system's own files.

bk_step_start() {
	mkdir -p "$BK_ROOT/usr/local/bin"
	cat "$BK/bootkit-status" >"$BK_ROOT/usr/local/bin/bootkit-status" && chmod 755 "$BK_ROOT/usr/local/bin/bootkit-status"
	case ,$BK_WORDS, in *,off,*) return 0 ;; esac
	if [ -e "$BK_ROOT/lib/systemd/systemd" ] || [ -e "$BK_ROOT/usr/lib/systemd/systemd" ]; then
		mkdir -p /run/systemd/system/basic.target.wants
		cat "$BK/bootkit.service" >/run/systemd/system/bootkit.service
		ln -sf ../bootkit.service /run/systemd/system/basic.target.wants/bootkit.service
	elif [ -d "$BK_ROOT/etc/local.d" ]; then
		printf '#!/bin/sh\nsh /run/bootkit/late.sh\n' >"$BK_ROOT/etc/local.d/bootkit.start"
		chmod 755 "$BK_ROOT/etc/local.d/bootkit.start"
	else
		bk_say failed "nothing in this system can start the rest: no home, no scripts"
	fi
}
