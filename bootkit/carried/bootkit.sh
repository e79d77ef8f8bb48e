#!/bin/sh
# bootkit from the stick that this file lies on: in every system with Python 3.11 or newer nothing has to be installed.
here=$(dirname "$(readlink -f "$0")")
for python in /usr/bin/python3.1[1-9] /usr/local/bin/python3.1[1-9]; do
	[ ! -x "$python" ] || exec "$python" "$here/bootkit.pyz" "$@"
done
# an older one says in a line what is missing
if command -v python3 >/dev/null 2>&1; then exec python3 "$here/bootkit.pyz" "$@"; fi
echo "bootkit needs Python 3.11 or newer, and this system has none: start another one" >&2
exit 5
