#!/bin/sh
# shellcheck disable=SC2154 # bk_uuid comes from without_udev.sh
# In the place of mdev: nlplug-findfs calls it for each device, and mounts what has a file system when it has ended. Every
# disk but the stick is read-only by then.
/bin/busybox mdev "$@"
[ "${SUBSYSTEM-}" = block ] && [ "${ACTION-}" != remove ] || exit 0
case $DEVNAME in
loop* | ram* | zram* | dm-* | md* | sr* | fd* | nbd*) exit 0 ;;
esac
PATH=/usr/sbin:/usr/bin:/sbin:/bin:/bootkit/bin
# shellcheck source=/dev/null
. /bootkit/lib.sh
# shellcheck source=/dev/null
. /bootkit/choices
# shellcheck source=/dev/null
. /bootkit/disks.sh
# shellcheck source=/dev/null
. /bootkit/without_udev.sh
bk_read_words
bk_disks_wanted || exit 0
bk_uuid_of "$DEVNAME"
[ "$bk_uuid" = "$BK_STICK_UUID" ] || bk_is_divided "$DEVNAME" || bk_disk_close "$DEVNAME"
exit 0
