# shellcheck shell=sh
# Sourced by init.sh, as process 1: our units, on a /run that systemd finds mounted.
mkdir -p /run
mount -t tmpfs -o mode=0755,size=20%,nosuid,nodev tmpfs /run
mkdir -p /run/systemd/system/sysinit.target.wants /run/systemd/system/initrd.target.wants
for unit in bootkit-iso.service bootkit-root.service; do
	cat "/bootkit/$unit" >"/run/systemd/system/$unit"
done
ln -s ../bootkit-iso.service /run/systemd/system/sysinit.target.wants/bootkit-iso.service
ln -s ../bootkit-root.service /run/systemd/system/initrd.target.wants/bootkit-root.service
