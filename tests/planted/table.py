"""The faults, each a replacement in one file, and the test that has to find it."""

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    what: str
    """In the words of somebody who makes the mistake."""
    file: str
    """From the top of the tree."""
    before: str
    """Stands once in the file."""
    after: str
    test: str
    """As pytest names it, without parameters."""

    def planted_in(self, text: str) -> str:
        """The file's text with the fault.

        Raises:
            LookupError: the text is not as it was when the fault was thought out.
        """
        if (times := text.count(self.before)) != 1:
            raise LookupError(f"{self.file} holds {self.before!r} {times} times: write the fault anew")
        return text.replace(self.before, self.after)


_TRUST = "tests/plan/test_trust.py::"
_WHEREVER = "tests/faults/test_faults.py::test_files_are_all_old_or_all_new_wherever_the_writing_ends"

FAULTS = (
    # what is written to a stick
    Fault(
        what="the records are not on the medium before the sector that tells of them",
        file="bootkit/system/redo.py",
        before="    staged.sync()\n    staged.write_past(sector, _pointer(body, pieces))\n",
        after="    staged.write_past(sector, _pointer(body, pieces))\n",
        test="tests/system/test_redo.py::test_each_stage_is_on_the_medium_before_the_next_one_begins",
    ),
    Fault(
        what="changes are made in place before anything tells of them",
        file="bootkit/system/redo.py",
        before=(
            "    staged.write_past(sector, _pointer(body, pieces))\n    staged.sync()\n    _apply(staged, steps)\n"
        ),
        after="    _apply(staged, steps)\n    staged.write_past(sector, _pointer(body, pieces))\n    staged.sync()\n",
        test=_WHEREVER,
    ),
    Fault(
        what="the sector is cleared before the changes are on the medium",
        file="bootkit/system/redo.py",
        before="            staged.write_past(at, data)\n        staged.sync()\n",
        after="            staged.write_past(at, data)\n",
        test=_WHEREVER,
    ),
    Fault(
        what="sectors with a gap between them are written as one piece",
        file="bootkit/system/redo.py",
        before="if data and change.at != start + len(data):",
        after="if data and change.at < start + len(data):",
        test="tests/system/test_redo.py::test_changes_with_a_gap_between_them_leave_alone_what_lies_there",
    ),
    Fault(
        what="an old change is repeated over what others have written since",
        file="bootkit/system/redo.py",
        before="zlib.crc32(staged.on_medium(at, SECTOR)) in known for at",
        after="bool(known) for at",
        test="tests/system/test_redo.py::test_a_change_no_longer_counts_when_others_have_written_since",
    ),
    Fault(
        what="the end of a page that was changed is read from the medium",
        file="bootkit/system/staged.py",
        before="numbers = range(at // _PAGE, -(-(at + size) // _PAGE))",
        after="numbers = range(at // _PAGE, (at + size) // _PAGE)",
        test="tests/system/test_redo.py::test_what_is_put_is_read_before_it_is_on_the_medium",
    ),
    Fault(
        what="a copy takes the place of its neighbour: clusters are counted from 0",
        file="bootkit/formats/fat.py",
        before="return self.data_offset + (cluster - 2) * self.cluster_size",
        after="return self.data_offset + cluster * self.cluster_size",
        test="tests/system/test_volumes.py::test_gives_back_what_was_written",
    ),
    Fault(
        what="a damaged file system is written to",
        file="bootkit/system/volumes/raw.py",
        before="        if problem:\n",
        after="        if problem and not problem:\n",
        test="tests/system/test_medium.py::test_nothing_is_written_to_what_must_be_checked_first",
    ),
    Fault(
        what="a new file is seen under its name before all of them are complete",
        file="bootkit/system/volumes/folder.py",
        before='self._errors(path), open(_new(folder, _part(name), mode_of(path)), "wb") as writer:',
        after='self._errors(path), open(_new(folder, name, mode_of(path)), "wb") as writer:',
        test="tests/system/test_volumes.py::test_gives_back_what_was_written",
    ),
    Fault(
        what="what was written to a new stick is not read back",
        file="bootkit/system/apply.py",
        before="if (place := target.differs(image, offset, state.moved)) is not None:",
        after="if (place := None) is not None:",
        test="tests/system/test_apply.py::test_a_medium_that_loses_a_byte_is_found_out",
    ),
    Fault(
        what="the children of a program outlive it",
        file="bootkit/system/run.py",
        before="os.killpg(process.pid, signal.SIGKILL)",
        after="os.kill(process.pid, signal.SIGKILL)",
        test="tests/system/test_run.py::test_time_limit_ends_the_program_and_its_children",
    ),
    # what is asked before
    Fault(
        what="a fixed disk counts as a stick",
        file="bootkit/plan/safety.py",
        before='elif not (device.removable or device.bus == "usb"):',
        after='elif not (device.removable or device.bus == "usb" or device.size):',
        test="tests/system/test_devices.py::test_the_disks_of_a_machine_are_judged",
    ),
    Fault(
        what="--allow overrides a reason that nothing may override",
        file="bootkit/plan/safety.py",
        before='yield Refusal(reason=tr("is used as swap"), hint=',
        after='yield Refusal(key="swap", reason=tr("is used as swap"), hint=',
        test="tests/system/test_devices.py::test_the_disks_of_a_machine_are_judged",
    ),
    Fault(
        what="the boot sector is written before the plan is known to hold",
        file="bootkit/plan/prepare.py",
        before="            WriteTable(table=table),\n            *_bios_start(table, has_bios=loaders.has_bios),\n",
        after="            *_bios_start(table, has_bios=loaders.has_bios),\n            WriteTable(table=table),\n",
        test="tests/plan/test_prepare.py::test_all_that_can_fail_without_the_disk_comes_first_and_the_boot_sector_last",
    ),
    # verdicts
    Fault(
        what="every image boots",
        file="bootkit/plan/check.py",
        before="answer=problems[0].answer if problems else Answer.BOOTS,",
        after="answer=Answer.BOOTS,",
        test="tests/plan/test_check.py::test_each_obstacle_is_named_with_its_cure",
    ),
    Fault(
        what="FAT32 holds files of 4 GiB",
        file="bootkit/model/filesystem.py",
        before="    largest_file=(4 << 30) - 1,\n",
        after="    largest_file=4 << 30,\n",
        test="tests/plan/test_check.py::test_fat_ends_at_four_gib",
    ),
    Fault(
        what="an image that was changed on the stick is good",
        file="bootkit/app/verbs/verify.py",
        before="is_kept = item.sha256 == sha256",
        after="is_kept = bool(sha256)",
        test="tests/app/test_verify.py::test_the_same_size_and_time_with_another_content_is_noticed",
    ),
    Fault(
        what="a signature counts for a file that it is not of",
        file="bootkit/plan/trust.py",
        before="[signature for signature in efi.signatures if signature.fits]",
        after="list(efi.signatures)",
        test=f"{_TRUST}test_a_changed_byte_is_seen",
    ),
    Fault(
        what="what is revoked is trusted",
        file="bootkit/plan/trust.py",
        before="return efi.digest in shim.revokes or",
        after="return",
        test=f"{_TRUST}test_what_is_revoked_is_refused_whoever_signed_it",
    ),
    Fault(
        what="a shim that Microsoft has not signed is started",
        file="bootkit/plan/trust.py",
        before="    if not _vouched_by_firmware(efi, machine):",
        after="    if efi is None:",
        test=f"{_TRUST}test_a_shim_of_nobody_is_not_used",
    ),
    # readers
    Fault(
        what="a partition ends a sector too early",
        file="bootkit/formats/partitions.py",
        before="size=(last - first + 1) * sector_size",
        after="size=(last - first) * sector_size",
        test="tests/formats/test_partitions.py::test_a_gpt",
    ),
    Fault(
        what="a file is longer than its chain of clusters",
        file="bootkit/formats/fat.py",
        before="if extents and extents[-1][0] is None:",
        after="if not extents and entry.size:",
        test="tests/formats/test_fat.py::test_a_chain_shorter_than_its_file_is_an_error",
    ),
    Fault(
        what="a cpio member is followed by the next one at once",
        file="bootkit/formats/cpio.py",
        before="padding = -header.size % header.alignment",
        after="padding = 0",
        test="tests/formats/test_initrd.py::test_names_are_those_that_cpio_and_bsdtar_list",
    ),
    # the menu
    Fault(
        what="a quote in a file's name ends the word",
        file="bootkit/render/grub.py",
        before=".replace(\"'\", \"'\\\\''\")",
        after="",
        test="tests/render/test_quoting.py::test_quotes_only_what_grub_would_touch",
    ),
    Fault(
        what="a dollar sign in a word with a slot is a variable",
        file="bootkit/render/grub.py",
        before="""re.sub(r'([\\\\"$])',""",
        after="""re.sub(r'([\\\\"])',""",
        test="tests/render/test_quoting.py::test_fills_slots_by_variables",
    ),
    Fault(
        what="what erases disks starts by a time-out",
        file="grub_templates/functions.cfg.j2",
        before="    set default=0\n    set timeout=-1\n",
        after="",
        test="tests/render/test_menu_in_grub.py::test_what_erases_disks_asks_once_more_and_says_which",
    ),
    # the answers of the detectors
    Fault(
        what="an answer file that erases a disk counts as harmless",
        file="bootkit/detect/answer_files.py",
        before="    if method and agrees:\n",
        after="    if method and not agrees:\n",
        test="tests/detectors/test_destroys.py::test_what_erases_is_told_by_the_words_and_their_file",
    ),
    Fault(
        what="live-boot gets another word for its file",
        file="detectors/live_boot.py",
        before='FIND_ISO = f"findiso={ISO_PATH}"',
        after='FIND_ISO = f"find_iso={ISO_PATH}"',
        test="tests/detectors/test_fixtures.py::test_the_answer_is_the_golden_one",
    ),
    Fault(
        what="casper keeps the word of an earlier loader",
        file="detectors/casper.py",
        before='LOADER_OR_CD_WORDS = (ISO_SCAN, "findiso", "cdrom-detect/*")',
        after='LOADER_OR_CD_WORDS = ("cdrom-detect/*",)',
        test="tests/detectors/test_fixtures.py::test_the_answer_is_the_golden_one",
    ),
    # in the initrd
    Fault(
        what="a disk is not set read-only",
        file="initrd_overlays/own_disks/files/disks.sh",
        before='blockdev --setro "/dev/$1" 2>/dev/null && echo',
        after="echo",
        test="tests/overlay/test_disks.py::test_a_disk_is_read_only_until_the_root_is_complete",
    ),
    Fault(
        what="a disk is not given back",
        file="initrd_overlays/own_disks/files/disks.sh",
        before='blockdev --setrw "/dev/$bk_name" ||',
        after="true ||",
        test="tests/overlay/test_disks.py::test_a_disk_is_read_only_until_the_root_is_complete",
    ),
    Fault(
        what="the stick is closed with the other disks",
        file="initrd_overlays/own_disks/files/disks.sh",
        before='\techo "ENV{ID_FS_UUID}==\\"$BK_STICK_UUID\\", GOTO=\\"bootkit_end\\""\n',
        after="",
        test="tests/overlay/test_disks.py::test_udev_closes_and_hides_every_file_system_but_the_sticks",
    ),
    Fault(
        what="a disk is mounted as it is until the stick has shown up",
        file="initrd_overlays/init_script/files/mount.sh",
        before="\t?*) return 1 ;; # the stick may take seconds to show up\n",
        after="",
        test="tests/overlay/test_disks.py::test_a_disk_is_told_from_a_stick_that_is_yet_to_show_up",
    ),
    Fault(
        what="Alpine's search comes before its disks are closed",
        file="initrd_overlays/alpine/files/mdev.sh",
        before='|| bk_disk_close "$DEVNAME"\n',
        after='|| { sleep 1 && bk_disk_close "$DEVNAME"; } &\n',
        test="tests/overlay/test_disks.py::test_the_disks_are_closed_before_nlplug_findfs_mounts_them",
    ),
    Fault(
        what="a disk on which the stack found the same file is taken for the stick",
        file="initrd_overlays/common/files/stick.sh",
        before='if bk_is_stick "$bk_source"; then',
        after="if true; then",
        test="tests/overlay/test_other_disks_unwritten.py::test_a_disk_on_which_the_stack_found_the_same_file_stays_as_it_is",
    ),
    Fault(
        what="the other partitions of the stick are shown to whoever formats disks",
        file="initrd_overlays/common/files/held.sh",
        before='ENV{UDISKS_IGNORE}=\\"1\\""',
        after='ENV{UDISKS_IGNORE}=\\"0\\""',
        test="tests/overlay/test_stick_is_no_target.py::test_the_whole_disk_is_a_systems_own_and_all_but_our_partition_is_hidden",
    ),
    Fault(
        what="a guarded stick is made read-only although a home is open on it",
        file="initrd_overlays/common/files/guard.sh",
        before='! mount -o remount,ro "$BK_STICK"; then',
        after="false; then",
        test="tests/overlay/test_stick_is_no_target.py::test_what_the_user_keeps_on_the_stick_comes_before_its_guard",
    ),
    Fault(
        what="debian-installer is not shown a disk whose name begins with the stick's",
        file="initrd_overlays/debian_installer/files/without_stick.sh",
        before='"/dev/$bk_part"[0-9]*)',
        after='"/dev/$bk_part"*)',
        test="tests/overlay/test_stick_is_no_target.py::test_debian_installer_does_not_list_the_stick_and_cannot_write_to_it",
    ),
    Fault(
        what="debian-installer can write to the stick that it does not see",
        file="initrd_overlays/debian_installer/files/without_stick.sh",
        before='blockdev --setro "/dev/$bk_disk" ||',
        after="true ||",
        test="tests/overlay/test_stick_is_no_target.py::test_debian_installer_does_not_list_the_stick_and_cannot_write_to_it",
    ),
    Fault(
        what="a word is not quoted",
        file="initrd_overlays/common/files/home.sh",
        before='mount -o bind "$BK/home" "$bk_home" &&',
        after='mount -o bind "$BK/home" $bk_home &&',
        test="tests/overlay/test_scripts.py::test_each_script_passes_shellcheck",
    ),
    Fault(
        what="programs of a home run with the rights of their owner",
        file="initrd_overlays/common/files/home.sh",
        before="rw,noatime,nosuid,nodev${1:-}",
        after="rw,noatime${1:-}",
        test="tests/overlay/test_home.py::test_a_home_takes_the_place_of_the_live_users_folder",
    ),
    Fault(
        what="a home whose check failed is mounted",
        file="initrd_overlays/common/files/home.sh",
        before="[ $? -lt 4 ]",
        after="[ $? -lt 9 ]",
        test="tests/overlay/test_home.py::test_a_home_that_cannot_be_mended_is_not_mounted",
    ),
    Fault(
        what="a piece of the ISO file is mapped at the wrong offset",
        file="initrd_overlays/cure/files/cure.sh",
        before="linear $bk_device $((${bk_piece%+*} / 512))",
        after="linear $bk_device $((${bk_piece%+*} / 4096))",
        test="tests/overlay/test_cure.py::test_the_pieces_of_a_file_are_put_together_in_sectors",
    ),
)
