"""How values look in a document where they do not look like their type: said in ``Annotated``, read by the JSON Schemas."""

from enum import Enum, auto


class Shape(Enum):
    WITHOUT_DEFAULTS = auto()
    """Dataclasses leave out what has its default."""
    STEP = auto()
    """A dataclass of a union has its name as ``step`` and what it says as ``sentence`` before its fields."""
