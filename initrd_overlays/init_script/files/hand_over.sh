# shellcheck shell=sh
# hand_over.sh NEWROOT FOLDER...: main.sh, with what it wants around it: /proc, and a /run that the new root will have.
bk_has_mount() {
	while read -r _ bk_folder _; do
		[ "$bk_folder" != "$1" ] || return 0
	done </proc/mounts
	return 1
}

bk_proc=
if ! [ -r /proc/mounts ]; then
	mkdir -p /proc
	mount -t proc proc /proc && bk_proc=ours
fi
mkdir -p /run "$1/run"
if bk_has_mount "$1/run"; then
	mount -o move "$1/run" /run
elif ! bk_has_mount /run; then
	# Slackware's rc.S knows it by this name
	mount -t tmpfs -o mode=0755 tmpfs /run
fi
sh /bootkit/main.sh "$@"
mount -o move /run "$1/run"
[ -z "$bk_proc" ] || umount /proc
exit 0
