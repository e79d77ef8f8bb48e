"""What lies beside the images of a stick: places for their changes, answers for their installers."""

from bootkit.detect.destroys import wiped_by
from bootkit.detect.registry import stacks
from bootkit.errors import BootkitError
from bootkit.formats.luks import is_encrypted
from bootkit.i18n import tr
from bootkit.model.places import PERSISTENCE_FOLDER, SEED_FOLDER
from bootkit.model.variants import Kept, Seed, Variants
from bootkit.system.volume import Volume, read_file, walk

_SEED_LIMIT = 1 << 20


def read_variants(volume: Volume) -> Variants:
    """What lies beside the images of a stick."""
    every = stacks().values()
    files = {name for stack in every if stack.persistence for name in stack.persistence.files}
    seed_files = {(answers.kind, answers.file) for stack in every for answers in stack.answers}
    kept: dict[str, Kept] = {}
    for image in volume.listdir(PERSISTENCE_FOLDER):
        for stat in volume.listdir(f"{PERSISTENCE_FOLDER}/{image.name}") if image.is_dir else ():
            if stat.name in files and not stat.is_dir:
                path = f"{PERSISTENCE_FOLDER}/{image.name}/{stat.name}"
                encrypted = is_encrypted(read_file(volume, path, 8) or b"")
                kept[image.name] = Kept(image=image.name, path=path, size=stat.size, encrypted=encrypted)
    seeds: list[Seed] = []
    for path, _ in walk(volume, SEED_FOLDER):
        parts = path.removeprefix(f"{SEED_FOLDER}/").split("/")
        if len(parts) == 4 and (parts[1], parts[3]) in seed_files:  # image, kind, name, file
            text = (read_file(volume, path, _SEED_LIMIT) or b"").decode("utf-8", "replace")
            seeds.append(Seed(image=parts[0], kind=parts[1], name=parts[2], path=path, wipes=wiped_by(parts[1], text)))
    return Variants(kept=kept, seeds=tuple(seeds))


def variants_digest(volume: Volume, variants: Variants) -> list[tuple[str, int, int]]:
    """What the entries depend on; changes that were kept meanwhile are not in it."""
    rows = [(kept.path, int(kept.encrypted), 0) for kept in variants.kept.values()]
    for seed in variants.seeds:
        stat = volume.stat(seed.path)
        rows.append((seed.path, stat.size, stat.mtime_ns) if stat else (seed.path, 0, 0))
    return rows


def kept_named(volume: Volume, image: str) -> Kept:
    """The kept changes of an image, which itself may be gone.

    Raises:
        BootkitError: that image keeps nothing, or several fit.
    """
    kept = read_variants(volume).kept
    fits = [one for name, one in kept.items() if image in (name, one.path)] or [
        one for name, one in kept.items() if image.rpartition("/")[2].lower() in name.lower()
    ]
    if len(fits) != 1:
        there = ", ".join(sorted(kept))
        none = tr("{image} fits no image that keeps its changes", image=image)
        many = tr("{image} fits more than one image that keeps its changes", image=image)
        raise BootkitError(
            many if fits else none, hint=tr("there are: {there}", there=there) if there else "bootkit persist list"
        )
    return fits[0]


def seed_named(volume: Volume, image: str, name: str) -> Seed:
    """The answer file of that name for that image.

    Raises:
        BootkitError: there is none, or several fit.
    """
    mine = [seed for seed in read_variants(volume).seeds if image.rpartition("/")[2].lower() in seed.image.lower()]
    fits = [seed for seed in mine if name in (seed.name, seed.label, seed.path)]
    if len(fits) != 1:
        there = ", ".join(seed.label for seed in mine)
        none = tr("{name} is no answer file of {image}", name=name, image=image)
        many = tr("{name} is more than one answer file of {image}", name=name, image=image)
        raise BootkitError(
            many if fits else none, hint=tr("there are: {there}", there=there) if there else "bootkit seed list"
        )
    return fits[0]
