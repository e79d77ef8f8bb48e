# shellcheck shell=sh
# Sourced by dracut in hook pre-pivot, with the new root complete at $NEWROOT; once, though dracut 102 to 109 reach this
# file by two names.
if [ -z "${bootkit_here-}" ]; then
	bootkit_here=1
	sh /bootkit/main.sh "${NEWROOT:-/sysroot}" /run/initramfs/isoscan
fi
