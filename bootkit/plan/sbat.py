"""SBAT: components with generations, and which are too old. Pure.

Source: shim 16.1, SBAT.md ("Version-based revocation") and sbat.c (verify_sbat_helper): a program is refused if one of its
components has a generation below that of the same component in the machine's level.
"""

from bootkit.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class TooOld:
    component: str
    generation: int
    needed: int

    @property
    def clause(self) -> str:
        """``shim is of generation 3, and 4 is wanted``."""
        return f"its component {self.component} is of generation {self.generation}, and {self.needed} is wanted"


def generations(text: str) -> dict[str, int]:
    """The components of a ``.sbat`` section, or of a level, with their generations; what is no such line is left out."""
    rows = (line.split(",") for line in text.replace("\0", "\n").splitlines())
    return {row[0].strip(): int(row[1]) for row in rows if len(row) > 1 and row[1].strip().isdecimal()}


def release(sbat: str) -> str:
    """Whose build of what it is, as ``NAME VERSION``: ``shim.debian 16.1``; empty if it does not tell.

    Behind the project's own line comes the distribution's, with its name for the component and its version.
    """
    rows = [row for row in (line.split(",") for line in sbat.splitlines()) if len(row) > 4]
    return next((f"{row[0]} {row[4]}" for row in rows if "." in row[0]), "")


def too_old(sbat: str, *levels: str) -> TooOld | None:
    """The first component of ``sbat`` that one of ``levels`` refuses."""
    for component, generation in generations(sbat).items():
        needed = max((generations(level).get(component, 0) for level in levels), default=0)
        if generation < needed:
            return TooOld(component=component, generation=generation, needed=needed)
    return None
