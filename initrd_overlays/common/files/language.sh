# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # variables go from lib.sh to the steps and back
# Language data, where the system brings its sources only.

bk_step_language() {
	if [ -z "${BK_LANGUAGE:-}" ]; then
		bk_say none "the system's own is kept"
		return 0
	fi
	if [ "$(LC_ALL=$BK_LANGUAGE locale charmap 2>/dev/null)" = UTF-8 ]; then
		bk_say ok "the system speaks $BK_LANGUAGE"
		return 0
	fi
	bk_territory=${BK_LANGUAGE%%.*}
	if [ -e "/usr/share/i18n/locales/$bk_territory" ] && command -v localedef >/dev/null 2>&1 &&
		bk_limited 120 localedef -i "$bk_territory" -f UTF-8 "$BK_LANGUAGE"; then
		bk_say ok "$BK_LANGUAGE was made"
	else
		bk_say failed "this system has no data for $BK_LANGUAGE: its programs speak English"
	fi
}
