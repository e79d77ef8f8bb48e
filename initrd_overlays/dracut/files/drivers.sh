# shellcheck shell=sh
# Sourced by dracut in hook pre-udev; the script itself sees to it that nothing is inserted twice.
sh /bootkit/cure.sh drivers
