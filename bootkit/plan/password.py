"""A password as GRUB keeps it: only its PBKDF2 digest."""

import hashlib

ROUNDS = 10_000
SALT_SIZE = 64
"""Bytes. All three sizes are those of grub-mkpasswd-pbkdf2."""
_DIGEST_SIZE = 64


def grub_digest(password: str, salt: bytes, rounds: int = ROUNDS) -> str:
    """``grub.pbkdf2.sha512.ROUNDS.SALT.DIGEST``, in capital hex.

    Source: grub 2.06, util/grub-mkpasswd-pbkdf2.c and grub-core/commands/password_pbkdf2.c.
    """
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, rounds, _DIGEST_SIZE)
    return f"grub.pbkdf2.sha512.{rounds}.{salt.hex().upper()}.{digest.hex().upper()}"
