#!/bin/sh
# Process 1 by rdinit=, before the initrd's own /init: has it call us right before it starts the new root's init. A program
# of ours in PATH would not do: many a busybox takes its own switch_root and pivot_root first.

# bk_edited: /init, from stdin, with switch_root.sh in the place of switch_root and our mount behind its first line; false
# if there is no line that starts switch_root.
bk_edited() {
	bk_result=1
	set -f
	IFS= read -r bk_line
	printf '%s\n' "$bk_line"
	cat /bootkit/mount_function.sh
	while IFS= read -r bk_line || [ -n "$bk_line" ]; do
		case $bk_line in
		*exec*switch_root*)
			# shellcheck disable=SC2086 # its words
			set -- $bk_line
			case $1,$2 in
			exec,switch_root | exec,/*/switch_root)
				bk_line="exec sh /bootkit/switch_root.sh $2${bk_line#*switch_root}"
				bk_result=0
				;;
			esac
			;;
		esac
		printf '%s\n' "$bk_line"
	done
	set +f
	return $bk_result
}

if [ -f /lib/livekitlib ]; then
	# a function comes before every program
	cat /bootkit/mount_function.sh /bootkit/pivot_root.sh >>/lib/livekitlib
elif bk_edited </init >/bootkit/init.new; then
	cat /bootkit/init.new >/init
elif [ -c /dev/kmsg ]; then # there may be no /dev yet
	echo "<4>bootkit: /init has no line that starts switch_root: nothing is added to this system" >/dev/kmsg
fi
exec /init "$@"
