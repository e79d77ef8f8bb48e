# shellcheck shell=sh
# Run by bootkit-iso.service. systemd waits for a disk for 90 seconds; a slow stick takes 20.
PATH=/usr/sbin:/usr/bin:/sbin:/bin:/bootkit/bin
# shellcheck source=/dev/null
[ ! -r /bootkit-witness/early.sh ] || . /bootkit-witness/early.sh
sh /bootkit/cure.sh drivers
BK_WAIT=80 sh /bootkit/cure.sh iso /run/bootkit/isodev
