"""The few lines of GRUB script on the EFI system partition and inside the BIOS core image."""

from importlib.resources import files

from jinja2 import Environment, StrictUndefined

from bootkit.model.places import STICK_FILE
from bootkit.model.prepare import DATA_LABEL


def render_stub(uuid: str) -> bytes:
    """A configuration that finds the data partition by its UUID, else by its label, else by stick.toml."""
    template = files("bootkit").joinpath("grub_templates", "stub.cfg.j2").read_text(encoding="utf-8")
    # GRUB's script is no markup: escaping would break it
    environment = Environment(undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True)  # noqa: S701
    text = environment.from_string(template).render(uuid=uuid, label=DATA_LABEL, stick_file=STICK_FILE)
    return text.encode()
