"""The initrds of the entries for what lies beside the images: of answer files, and of changes that are kept."""

from bootkit.model.catalog import ImageItem
from bootkit.model.places import ADDED_FOLDER
from bootkit.model.plan import RemoveFile, StickStep, WriteFile
from bootkit.model.variants import SEED_LIMIT, Variants
from bootkit.overlay.manifest import overlay_archive, overlay_named
from bootkit.overlay.pack import secondary_initrd
from bootkit.plan.variants import persistence_for, persistence_initrd, seed_initrd, seeds_for
from bootkit.system.volume import Volume, read_file, walk


def plan_added(volume: Volume, items: tuple[ImageItem, ...], variants: Variants) -> tuple[StickStep, ...]:
    """The initrds that the entries of :func:`bootkit.plan.variants.varied` load; those that none does are removed."""
    archives: dict[str, bytes] = {}
    for item in items:
        persistence = persistence_for(item, variants.kept.get(item.name), volume.filesystem)
        if persistence is not None and persistence.overlay:
            overlay = overlay_named(persistence.overlay, f"the file of changes of {item.name}")
            archives[persistence_initrd(persistence)] = overlay_archive(overlay)
        for seed, answers in seeds_for(item, variants):
            if answers.member:
                content = read_file(volume, seed.path, SEED_LIMIT) or b""
                archives[seed_initrd(seed)] = secondary_initrd({answers.member: content})
    old = [path for path, _ in walk(volume, ADDED_FOLDER)]
    return (
        *(
            WriteFile(path=path, content=content)
            for path, content in archives.items()
            if path not in old or read_file(volume, path, 2 * SEED_LIMIT) != content
        ),
        *(RemoveFile(path=path) for path in old if path not in archives),
    )
