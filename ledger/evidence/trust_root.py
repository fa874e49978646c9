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
from ledger.log.checkpoint import MAX_SIZE
from ledger.log.cosignature import CosignatureVerifier
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


class FormerKey(_Part, frozen=True, kw_only=True):
    """A key that the log signed with before, and the largest size that counts by its signature."""

    until: Annotated[int, Meta(ge=0, le=MAX_SIZE)]
    vkey: str


class Log(_Part, frozen=True, kw_only=True):
    """The log's name, its key as a C2SP vkey, and the keys that it had before, oldest first."""

    former: list[FormerKey]
    origin: str
    vkey: str

    def keys_at(self, size: int) -> list[Ed25519Verifier]:
        """Return the keys by any of which a checkpoint of this size may be signed."""
        former = [key.vkey for key in self.former if size <= key.until]
        return [Ed25519Verifier.from_vkey(vkey) for vkey in (self.vkey, *former)]


class Validators(_Part, frozen=True, kw_only=True):
    """Who seals blocks, and how many of them must."""

    keys: list[Hex20]
    threshold: Annotated[int, Meta(ge=1, le=1000)]


class Witnesses(_Part, frozen=True, kw_only=True):
    """Who cosigns checkpoints from a size on, as vkeys of the kind 0x04, and how many of them must."""

    keys: list[str]
    since: Annotated[int, Meta(ge=0, le=MAX_SIZE)]
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
    witnesses: list[Witnesses]
    """The smallest size first; nobody cosigns what is smaller still."""

    def address(self, contract: str) -> bytes:
        """Return where a contract is."""
        return bytes.fromhex(self.contracts[contract].address)

    def witnesses_at(self, size: int) -> Witnesses:
        """Return who cosigns a checkpoint of this size; nobody before there were witnesses."""
        counting = [witnesses for witnesses in self.witnesses if witnesses.since <= size]
        return counting[-1] if counting else Witnesses(keys=[], since=0, threshold=0)

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
        keys = [Ed25519Verifier.from_vkey(vkey) for vkey in (root.log.vkey, *(key.vkey for key in root.log.former))]
        cosigners = [[CosignatureVerifier.from_vkey(vkey) for vkey in era.keys] for era in root.witnesses]
    except InvalidInputError as error:
        raise VerificationError(0, f"the trust root does not hold: {error.explain()}") from error
    except msgspec.ValidationError as error:
        raise VerificationError(0, f"the trust root has another form: {error}") from error
    except ValueError as error:
        raise VerificationError(0, "the trust root holds a key that is none") from error
    _check(root)
    for era in cosigners or [[]]:
        public = [key.public_key for key in keys] + [key.public_key for key in era]
        if len(set(public)) != len(public):
            raise VerificationError(0, "the trust root names one key twice, of the log or of its witnesses")
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
    for what, sizes in (
        ("former keys of the log", [key.until for key in root.log.former]),
        ("witnesses", [era.since for era in root.witnesses]),
    ):
        if sorted(set(sizes)) != sizes:
            raise VerificationError(0, f"the trust root's {what} do not follow each other")
    for what, keys, threshold in (
        ("validators", root.validators.keys, root.validators.threshold),
        *(("witnesses", era.keys, era.threshold) for era in root.witnesses),
    ):
        if len(set(keys)) != len(keys) or threshold > len(keys):
            raise VerificationError(0, f"the trust root's {what} stand twice, or are fewer than must sign")
