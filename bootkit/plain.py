"""Text that came out of an image or off a stick, made harmless for a terminal.

A title may hold anything: escape sequences that rename the window or ask the terminal to type, marks that turn the line
around, halves of characters. What is printed shows them as escapes, and everything that is printed passes here.
Source: ECMA-48 for the control characters, Unicode 16 (UAX 9, "Bidirectional Algorithm") for the marks.
"""

import re

_MARKS = re.compile(r"[^\t\n\x20-\x7e]")


def harmless(text: str) -> str:
    r"""``text`` with whatever could move the cursor, change the terminal or turn a line around as an escape like ``\x1b``.

    Lines stay lines; of what is one line, :func:`one_line` makes one.
    """
    return text if text.isascii() and text.isprintable() else _MARKS.sub(_escaped, text)


def one_line(text: str) -> str:
    """``text`` as :func:`harmless` shows it, in one line."""
    return text if text.isprintable() else harmless(text.replace("\n", "\\n").replace("\t", "\\t"))


def harmless_json(document: str) -> str:
    """A JSON text whose strings say the same with escapes of JSON's own."""
    return document if document.isascii() and "\x7f" not in document else _MARKS.sub(_json_escaped, document)


def _escaped(match: re.Match[str]) -> str:
    char = match[0]
    number = ord(char)
    if char.isprintable() or (char.isspace() and number > 0x9F and number not in (0x2028, 0x2029)):
        return char
    if 0xDC80 <= number <= 0xDCFF:
        return f"\\x{number - 0xDC00:02x}"  # a byte of a file name that is no UTF-8, as Python keeps it
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def _json_escaped(match: re.Match[str]) -> str:
    char = match[0]
    if char.isprintable():
        return char
    units = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at] << 8 | units[at + 1]:04x}" for at in range(0, len(units), 2))
