# shellcheck shell=sh
# Run beside /init, which loads the drivers of the disks meanwhile.
mkdir -p /proc /sys /dev
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
exec </dev/null >/dev/null 2>&1
# shellcheck source=/dev/null
[ ! -r /bootkit-witness/early.sh ] || . /bootkit-witness/early.sh
sh /bootkit/cure.sh drivers
# Alpine searches until the kernel has announced nothing for some seconds, and a stick may take longer to show up.
while sleep 2; do echo change; done >/sys/class/mem/null/uevent &
bk_announcing=$!
sh /bootkit/cure.sh iso /bootkit/isodev
kill "$bk_announcing"
# shellcheck source=/dev/null
[ ! -r /bootkit/after_search.sh ] || . /bootkit/after_search.sh
