"""The detector that CONTRIBUTING.md shows to newcomers."""

import re
from pathlib import Path

from bootkit.detect import Detection, Detector, NotMine
from bootkit.model.iso import IsoFacts, Node, RecordedIso

MENU = 'menuentry "Ember" {\n linux /ember/vmlinuz ember.root=1 quiet\n initrd /ember/initrd.img\n}\n'
IMAGE = IsoFacts(
    name="ember.iso",
    size=1,
    volume_id="Ember 1.2 amd64",
    dirs={
        "/": (Node(name="ember", size=None), Node(name="boot", size=None)),
        "/ember": (Node(name="vmlinuz", size=1), Node(name="initrd.img", size=1)),
        "/boot": (Node(name="grub", size=None),),
        "/boot/grub": (Node(name="grub.cfg", size=len(MENU)),),
    },
    texts={"/boot/grub/grub.cfg": MENU},
)


def example() -> Detector:
    text = (Path(__file__).parents[2] / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    names: dict[str, object] = {"__name__": "ember"}
    exec(compile(code, "CONTRIBUTING.md", "exec"), names)
    detector = names["DETECTOR"]
    assert isinstance(detector, Detector)
    return detector


def test_the_example_knows_its_image() -> None:
    answer = example().detect(RecordedIso(IMAGE))
    assert isinstance(answer, Detection)
    assert answer.title == "Ember 1.2 (x86_64)"
    assert [entry.cmdline for entry in answer.entries] == [("ember.root=1", "quiet", "ember.iso={iso_path}")]
    assert answer.entries[0].to_ram == ("ember.ram",)


def test_the_example_refuses_other_images() -> None:
    empty = RecordedIso(IsoFacts(name="x.iso", size=1, dirs={"/": ()}))
    assert example().detect(empty) == NotMine(reason="there is no /ember")
