"""``verify``: images read back from the stick and compared with all that is known of them."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from bootkit.app.stick.catalog import read_catalog
from bootkit.app.stick.images import find_images, image_named
from bootkit.app.stick.integrity import (
    Claims,
    Digests,
    Says,
    Testimony,
    chunks_from_start,
    files_inside,
    neighbours_on_stick,
    own_signatures,
    read_claims,
)
from bootkit.app.stick.records import read_records, with_sum
from bootkit.errors import BootkitError, FormatError
from bootkit.formats.implanted import read_implanted_md5
from bootkit.i18n import tr
from bootkit.model.catalog import ImageItem
from bootkit.model.fields import json_list, json_number, json_object, json_string, parse_json
from bootkit.model.places import UNFINISHED_VERIFY
from bootkit.model.plan import RemoveFile, StickPlan, WriteFile
from bootkit.system.changes import Watcher, apply_changes
from bootkit.system.volume import Volume, read_file
from bootkit.values import dataclass

_LIMIT = 16 << 20
GOOD, DAMAGED, DOUBTFUL, UNREADABLE, UNKNOWN = "good", "damaged", "doubtful", "unreadable", "unknown"
BAD = (DAMAGED, DOUBTFUL, UNREADABLE)
"""Verdicts that somebody has to look into."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    path: str
    verdict: str
    """``good``; ``damaged``: it is not what ``add`` copied, or not what its own sums say; ``doubtful``: a file beside it
    disagrees or cannot be understood; ``unreadable``; or ``unknown`` where nothing vouches for it. Then the sum found now is
    kept with the image's record, if it has one."""
    sha256: str
    findings: tuple[Testimony, ...] = ()
    """What was said by others than the sum that was kept."""
    earlier: bool = False
    """Whether this was found before the look at the stick was interrupted."""


def verify_images(
    volume: Volume,
    names: Sequence[str],
    watcher: Watcher | None = None,
    *,
    keyrings: Sequence[Path] = (),
    fresh: bool = False,
) -> tuple[Verified, ...]:
    """Read images from the medium; all images if none is named. Then an interrupted look is gone on with, unless ``fresh``."""
    watcher = watcher or Watcher()
    wanted = {image_named(volume, name) for name in names}
    images = tuple(image for image in find_images(volume) if not wanted or image[0] in wanted)
    items = read_catalog(volume, images).items
    before = {} if names or fresh else _read_unfinished(volume, items)
    volume.flush()
    answers: list[Verified] = []
    for item in items:
        found = before.get(item.path) or _verified(volume, item, watcher, keyrings)
        answers.append(found)
        if not names and len(items) > 1:
            _keep_unfinished(volume, answers, items)
    if volume.stat(UNFINISHED_VERIFY) is not None and not names:
        _try(volume, StickPlan(steps=(RemoveFile(path=UNFINISHED_VERIFY),)))
    return tuple(answers)


def _verified(volume: Volume, item: ImageItem, watcher: Watcher, keyrings: Sequence[Path]) -> Verified:
    watcher.begin("reading", item.path, item.size)
    try:
        found = _look(volume, item, watcher, keyrings)
    except BootkitError as error:
        reason = Testimony(source=item.name, outcome=Says.UNREADABLE, detail=error.message)
        return Verified(path=item.path, verdict=UNREADABLE, sha256="", findings=(reason,))
    finally:
        watcher.end()
    if not item.sha256 and not item.is_written and found.verdict != DAMAGED:
        _keep_sum(volume, item.path, found.sha256)
    return found


def _keep_sum(volume: Volume, path: str, sha256: str) -> None:
    records = read_records(volume)
    if known := records.get(path):
        _try(volume, StickPlan(steps=tuple(records.changed(put={path: with_sum(known, sha256)}).steps())))


def _look(volume: Volume, item: ImageItem, watcher: Watcher, keyrings: Sequence[Path]) -> Verified:
    claims = read_claims(item.name, neighbours_on_stick(volume, item.path), keyrings)
    with volume.open(item.path) as file:
        digests = Digests({"sha256", *claims.algorithms}, read_implanted_md5(file))
        for chunk in chunks_from_start(file, watcher.progress):
            digests.update(chunk)
    sha256 = digests.hexdigest("sha256")
    findings = [*digests.findings(claims), *_of_itself(volume, item, claims, watcher, keyrings)]
    is_kept = item.sha256 == sha256
    vouched = is_kept or any(finding.outcome is Says.GOOD for finding in findings)
    if not vouched and not item.error and (inside := _inside(volume, item, watcher)):
        findings.append(inside)
    return Verified(
        path=item.path, verdict=_verdict(item, findings, is_kept=is_kept), sha256=sha256, findings=tuple(findings)
    )


def _of_itself(
    volume: Volume, item: ImageItem, claims: Claims, watcher: Watcher, keyrings: Sequence[Path]
) -> list[Testimony]:
    if not claims.own_signatures:
        return []
    with volume.open(item.path) as file:
        return list(own_signatures(claims, lambda: chunks_from_start(file, watcher.progress), keyrings))


def _inside(volume: Volume, item: ImageItem, watcher: Watcher) -> Testimony | None:
    watcher.begin("reading the files in", item.path, item.size)
    try:
        with volume.open(item.path) as file:
            return files_inside(file, name=item.name, size=item.size, progress=watcher.progress)
    except FormatError:
        return None  # no image: then it has no list


def _verdict(item: ImageItem, findings: Sequence[Testimony], *, is_kept: bool) -> str:
    inner = ("implanted MD5", "md5sum.txt")
    wrong = [finding for finding in findings if finding.outcome is Says.WRONG]
    if (item.sha256 and not is_kept) or any(finding.source in inner for finding in wrong):
        return DAMAGED
    if wrong or any(finding.outcome is Says.UNREADABLE for finding in findings):
        return DOUBTFUL
    return GOOD if is_kept or any(finding.outcome is Says.GOOD for finding in findings) else UNKNOWN


def _keep_unfinished(volume: Volume, answers: Sequence[Verified], items: Sequence[ImageItem]) -> None:
    stamps = {item.path: (item.size, item.mtime_ns) for item in items}
    rows = [
        {**asdict(answer), "size": stamps[answer.path][0], "mtime_ns": stamps[answer.path][1]} for answer in answers
    ]
    content = json.dumps(rows, ensure_ascii=False).encode(errors="surrogateescape")
    _try(volume, StickPlan(steps=(WriteFile(path=UNFINISHED_VERIFY, content=content),)))


def _read_unfinished(volume: Volume, items: Sequence[ImageItem]) -> dict[str, Verified]:
    """What counts still; nothing where the notes are damaged."""
    stamps = {item.path: (item.size, item.mtime_ns) for item in items}
    try:
        content = read_file(volume, UNFINISHED_VERIFY, _LIMIT)
        rows = () if content is None else json_list(parse_json(content, UNFINISHED_VERIFY), UNFINISHED_VERIFY, _row)
    except BootkitError:
        return {}
    return {answer.path: answer for answer, stamp in rows if stamps.get(answer.path) == stamp}


def _row(value: object, where: str) -> tuple[Verified, tuple[int, int]]:
    row = json_object(value, where)
    answer = Verified(
        path=json_string(row.get("path"), where),
        verdict=json_string(row.get("verdict"), where),
        sha256=json_string(row.get("sha256"), where),
        findings=json_list(row.get("findings"), where, _finding),
        earlier=True,
    )
    return answer, (json_number(row.get("size"), where), json_number(row.get("mtime_ns"), where))


def _finding(value: object, where: str) -> Testimony:
    row = json_object(value, where)
    try:
        outcome = Says(json_string(row.get("outcome"), where))
    except ValueError:
        raise FormatError(tr("{where} has no outcome", where=where)) from None
    return Testimony(
        source=json_string(row.get("source"), where), outcome=outcome, detail=json_string(row.get("detail"), where)
    )


def _try(volume: Volume, plan: StickPlan) -> None:
    """What is only for the next time; a stick that cannot be written is verified as well as any other."""
    try:
        apply_changes(plan, volume)
    except BootkitError:
        return
