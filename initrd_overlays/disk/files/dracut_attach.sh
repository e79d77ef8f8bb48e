# shellcheck shell=sh
# Sourced by dracut in hook initqueue/settled, again and again until the root is there: no waiting here.
BK_WAIT=0 sh /bootkit/disk.sh
