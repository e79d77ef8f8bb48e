"""Signatures of images and checksum files, checked by gpgv or sqv against keyrings of the user's or of the host's.

A good signature says whose key made it, and no more: whether that is the one who should have made it, a person decides by
name and fingerprint. Source: GnuPG 2.2, doc/DETAILS, for the lines on the status descriptor.
"""

import base64
import binascii
import re
from collections.abc import Iterable, Sequence
from enum import StrEnum
from pathlib import Path

from bootkit.errors import CommandFailed, host_errors
from bootkit.system.run import LONG, feed, tool_missing, which
from bootkit.system.volumes.raw import scratch
from bootkit.values import dataclass

_FOLDERS = (
    ("/usr/share/keyrings", "*"),
    ("/etc/apt/trusted.gpg.d", "*"),
    ("/usr/share/pacman/keyrings", "*.gpg"),
    ("/usr/share/distribution-gpg-keys", "*/*"),
    ("/etc/pki/rpm-gpg", "*"),
    ("/usr/lib/rpm/gnupg/keys", "*.asc"),
)
"""Where distributions and their keyring packages keep public keys."""
_KEYRING_LIMIT = 64 << 20
_ARMOUR = re.compile(rb"-----BEGIN PGP PUBLIC KEY BLOCK-----(.*?)-----END PGP PUBLIC KEY BLOCK-----", re.DOTALL)
_KEYBOX = b"KBXf"
_STATUS = re.compile(r"\[GNUPG:\] (\w+) ?(.*)")
_UNTRUSTED = {"EXPKEYSIG": "its key has expired", "REVKEYSIG": "its key was revoked", "EXPSIG": "it has expired"}


class SignatureVerdict(StrEnum):
    GOOD = "good"
    WRONG = "wrong"
    """It is of another file, or its key is one that must not be relied on any more."""
    UNKNOWN = "unknown key"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureCheck:
    """What is known of a signature."""

    verdict: SignatureVerdict
    key: str = ""
    """Fingerprint of a known key, else what the signature tells of it; upper-case hex."""
    name: str = ""
    """Whose key it is, as the key says."""
    reason: str = ""

    @property
    def words(self) -> str:
        whose = f"{self.name} ({self.key})" if self.name else f"key {self.key or 'unknown'}"
        match self.verdict:
            case SignatureVerdict.GOOD:
                return f"signed by {whose}"
            case SignatureVerdict.WRONG:
                return f"its signature by {whose} is wrong: {self.reason}"
            case SignatureVerdict.UNKNOWN:
                return f"signed by {whose}, which is in no keyring: --keyring FILE names one"


def host_keyrings() -> tuple[Path, ...]:
    """The files of public keys that the host has."""
    found = (path for folder, pattern in _FOLDERS for path in sorted(Path(folder).glob(pattern)))
    return tuple(path for path in found if path.is_file())


def check_signature(signature: bytes, signed: Iterable[bytes] | None, keyrings: Sequence[Path]) -> SignatureCheck:
    """Whose a signature is. ``signed`` is what a detached one is of; ``None`` for a text that is signed in clear.

    Raises:
        ToolMissing: neither gpgv nor sqv is installed.
        HostError: a keyring cannot be read.
    """
    with scratch() as work:
        (work / "signature").write_bytes(signature)
        (work / "keys").write_bytes(b"".join(filter(None, (_keys(path) for path in keyrings))))
        boxes = [path for path in keyrings if not _keys(path)]
        if which("gpgv"):
            return _by_gpgv(work, signed, boxes)
        if which("sqv") and signed is not None:
            return _by_sqv(work, signed)
    raise tool_missing("gpgv")


def _by_gpgv(work: Path, signed: Iterable[bytes] | None, boxes: Sequence[Path]) -> SignatureCheck:
    rings = [word for path in (work / "keys", *boxes) for word in ("--keyring", str(path.absolute()))]
    argv = ["gpgv", "--homedir", str(work), "--status-fd", "1", *rings, str(work / "signature")]
    if signed is not None:
        argv.append("-")
    with (work / "status").open("wb") as status:
        try:
            feed(argv, signed or (), stdout=status, timeout=LONG)
        except CommandFailed as error:
            said = error.stderr.strip().splitlines()
        else:
            said = []
    text = (work / "status").read_text(errors="replace")
    return _verdict([(match[1], match[2]) for match in map(_STATUS.fullmatch, text.splitlines()) if match], said)


def _verdict(status: Sequence[tuple[str, str]], said: Sequence[str]) -> SignatureCheck:
    """Out of the status lines; of several signatures, the one that says most against it counts."""
    lines = dict(reversed(status))
    fingerprint = lines.get("VALIDSIG", "").partition(" ")[0]
    for word, reason in (("BADSIG", "what it signs was changed"), *_UNTRUSTED.items()):
        if word in lines:
            key, _, name = lines[word].partition(" ")
            return SignatureCheck(verdict=SignatureVerdict.WRONG, key=fingerprint or key, name=name, reason=reason)
    if "ERRSIG" in lines or "NO_PUBKEY" in lines:
        fields = lines.get("ERRSIG", "").split()
        key = fields[6] if len(fields) > 6 and fields[6] != "-" else lines.get("NO_PUBKEY", "") or (fields or [""])[0]
        return SignatureCheck(verdict=SignatureVerdict.UNKNOWN, key=key)
    if "GOODSIG" in lines and fingerprint:
        return SignatureCheck(verdict=SignatureVerdict.GOOD, key=fingerprint, name=lines["GOODSIG"].partition(" ")[2])
    reason = said[-1] if said else "it is no signature"
    return SignatureCheck(verdict=SignatureVerdict.WRONG, reason=reason)


def _by_sqv(work: Path, signed: Iterable[bytes]) -> SignatureCheck:
    """Sqv names the fingerprint of a good signature's key, and says of others only that they are not good."""
    argv = ["sqv", "--keyring", str(work / "keys"), str(work / "signature"), "/dev/stdin"]
    with (work / "status").open("wb") as status:
        try:
            feed(argv, signed, stdout=status, timeout=LONG)
        except CommandFailed as error:
            missing = "missing" in error.stderr.lower() or "no key" in error.stderr.lower()
            verdict = SignatureVerdict.UNKNOWN if missing else SignatureVerdict.WRONG
            return SignatureCheck(verdict=verdict, reason=(error.stderr.strip().splitlines() or ["it is not good"])[-1])
    return SignatureCheck(verdict=SignatureVerdict.GOOD, key=(work / "status").read_text().split()[0])


def _keys(path: Path) -> bytes:
    """The keys of a keyring as gpgv reads them; empty for a keybox, which it reads as it is.

    Raises:
        HostError: it cannot be read.
    """
    with host_errors(str(path)), path.open("rb") as fh:
        content = fh.read(_KEYRING_LIMIT)
    blocks = _ARMOUR.findall(content)
    if blocks:
        return b"".join(map(_unarmoured, blocks))
    return b"" if content[8:12] == _KEYBOX else content


def _unarmoured(block: bytes) -> bytes:
    """RFC 9580, 6.2: headers, an empty line, base64, perhaps a checksum behind ``=``; nothing if it is damaged."""
    body = block.replace(b"\r\n", b"\n").lstrip(b"\n").partition(b"\n\n")[2] or block
    lines = [line for line in body.split() if not line.startswith(b"=")]
    try:
        return base64.b64decode(b"".join(lines), validate=True)
    except binascii.Error:
        return b""
