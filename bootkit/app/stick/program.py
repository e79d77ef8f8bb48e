"""The program that a stick carries, and whether ours is to take its place."""

import ast
import zipfile
from collections.abc import Iterator

from bootkit import __version__
from bootkit.model.places import GENERATE, PROGRAM, START_PROGRAM
from bootkit.model.plan import KeepOld, StickPlan, StickStep, WriteFile
from bootkit.plan.versions import is_newer
from bootkit.system.fingerprint import STORED, own_fingerprint
from bootkit.system.program import carried_archive, start_script
from bootkit.system.volume import Volume, read_file
from bootkit.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """A program on a stick."""

    version: str
    fingerprint: str
    """Empty where it does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramPlan:
    plan: StickPlan
    told: str
    """What the stick will carry, as a sentence."""


def program_files() -> tuple[WriteFile, ...]:
    """The program as a stick carries it, and the scripts that start it there."""
    return (
        WriteFile(path=PROGRAM, content=carried_archive()),
        WriteFile(path=START_PROGRAM, content=start_script("bootkit.sh")),
        WriteFile(path=GENERATE, content=start_script("generate.sh")),
    )


def carried_program(volume: Volume) -> Carried | None:
    """The program on a stick; ``None`` if there is none, or none that can be read."""
    if volume.stat(PROGRAM) is None:
        return None
    try:
        with volume.open(PROGRAM) as file, zipfile.ZipFile(file) as archive:
            first = ast.parse(archive.read("bootkit/__init__.py"))
            fingerprint = archive.read(STORED).decode() if STORED in archive.namelist() else ""
            return Carried(version=_version(first), fingerprint=fingerprint)
    except (zipfile.BadZipFile, KeyError, ValueError, SyntaxError):
        return None


def plan_program(volume: Volume) -> ProgramPlan:
    """Our program in the place of an older one, or of another one of the same version; never of a newer one."""
    there = carried_program(volume)
    if there is not None and is_newer(there.version, __version__):
        told = f"It carries bootkit {there.version}, which is newer than this, {__version__}: that one stays."
        return ProgramPlan(plan=StickPlan(steps=()), told=told)
    is_whole = all(volume.stat(path) is not None for path in (START_PROGRAM, GENERATE))
    if is_whole and there is not None and there.fingerprint == own_fingerprint():
        return ProgramPlan(plan=StickPlan(steps=()), told=f"It carries bootkit {there.version}.")
    before = f" in the place of {there.version}" if there is not None and there.version != __version__ else ""
    return ProgramPlan(
        plan=StickPlan(steps=(*_kept(volume), *program_files())),
        told=f"It carries bootkit {__version__}{before}: its live systems have it, too.",
    )


def _kept(volume: Volume) -> Iterator[StickStep]:
    """The script that somebody else has put where ours lies, as SystemImageKit's, stays beside it."""
    script = read_file(volume, GENERATE, 1 << 16)
    if script is not None and b"/bootkit/program/" not in script:
        yield KeepOld(path=GENERATE, old=f"{GENERATE}.old")


def _version(module: ast.Module) -> str:
    """The value of ``__version__``."""
    for statement in module.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id="__version__")], value=ast.Constant(value=str(version))):
                return version
            case _:
                pass
    raise ValueError("it does not say its version")
