# shellcheck shell=sh
# Sourced by /init, which is process 1. The new root has a /run of its own already: it becomes ours for the time being.
# shellcheck disable=SC2154 # NEW_ROOT is /init's
if mount --move "$NEW_ROOT/run" /run; then
	sh /bootkit/main.sh "$NEW_ROOT" /run/initramfs/iso-dev "$NEW_ROOT/live/iso-dev"
	mount --move /run "$NEW_ROOT/run"
fi
