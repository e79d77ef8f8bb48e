"""The images that the root of a live system is put together from. Pure: it only asks a view.

Sources: casper 1.498, scripts/casper (``setup_unionfs``: the names before the dots of ``layerfs-path`` are the layers below it);
live-boot 20230131, components/9990-overlay.sh (``filesystem.module``, else the order of the names; what comes later is on top).
"""

import glob
import posixpath
from collections.abc import Collection, Mapping

from bootkit.detect import word_value
from bootkit.detect.registry import stack_of
from bootkit.model.boot import Detection
from bootkit.model.initrd import RootFacts
from bootkit.model.iso import IsoView
from bootkit.plan.wanted_files import root_images

_ONLY_LIVE = ("live", "installer")
"""Parts of names of layers that an installed system does without."""

Roots = Mapping[str, RootFacts]
Chain = tuple[str, ...]


def root_layers(view: IsoView, detection: Detection, roots: Roots, versions: Collection[str]) -> Chain:
    """Paths of the images, the lowest layer first; none if there is no root.

    ``versions`` are the kernels of the live system: of several stacks, the one is taken that has the modules for one of them.
    """
    found = root_images(view, detection)
    stack = stack_of(detection.stack)
    if not found or not (stack.layer_word or stack.layer_list):
        return found[:1]
    folder = posixpath.dirname(found[0])
    names = tuple(sorted(view.glob(f"{glob.escape(folder)}/*.squashfs")))
    if stack.layer_list:
        listed = (f"{folder}/{name}" for name in view.text(f"{folder}/{stack.layer_list}").split())
        return tuple(filter(view.is_file, listed)) or names
    named = word_value(detection.entries[0].cmdline, stack.layer_word)
    chains = [_chain(f"{folder}/{named}", names)] if named else [_chain(name, names) for name in names]
    chain = max(chains, key=lambda one: (_has_modules(one, roots, versions), _is_live(one[-1:]), len(one)))
    if len(chain) == 1 and not named:
        return names  # no name tells what belongs below which
    return _without_live(chain, roots, versions)


def _chain(top: str, names: Chain) -> Chain:
    """The layers below ``top``, and that."""
    folder, name = posixpath.split(top.removesuffix(".squashfs"))
    parts = name.split(".")
    below = (f"{folder}/{'.'.join(parts[:count])}.squashfs" for count in range(1, len(parts) + 1))
    return tuple(path for path in below if path in names) or names


def _without_live(chain: Chain, roots: Roots, versions: Collection[str]) -> Chain:
    """Without what only the live system needs, as long as there are modules for its kernel."""
    if len(chain) > 1 and _is_live(chain[-1:]) and _has_modules(chain[:-1], roots, versions):
        return _without_live(chain[:-1], roots, versions)
    return chain


def _is_live(chain: Chain) -> bool:
    return any(path.removesuffix(".squashfs").rpartition(".")[2].startswith(_ONLY_LIVE) for path in chain)


def _has_modules(chain: Chain, roots: Roots, versions: Collection[str]) -> bool:
    return any(version in roots[path].kernels for path in chain if path in roots for version in versions)
