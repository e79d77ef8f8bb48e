"""GRUB's environment block (``grubenv``)."""

HEADER = "# GRUB Environment Block"


def parse_grubenv(text: str) -> dict[str, str]:
    r"""The variables of an environment block; empty if ``text`` is none.

    A backslash takes the next character literally, also a line's end. The block is filled up with ``#``.
    Source: GRUB 2.12, grub-core/lib/envblk.c.
    """
    if not text.startswith(HEADER):
        return {}
    values: dict[str, str] = {}
    line: list[str] = []
    characters = iter(text)
    for character in characters:
        if character == "\\":
            line.append(next(characters, ""))
        elif character == "\n":
            _keep(values, "".join(line))
            line.clear()
        else:
            line.append(character)
    return values


def _keep(values: dict[str, str], line: str) -> None:
    name, equals, value = line.partition("=")
    if equals and not line.startswith("#"):
        values[name] = value
