from pathlib import Path

import pytest

from bootkit.system.run import which
from tests.overlay.sandbox import SHELLS, Sandbox
from tests.overlay.small_initrd import has_static_busybox


@pytest.fixture(params=SHELLS)
def sandbox(request: pytest.FixtureRequest, tmp_path: Path) -> Sandbox:
    """A root with each of the shells in turn."""
    shell: str = request.param
    if not has_static_busybox() or which(shell) is None:
        pytest.skip("needs busybox-static and dash")
    return Sandbox(tmp_path / "root", shell)
