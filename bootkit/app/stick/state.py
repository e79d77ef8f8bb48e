"""The state of a stick, read once and handed down: its images, what lies beside them, and the choices that count."""

from collections.abc import Callable, Sequence

from bootkit.app.stick.catalog import Catalog, read_catalog
from bootkit.app.stick.images import find_images, image_named
from bootkit.app.stick.settings import choices_of, settings_text
from bootkit.app.stick.variants import read_variants
from bootkit.errors import BootkitError
from bootkit.model.catalog import ImageItem
from bootkit.model.options import Choices
from bootkit.model.variants import Variants
from bootkit.plan.variants import varied
from bootkit.system.volume import FileStat, Volume
from bootkit.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class StickListing:
    """What lies on a stick, before an image or a record is opened."""

    images: tuple[tuple[str, FileStat], ...]
    """Path and status of each, in the order of their paths."""
    variants: Variants
    settings: str
    """The text of stick.toml."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StickState:
    catalog: Catalog
    variants: Variants
    choices: Choices
    offered: tuple[ImageItem, ...]
    """The images of the catalogue with the entries for what lies beside them."""
    mistake: str = ""
    """What is wrong with stick.toml, with the way out, where that was to be told; then ``choices`` are the defaults."""


def list_stick(volume: Volume, *, settings: str | None = None) -> StickListing:
    """What lies on a stick; ``settings`` is the text of a stick.toml that is to take the place of its own."""
    text = settings_text(volume) if settings is None else settings
    return StickListing(images=find_images(volume), variants=read_variants(volume), settings=text)


def read_state(
    volume: Volume,
    names: Sequence[str] | None = None,
    *,
    listing: StickListing | None = None,
    insides: bool = False,
    fresh: bool = False,
    tell_mistake: bool = False,
    told: Callable[[str], None] = lambda _: None,
) -> StickState:
    """What is known of the images that are named, of all without ``names``, and what counts for them.

    ``listing`` is of this stick, where it was listed before. ``insides``, ``fresh`` and ``told`` are those of
    :func:`bootkit.app.stick.catalog.read_catalog`.

    Raises:
        BootkitError: a name fits no image, or several; stick.toml has a mistake, and ``tell_mistake`` is not set.
    """
    listing = listing or list_stick(volume)
    images = listing.images
    if names is not None:
        wanted = {image_named(volume, name) for name in names}
        images = tuple(image for image in images if image[0] in wanted)
    choices, mistake = _choices(listing.settings, tell_mistake=tell_mistake)
    catalog = read_catalog(volume, images, insides=insides, fresh=fresh, told=told)
    return StickState(
        catalog=catalog,
        variants=listing.variants,
        choices=choices,
        offered=tuple(varied(item, listing.variants, volume.filesystem) for item in catalog.items),
        mistake=mistake,
    )


def read_item(volume: Volume, name: str, *, insides: bool = False) -> ImageItem:
    """What is known of one image.

    Raises:
        BootkitError: the name fits none, or several.
    """
    path = image_named(volume, name)
    images = tuple(image for image in find_images(volume) if image[0] == path)
    return read_catalog(volume, images, insides=insides).items[0]


def _choices(text: str, *, tell_mistake: bool) -> tuple[Choices, str]:
    try:
        return choices_of(text), ""
    except BootkitError as error:
        if not tell_mistake:
            raise
        return Choices(), f"{error.message}: {error.hint}" if error.hint else error.message
