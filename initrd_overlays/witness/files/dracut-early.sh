# shellcheck shell=sh
# Sourced by dracut in hook cmdline.
if [ -z "${bkw_early-}" ]; then
	bkw_early=1
	# shellcheck source=/dev/null
	. /bootkit-witness/witness.sh
	bkw_say initrd
fi
