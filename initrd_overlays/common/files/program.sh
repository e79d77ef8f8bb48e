# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # variables go from lib.sh to the steps and back
# bootkit itself, which the stick carries: as a command, and in the menu of the desktop.
bk_program=boot/bootkit/program/bootkit

bk_step_program() {
	if ! [ -f "$BK_STICK/$bk_program" ]; then
		bk_say none "the stick carries no bootkit: bootkit upgrade puts it there"
		return 0
	fi
	if bk_is_program bootkit; then
		bk_say none "this system has a bootkit of its own"
		return 0
	fi
	# FAT has no such bit, and a file that was copied by hand may have lost it
	[ -x "$BK_STICK/$bk_program" ] || chmod +x "$BK_STICK/$bk_program"
	mkdir -p "$BK_ROOT/usr/local/bin" "$BK_ROOT/usr/local/share/applications"
	ln -sf "/isodevice/$bk_program" "$BK_ROOT/usr/local/bin/bootkit"
	if bk_has_python; then
		cat "$BK_HERE/program.desktop" >"$BK_ROOT/usr/local/share/applications/bootkit.desktop"
		bk_say ok "bootkit is a command here"
	else
		bk_say none "bootkit needs Python 3.11 or newer, which this system has not"
	fi
}

# Seen from here, a link of the new root may lead nowhere.
bk_has_python() {
	for bk_file in "$BK_ROOT"/usr/bin/python3.1[1-9] "$BK_ROOT"/usr/local/bin/python3.1[1-9]; do
		if [ -e "$bk_file" ] || [ -L "$bk_file" ]; then return 0; fi
	done
	return 1
}
