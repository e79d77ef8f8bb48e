#!/bin/sh
# Sourced by /init, which runs the function with the new root complete at /new_root.
run_latehook() {
	sh /bootkit/main.sh /new_root /run/*/img_dev
}
