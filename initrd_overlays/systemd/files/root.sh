# shellcheck shell=sh
# Run by bootkit-root.service, with the new root complete at /sysroot. The booted system is to see no unit of the initrd's.
PATH=/usr/sbin:/usr/bin:/sbin:/bin:/bootkit/bin
sh /bootkit/main.sh /sysroot /run/bootkit/isodev
rm -f /run/systemd/system/bootkit-iso.service /run/systemd/system/bootkit-root.service
rm -f /run/systemd/system/sysinit.target.wants/bootkit-iso.service /run/systemd/system/initrd.target.wants/bootkit-root.service
