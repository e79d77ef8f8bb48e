"""The home: found, looked at, mounted in the place of the live user's folder, and given to that user."""

import pytest

from tests.overlay.sandbox import Sandbox

LUKS = b"LUKS\xba\xbe\0\1" + bytes(504)
PLAIN = bytes(4096)
DAMAGED = "failed anna.home is damaged: on your computer, bootkit home check anna"
OPENED = ["losetup -f", "losetup /dev/loop3 /run/bootkit/stick/boot/home/anna.home"]
CHECKED = ["e2fsck -p /dev/loop3"]
MOUNTED = ["mount -t ext4 -o rw,noatime,nosuid,nodev /dev/loop3 /run/bootkit/home"]
BOUND = ["mount -o bind /run/bootkit/home /home/live"]
CLOSED = ["losetup -d /dev/loop3"]
MAPPED = "/dev/mapper/bootkit-home"


@pytest.fixture
def system(sandbox: Sandbox) -> Sandbox:
    """A live user with a folder of the system's, and a stick with one home, in which there is something."""
    sandbox.take("lib.sh", "home.sh")
    sandbox.write("run/bootkit/user", "live 1001 100 /home/live\n")
    sandbox.write("run/bootkit/writable", "")
    sandbox.write("run/bootkit/stick/boot/home/anna.home", PLAIN)
    sandbox.write("run/bootkit/home/.profile", "of the home\n")
    sandbox.write("run/bootkit/home/lost+found/x", "")
    sandbox.write("home/live/.profile", "of the system\n")
    sandbox.write("home/live/Desktop/hint", "of the system\n")
    sandbox.write("owner", "1001 100\n")
    for name in ("chown", "umount", "find", "e2fsck", "mount"):
        sandbox.stand_in(name)
    sandbox.stand_in("losetup", "[ $1 != -f ] || echo /dev/loop3")
    sandbox.stand_in("stat", "case $2 in *g*) cat /owner ;; *) read -r one _ </owner; echo $one ;; esac")
    return sandbox


def done(system: Sandbox) -> list[str]:
    return [line for line in system.said if not line.startswith("stat ")]


def test_a_home_takes_the_place_of_the_live_users_folder(system: Sandbox) -> None:
    assert system.step("home") == ["ok anna.home is /home/live"]
    assert done(system) == [*OPENED, *CHECKED, *MOUNTED, *BOUND, *CLOSED]
    assert not (system.root / "run/bootkit/home/Desktop").exists(), "what lies in it is the user's"
    assert (system.root / "run/bootkit/home/.profile").read_text() == "of the home\n"


def test_a_new_home_begins_with_what_the_system_would_have_given(system: Sandbox) -> None:
    (system.root / "run/bootkit/home/.profile").unlink()
    assert system.step("home") == ["ok anna.home is /home/live"]
    home = system.root / "run/bootkit/home"
    assert (home / ".profile").read_text() == (home / "Desktop/hint").read_text() == "of the system\n"
    assert home.stat().st_mode & 0o777 == 0o700
    assert "chown 1001:100 /run/bootkit/home" in done(system)


@pytest.mark.parametrize(
    ("homes", "choice", "said"),
    [
        ((), "", "none there is none"),
        (("anna", "ben"), "", "none there are 2 homes, and none is chosen"),
        (("anna", "ben"), "eve", "failed there is no eve.home in /boot/home"),
        (("anna",), "none", "off no home is chosen for this image"),
    ],
)
def test_without_a_choice_among_homes_none_is_touched(
    homes: tuple[str, ...], choice: str, said: str, system: Sandbox
) -> None:
    (system.root / "run/bootkit/stick/boot/home/anna.home").unlink()
    for name in homes:
        system.write(f"run/bootkit/stick/boot/home/{name}.home", PLAIN)
    assert system.step("home", f"BK_HOME={choice}") == [said]
    assert done(system) == []


def test_the_chosen_one_of_several_is_taken(system: Sandbox) -> None:
    system.write("run/bootkit/stick/boot/home/ben.home", PLAIN)
    assert system.step("home", "BK_HOME=ben") == ["ok ben.home is /home/live"]
    assert "losetup /dev/loop3 /run/bootkit/stick/boot/home/ben.home" in done(system)


def test_a_system_without_a_live_user_gets_none(system: Sandbox) -> None:
    (system.root / "run/bootkit/user").unlink()
    assert system.step("home") == ["failed this system has no live user whose home it could be"]
    assert done(system) == []


def test_a_stick_that_cannot_be_written_keeps_its_home(system: Sandbox) -> None:
    (system.root / "run/bootkit/writable").unlink()
    said = "failed the stick is read-only: anna.home is left alone, and what live writes is lost"
    assert system.step("home") == [said]
    assert done(system) == []


def test_without_a_loop_device_the_step_fails_and_the_boot_goes_on(system: Sandbox) -> None:
    system.stand_in("losetup", "false")
    assert system.step("home") == ["failed it ended with status 1"]
    assert done(system) == OPENED[:1]


def test_a_home_that_cannot_be_mended_is_not_mounted(system: Sandbox) -> None:
    system.stand_in("e2fsck", "exit 4")
    assert system.step("home") == [DAMAGED]
    assert done(system) == [*OPENED, *CHECKED, *CLOSED]


def test_a_home_that_was_mended_is_mounted(system: Sandbox) -> None:
    system.stand_in("e2fsck", "exit 1")
    assert system.step("home") == ["ok anna.home is /home/live"]


def test_a_home_that_says_it_is_clean_and_is_not_is_checked_whole(system: Sandbox) -> None:
    system.stand_in("mount", "[ -e /checked ] || { : >/checked; false; }")
    assert system.step("home") == ["ok anna.home is /home/live"]
    assert done(system) == [*OPENED, *CHECKED, *MOUNTED, "e2fsck -fp /dev/loop3", *MOUNTED, *BOUND, *CLOSED]


def test_a_home_that_no_check_makes_mountable_is_told(system: Sandbox) -> None:
    system.stand_in("mount", "false")
    assert system.step("home") == [DAMAGED]
    assert done(system) == [*OPENED, *CHECKED, *MOUNTED, "e2fsck -fp /dev/loop3", *MOUNTED, *CLOSED]


@pytest.mark.parametrize("knows_maps", [True, False])
def test_a_home_of_another_system_is_shown_to_its_user_or_changes_hands(knows_maps: bool, system: Sandbox) -> None:
    system.write("owner", "1000 1000\n")
    system.stand_in("mount", f"case $* in *idmap*) ! {str(knows_maps).lower()} || echo 1001 100 >/owner ;; esac")
    assert system.step("home") == ["ok anna.home is /home/live"]
    maps = (
        "u:0:0:1000 u:1000:1001:1 u:1001:1000:1 u:1002:1002:64534 "
        "g:0:0:100 g:100:1000:1 g:1000:100:1 g:101:101:899 g:1001:1001:64535"
    )
    again = f"mount -t ext4 -o rw,noatime,nosuid,nodev,X-mount.idmap={maps} /dev/loop3 /run/bootkit/home"
    hands = [
        "find /run/bootkit/home -xdev -user 1000 -exec chown -h 1001 {} +",
        "find /run/bootkit/home -xdev -group 1000 -exec chgrp -h 100 {} +",
    ]
    given = [] if knows_maps else hands
    expected = [*OPENED, *CHECKED, *MOUNTED, "umount /run/bootkit/home", again, *given, *BOUND, *CLOSED]
    assert done(system) == expected
    told = "its owner 1000 is shown as 1001" if knows_maps else "its owner is changed from 1000:1000 to 1001:100"
    assert told in system.log


def test_where_the_kernel_refuses_maps_it_is_mounted_without(system: Sandbox) -> None:
    system.write("owner", "1000 1000\n")
    system.stand_in("mount", "case $* in *idmap*) false ;; esac")
    assert system.step("home") == ["ok anna.home is /home/live"]
    assert done(system).count(*MOUNTED) == 2
    assert "its owner is changed from 1000:1000 to 1001:100" in system.log


@pytest.fixture
def locked(system: Sandbox) -> Sandbox:
    """The home is encrypted, and three passphrases are typed."""
    system.write("run/bootkit/stick/boot/home/anna.home", LUKS)
    system.write("typed", "")
    system.stand_in("systemd-ask-password", "echo x >>/typed\necho pass$(grep -c x /typed)")
    system.stand_in("cryptsetup", '[ $1 = close ] || [ "$(cat)" = "$(cat /right)" ]')
    return system


@pytest.mark.parametrize("tries", [1, 3])
def test_an_encrypted_home_is_opened_by_its_passphrase(tries: int, locked: Sandbox) -> None:
    locked.write("right", f"pass{tries}")
    assert locked.step("home") == ["ok anna.home is /home/live"]
    said = done(locked)
    assert said[2:4] == [
        "systemd-ask-password --id=bootkit-home --timeout=180 Passphrase of the home anna (1 of 3):",
        "cryptsetup open --type luks --key-file - /dev/loop3 bootkit-home",
    ]
    assert said[2 + 2 * tries :][:2] == [f"e2fsck -p {MAPPED}", MOUNTED[0].replace("/dev/loop3", MAPPED)]
    assert "pass1" not in locked.log


def test_a_wrong_passphrase_leaves_the_home_closed(locked: Sandbox) -> None:
    locked.write("right", "another")
    assert locked.step("home") == ["failed anna.home could not be opened: wrong passphrase"]
    assert len([line for line in done(locked) if line.startswith("cryptsetup open")]) == 3
    assert done(locked)[-1:] == CLOSED
    assert not [line for line in done(locked) if line.startswith("mount")]


def test_nobody_who_answers_is_no_reason_to_wait(locked: Sandbox) -> None:
    locked.stand_in("systemd-ask-password", "exit 1")
    assert locked.step("home") == ["failed anna.home is encrypted, and nobody gave its passphrase"]
    assert done(locked)[-1:] == CLOSED


@pytest.mark.parametrize("program", ["cryptsetup", "systemd-ask-password"])
def test_a_system_that_cannot_open_it_says_what_it_lacks(program: str, locked: Sandbox) -> None:
    locked.forget(program)
    said = f"failed anna.home is encrypted, and this system has no {program} to open it"
    assert locked.step("home") == [said]
    assert done(locked) == [*OPENED, *CLOSED]


def test_a_damaged_one_is_closed_again(locked: Sandbox) -> None:
    locked.write("right", "pass1")
    locked.stand_in("e2fsck", "exit 8")
    assert locked.step("home") == [DAMAGED]
    assert done(locked)[-2:] == ["cryptsetup close bootkit-home", *CLOSED]
