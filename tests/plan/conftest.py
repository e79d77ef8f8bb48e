"""Debian's kernel and shim as Secure Boot sees them, recorded from the packages that the record names."""

import json
from pathlib import Path

from bootkit.model.initrdrecord import efi_from_json

_RECORD = json.loads(Path(__file__).with_name("secure_boot.json").read_text())
DEBIAN_KERNEL = efi_from_json(_RECORD["kernel"], "kernel")
DEBIAN_SHIM = efi_from_json(_RECORD["shim"], "shim")
