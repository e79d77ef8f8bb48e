# shellcheck shell=sh
# Sourced by dracut in hook pre-udev; the scripts themselves see to it that nothing is done twice.
sh /bootkit/close_disk.sh
sh /bootkit/cure.sh drivers
