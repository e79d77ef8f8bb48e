# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # variables go from lib.sh to the steps and back
# AppImages of the stick: in the menu of the desktop, and by their names in a terminal.

bk_step_apps() {
	bk_count=0
	for bk_file in "$BK_STICK"/apps/*.[Aa]pp[Ii]mage; do
		[ -f "$bk_file" ] || continue
		bk_app "$bk_file" && bk_count=$((bk_count + 1))
	done
	if [ "$bk_count" = 0 ]; then bk_say none "there are none in /apps"; else bk_say ok "$bk_count in the menu"; fi
}

bk_app() {
	bk_name=${1##*/}
	bk_name=${bk_name%.*}
	# FAT has no such bit, and a stick that cannot be written keeps the one it has
	[ -x "$1" ] || chmod +x "$1" || bk_log "$bk_name cannot be made executable"
	bk_menu=$BK_ROOT/usr/local/share/applications
	mkdir -p "$bk_menu" "$BK_ROOT/usr/local/bin"
	if bk_is_program "$bk_name"; then
		bk_log "$bk_name is a program of this system: the one in /apps is in the menu only"
	else
		ln -sf "/isodevice/apps/${1##*/}" "$BK_ROOT/usr/local/bin/$bk_name"
	fi
	{
		echo '[Desktop Entry]'
		echo 'Type=Application'
		bk_described "$BK_STICK/boot/bootkit/apps/$bk_name.desktop" || echo "Name=${bk_name%-x86_64}"
		# an argument in quotes may hold blanks; a per cent sign has to be doubled, and no file name here has one
		echo "Exec=\"/isodevice/apps/${1##*/}\" %U"
	} >"$bk_menu/bootkit-$bk_name.desktop"
}

# What `bootkit app add` has taken out of the AppImage: all of its own entry but how it is started.
bk_described() {
	[ -r "$1" ] || return 1
	bk_has_name=1
	while IFS= read -r bk_line || [ -n "$bk_line" ]; do
		case $bk_line in
		'[Desktop Entry]' | Type=* | Exec=* | TryExec=* | DBusActivatable=* | Actions=* | '') ;;
		'['*) break ;;
		*)
			case $bk_line in Name=*) bk_has_name=0 ;; esac
			printf '%s\n' "$bk_line"
			;;
		esac
	done <"$1"
	return $bk_has_name
}
