# shellcheck shell=sh
# shellcheck disable=SC2034 # its variables are read by those who source it
# Sourced by main.sh in the initrd and by late.sh in the booted system. Only words that busybox ash of 2012 has.
# The folder below is on /run, which every stack hands over to the booted system.
BK=/run/bootkit
BK_STICK=$BK/stick
bk_log_folder=$BK_STICK/boot/bootkit/log
BK_LOGS_KEPT=20

# bk_log TEXT...: a line in the log, with the seconds since the kernel started.
bk_log() {
	read -r bk_uptime _ </proc/uptime
	echo "[$bk_uptime] $*" >>"$BK/log"
}

# bk_say STATE TEXT...: how the running step went: ok, failed, none (there was nothing to do) or off.
bk_say() {
	bk_state=$1
	shift
	echo "$bk_step $bk_state $*" >>"$BK/status"
	bk_log "$bk_step: $bk_state: $*"
	if [ "$bk_state" = failed ]; then
		echo "<4>bootkit: $bk_step: $*" 2>/dev/null >/dev/kmsg || :
	fi
}

# bk_run STEP: a step in a shell of its own, so that nothing it does can end the boot; its output goes to the log.
bk_run() {
	bk_step=$1
	case ,$BK_WORDS, in
	*,no"$bk_step",*)
		bk_say off "switched off for this boot"
		return 0
		;;
	esac
	# the state that a step has said is read from the file: a shell of its own has variables of its own
	(
		# shellcheck source=/dev/null
		. "$BK_HERE/$bk_step.sh" && "bk_step_$bk_step"
	) >>"$BK/log" 2>&1 </dev/null || bk_say failed "it ended with status $?"
	return 0
}

# What is after bootkit= on the kernel's command line, in BK_WORDS: off, or nohome,noextensions,...
bk_read_words() {
	BK_WORDS=
	set -f
	# shellcheck disable=SC2013,SC2046 # words is what a kernel's command line has
	for bk_word in $(cat /proc/cmdline); do
		case $bk_word in
		bootkit=*) BK_WORDS=$BK_WORDS,${bk_word#bootkit=} ;;
		esac
	done
	set +f
}

# bk_mount_of FOLDER: type and options of what is mounted there, in bk_type and bk_options; false if nothing is.
bk_mount_of() {
	bk_source='' bk_type='' bk_options=''
	while read -r bk_m_source bk_m_folder bk_m_type bk_m_options _; do
		[ "$bk_m_folder" = "$1" ] || continue
		bk_source=$bk_m_source bk_type=$bk_m_type bk_options=$bk_m_options
	done </proc/mounts
	[ -n "$bk_type" ]
}

# bk_release FILE KEY: the value of KEY in an os-release file, in bk_value.
bk_release() {
	bk_value=
	while IFS='=' read -r bk_key bk_rest; do
		[ "$bk_key" != "$2" ] || bk_value=$bk_rest
	done <"$1"
	bk_value=${bk_value#[\"\']}
	bk_value=${bk_value%[\"\']}
}

# bk_is_program NAME: whether typing it starts something else already in the new root: a copied sudo.AppImage must not come
# before sudo. A link that an earlier boot has left is ours.
bk_is_program() {
	for bk_folder in usr/local/sbin usr/local/bin usr/sbin usr/bin usr/games sbin bin; do
		bk_path=$BK_ROOT/$bk_folder/$1
		if [ -L "$bk_path" ]; then
			case $(readlink "$bk_path") in /isodevice/*) continue ;; esac
			return 0
		fi
		[ -e "$bk_path" ] && return 0
	done
	return 1
}

# The log so far, on the stick; the oldest ones go.
bk_keep_log() {
	[ -r "$BK/log-name" ] && [ -d "$bk_log_folder" ] || return 0
	read -r bk_name <"$BK/log-name"
	if ! cat "$BK/log" >"$bk_log_folder/$bk_name"; then
		bk_step=log
		bk_say failed "the log cannot be written to the stick"
		rm -f "$bk_log_folder/$bk_name" "$BK/log-name"
	fi 2>/dev/null
	set -- "$bk_log_folder"/*.log
	while [ $# -gt "$BK_LOGS_KEPT" ]; do
		rm -f "$1"
		shift
	done
}

# bk_limited SECONDS COMMAND...: status 124 or 143 if it took longer. Not every system has timeout.
bk_limited() {
	if command -v timeout >/dev/null 2>&1 && timeout 1 true 2>/dev/null; then
		timeout -k 5 "$@"
		return
	fi
	bk_seconds=$1
	shift
	"$@" &
	bk_child=$!
	(
		sleep "$bk_seconds"
		kill "$bk_child"
		sleep 5
		kill -9 "$bk_child"
	) 2>/dev/null &
	bk_watch=$!
	wait "$bk_child"
	bk_ended=$?
	kill "$bk_watch" 2>/dev/null
	return $bk_ended
}
