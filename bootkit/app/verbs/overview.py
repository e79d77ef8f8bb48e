"""The state of a stick as one value, for a front end that shows all of it at once."""

from collections.abc import Callable, Mapping
from dataclasses import field

from bootkit.app.menu.freshness import is_up_to_date
from bootkit.app.stick.extensions import find_extensions
from bootkit.app.stick.homes import home_names, home_that_counts, homes_note
from bootkit.app.stick.state import list_stick, read_state
from bootkit.app.verbs.check import predicted
from bootkit.model.catalog import ImageItem
from bootkit.model.check import Prediction
from bootkit.model.options import Choices, Kind, OptionSpec
from bootkit.model.places import CUSTOMIZE_FOLDER, EXTENSION_FOLDER, GENERATED
from bootkit.model.variants import Variants
from bootkit.overlay.manifest import lays_over
from bootkit.system.sticks import Stick
from bootkit.system.volume import Volume
from bootkit.units import format_count
from bootkit.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    where: str
    filesystem: str
    uuid: str
    free: int
    items: tuple[ImageItem, ...]
    changed: frozenset[str]
    """Paths of the images that came or changed after the last ``generate``."""
    up_to_date: bool
    """Whether the menu is what ``generate`` would write."""
    choices: Choices
    is_new: bool = False
    """Whether no image has come and no menu was written since ``prepare``: then there is nothing to bring up to date."""
    mistake: str = ""
    """What is wrong with stick.toml, with the way out; then ``choices`` are the defaults."""
    extensions: tuple[str, ...] = ()
    """Of any machine: their paths below the folder of extensions, ``x86_64/tools.raw``."""
    homes: tuple[str, ...] = ()
    """Names, without the suffix."""
    scripts: tuple[str, ...] = ()
    """Names of the scripts that run in the live systems."""
    variants: Variants = field(default_factory=Variants)
    """What lies beside the images: changes that are kept, answers for installers."""
    predictions: Mapping[str, Prediction] = field(default_factory=dict[str, Prediction])
    """What is known beforehand of each image, by its path."""

    def title(self, item: ImageItem) -> str:
        """What the menu calls an image; the name of its file if nobody knows it."""
        return self.choices.text("alias", image=item.path) or (item.title if item.detection else item.name)

    @property
    def homes_note(self) -> str:
        """A sentence where live systems start without a home that might be expected; else empty."""
        return homes_note(self.homes, self.choices)

    def is_hidden(self, item: ImageItem) -> bool:
        return bool(self.choices.number("hidden", image=item.path))


def read_overview(stick: Stick, *, told: Callable[[str], None] = lambda _: None) -> Overview:
    """What is on a stick; ``told`` is called with the path of each image before it is read for the first time."""
    volume = stick.volume
    listing = list_stick(volume)
    state = read_state(volume, listing=listing, tell_mistake=True, told=told)
    return Overview(
        where=volume.where,
        filesystem=volume.filesystem,
        uuid=volume.uuid,
        free=volume.free(),
        items=state.offered,
        changed=state.catalog.looked_at,
        up_to_date=is_up_to_date(volume, listing),
        choices=state.choices,
        is_new=not listing.images and volume.stat(GENERATED) is None,
        mistake=state.mistake,
        extensions=tuple(
            item.path.removeprefix(f"{EXTENSION_FOLDER}/")
            for item in find_extensions(volume)
            if item.path.startswith(EXTENSION_FOLDER)
        ),
        homes=home_names(volume),
        scripts=_scripts(volume),
        variants=state.variants,
        predictions={prediction.path: prediction for prediction in predicted(stick, state.catalog).predictions},
    )


def brought(overview: Overview, item: ImageItem) -> tuple[str, ...]:
    """What a system gets of the user's own things, a word or two each: ``home anna``, ``2 ext``, ``changes``, ``1 seed``."""
    if item.problem or item.detection is None:
        return ()
    seeds = sum(seed.image == item.name for seed in overview.variants.seeds)
    laid_over = _laid_over(overview, item, item.detection.stack) if lays_over(item.detection.stack) else ()
    return tuple(
        filter(
            None,
            (
                *laid_over,
                "changes" if item.detection.keeps_changes else "",
                format_count(seeds, "seed") if seeds else "",
            ),
        )
    )


def _laid_over(overview: Overview, item: ImageItem, stack: str) -> tuple[str, ...]:
    home = home_that_counts(overview.homes, overview.choices.text("home", stack=stack, image=item.path))
    off = overview.choices.words("extensions_off", stack=stack, image=item.path)
    on = [path for path in overview.extensions if path.rpartition("/")[2] not in off]
    runs = bool(overview.choices.number("customize", stack=stack, image=item.path))
    return (
        f"home {home}" if home else "",
        f"{len(on)} ext" if on else "",
        format_count(len(overview.scripts), "script") if overview.scripts and runs else "",
    )


def known_values(spec: OptionSpec, overview: Overview, item: ImageItem | None) -> tuple[str, ...]:
    """What the stick itself offers for an option: images, homes, extensions, titles of entries; empty if nothing."""
    if spec.key == "entry":
        detection = item.detection if item else None
        return tuple(dict.fromkeys(entry.title for entry in detection.entries)) if detection else ()
    if spec.key == "seed":
        return tuple(seed.label for seed in overview.variants.seeds if item and seed.image == item.name)
    match spec.kind:
        case Kind.PATH:
            return tuple(item.path for item in overview.items)
        case Kind.HOME:
            return (*overview.homes, "none")
        case Kind.FILES:
            return tuple(dict.fromkeys(path.rpartition("/")[2] for path in overview.extensions))
        case _:
            return ()


def _scripts(volume: Volume) -> tuple[str, ...]:
    names = (stat.name for stat in volume.listdir(CUSTOMIZE_FOLDER) if not stat.is_dir)
    return tuple(name for name in names if _is_script(name))


def _is_script(name: str) -> bool:
    """Whether a file is a script that live systems would run, as ``initrd_overlays/common`` judges it."""
    return not name.startswith(".") and not name.endswith((".md", ".txt", "~", ".bak"))
