# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # variables go from lib.sh to the steps and back
# The live user: name, number, group and home, in bk_user, bk_uid, bk_gid and bk_home.

bk_step_user() {
	if [ -n "${BK_USER:-}" ] && ! bk_find_user "$BK_USER"; then
		bk_make_user || bk_say failed "$BK_USER could not be made"
	fi
	if bk_live_user; then
		bk_say ok "$bk_user ($bk_uid), $bk_home"
		echo "$bk_user $bk_uid $bk_gid $bk_home" >"$BK/user"
	else
		bk_say none "this system has no live user"
	fi
}

# The user of the choices, else the first with an ordinary number and a home of its own.
bk_live_user() {
	[ -n "${BK_USER:-}" ] && bk_find_user "$BK_USER" && return 0
	bk_find_user
}

# bk_find_user [NAME]
bk_find_user() {
	bk_user='' bk_lowest=60000
	while IFS=: read -r bk_u _ bk_i bk_g _ bk_h bk_shell; do
		# NIS has lines without numbers, as +::::::
		case ,$bk_i,$bk_g, in *[!0-9,]* | *,,*) continue ;; esac
		if [ $# = 0 ]; then
			# casper up to 1.478 (Ubuntu 22.10) gives its user 999, which elsewhere a service has
			case $bk_i,$bk_h in 999,/home/?*) ;; *) [ "$bk_i" -ge 1000 ] || continue ;; esac
			[ "$bk_i" -lt "$bk_lowest" ] || continue
			case $bk_h,$bk_shell in *,*/nologin | *,*/false | /,* | /nonexistent,*) continue ;; esac
		elif [ "$bk_u" != "$1" ]; then
			continue
		fi
		bk_user=$bk_u bk_uid=$bk_i bk_gid=$bk_g bk_home=$bk_h bk_lowest=$bk_i
	done </etc/passwd
	[ -n "$bk_user" ]
}

# As live systems do it: no password, and every right by sudo.
bk_make_user() {
	bk_groups=
	for bk_group in wheel sudo audio video plugdev netdev; do
		! grep -q "^$bk_group:" /etc/group || bk_groups="$bk_groups${bk_groups:+,}$bk_group"
	done
	useradd -m -s /bin/bash ${bk_groups:+-G "$bk_groups"} "$BK_USER" && passwd -d "$BK_USER"
}
