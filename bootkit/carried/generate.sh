#!/bin/sh
# sudo /isodevice/boot/generate: write the menu of the stick that this file lies on, after images came or went.
boot=$(dirname "$(readlink -f "$0")")
exec /bin/sh "$boot/bootkit/program/bootkit" generate --stick "${boot%/*}" "$@"
