#!/bin/sh
# Sourced by /init. run_hook comes last of all, when the stack's own hooks have chosen what mounts the medium and from
# where: it puts a block device made of the ISO file in that place. run_latehook has the new root complete at /new_root.
run_hook() {
	sh /bootkit/cure.sh drivers
	# archiso_loop_mount_handler or archiso_mount_handler; forks have their own name for archiso
	bootkit_stack=${mount_handler%_mount_handler}
	bootkit_stack=${bootkit_stack%_loop}
	bootkit_iso=$(sh /bootkit/cure.sh iso "/run/$bootkit_stack/img_dev")
	if [ -n "$bootkit_iso" ]; then
		eval "${bootkit_stack}device=\$bootkit_iso"
		mount_handler=${bootkit_stack}_mount_handler
	fi
}

run_latehook() {
	sh /bootkit/main.sh /new_root /run/*/img_dev
}
