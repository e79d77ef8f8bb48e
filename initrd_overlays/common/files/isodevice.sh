# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # variables go from lib.sh to the steps and back
# The stick at /isodevice of the booted system, where casper has it; behind the extensions, which move the root.

bk_step_isodevice() {
	bk_mount_of "$BK_STICK" || {
		bk_say none "there is no stick"
		return 0
	}
	if bk_mount_of "$BK_ROOT/isodevice"; then
		bk_say ok "the stack itself has it there"
		return 0
	fi
	mkdir -p "$BK_ROOT/isodevice" && mount -o bind "$BK_STICK" "$BK_ROOT/isodevice" && bk_say ok "the stick is there"
}
