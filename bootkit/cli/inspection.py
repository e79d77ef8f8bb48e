"""What ``inspect`` and ``explain`` print."""

from pathlib import Path

from bootkit.app.verbs.inspect import Inspection, look_at_file
from bootkit.cli import output
from bootkit.system.volume import Volume


def print_inspection(iso: str, *, as_json: bool) -> None:
    """Raises NothingRecognised, behind the answer, if no detector knows the image."""
    inspection = look_at_file(Path(iso))
    _print(inspection, inspection.summary(), as_json=as_json)


def print_explanation(inspection: Inspection, *, as_json: bool) -> None:
    """Raises NothingRecognised, behind the answer, if no detector knows the image."""
    _print(inspection, inspection.explanation(), as_json=as_json)


def print_loaded(volume: Volume, image: str, name: str | None, *, as_json: bool) -> None:
    """The files that the stick loads behind an image's initrds, or one of them as it is."""
    import stat

    from bootkit.app.verbs.overlay_files import loaded_file, loaded_files

    files = loaded_files(volume, image)
    if name is not None:
        files = (loaded_file(files, name),)
    if as_json:
        output.json([file.to_json() for file in files])
    elif name is not None:
        output.raw(files[0].content)
    else:
        rows = [(stat.filemode(file.mode), str(len(file.content)), file.name, file.archive) for file in files]
        output.table(rows, ("MODE", "SIZE", "NAME", "ARCHIVE"))


def _print(inspection: Inspection, text: str, *, as_json: bool) -> None:
    if as_json:
        output.json(inspection.to_json())
    else:
        output.answer(text)
    inspection.require_recognised()
