"""A walk through a file system that may be damaged, for the tests of its readers."""

from bootkit.errors import FormatError
from bootkit.formats.tree import Tree


def explored(tree: Tree, path: str = "", *, depth: int, most: int) -> int:
    """How many names were seen, ``most`` of each folder and ``depth`` folders deep; a file that cannot be read counts as well."""
    seen = 0
    for entry in (tree.listdir(path or "/") or ())[:most]:
        seen += 1
        inner = f"{path}/{entry.name}"
        if entry.is_dir and depth:
            seen += explored(tree, inner, depth=depth - 1, most=most)
        elif not entry.is_dir:
            try:
                tree.read(inner, 1 << 16)
            except FormatError:
                continue
    return seen
