# shellcheck shell=sh
# Sourced by init.sh, as process 1: the rest runs beside /init, in a mount namespace of its own, because /init would stumble
# over a /proc or /dev that is mounted already. A loop device keeps its file when the namespace ends.
mkdir -p /dev
# the shell gives it to a command beside it, and ends without
[ -c /dev/null ] || mknod /dev/null c 1 3
unshare -m sh /bootkit/beside_init.sh &
