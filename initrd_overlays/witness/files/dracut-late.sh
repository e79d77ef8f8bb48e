# shellcheck shell=sh
# Sourced by dracut in hook pre-pivot, and by main.sh, with the new root complete at $NEWROOT.
# shellcheck source=/dev/null
. /bootkit-witness/witness.sh
bkw_late "${NEWROOT:-/sysroot}"
