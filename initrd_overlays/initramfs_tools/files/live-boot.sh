# shellcheck shell=sh
# Sourced by /bin/live-boot, behind udev, when our hook has put it into /etc/live/boot. live-boot takes its words from
# LIVE_BOOT_CMDLINE where that is set; with findiso it would look for the file on partitions only.
bootkit_iso=$(sh /bootkit/cure.sh iso /run/live/findiso)
if [ -n "$bootkit_iso" ]; then
	LIVE_BOOT_CMDLINE=
	# shellcheck disable=SC2013 # words is what a kernel's command line has
	for bootkit_word in $(cat /proc/cmdline); do
		case $bootkit_word in
		findiso=* | fromiso=* | live-media=*) ;;
		*) LIVE_BOOT_CMDLINE="$LIVE_BOOT_CMDLINE $bootkit_word" ;;
		esac
	done
	LIVE_BOOT_CMDLINE="$LIVE_BOOT_CMDLINE live-media=$bootkit_iso"
fi
