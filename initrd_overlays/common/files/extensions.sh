# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # variables go from lib.sh to the steps and back
# Extensions: each a squashfs laid under the system's root before its own init starts, so that the kernel modules,
# firmware, units and files of /etc in it count.
#
# Where the root is an overlay, they become lower layers of it; where it is not (device mapper), and for an extension with
# a real /lib where the system has a link, each folder gets an overlay of its own. A lower layer with a real /lib would
# hide the link, and with it every program.

bk_step_extensions() {
	bk_count=0 bk_layers='' bk_apart='' bk_names=''
	mkdir -p "$BK/extensions"
	bk_machine=$(uname -m)
	for bk_file in "$BK_STICK/boot/extensions/$bk_machine"/*.raw \
		"$BK_STICK/boot/extensions/$bk_machine"/*.ExtensionImage \
		"$BK_STICK/boot/customize/$bk_machine"/*ExtensionImage; do
		[ ! -f "$bk_file" ] || bk_open "$bk_file"
	done
	if [ -z "$bk_layers$bk_apart" ]; then
		[ "$bk_count" != 0 ] || bk_say none "there are none for $bk_machine"
		return 0
	fi
	if [ -n "$bk_layers" ] && ! bk_below_root "$bk_layers"; then
		bk_apart=$bk_layers${bk_apart:+ $bk_apart}
	fi
	if [ -n "$bk_apart" ] && ! bk_below_folders "$bk_apart"; then
		bk_say failed "some could not be laid under the system: see the log"
	fi
	bk_know_modules "$bk_layers $bk_apart"
	bk_say ok "$bk_names"
}

# Mount one and decide how it is taken; the last one is the uppermost.
bk_open() {
	bk_name=${1##*/}
	bk_count=$((bk_count + 1))
	case /${BK_EXTENSIONS_OFF:-}/ in
	*/"$bk_name"/*)
		bk_say off "$bk_name: switched off"
		return 0
		;;
	esac
	bk_dir=$BK/extensions/$bk_count
	mkdir -p "$bk_dir"
	if ! bk_mount_image "$1" "$bk_dir"; then
		bk_say failed "$bk_name: it is damaged, or no squashfs"
		return 0
	fi
	if ! bk_fits "$bk_dir"; then
		bk_say failed "$bk_name: $bk_why"
		umount "$bk_dir"
		return 0
	fi
	bk_names="$bk_names${bk_names:+, }$bk_name"
	if bk_hides_links "$bk_dir"; then
		bk_apart="$bk_dir${bk_apart:+ $bk_apart}"
	else
		bk_layers="$bk_dir${bk_layers:+ $bk_layers}"
	fi
}

# the loop device by hand: not every mount knows -o loop
bk_mount_image() {
	bk_loop=$(losetup -f) && losetup -r "$bk_loop" "$1" || return 1
	for bk_fs in squashfs erofs; do
		if mount -t "$bk_fs" -o ro "$bk_loop" "$2"; then
			# from now on it goes with the last who uses it
			losetup -d "$bk_loop"
			return 0
		fi
	done
	losetup -d "$bk_loop"
	return 1
}

# Whether an extension is for this system, by the rules of systemd-sysext; one that does not say is for every system.
bk_fits() {
	for bk_own in "$1"/usr/lib/extension-release.d/extension-release.*; do
		[ -f "$bk_own" ] || continue
		bk_system=$BK_ROOT/usr/lib/os-release
		[ -f "$bk_system" ] || bk_system=$BK_ROOT/etc/os-release
		bk_same ID && bk_same_level && bk_same_machine
		return
	done
	return 0
}

bk_same() {
	bk_release "$bk_own" "$1"
	bk_wanted=$bk_value
	case $bk_wanted in '' | _any) return 0 ;; esac
	bk_release "$bk_system" "$1"
	bk_why="it is for $1=$bk_wanted, and this is $1=${bk_value:-(not told)}"
	[ "$bk_wanted" = "$bk_value" ]
}

bk_same_level() {
	bk_release "$bk_own" ID
	[ "$bk_value" != _any ] || return 0
	bk_release "$bk_own" SYSEXT_LEVEL
	bk_level=$bk_value
	bk_release "$bk_system" SYSEXT_LEVEL
	if [ -n "$bk_level" ] && [ -n "$bk_value" ]; then bk_same SYSEXT_LEVEL; else bk_same VERSION_ID; fi
}

bk_same_machine() {
	bk_release "$bk_own" ARCHITECTURE
	bk_why="it is for $bk_value, and this is $bk_machine"
	case $bk_value,$bk_machine in
	,* | _any,* | x86-64,x86_64 | x86,i?86 | arm64,aarch64 | "$bk_machine,$bk_machine") return 0 ;;
	esac
	return 1
}

bk_hides_links() {
	for bk_link in bin sbin lib lib32 lib64 libx32 usr/sbin; do
		if [ -d "$1/$bk_link" ] && ! [ -L "$1/$bk_link" ] && [ -L "$BK_ROOT/$bk_link" ]; then return 0; fi
	done
	return 1
}

# The root's overlay once more, with the layers before its lower ones; tried first where nobody gets hurt.
bk_below_root() {
	bk_mount_of "$BK_ROOT" || return 1
	case $bk_type,$bk_options in
	*\\*) return 1 ;;
	overlay,*lowerdir=*) ;;
	*) return 1 ;;
	esac
	bk_paths=
	for bk_path in $1; do bk_paths="$bk_paths${bk_paths:+:}$bk_path"; done
	bk_lower=${bk_options#*lowerdir=}
	bk_lower=${bk_lower%%,*}
	bk_layers_are_there "$bk_lower" || return 1
	mkdir -p "$BK/trial"
	mount -t overlay -o "ro,lowerdir=$bk_paths:$bk_lower" overlay "$BK/trial" || return 1
	umount "$BK/trial"
	bk_new=${bk_options%%lowerdir=*}lowerdir=$bk_paths:${bk_options#*lowerdir=}
	cat /proc/mounts >"$BK/mounts"
	bk_put_aside || { bk_put_back; return 1; }
	if ! umount "$BK_ROOT"; then
		bk_put_back
		return 1
	fi
	mount -t overlay -o "$bk_new" "$bk_source" "$BK_ROOT" || {
		mount -t overlay -o "$bk_options" "$bk_source" "$BK_ROOT"
		bk_put_back
		return 1
	}
	bk_put_back
}

# Whether lower layers are still found by the paths in LOWERDIR: casper moves one away, and an empty folder stays.
bk_layers_are_there() {
	bk_rest=$1:
	while [ -n "$bk_rest" ]; do
		set -- "${bk_rest%%:*}"/*
		[ -e "$1" ] || return 1
		bk_rest=${bk_rest#*:}
	done
}

# What is mounted below the root steps aside while the root is mounted anew.
bk_put_aside() {
	bk_aside=
	bk_number=0
	while read -r _ bk_dir _; do
		case $bk_dir in
		*\\*) continue ;;
		"$BK_ROOT"/*) ;;
		*) continue ;;
		esac
		bk_number=$((bk_number + 1))
		mkdir -p "$BK/aside/$bk_number"
		# what was below another one has gone with it
		if ! bk_mount_of "$bk_dir"; then continue; fi
		mount -o move "$bk_dir" "$BK/aside/$bk_number" || return 1
		bk_aside="$bk_aside $bk_number:$bk_dir"
	done <"$BK/mounts"
}

bk_put_back() {
	for bk_pair in $bk_aside; do
		mount -o move "$BK/aside/${bk_pair%%:*}" "${bk_pair#*:}"
	done
}

# For each folder at the top of the extensions and in their /usr, an overlay over the system's own, through its links. Side by
# side, never one below the other: the kernel stacks two overlays at most, and the root may be one.
bk_below_folders() {
	bk_result=0 bk_pairs='' bk_done=''
	for bk_path in $1; do
		for bk_folder in "$bk_path"/* "$bk_path"/usr/*; do
			if [ -L "$bk_folder" ] || ! [ -d "$bk_folder" ]; then continue; fi
			case $bk_folder in "$bk_path/usr" | *[:,\\\ ]*) continue ;; esac
			bk_follow "${bk_folder#"$bk_path"}"
			bk_pairs="$bk_pairs $bk_followed:$bk_folder"
		done
	done
	for bk_pair in $bk_pairs; do
		bk_target=${bk_pair%%:*}
		case " $bk_done " in *" $bk_target "*) continue ;; esac
		bk_done="$bk_done $bk_target"
		bk_over_folder "$bk_target" || bk_result=1
	done
	return $bk_result
}

# bk_follow FOLDER: where a folder of the new root really is, in bk_followed: /lib is /usr/lib.
bk_follow() {
	bk_followed=$1
	for bk_turn in 1 2 3; do
		[ -L "$BK_ROOT$bk_followed" ] || return 0
		bk_link=$(readlink "$BK_ROOT$bk_followed")
		case $bk_link in
		/*) bk_followed=$bk_link ;;
		*) bk_followed=${bk_followed%/*}/$bk_link ;;
		esac
	done
}

bk_over_folder() {
	bk_paths=
	for bk_pair in $bk_pairs; do
		[ "${bk_pair%%:*}" != "$1" ] || bk_paths="$bk_paths${bk_paths:+:}${bk_pair#*:}"
	done
	bk_upper=$BK/upper$1 bk_work=$BK/work$1
	if [ -n "${BK_KEPT-}" ]; then
		# an installed system is the upper layer itself: what is written to it is kept
		bk_upper=$BK_ROOT$1 bk_work=$BK_ROOT/.bootkit$1
	else
		bk_paths=$bk_paths:$BK_ROOT$1
	fi
	mkdir -p "$BK_ROOT$1" "$bk_upper" "$bk_work"
	mount -t overlay -o "lowerdir=$bk_paths,upperdir=$bk_upper,workdir=$bk_work" overlay "$BK_ROOT$1"
}

# modprobe and udev find a module by the lists that depmod makes: by the system's own, else by the initrd's, because not
# every initrd has chroot and not every system depmod.
bk_know_modules() {
	bk_kernel=$(uname -r) bk_new_modules=
	for bk_path in $1; do
		for bk_folder in "$bk_path"/usr/lib/modules/* "$bk_path"/lib/modules/*; do
			[ -d "$bk_folder" ] || continue
			case ${bk_folder##*/} in
			"$bk_kernel") bk_new_modules=yes ;;
			*) bk_log "there are modules for Linux ${bk_folder##*/}, and this is $bk_kernel" ;;
			esac
		done
	done
	[ -n "$bk_new_modules" ] || return 0
	chroot "$BK_ROOT" /sbin/depmod -a "$bk_kernel" || depmod -b "$BK_ROOT" -a "$bk_kernel" ||
		bk_say failed "the kernel modules cannot be found by name: there is no depmod that works"
}
