"""What a wheel holds beside the source, made when it is built: catalogues, manual pages, completions, a bill of materials.

A wheel puts them where the environment has such things (``share/man``); of an environment of its own, as pipx makes it, pipx
links the manual pages. They are made of what the program itself says, so that nothing is written twice.
"""

import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

MANUAL = {
    "bootkit.1.md": "man1/bootkit.1",
    "stick.toml.5.md": "man5/stick.toml.5",
    "bootkit-detector.7.md": "man7/bootkit-detector.7",
}
COMPLETIONS = {
    "bash": "bash-completion/completions/bootkit",
    "zsh": "zsh/site-functions/_bootkit",
    "fish": "fish/vendor_completions.d/bootkit.fish",
}


class CustomBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add what is made to a wheel; an editable one is the checkout and nothing else."""
        if version == "editable":
            return
        self._made = Path(tempfile.mkdtemp(prefix="bootkit-"))
        root = Path(self.root)
        files = {**self._manual(root), **self._completions(root)}
        build_data["shared_data"].update({str(path): f"share/{place}" for place, path in files.items()})
        build_data["force_include"].update(self._catalogues(root))
        build_data["sbom_files"].append(str(self._bill_of_materials()))

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002
        if version != "editable":
            shutil.rmtree(self._made)

    def _catalogues(self, root: Path) -> dict[str, str]:
        """What the program says in other languages, compiled."""
        sys.path.insert(0, str(root))
        try:
            from po.catalogues import compile_all
        finally:
            sys.path.remove(str(root))
        return {str(self._made / place): f"bootkit/{place}" for place in compile_all(self._made)}

    def _manual(self, root: Path) -> dict[str, Path]:
        """The manual as roff, where there is pandoc to make it."""
        if shutil.which("pandoc") is None:
            self.app.display_warning("no manual pages: pandoc is not installed")
            return {}
        for source, place in MANUAL.items():
            target = self._written(place, "")
            argv = ["pandoc", "--standalone", "--to", "man", root / "bootkit/man" / source, "--output", target]
            subprocess.run(argv, check=True)
        return {f"man/{place}": self._made / place for place in MANUAL.values()}

    def _completions(self, root: Path) -> dict[str, Path]:
        sys.path.insert(0, str(root))
        try:
            from bootkit.cli.completion import SHELLS
        finally:
            sys.path.remove(str(root))
        return {place: self._written(place, SHELLS[shell][0]) for shell, place in COMPLETIONS.items()}

    def _bill_of_materials(self) -> Path:
        """What the wheel holds and what it asks for, in CycloneDX 1.6: the versions are chosen by who installs it."""
        metadata = self.metadata.core
        ours = f"pkg:pypi/bootkit@{metadata.version}"
        asked = {name: f"pkg:pypi/{name}" for name in sorted(map(_project, metadata.dependencies))}
        document = {
            "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
            "bomFormat": "CycloneDX",
            "specVersion": "1.6",
            "version": 1,
            "metadata": {
                "component": {
                    "type": "application",
                    "bom-ref": ours,
                    "name": "bootkit",
                    "version": metadata.version,
                    "description": metadata.description,
                    "licenses": [{"license": {"id": metadata.license_expression}}],
                    "purl": ours,
                }
            },
            "components": [
                {"type": "library", "bom-ref": purl, "name": name, "purl": purl, "scope": "required"}
                for name, purl in asked.items()
            ],
            "dependencies": [
                {"ref": ours, "dependsOn": [*asked.values()]},
                *({"ref": purl} for purl in asked.values()),
            ],
        }
        return self._written("bootkit.cdx.json", json.dumps(document, indent=2) + "\n")

    def _written(self, name: str, text: str) -> Path:
        path = self._made / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path


def _project(requirement: str) -> str:
    """The name as registries write it."""
    return re.sub(r"[-_.]+", "-", re.split(r"[^\w.-]", requirement)[0]).lower()
