#!/bin/sh
# Process 1 by rdinit=, before mkinitcpio's own /init: our hook becomes the last of all.
# shellcheck disable=SC2016 # /init expands it
echo 'HOOKS="$HOOKS bootkit" LATEHOOKS="$LATEHOOKS bootkit"' >>/config
sh /bootkit/close_disk.sh
exec /init "$@"
