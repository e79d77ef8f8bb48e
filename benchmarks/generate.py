"""Writing the menu of a stick with many images: the first time, and when nothing has changed."""

import os
import shutil
from pathlib import Path

from images import make_shapes
from measure import BOOTKIT, Argv, bytes_read, forget, goal, median, run, seconds, table

COUNTS = (1, 50, 200, 1000)
AGAIN_AT = 200
AGAIN_WITHIN = 0.5


def measure(folder: Path) -> None:
    shapes = make_shapes(folder)
    run([BOOTKIT, "generate", "--stick", make_stick(folder / "warm-up", shapes, len(shapes))])
    rows: list[list[str]] = []
    again: dict[int, float] = {}
    read_again: dict[int, int] = {}
    for count in COUNTS:
        stick = make_stick(folder / f"stick-{count}", shapes, count)
        command: Argv = [BOOTKIT, "generate", "--stick", stick]
        for image in shapes:
            forget(image)
        first = run(command).seconds
        again[count] = median(command, runs=5).seconds
        read_again[count] = bytes_read(command, ".iso")
        one_more = after_one_more(stick, shapes[0], command)
        menu = (stick / "boot/grub/grub.cfg").stat().st_size
        rows.append(
            [
                f"{count:,}",
                seconds(first),
                seconds(again[count]),
                f"{read_again[count]:,}",
                seconds(one_more),
                f"{menu:,}",
            ]
        )
        shutil.rmtree(stick)
    table(
        "generate: a stick in a folder, images of four shapes",
        ["images", "first time", "again", "bytes of images read again", "one image more", "bytes of grub.cfg"],
        rows,
    )
    work = f"generate again, {AGAIN_AT} images"
    goal(work, seconds(again[AGAIN_AT]), f"within {AGAIN_WITHIN} s", met=again[AGAIN_AT] <= AGAIN_WITHIN)
    total = sum(read_again.values())
    goal(f"{work}: read of them", f"{total:,} bytes", "nothing", met=total == 0)


def make_stick(stick: Path, shapes: list[Path], count: int) -> Path:
    """A folder that counts as a stick, with ``count`` images that are links to a few."""
    (stick / "boot/bootkit").mkdir(parents=True)
    (stick / "boot/bootkit/stick.toml").write_text("[stick]\n", encoding="utf-8")
    images = stick / "boot/iso"
    images.mkdir()
    for number in range(count):
        shape = shapes[number % len(shapes)]
        os.link(shape, images / f"{shape.stem}-{number:04}.iso")
    return stick


def after_one_more(stick: Path, shape: Path, command: Argv) -> float:
    os.link(shape, stick / "boot/iso/one-more.iso")
    return run(command).seconds
