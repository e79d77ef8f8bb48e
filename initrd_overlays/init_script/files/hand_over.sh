# shellcheck shell=sh
# hand_over.sh NEWROOT FOLDER...: main.sh, with what it wants around it: /proc, and a /run that the new root will have.
# shellcheck source=/dev/null
. /bootkit/lib.sh

bk_proc=
if ! [ -r /proc/mounts ]; then
	mkdir -p /proc
	mount -t proc proc /proc && bk_proc=ours
fi
mkdir -p /run "$1/run"
if bk_mount_of "$1/run"; then
	mount -o move "$1/run" /run
elif ! bk_mount_of /run; then
	# Slackware's rc.S knows it by this name
	mount -t tmpfs -o mode=0755 tmpfs /run
fi
sh /bootkit/main.sh "$@"
mount -o move /run "$1/run"
[ -z "$bk_proc" ] || umount /proc
exit 0
