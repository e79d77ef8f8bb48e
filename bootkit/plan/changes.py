"""A change to a stick as one sentence."""

from typing import assert_never

from bootkit.i18n import tr
from bootkit.model.plan import CopyImage, KeepOld, RemoveFile, RenameFile, StickStep, WriteFile
from bootkit.units import format_size


def describe_change(step: StickStep) -> str:
    match step:
        case WriteFile(path=path, content=content):
            return tr("write {path} ({size})", path=path, size=format_size(len(content)))
        case KeepOld(path=path, old=old):
            return tr("keep {path} as {old}", path=path, old=old)
        case RemoveFile(path=path):
            return tr("remove {path}", path=path)
        case RenameFile(old=old, path=path):
            return tr("call {old} {path}", old=old, path=path)
        case CopyImage(source=source, path=path, size=size):
            return tr(
                "copy {source} to {path} ({size}), read it back and compare",
                source=source,
                path=path,
                size=format_size(size),
            )
        case _:
            assert_never(step)
