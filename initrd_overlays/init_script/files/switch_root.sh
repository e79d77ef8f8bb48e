# shellcheck shell=sh
# switch_root.sh COMMAND [-c CONSOLE] NEWROOT INIT...: in the place of COMMAND, as process 1.
case $2 in
-c) bk_root=$4 ;;
*) bk_root=$2 ;;
esac
sh /bootkit/hand_over.sh "$bk_root" /mnt/super_* /mnt/super /mnt/iso
exec "$@"
