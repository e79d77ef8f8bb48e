#!/bootkit/busybox sh
# Process 1 by rdinit=, before the initrd's own /init. Its programs come last in PATH: the initrd's own know its ways.
/bootkit/busybox mkdir -p /bootkit/bin
/bootkit/busybox --install -s /bootkit/bin
PATH=/usr/sbin:/usr/bin:/sbin:/bin:/bootkit/bin
# shellcheck source=/dev/null
. /bootkit/before_init.sh
exec /init "$@"
