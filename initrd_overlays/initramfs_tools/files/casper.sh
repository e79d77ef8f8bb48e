# shellcheck shell=sh
# Sourced by /init from casper-premount/ORDER, before casper looks for its medium. LIVEMEDIA is what live-media= sets. The
# script that looks for the ISO file on partitions would panic where it finds none, so it has nothing left to do.
bootkit_iso=$(sh /bootkit/cure.sh iso /isodevice)
if [ -n "$bootkit_iso" ]; then
	LIVEMEDIA=$bootkit_iso
	export LIVEMEDIA
	if [ -e /scripts/casper-premount/20iso_scan ]; then
		echo '#!/bin/sh' >/scripts/casper-premount/20iso_scan
	fi
fi
