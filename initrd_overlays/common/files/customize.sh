# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # variables go from lib.sh to the steps and back
# The user's own scripts, as root: `init` first, as SystemImageKit had it, then the others in order of name. Each has a
# time limit and no terminal; what it prints goes to the log.
BK_SCRIPT_LIMIT=${BK_SCRIPT_LIMIT:-120}

bk_step_customize() {
	if [ "${BK_CUSTOMIZE-}" = no ]; then
		bk_say off "no scripts are chosen for this image"
		return 0
	fi
	bk_count=0
	for bk_file in "$BK_STICK/boot/customize/init" "$BK_STICK"/boot/customize/*; do
		[ -f "$bk_file" ] || continue
		case ${bk_file##*/},$bk_count in
		init,[1-9]* | .* | *.md,* | *.txt,* | *~,* | *.bak,*) continue ;;
		esac
		bk_count=$((bk_count + 1))
		bk_script "$bk_file"
	done
	[ "$bk_count" != 0 ] || bk_say none "there are none in /boot/customize"
}

# By its interpreter: FAT says that every file is executable, ext4 that none is.
bk_script() {
	bk_name=${1##*/}
	bk_first=
	IFS= read -r bk_first <"$1" || :
	bk_return=$(printf '\r')
	case $bk_first in
	*"$bk_return")
		# written on Windows: every line ends with a character that no interpreter knows
		tr -d '\r' <"$1" >"$BK/script"
		set -- "$BK/script"
		bk_first=${bk_first%"$bk_return"}
		;;
	esac
	case $bk_first in
	'#!'*) bk_interpreter=${bk_first#'#!'} ;;
	*) bk_interpreter=/bin/sh ;;
	esac
	# shellcheck disable=SC2086 # "#!/bin/sh -e" is two words
	bk_limited "$BK_SCRIPT_LIMIT" $bk_interpreter "$1"
	bk_status=$?
	case $bk_status in
	0) bk_say ok "$bk_name" ;;
	124 | 137 | 143) bk_say failed "$bk_name was stopped after $BK_SCRIPT_LIMIT seconds" ;;
	*) bk_say failed "$bk_name ended with status $bk_status" ;;
	esac
}
