# shellcheck shell=sh
# Sourced by dracut in hook initqueue/settled, again and again until the root is there. udev names the block device by
# the ISO's label, which is what root=live: waits for; dracut's own iso-scan then finds nothing, and is not needed.
if [ -r /bootkit/iso ] && [ ! -e /run/bootkit-iso ]; then
	# shellcheck source=/dev/null
	. /bootkit/iso
	if [ -b "/dev/disk/by-uuid/$BK_ISO_UUID" ]; then
		BK_WAIT=0 sh /bootkit/cure.sh iso /run/initramfs/isoscan >/run/bootkit-iso
	fi
fi
