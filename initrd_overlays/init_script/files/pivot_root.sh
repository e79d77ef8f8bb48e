
# shellcheck shell=sh
# The end of /lib/livekitlib: called in the new root, whose overlay is free to be mounted anew only while nobody is in it.
pivot_root() {
	bk_root=$PWD
	cd / && sh /bootkit/hand_over.sh "$bk_root" /memory/data
	unset -f pivot_root
	cd "$bk_root" && pivot_root "$@"
}
