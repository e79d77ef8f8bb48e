"""A change to a stick as one sentence."""

from typing import assert_never

from bootkit.model.plan import CopyImage, KeepOld, RemoveFile, RenameFile, StickStep, WriteFile
from bootkit.units import format_size


def describe_change(step: StickStep) -> str:
    match step:
        case WriteFile(path=path, content=content):
            return f"write {path} ({format_size(len(content))})"
        case KeepOld(path=path, old=old):
            return f"keep {path} as {old}"
        case RemoveFile(path=path):
            return f"remove {path}"
        case RenameFile(old=old, path=path):
            return f"call {old} {path}"
        case CopyImage(source=source, path=path, size=size):
            return f"copy {source} to {path} ({format_size(size)}), read it back and compare"
        case _:
            assert_never(step)
