# shellcheck shell=sh
# Sourced by dracut in hook pre-udev.
sh /bootkit/close_disk.sh
