"""The live user: found by name, or by number and home, or made."""

import pytest

from tests.overlay.sandbox import Sandbox

PASSWD = """\
root:x:0:0:root:/root:/bin/sh
daemon:x:1:1::/:/usr/sbin/nologin
builder:x:1002:1002::/home/builder:/bin/sh
live:x:1001:100:Live User,,,:/home/live:/bin/bash
tor:x:1000:1000::/var/lib/tor:/bin/false
pacman:x:998:998::/var/lib/pacman:/bin/sh
nobody:x:65534:65534::/nonexistent:/usr/sbin/nologin
"""
GROUPS = "root:x:0:\nsudo:x:27:\naudio:x:29:\nnotvideo:x:44:\n"
MADE = "echo anna:x:1005:1005::/home/anna:/bin/bash >>/etc/passwd"


@pytest.fixture
def system(sandbox: Sandbox) -> Sandbox:
    sandbox.take("lib.sh", "user.sh")
    sandbox.write("etc/passwd", PASSWD)
    sandbox.write("etc/group", GROUPS)
    sandbox.stand_in("passwd")
    return sandbox


def found(system: Sandbox) -> str:
    """What the steps behind this one are told."""
    path = system.root / "run/bootkit/user"
    return path.read_text() if path.exists() else ""


def test_it_is_the_lowest_ordinary_number_with_a_home_and_a_shell(system: Sandbox) -> None:
    assert system.step("user") == ["ok live (1001), /home/live"]
    assert found(system) == "live 1001 100 /home/live\n"
    assert system.said == []


def test_it_is_the_one_that_was_chosen(system: Sandbox) -> None:
    assert system.step("user", "BK_USER=builder") == ["ok builder (1002), /home/builder"]
    assert found(system) == "builder 1002 1002 /home/builder\n"


def test_one_that_is_not_there_is_made_with_the_rights_that_the_system_has(system: Sandbox) -> None:
    system.stand_in("useradd", MADE)
    assert system.step("user", "BK_USER=anna") == ["ok anna (1005), /home/anna"]
    assert system.said == ["useradd -m -s /bin/bash -G sudo,audio anna", "passwd -d anna"]


def test_a_system_without_such_groups_gets_its_user_all_the_same(system: Sandbox) -> None:
    system.write("etc/group", "root:x:0:\n")
    system.stand_in("useradd", MADE)
    assert system.step("user", "BK_USER=anna") == ["ok anna (1005), /home/anna"]
    assert system.said == ["useradd -m -s /bin/bash anna", "passwd -d anna"]


def test_where_none_can_be_made_the_systems_own_one_remains(system: Sandbox) -> None:
    system.stand_in("useradd", "false")
    assert system.step("user", "BK_USER=anna") == ["failed anna could not be made", "ok live (1001), /home/live"]
    assert system.said == ["useradd -m -s /bin/bash -G sudo,audio anna"]


@pytest.mark.parametrize("line", ["", "+::::::\n", "live:x:one:100::/home/live:/bin/sh\n"])
def test_a_system_without_one_says_so(line: str, system: Sandbox) -> None:
    system.write("etc/passwd", PASSWD.splitlines(keepends=True)[0] + line)
    assert system.step("user") == ["none this system has no live user"]
    assert found(system) == ""


SERVICE = "systemd-coredump:x:999:999::/:/usr/sbin/nologin\n"


@pytest.mark.parametrize(
    ("user", "said"),
    [
        ("ubuntu:x:999:999:Live:/home/ubuntu:/bin/bash\n", "ok ubuntu (999), /home/ubuntu"),
        ("live:x:1000:1000::/home/live:/bin/sh\n", "ok live (1000), /home/live"),
    ],
)
def test_caspers_old_user_has_a_number_of_services(user: str, said: str, system: Sandbox) -> None:
    """Up to 1.478; elsewhere 999 is a service's, which has no home below /home."""
    system.write("etc/passwd", f"root:x:0:0:root:/root:/bin/sh\n{SERVICE}{user}")
    assert system.step("user") == [said]
