"""Tables come from sfdisk and xorriso, and are compared with what sfdisk says of them."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from bootkit.errors import FormatError
from bootkit.formats.partitions import read_partitions
from bootkit.model.places import TYPE_ESP

Run = Callable[..., str]

GPT = (
    "label: gpt\nlabel-id: 6A7B8C9D-0000-4000-8000-000000000001\n"
    'size=1MiB,type=U,name="ESP"\nsize=2MiB,type=L,name="Daten, größer",attrs="LegacyBIOSBootable"\n'
)


def disk(path: Path, size: int) -> Path:
    with path.open("wb") as fh:
        fh.truncate(size)
    return path


def compared(run: Run, image: Path, *, sector_size: int = 512) -> None:
    told = json.loads(
        run("sfdisk", "--json", *(("--sector-size", str(sector_size)) if sector_size != 512 else ()), image)
    )
    rows = told["partitiontable"]["partitions"]
    with image.open("rb") as fh:
        table = read_partitions(fh)
    assert table.sector_size == 512
    assert table.scheme == {"dos": "mbr", "gpt": "gpt"}[told["partitiontable"]["label"]]
    assert [(row.start, row.size) for row in table.partitions] == [
        (row["start"] * 512, row["size"] * 512) for row in rows
    ]
    assert [row.type for row in table.partitions] == [row["type"].zfill(2) for row in rows]
    assert [row.name for row in table.partitions] == [row.get("name", "") for row in rows]
    assert [row.is_active for row in table.partitions] == ["bootable" in row or "attrs" in row for row in rows]
    if table.scheme == "gpt":
        assert [row.guid.upper() for row in table.partitions] == [row["uuid"] for row in rows]
        assert table.disk_guid.upper() == told["partitiontable"]["id"]


def test_an_mbr_with_logical_partitions(run: Run, tmp_path: Path) -> None:
    image = disk(tmp_path / "x.img", 32 << 20)
    script = "label: dos\nlabel-id: 0xcafe1234\n2048,4096,ef,*\n,16384,5\n,1024,83\n,,c\n,1024,7\n,2048,83\n,1024,b\n"
    run("sfdisk", image, stdin=script)
    compared(run, image)
    with image.open("rb") as fh:
        table = read_partitions(fh)
    assert [row.number for row in table.partitions] == [1, 2, 3, 4, 5, 6, 7]
    assert table.partitions[4].guid == "cafe1234-05"


def test_a_gpt(run: Run, tmp_path: Path) -> None:
    image = disk(tmp_path / "x.img", 32 << 20)
    run("sfdisk", image, stdin=GPT)
    compared(run, image)
    with image.open("rb") as fh:
        table = read_partitions(fh)
    assert [row.is_esp for row in table.partitions] == [True, False]
    assert [row.type for row in table.mbr] == ["ee"]
    assert table.warnings == ()


def test_a_gpt_in_sectors_of_four_kib(run: Run, tmp_path: Path) -> None:
    image = disk(tmp_path / "x.img", 32 << 20)
    run("fdisk", "-b", "4096", image, stdin="g\nn\n1\n\n+4M\nn\n2\n\n\nw\n")
    told = run("fdisk", "-b", "4096", "-l", "-o", "Start,Sectors,UUID", image)
    with image.open("rb") as fh:
        table = read_partitions(fh)
    assert table.sector_size == 4096
    assert len(table.partitions) == 2
    for row in table.partitions:
        assert [str(row.start // 4096), str(row.size // 4096), row.guid.upper()] in [
            line.split() for line in told.splitlines()
        ]


def test_the_backup_of_a_gpt_counts_when_the_primary_is_gone(run: Run, tmp_path: Path) -> None:
    image = disk(tmp_path / "x.img", 32 << 20)
    run("sfdisk", image, stdin=GPT)
    with image.open("r+b") as fh:
        whole = read_partitions(fh)
        fh.seek(512)
        fh.write(bytes(92))
        fh.flush()
        table = read_partitions(fh)
    assert table.partitions == whole.partitions
    assert table.warnings == ("the primary GPT cannot be used: there is no GPT header (at byte 512)",)


def test_a_wrong_checksum_is_a_warning(run: Run, tmp_path: Path) -> None:
    image = disk(tmp_path / "x.img", 32 << 20)
    run("sfdisk", image, stdin=GPT)
    with image.open("r+b") as fh:
        fh.seek(1024 + 56)
        fh.write("e".encode("utf-16-le"))
        fh.flush()
        table = read_partitions(fh)
    assert table.partitions[0].name == "eSP"
    assert table.warnings == ("the checksum of the GPT's rows is wrong",)


def test_a_chain_of_logical_partitions_that_bites_its_tail_ends(run: Run, tmp_path: Path) -> None:
    image = disk(tmp_path / "x.img", 32 << 20)
    run("sfdisk", image, stdin="label: dos\n2048,32768,5\n,1024,83\n,1024,83\n")
    with image.open("r+b") as fh:
        rows = read_partitions(fh).partitions
        second = rows[2].start // 512 - 2048
        fh.seek(second * 512 + 446 + 16 + 4)
        fh.write(b"\x05\0\0\0" + bytes(4) + (1024).to_bytes(4, "little"))
        fh.flush()
        assert len(read_partitions(fh).partitions) == 3


def test_a_hybrid_image_has_an_esp_and_an_mbr_row(run: Run, tmp_path: Path) -> None:
    image, tree = tmp_path / "x.iso", tmp_path / "tree"
    (tree / "boot").mkdir(parents=True)
    run("mkfs.fat", "-C", tmp_path / "efi.img", "1440")
    isolinux = Path("/usr/lib/ISOLINUX")
    (tree / "isolinux.bin").write_bytes((isolinux / "isolinux.bin").read_bytes())
    run(
        "xorriso", "-as", "mkisofs", "-R", "-isohybrid-mbr", isolinux / "isohdpfx.bin",
        "-b", "isolinux.bin", "-c", "boot.cat", "-no-emul-boot", "-boot-load-size", "4", "-boot-info-table",
        "-append_partition", "2", "0xef", tmp_path / "efi.img", "-appended_part_as_gpt",
        "-o", image, tree,
    )  # fmt: skip
    with image.open("rb") as fh:
        table = read_partitions(fh)
        esp = next(row for row in table.partitions if row.type == TYPE_ESP)
        assert esp.size == 1440 << 10
        fh.seek(esp.start)
        assert fh.read(1440 << 10) == (tmp_path / "efi.img").read_bytes()


def test_a_boot_sector_of_a_file_system_is_no_table(run: Run, tmp_path: Path) -> None:
    image = tmp_path / "x.img"
    run("mkfs.fat", "-C", image, "1440")
    with image.open("rb") as fh:
        assert read_partitions(fh).scheme == ""


def test_less_than_a_sector_is_an_error() -> None:
    with pytest.raises(FormatError):
        read_partitions(io.BytesIO(bytes(100)))
