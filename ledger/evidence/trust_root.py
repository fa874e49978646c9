"""The trust root (docs/spec/trust-root-v1.md): all that a verifier has to take from elsewhere, as one small file.

root = parse_trust_root(data)
fingerprint(data)      # what two people compare by telephone
"""

from __future__ import annotations

from hashlib import sha256
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from ledger.domain import canonical
from ledger.domain.errors import InvalidInputError, VerificationError
from ledger.evidence.file import Hex20, Hex32, Number
from ledger.log.note import Ed25519Verifier

FORMAT: Final = "quanze-trust-root-v1"
BINDING_AGE_MAX_S: Final = 60
"""An anchor's block follows the bound block within this, else STALE_BINDING: fixed by the format."""

REQUIRED_CONTRACTS: Final = (
    "AgencyRegistry",
    "AgreementLedger",
    "CaseLedger",
    "Catalogue",
    "CheckpointAnchor",
    "ResponsibilityLedger",
)
_GROUPS: Final = 12


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A closed object of the file."""


class Contract(_Part, frozen=True, kw_only=True):
    """Where a contract is, and the keccak256 of its runtime code."""

    address: Hex20
    code_hash: Hex32


class Log(_Part, frozen=True, kw_only=True):
    """The log's name and its key as a C2SP vkey."""

    origin: str
    vkey: str


class Validators(_Part, frozen=True, kw_only=True):
    """Who seals blocks, and how many of them must."""

    keys: list[Hex20]
    threshold: Annotated[int, Meta(ge=1, le=1000)]


class Witnesses(_Part, frozen=True, kw_only=True):
    """Who cosigns checkpoints, as vkeys, and how many of them must; none in a deployment without witnesses."""

    keys: list[str]
    threshold: Annotated[int, Meta(ge=0, le=1000)]


class TrustRoot(_Part, frozen=True, kw_only=True):
    """The whole file."""

    agencies: dict[Hex32, list[Hex20]]
    chain_id: Number
    contracts: dict[str, Contract]
    demonstration: bool
    format: Literal["quanze-trust-root-v1"]
    genesis_hash: Hex32
    log: Log
    validators: Validators
    witnesses: Witnesses

    def address(self, contract: str) -> bytes:
        """Return where a contract is."""
        return bytes.fromhex(self.contracts[contract].address)

    def roots(self, agency: bytes) -> tuple[bytes, ...]:
        """Return the root keys of an agency, oldest first; none if it is unknown here."""
        return tuple(bytes.fromhex(key) for key in self.agencies.get(agency.hex(), ()))


def parse_trust_root(data: bytes) -> TrustRoot:
    """Return the trust root that these bytes are.

    Raises:
        VerificationError: They are not its canonical form, or say something that cannot be.
    """
    try:
        root = msgspec.convert(canonical.decode_canonical(data), TrustRoot)
        for vkey in (root.log.vkey, *root.witnesses.keys):
            Ed25519Verifier.from_vkey(vkey)
    except InvalidInputError as error:
        raise VerificationError(0, f"the trust root does not hold: {error.explain()}") from error
    except msgspec.ValidationError as error:
        raise VerificationError(0, f"the trust root has another form: {error}") from error
    except ValueError as error:
        raise VerificationError(0, "the trust root holds a key that is none") from error
    _check(root)
    return root


def print_trust_root(root: TrustRoot) -> bytes:
    """Return the file's bytes."""
    return canonical.encode(msgspec.to_builtins(root))


def fingerprint(data: bytes) -> str:
    """Return twelve groups of five digits: each two bytes of the file's SHA-256, as a number with leading zeros."""
    digest = sha256(data).digest()
    words = (int.from_bytes(digest[2 * place : 2 * place + 2], "big") for place in range(_GROUPS))
    return " ".join(f"{word:05d}" for word in words)


def _check(root: TrustRoot) -> None:
    missing = [name for name in REQUIRED_CONTRACTS if name not in root.contracts]
    if missing:
        raise VerificationError(0, f"the trust root lacks the contract {missing[0]}")
    addresses = [contract.address for contract in root.contracts.values()]
    if len(set(addresses)) != len(addresses):
        raise VerificationError(0, "the trust root has two contracts at one address")
    for what, keys, threshold in (
        ("validators", root.validators.keys, root.validators.threshold),
        ("witnesses", root.witnesses.keys, root.witnesses.threshold),
    ):
        if len(set(keys)) != len(keys) or threshold > len(keys):
            raise VerificationError(0, f"the trust root's {what} stand twice, or are fewer than must sign")
