"""exFAT of one terabyte, in an image file with holes: what one small file costs, and the menu of many images."""

import os
from pathlib import Path

from images import make_shapes
from measure import BOOTKIT, goal, processor_time, run

from bootkit.model.places import IMAGE_FOLDER
from bootkit.system.sticks import open_stick

IMAGES = 400
SMALL_FILE = 0.1
"""P"""
COLD = 450
"""P"""
FILES = 20


def measure(folder: Path) -> None:
    unit = processor_time()
    image = make_shapes(folder)[0]
    stick = folder / "stick.img"
    run([BOOTKIT, "prepare", stick, "--size", "1T", "--data-fs", "exfat", "--yes"])
    with open_stick(stick, writing=True) as opened:
        opened.volume.write({"/first": b"opens the writer"})
        began = _cpu()
        for number in range(FILES):
            opened.volume.write({f"/small-{number}": b"content"})
        each = (_cpu() - began) / FILES / unit
        for number in range(IMAGES):
            opened.volume.copy_in(image, f"{IMAGE_FOLDER}/image-{number:04}.iso", lambda _done: None)
    cold = run([BOOTKIT, "generate", "--stick", stick]).cpu / unit
    goal("exFAT, 1 TB: one small file", f"{each:.2f} P", f"at most {SMALL_FILE} P", met=each <= SMALL_FILE)
    text = f"exFAT, 1 TB: generate, cold, {IMAGES} images"
    goal(text, f"{cold:.0f} P", f"at most {COLD} P", met=cold <= COLD)


def _cpu() -> float:
    spent = os.times()
    return spent.user + spent.system
