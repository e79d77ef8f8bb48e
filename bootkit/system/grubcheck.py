"""What GRUB's own parser says of a menu."""

import tempfile

from bootkit.errors import CommandFailed
from bootkit.system.run import run


def grub_script_error(menu: bytes) -> str | None:
    """Why GRUB's parser refuses ``menu``, ``None`` if it takes it. Syntax only: unknown commands pass.

    Raises:
        ToolMissing: grub-script-check is not installed.
    """
    with tempfile.NamedTemporaryFile(prefix="bootkit-", suffix=".cfg") as file:
        file.write(menu)
        file.flush()
        try:
            run(["grub-script-check", file.name], timeout=60)
        except CommandFailed as error:
            return " ".join(error.stderr.replace(file.name, "grub.cfg").split()) or "it does not say why"
    return None
