import posixpath
from collections.abc import Callable

import pytest

from bootkit.model.iso import IsoFacts, IsoView, Node, RecordedIso

VOLUME_ID = "LIVE_MEDIUM"
UUID = "2024-08-27-15-33-07-00"


@pytest.fixture
def image() -> Callable[[dict[str, str]], IsoView]:
    """Makes an image with the given texts in it, volume id ``LIVE_MEDIUM``."""
    return _image


def _image(texts: dict[str, str]) -> IsoView:
    dirs: dict[str, dict[str, Node]] = {"/": {}}
    for path, text in texts.items():
        child = Node(name=posixpath.basename(path), size=len(text))
        while True:
            folder = posixpath.dirname(path)
            folder = "efi:/" if folder == "efi:" else folder
            dirs.setdefault(folder, {}).setdefault(child.name, child)
            if folder in ("/", "efi:/"):
                break
            path, child = folder, Node(name=posixpath.basename(folder), size=None)
    listed = {path: tuple(nodes.values()) for path, nodes in dirs.items()}
    return RecordedIso(IsoFacts(name="x.iso", size=1, volume_id=VOLUME_ID, uuid=UUID, dirs=listed, texts=dict(texts)))
