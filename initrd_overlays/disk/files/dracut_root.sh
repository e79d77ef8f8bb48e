# shellcheck shell=sh
# Sourced by dracut in hook pre-pivot, with the root mounted at $NEWROOT; once, though dracut 102 to 109 reach this file by
# two names.
if [ -z "${bootkit_here-}" ]; then
	bootkit_here=1
	sh /bootkit/root.sh "${NEWROOT:-/sysroot}"
fi
