"""Find the UEFI firmware images of a test machine.

Every distribution that packages EDK2 describes its images in JSON files in one folder, sorted by preference.

Source: QEMU, docs/interop/firmware.json.
"""

from pathlib import Path
from typing import cast

from bootkit.errors import FormatError, ToolMissing
from bootkit.i18n import tr
from bootkit.model.fields import parse_json
from bootkit.model.testboot import TestFirmware
from bootkit.values import dataclass

_HINT = tr(
    "install it: Debian ovmf, ovmf-ia32 and qemu-efi-aarch64, Fedora edk2-ovmf, edk2-ovmf-ia32 and edk2-aarch64, Arch edk2-ovmf "
    "and edk2-aarch64, openSUSE qemu-ovmf-x86_64 and qemu-uefi-aarch64"
)

DESCRIPTORS = (Path("/etc/qemu/firmware"), Path("/usr/share/qemu/firmware"))


@dataclass(frozen=True, slots=True, kw_only=True)
class FlashImage:
    """A UEFI firmware in flash memory: code, and the template of its variables."""

    code: Path
    variables: Path
    format: str = "raw"
    """QEMU's name of both files' format."""
    architecture: str
    features: frozenset[str] = frozenset()

    def serves(self, firmware: TestFirmware) -> bool:
        enrolled = {"secure-boot", "enrolled-keys"} <= self.features
        match firmware:
            case TestFirmware.BIOS:
                return False
            case TestFirmware.UEFI:
                return self.architecture == "x86_64" and "enrolled-keys" not in self.features
            case TestFirmware.IA32:
                return self.architecture == "i386" and "enrolled-keys" not in self.features
            case TestFirmware.SECUREBOOT:
                return self.architecture == "x86_64" and enrolled
            case TestFirmware.ARM64:
                return self.architecture == "aarch64" and "enrolled-keys" not in self.features


def find_flash(firmware: TestFirmware, folders: tuple[Path, ...] = DESCRIPTORS) -> FlashImage:
    """The best installed image for a firmware that is not BIOS; one without Secure Boot where that is not the point.

    Raises:
        ToolMissing: there is none.
    """
    images = [image for folder in folders for file in sorted(folder.glob("*.json")) if (image := _read(file))]
    fitting = [image for image in images if image.serves(firmware) and image.code.exists()]
    if not fitting:
        raise ToolMissing(tr("there is no firmware for QEMU that serves {firmware}", firmware=firmware), hint=_HINT)
    return min(fitting, key=lambda image: firmware is not TestFirmware.SECUREBOOT and "secure-boot" in image.features)


def _read(file: Path) -> FlashImage | None:
    """One descriptor; ``None`` for anything but flash with a variable store on q35 or virt."""
    try:
        document = parse_json(file.read_bytes(), str(file))
    except (OSError, FormatError):
        return None
    target = next((target for target in _items(document, "targets") if _is_machine_of_ours(target)), None)
    mapping = _field(document, "mapping")
    code, variables = _field(mapping, "executable"), _field(mapping, "nvram-template")
    paths = _text(code, "filename"), _text(variables, "filename")
    if target is None or _text(mapping, "device") != "flash" or not all(paths):
        return None
    return FlashImage(
        code=Path(paths[0]),
        variables=Path(paths[1]),
        format=_text(code, "format") or "raw",
        architecture=_text(target, "architecture"),
        features=frozenset(feature for feature in _items(document, "features") if isinstance(feature, str)),
    )


def _is_machine_of_ours(target: object) -> bool:
    return any(
        isinstance(machine, str) and machine.startswith(("pc-q35", "virt-")) for machine in _items(target, "machines")
    )


def _field(value: object, key: str) -> object:
    return cast("dict[str, object]", value).get(key) if isinstance(value, dict) else None


def _text(value: object, key: str) -> str:
    found = _field(value, key)
    return found if isinstance(found, str) else ""


def _items(value: object, key: str) -> list[object]:
    found = _field(value, key)
    return cast("list[object]", found) if isinstance(found, list) else []
