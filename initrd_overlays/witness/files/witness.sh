# shellcheck shell=sh
# Sourced in the initrd's own shell, which may be process 1: no exit, no set -e, and only words that ash has.
# The initrd may have no more tools than mkdir, cat and ln.

bkw_say() {
	# an alert (<1>) passes every console log level; the second way serves a kernel whose /dev/kmsg is shut
	echo "<1>bootkit-witness: $*" 2>/dev/null >/dev/kmsg || echo "bootkit-witness: $*" 2>/dev/null >/dev/ttyS0
	return 0
}

bkw_say_isos() {
	for bkw_loop in /sys/block/loop*/loop/backing_file; do
		[ -r "$bkw_loop" ] || continue
		read -r bkw_file <"$bkw_loop" || continue
		case $bkw_file in
		*.[iI][sS][oO]) bkw_say iso "$bkw_file" ;;
		esac
	done
	return 0
}

bkw_say_root() {
	while read -r _ bkw_dir bkw_type _; do
		[ "$bkw_dir" != "$1" ] || bkw_root=$bkw_type
	done </proc/mounts
	bkw_say root "${bkw_root:-unknown}"
}

bkw_install_unit() {
	mkdir -p /run/bootkit-witness /run/systemd/system/basic.target.wants
	cat /bootkit-witness/userspace.sh >/run/bootkit-witness/userspace.sh
	cat /bootkit-witness/bootkit-witness.service >/run/systemd/system/bootkit-witness.service
	ln -sf ../bootkit-witness.service /run/systemd/system/basic.target.wants/bootkit-witness.service
}

# $1: where the new root is mounted; once, though several ways may lead here
bkw_late() {
	[ ! -e /bootkit-witness/here ] || return 0
	: >/bootkit-witness/here
	bkw_say_isos
	bkw_say_root "$1"
	bkw_install_unit || bkw_say "error cannot write to /run"
}
