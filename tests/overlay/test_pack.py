import stat
from pathlib import Path

import pytest

from bootkit.errors import BootkitError
from bootkit.overlay.pack import Member, Symlink, pack
from bootkit.system.run import run, which

MEMBERS: dict[str, Member] = {
    "bootkit/patch.sh": b"#!/bin/sh\necho hi\n",
    "bootkit/conf": b"key=value",
    "conf/conf.d/zz-bootkit": b". /bootkit/patch.sh\n",
    "etc/link": Symlink(target="../bootkit/conf"),
    "empty": b"",
    "naïve name": b"12345",
}


def test_record_is_laid_out_as_the_kernel_documents_it() -> None:
    fields = {
        "inode": 1, "mode": 0o100644, "uid": 0, "gid": 0, "links": 1, "mtime": 0, "size": 3, "major": 0, "minor": 0,
        "rmajor": 0, "rminor": 0, "name length with NUL": 5, "checksum": 0,
    }  # fmt: skip
    header = b"070701" + b"".join(b"%08X" % value for value in fields.values())
    assert pack({"a/bc": b"xyz"}).startswith(header + b"a/bc\0" + b"\0" + b"xyz\0")


def test_gnu_cpio_lists_names_modes_and_owners() -> None:
    lines = (
        run(["cpio", "-itv", "--numeric-uid-gid"], stdin=pack(MEMBERS, directories=["bootkit"])).decode().splitlines()
    )
    listed = {" ".join(line.split()[8:]): line.split()[:4] for line in lines}
    assert listed["bootkit"][0] == "drwxr-xr-x"
    assert listed["bootkit/patch.sh"] == ["-rwxr-xr-x", "1", "0", "0"]
    assert listed["bootkit/conf"] == ["-rw-r--r--", "1", "0", "0"]
    assert listed["etc/link -> ../bootkit/conf"][0] == "lrwxrwxrwx"


@pytest.mark.skipif(which("bsdtar") is None, reason="a second reader; needs bsdtar")
def test_libarchive_reads_the_same_names() -> None:
    names = run(["bsdtar", "-tf", "-"], stdin=pack(MEMBERS)).decode().splitlines()
    assert set(names) >= {"bootkit/conf", "empty", "etc/link"}


def test_extracts_to_the_same_contents(tmp_path: Path) -> None:
    run(["cpio", "-idu", "--quiet", "--make-directories"], stdin=pack(MEMBERS), cwd=tmp_path)
    assert (tmp_path / "naïve name").read_bytes() == b"12345"
    assert (tmp_path / "etc/link").read_bytes() == b"key=value"
    assert (tmp_path / "empty").read_bytes() == b""


def test_makes_no_record_for_a_parent_directory() -> None:
    names = run(["cpio", "-it"], stdin=pack(MEMBERS)).decode().splitlines()
    assert not {"bootkit", "conf", "conf/conf.d", "etc"} & set(names)


def test_archives_can_be_joined_because_each_is_a_multiple_of_four() -> None:
    sizes = {len(pack({"x" * length: b"y" * size})) % 4 for length in range(1, 6) for size in range(5)}
    assert sizes == {0}


def test_same_files_give_the_same_bytes_in_any_order() -> None:
    assert pack(MEMBERS) == pack(dict(reversed(MEMBERS.items())))


@pytest.mark.parametrize("name", ["/etc/passwd", "a//b", "../up", "a/./b", "", "nul\0", "x" * 4096, "ä" * 2048])
def test_refuses_a_name_the_kernel_would_not_take(name: str) -> None:
    with pytest.raises(BootkitError, match="not a name"):
        pack({name: b""})


def test_refuses_a_directory_record_in_a_folder_that_may_be_a_link() -> None:
    with pytest.raises(BootkitError, match="without the directory that it lies in"):
        pack({}, directories=["usr/lib"])


def test_executable_is_what_begins_with_an_interpreter() -> None:
    modes = {pack({"f": content})[14:22] for content in (b"#!/bin/sh\n", b"#! x")}
    assert modes == {b"%08X" % (stat.S_IFREG | 0o755)}
