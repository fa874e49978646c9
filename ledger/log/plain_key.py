"""A note key in clear, in the text form of Go's ``note.GenerateKey``: ``PRIVATE+KEY+name+hash+base64``.

For a log that nobody seals a key for: other people's tools read the same text.
"""

from __future__ import annotations

import base64
import binascii
from typing import Final

from ledger.domain.errors import IntegrityError, InvalidInputError
from ledger.log.note import ED25519, Ed25519Signer

_PREFIX: Final = "PRIVATE+KEY+"


def print_plain_key(name: str, seed: bytes) -> str:
    """Return the key's text; ``parse_plain_key`` gives the same key back."""
    signer = Ed25519Signer(name, seed)
    return f"{_PREFIX}{name}+{signer.key_id.hex()}+{base64.b64encode(bytes([ED25519]) + seed).decode()}\n"


def parse_plain_key(text: str) -> Ed25519Signer:
    """Return the key in the text.

    Raises:
        IntegrityError: it is no such key, or its hash is not its name's and key's. The text is not shown.
    """
    parts = text.removesuffix("\n").removeprefix(_PREFIX).split("+", 2)
    try:
        name, key_id, encoded = parts
        material = base64.b64decode(encoded, validate=True)
        signer = Ed25519Signer(name, material[1:])
    except (ValueError, binascii.Error, InvalidInputError) as error:
        raise IntegrityError("log key", "its file does not hold a private note key") from error
    if material[0] != ED25519 or signer.key_id.hex() != key_id or print_plain_key(name, material[1:]) != text:
        raise IntegrityError("log key", "its file does not hold a private note key")
    return signer
