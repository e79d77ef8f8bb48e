# shellcheck shell=sh
# hide_in.sh PROGRAM: without_stick.sh in the place of a program that lists disks; once.
bk_path=$(command -v "$1") || exit 0
[ ! -e "/bootkit/$1" ] || exit 0
cp "$bk_path" "/bootkit/$1"
chmod 755 "/bootkit/$1"
rm -f "$bk_path"
printf '#!/bin/sh\nexec sh /bootkit/without_stick.sh /bootkit/%s "$@"\n' "$1" >"$bk_path"
chmod 755 "$bk_path"
