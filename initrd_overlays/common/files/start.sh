# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # variables go from lib.sh to the steps and back
# What is left for the booted system: late.sh, started by the init that the new root will run; a system may bring several.

bk_step_start() {
	mkdir -p "$BK_ROOT/usr/local/bin"
	cat "$BK/bootkit-status" >"$BK_ROOT/usr/local/bin/bootkit-status" && chmod 755 "$BK_ROOT/usr/local/bin/bootkit-status"
	case ,$BK_WORDS, in *,off,*) return 0 ;; esac
	bk_find_init
	bk_log "the system is started by $bk_init"
	case ${bk_init##*/} in
	systemd*)
		# on /run, which needs no write to the system's own files
		mkdir -p /run/systemd/system/basic.target.wants
		cat "$BK/bootkit.service" >/run/systemd/system/bootkit.service
		ln -sf ../bootkit.service /run/systemd/system/basic.target.wants/bootkit.service
		bk_clean_at_the_end
		;;
	busybox) echo "::sysinit:/bin/sh $BK/late.sh" >>"$BK_ROOT/etc/inittab" ;;
	*) bk_start_without_systemd ;;
	esac
}

# What systemd cannot unmount, because the root itself lies on it (kept changes in a file of the stick), is still marked as
# in use when the machine goes off. Its last helpers run when nothing else does: there the kernel's own way out counts.
bk_clean_at_the_end() {
	# an adapter with a way out of its own unmounts everything
	[ ! -e /bootkit/way_out.sh ] || return 0
	for bk_folder in usr/lib/systemd lib/systemd; do
		if [ -x "$BK_ROOT/$bk_folder/systemd-shutdown" ]; then
			mkdir -p "$BK_ROOT/$bk_folder/system-shutdown"
			cat >"$BK_ROOT/$bk_folder/system-shutdown/bootkit" <<-'end'
				#!/bin/sh
				sync
				echo u >/proc/sysrq-trigger
				# which is done beside us
				for second in 1 2 3 4 5 6 7 8 9; do
					sleep 1
					grep -q '^/dev/[^ ]* [^ ]* [^ ]* rw' /proc/mounts || break
				done
			end
			chmod 755 "$BK_ROOT/$bk_folder/system-shutdown/bootkit"
			return 0
		fi
	done
}

bk_start_without_systemd() {
	if [ -d "$BK_ROOT/etc/local.d" ]; then
		printf '#!/bin/sh\nsh /run/bootkit/late.sh\n' >"$BK_ROOT/etc/local.d/bootkit.start"
		chmod 755 "$BK_ROOT/etc/local.d/bootkit.start"
	elif [ -d "$BK_ROOT/etc/runit/core-services" ]; then
		echo "sh $BK/late.sh" >"$BK_ROOT/etc/runit/core-services/99-bootkit.sh"
	elif [ -f "$BK_ROOT/etc/inittab" ]; then
		# behind the entries for sysinit, before those of a runlevel
		echo "bk::bootwait:/bin/sh $BK/late.sh" >>"$BK_ROOT/etc/inittab"
	else
		bk_say failed "nothing in this system can start the rest: no home, no scripts"
	fi
}

# The init of the kernel line, if the new root has it (genkernel's init= is the initrd's own), else /sbin/init; with its
# links followed as the new root will, in bk_init.
bk_find_init() {
	bk_init=/sbin/init
	set -f
	# shellcheck disable=SC2013,SC2046 # words is what a kernel's command line has
	for bk_word in $(cat /proc/cmdline); do
		case $bk_word in
		init=/*)
			bk_link=${bk_word#init=}
			if [ -e "$BK_ROOT$bk_link" ] || [ -L "$BK_ROOT$bk_link" ]; then bk_init=$bk_link; fi
			;;
		esac
	done
	set +f
	for bk_hop in 1 2 3 4; do
		[ -L "$BK_ROOT$bk_init" ] || break
		bk_link=$(readlink "$BK_ROOT$bk_init")
		case $bk_link in
		/*) bk_init=$bk_link ;;
		*) bk_init=${bk_init%/*}/$bk_link ;;
		esac
	done
	# NixOS: a script that ends in the systemd beside it
	if [ -e "$BK_ROOT${bk_init%/*}/systemd" ] || [ -L "$BK_ROOT${bk_init%/*}/systemd" ]; then
		bk_init=${bk_init%/*}/systemd
	fi
}
