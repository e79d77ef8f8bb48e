# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # variables go from lib.sh to the steps and back
# Language, keyboard, time zone and host name, as files of the new root: process 1 and all that follows reads them there.
# live-config sets these things (and the user's name) itself at boot: it gets its own words.

bk_step_settings() {
	bk_set=
	[ -z "${BK_LANGUAGE:-}" ] || bk_language
	[ -z "${BK_KEYBOARD:-}" ] || bk_keyboard
	[ -z "${BK_TIMEZONE:-}" ] || bk_timezone
	[ -z "${BK_HOSTNAME:-}" ] || bk_hostname
	bk_tell_live_config
	if [ -n "$bk_set" ]; then bk_say ok "$bk_set"; else bk_say none "the system's own are kept"; fi
}

bk_is_set() {
	bk_set="$bk_set${bk_set:+, }$*"
}

# bk_write FILE LINE...: a file of the new root, also where a link of the same name points nowhere yet.
bk_write() {
	bk_file=$BK_ROOT$1
	shift
	mkdir -p "${bk_file%/*}"
	rm -f "$bk_file"
	printf '%s\n' "$@" >"$bk_file"
}

bk_language() {
	bk_write /etc/locale.conf "LANG=$BK_LANGUAGE"
	[ ! -d "$BK_ROOT/etc/default" ] || bk_write /etc/default/locale "LANG=$BK_LANGUAGE"
	bk_is_set "language $BK_LANGUAGE"
}

# The console's keymap by the name of the X layout: systemd's own table, else the same name.
bk_keyboard() {
	bk_keymap=$BK_KEYBOARD
	if [ -r "$BK_ROOT/usr/share/systemd/kbd-model-map" ]; then
		while read -r bk_console bk_layout _ bk_variant _; do
			if [ "$bk_layout" = "$BK_KEYBOARD" ] && [ "$bk_variant" = "${BK_KEYBOARD_VARIANT:--}" ]; then
				bk_keymap=$bk_console
				break
			fi
		done <"$BK_ROOT/usr/share/systemd/kbd-model-map"
	fi
	bk_write /etc/vconsole.conf "KEYMAP=$bk_keymap" "XKBLAYOUT=$BK_KEYBOARD" "XKBVARIANT=${BK_KEYBOARD_VARIANT:-}"
	[ ! -d "$BK_ROOT/etc/default" ] || bk_write /etc/default/keyboard 'XKBMODEL="pc105"' \
		"XKBLAYOUT=\"$BK_KEYBOARD\"" "XKBVARIANT=\"${BK_KEYBOARD_VARIANT:-}\"" 'XKBOPTIONS=""' 'BACKSPACE="guess"'
	bk_write /etc/X11/xorg.conf.d/00-keyboard.conf 'Section "InputClass"' '    Identifier "system-keyboard"' \
		'    MatchIsKeyboard "on"' "    Option \"XkbLayout\" \"$BK_KEYBOARD\"" \
		"    Option \"XkbVariant\" \"${BK_KEYBOARD_VARIANT:-}\"" 'EndSection'
	bk_is_set "keyboard $BK_KEYBOARD${BK_KEYBOARD_VARIANT:+ $BK_KEYBOARD_VARIANT}"
}

bk_timezone() {
	if ! [ -e "$BK_ROOT/usr/share/zoneinfo/$BK_TIMEZONE" ]; then
		bk_say failed "this system does not know the time zone $BK_TIMEZONE"
		return 0
	fi
	rm -f "$BK_ROOT/etc/localtime"
	ln -s "/usr/share/zoneinfo/$BK_TIMEZONE" "$BK_ROOT/etc/localtime"
	[ ! -e "$BK_ROOT/etc/timezone" ] || bk_write /etc/timezone "$BK_TIMEZONE"
	bk_is_set "time zone $BK_TIMEZONE"
}

bk_hostname() {
	bk_write /etc/hostname "$BK_HOSTNAME"
	bk_is_in_hosts || echo "127.0.1.1 $BK_HOSTNAME" >>"$BK_ROOT/etc/hosts"
	bk_is_set "host $BK_HOSTNAME"
}

# A system that keeps its changes has the line from the last boot.
bk_is_in_hosts() {
	[ -e "$BK_ROOT/etc/hosts" ] || return 1
	while read -r bk_line; do
		[ "$bk_line" != "127.0.1.1 $BK_HOSTNAME" ] || return 0
	done <"$BK_ROOT/etc/hosts"
	return 1
}

# live-config takes its words from LIVE_CONFIG_CMDLINE where that is set (live-config 5.x and later, /bin/live-config,
# init-config.sh); the last of two equal words wins, so ours go behind those of the kernel line.
bk_tell_live_config() {
	[ -d "$BK_ROOT/lib/live/config" ] || return 0
	bk_words=
	for bk_pair in "username=${BK_USER:-}" "locales=${BK_LANGUAGE:-}" "timezone=${BK_TIMEZONE:-}" \
		"keyboard-layouts=${BK_KEYBOARD:-}" "keyboard-variants=${BK_KEYBOARD_VARIANT:-}" "hostname=${BK_HOSTNAME:-}"; do
		[ -z "${bk_pair#*=}" ] || bk_words="$bk_words $bk_pair"
	done
	[ -n "$bk_words" ] || return 0
	bk_write /etc/live/config.conf.d/bootkit.conf "LIVE_CONFIG_CMDLINE=\"\$(cat /proc/cmdline)$bk_words\""
}
