#!/bin/sh
# Started by the booted system's own service manager.
PRETTY_NAME=
for file in /etc/os-release /usr/lib/os-release; do
	# shellcheck source=/dev/null
	if [ -r "$file" ]; then . "$file" && break; fi
done
echo "<1>bootkit-witness: userspace ${PRETTY_NAME:-unknown}" >/dev/kmsg ||
	echo "bootkit-witness: userspace ${PRETTY_NAME:-unknown}" >/dev/ttyS0
