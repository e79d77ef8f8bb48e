# shellcheck shell=sh
# Sourced by dracut in hook pre-pivot, with the new root complete at $NEWROOT; once, though dracut 102 to 109 reach
# this file by two names.
if [ -z "${bkw_here-}" ]; then
	bkw_here=1
	# shellcheck source=/dev/null
	. /bootkit-witness/witness.sh
	bkw_late "${NEWROOT:-/sysroot}"
fi
