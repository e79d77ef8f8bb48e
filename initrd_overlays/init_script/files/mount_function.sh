
# shellcheck shell=sh
# Put into /init or what it sources: a function comes before the program of that name.
mount() {
	sh /bootkit/mount.sh "$@"
}
