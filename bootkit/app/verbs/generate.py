"""``generate``: look at what is new on the stick and write its menu."""

from collections.abc import Callable, Collection, Iterator, Sequence

from bootkit.app.menu.added import plan_added
from bootkit.app.menu.appearance import plan_appearance
from bootkit.app.menu.companions import plan_companions
from bootkit.app.menu.freshness import MENU_LIMIT, earlier_warnings, inputs_of, is_made_from, record_of_menu
from bootkit.app.menu.grub_cfg import check_menu, menu_of
from bootkit.app.menu.menu_lines import keep_lines, kept_lines, line_digests
from bootkit.app.menu.overlays import OverlayPlan, archives_in, plan_overlays, without_refused
from bootkit.app.stick.catalog import Catalog
from bootkit.app.stick.homes import home_names, homes_note
from bootkit.app.stick.leftovers import Leftover, find_leftovers, leftovers_note
from bootkit.app.stick.loaders import stick_shims
from bootkit.app.stick.records import old_records
from bootkit.app.stick.settings import choices_of
from bootkit.app.stick.state import list_stick, read_state
from bootkit.app.stick.user_files import sum_path
from bootkit.app.verbs.check import Predicted, predicted
from bootkit.model.catalog import ImageItem
from bootkit.model.check import Prediction
from bootkit.model.options import Choices
from bootkit.model.places import GENERATED, GRUB_FOLDER, GRUBENV, MENU, OLD_MENU, OLD_RECORDS_FOLDER, SUM_FOLDER
from bootkit.model.plan import KeepOld, RemoveFile, StickPlan, StickStep, WriteFile
from bootkit.plan.choices import menu_settings, unheard
from bootkit.plan.machines import for_machines
from bootkit.render.menu import MenuFiles, empty_grubenv, is_empty_menu
from bootkit.render.menu_rows import NOTHING_KEPT
from bootkit.render.parts import is_parts_file, parts_of_menu
from bootkit.system.efivars import machine_keys
from bootkit.system.sticks import Stick
from bootkit.system.volume import Volume, read_file, walk
from bootkit.values import dataclass

_SUM_LIMIT = 1 << 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    plan: StickPlan
    catalog: Catalog | None
    """``None`` if nothing had changed and no record was opened."""
    earlier: frozenset[str] = frozenset()
    """Warnings that were said when the menu was written the last time."""
    predictions: tuple[Prediction, ...] = ()
    """Of the catalogue's images, in its order, where they were asked for."""

    @property
    def new_warnings(self) -> tuple[str, ...]:
        return tuple(warning for warning in self.plan.warnings if warning not in self.earlier)


def plan_menu(
    stick: Stick, *, fresh: bool = False, told: Callable[[str], None] = lambda _: None, keeping: Collection[str] = ()
) -> Generation:
    """The same as :func:`plan_generation`, with what is predicted of the images, which the stick then keeps."""
    return plan_generation(
        stick.volume, fresh=fresh, told=told, keeping=keeping, predicting=lambda catalog: predicted(stick, catalog)
    )


def plan_generation(
    volume: Volume,
    *,
    settings: str | None = None,
    fresh: bool = False,
    told: Callable[[str], None] = lambda _: None,
    keeping: Collection[str] = (),
    predicting: Callable[[Catalog], Predicted] = lambda _: Predicted(),
) -> Generation:
    """What ``generate`` would change on a stick; an empty plan if nothing.

    ``settings`` is the text of a stick.toml that is to take the place of the stick's. ``fresh`` looks into every image again,
    whatever is recorded of it: one of the same size and time may have another content. ``keeping`` are paths of what somebody
    may still take back. What ``predicting`` answers counts; else it is found out what each image needs.

    Raises:
        BootkitError: stick.toml has a mistake, or GRUB's own parser refuses the new menu.
    """
    listing = list_stick(volume, settings=settings)
    inputs = inputs_of(volume, listing)
    leftovers = tuple(one for one in find_leftovers(volume) if one.path not in keeping)
    old_menu = read_file(volume, MENU, MENU_LIMIT)
    if not fresh and is_made_from(volume, inputs, old_menu):
        notes = (*_notes(volume, choices_of(listing.settings)), *_told(leftovers))
        plan = StickPlan(steps=tuple(_removals(leftovers)), warnings=notes)
        return Generation(plan=plan, catalog=None, earlier=earlier_warnings(volume))
    state = read_state(volume, listing=listing, insides=True, fresh=fresh, told=told)
    catalog, items = state.catalog, state.catalog.items
    found = predicting(catalog)
    overlays = plan_overlays(volume, items, state.choices, found.cures)
    offered = without_refused(state.offered, overlays.refused)
    appearance = plan_appearance(volume, menu_settings(state.choices, offered), offered)
    companions = plan_companions(volume, items)
    offered = for_machines(offered, stick_shims(volume), machine_keys())
    digests = line_digests(catalog, offered, overlays.by_image, listing.settings)
    menu = menu_of(
        offered,
        state.choices,
        overlays.by_image,
        settings=appearance.settings,
        kept=NOTHING_KEPT if fresh else kept_lines(volume, old_menu, digests),
    )
    unfit = (*companions.missing, *appearance.warnings, *_refusals(overlays))
    steps: list[StickStep] = [
        *_removals(leftovers),
        *_records(catalog),
        *found.steps,
        *_sums(volume, items),
        *companions.steps,
        *overlays.steps,
        *plan_added(volume, items, state.variants),
        *appearance.steps,
        *_menu_steps(volume, menu, old_menu),
        *keep_lines(volume, menu, digests),
        *_unused(volume, overlays, menu, old_menu),
    ]
    earlier = earlier_warnings(volume)
    standing = (
        *check_menu(menu, volume, old_menu, earlier),
        *unheard(items, state.choices),
        *unfit,
        *_notes(volume, state.choices),
    )
    if not (unfit or any(item.unsettled for item in items)):  # else look again the next time: it may be there by then
        record = record_of_menu(
            inputs,
            menu.grub_cfg,
            overlays.mapped,
            standing,
            theme=appearance.settings.theme,
            pictures=appearance.pictures,
        )
        steps.append(WriteFile(path=GENERATED, content=record))
    plan = StickPlan(steps=tuple(steps), warnings=(*standing, *_told(leftovers)))
    return Generation(plan=plan, catalog=catalog, earlier=earlier, predictions=found.predictions)


def _notes(volume: Volume, choices: Choices) -> tuple[str, ...]:
    """Sentences about the stick that its menu does not show."""
    note = homes_note(home_names(volume), choices)
    return (note,) if note else ()


def _told(leftovers: Sequence[Leftover]) -> Iterator[str]:
    if note := leftovers_note(leftovers, removed=True):
        yield note


def _removals(leftovers: Sequence[Leftover]) -> Iterator[StickStep]:
    yield from (RemoveFile(path=one.path) for one in leftovers)


def _refusals(overlays: OverlayPlan) -> tuple[str, ...]:
    return tuple(
        f"{path} will not boot from this stick: {error.message}; {error.hint}"
        for path, error in overlays.refused.items()
    )


def _records(catalog: Catalog) -> Iterator[StickStep]:
    """Steps by which new and changed images get a record, and images that are gone lose theirs."""
    there = {item.path for item in catalog.items}
    yield from catalog.records.changed(gone=[path for path in catalog.records.paths if path not in there]).steps()


def _sums(volume: Volume, items: Sequence[ImageItem]) -> Iterator[StickStep]:
    """The checksums of images as GRUB reads them, for a check in the menu; those of what is gone are removed."""
    for item in items:
        content = f"{item.sha256}  {item.name}\n".encode(errors="surrogateescape")
        if item.sha256 and read_file(volume, sum_path(item.path), _SUM_LIMIT) != content:
            yield WriteFile(path=sum_path(item.path), content=content)
    for path, _ in walk(volume, SUM_FOLDER):
        if volume.stat(path.removeprefix(SUM_FOLDER).removesuffix(".sha256")) is None:
            yield RemoveFile(path=path)


def _unused(volume: Volume, overlays: OverlayPlan, menu: MenuFiles, old_menu: bytes | None) -> Iterator[RemoveFile]:
    """What goes that this menu does not need; what the menu before needs stays as long as that one."""
    records = old_records(volume)
    if not overlays.unused and not records:
        return
    before = (old_menu if menu.grub_cfg != old_menu else read_file(volume, OLD_MENU, MENU_LIMIT)) or b""
    if parts := parts_of_menu(before):
        before += read_file(volume, parts, MENU_LIMIT) or b""
    kept = archives_in(before)
    yield from (RemoveFile(path=path) for path in overlays.unused if path not in kept)
    if OLD_RECORDS_FOLDER.encode() not in before:
        yield from (RemoveFile(path=path) for path in records)


def _menu_steps(volume: Volume, menu: MenuFiles, old_menu: bytes | None) -> Iterator[StickStep]:
    """The file beside grub.cfg comes first and goes last: at every instant a menu has its own."""
    changed = menu.grub_cfg != old_menu
    before = read_file(volume, OLD_MENU, MENU_LIMIT)
    if volume.stat(menu.parts_path) is None:
        yield WriteFile(path=menu.parts_path, content=menu.parts)
    if changed:
        if old_menu is not None and not is_empty_menu(old_menu):
            before = old_menu
            yield KeepOld(path=MENU, old=OLD_MENU)
        yield WriteFile(path=MENU, content=menu.grub_cfg)
    if volume.stat(GRUBENV) is None:
        yield WriteFile(path=GRUBENV, content=empty_grubenv())
    kept = {menu.parts_path, parts_of_menu(before or b"")}
    for file in volume.listdir(GRUB_FOLDER) if volume.stat(GRUB_FOLDER) else ():
        path = f"{GRUB_FOLDER}/{file.name}"
        if is_parts_file(file.name) and path not in kept:
            yield RemoveFile(path=path)
