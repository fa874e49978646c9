"""Signed NDJSON bodies of any lines, those included that no honest reporter would sign."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from coincurve import PrivateKey

from ledger.domain import canonical
from ledger.domain.keccak import keccak256
from ledger.domain.typed_data import Domain
from ledger.domain.typed_data import digest as signing_digest
from ledger.log.tree import leaf_hash, root_of
from ledger.service.event_batches import record_of
from tests.domain.factories import REPORTER

if TYPE_CHECKING:
    from collections.abc import Sequence

DOMAIN: Final = Domain(31_337, b"\x11" * 20)
AGREEMENT: Final = "ab" * 32
_KEY: Final = PrivateKey(b"\x01" * 32)
_ADDRESS: Final = keccak256(_KEY.public_key.format(compressed=False)[1:])[12:]


def body_of(lines: Sequence[bytes], *, end: bytes = b"\n") -> bytes:
    """Sign the lines as they are, and return the body."""
    record = record_of(
        REPORTER,
        AGREEMENT,
        count=len(lines),
        root=root_of(map(leaf_hash, lines)),
        nonce=7,
        deadline=2_000_000_000,
    )
    signature = _KEY.sign_recoverable(signing_digest(DOMAIN, record), hasher=None)
    head = {
        "reporter": REPORTER,
        "agreement": AGREEMENT,
        "nonce": "7",
        "deadline": 2_000_000_000,
        "signer": "0x" + _ADDRESS.hex(),
        "signature": "0x" + signature[:64].hex() + f"{signature[64] + 27:02x}",
        "count": len(lines),
    }
    return canonical.encode(head) + b"\n" + b"\n".join(lines) + end
