"""The table of supported systems, out of what the detectors say of themselves."""

from collections.abc import Iterable

from bootkit.detect import Detector


def supported_table(detectors: Iterable[Detector]) -> str:
    """Markdown: one row for each boot stack that names systems, by name."""
    named = sorted((detector for detector in detectors if detector.distributions), key=lambda one: one.name.lower())
    rows = [(detector.name, ", ".join(detector.distributions), "yes" if detector.quick else "") for detector in named]
    head = [("Boot stack", "Systems", "Before `generate`"), ("---", "---", "---")]
    return "".join(f"| {' | '.join(row)} |\n" for row in [*head, *rows])
