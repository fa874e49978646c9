"""Requests that were signed elsewhere: parsed, matched with their documents, and relayed.

The record travels as the ``message`` of ``eth_signTypedData_v4`` (bytes as 0x hex, integers as decimal text),
so that what a browser wallet signed is sent on as it is. What a record commits to comes beside it and is
on disk before the transaction goes out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from ledger.domain.codes import Tier
from ledger.domain.commitment import Opening, recommit
from ledger.domain.errors import InvalidInputError, RefusedError
from ledger.domain.record import ArrayType, FieldType, Record, RecordType, shape
from ledger.domain.records import CONTRACTS, SERVICE_ONLY, Advance, Propose, PublishEntry, RegisterPost
from ledger.domain.scalars import Scalar
from ledger.domain.text import check_reference
from ledger.domain.typed_data import digest
from ledger.service.case_documents import FILING_STEPS
from ledger.service.directory import check_text
from ledger.service.openings import PRIVATE, PUBLIC, SEALED, tiers_of_step
from ledger.service.ports import VaultDocument
from ledger.service.profiles import keep
from ledger.service.requests import Request
from ledger.service.submission import (
    FUNCTIONS,
    REGISTRAR,
    SignedOpening,
    SignedRequest,
    check_acceptable,
    domain_of,
    relay,
)

if TYPE_CHECKING:
    from ledger.service.ports import ChainReceipt
    from ledger.service.services import Services

SENDABLE: Final[dict[str, type[Record]]] = {
    record.__name__: record
    for record in CONTRACTS
    if record not in SERVICE_ONLY and FUNCTIONS[record].sender != REGISTRAR
}
"""Records that anyone may bring signed, by name; what the registrar itself must send is none of them."""
_KINDS: Final = frozenset({"agency", "post", "dataset", "agreement", "reason", "case"})


class SentDocument(Request, frozen=True, kw_only=True):
    """What a record commits to: groups as name → [salt, value], and the texts behind its hashes."""

    kind: str
    tier: str
    groups: dict[str, tuple[str, Any]]
    about: str = ""
    texts: dict[str, list[str]] = msgspec.field(default_factory=dict)


class SentOpening(Request, frozen=True, kw_only=True):
    """The respondent's group out of a filing's commitment, as a notice opens it; bytes as 0x hex."""

    filing: str
    leaf: str
    index: int
    size: int
    path: list[str]


class SendSigned(Request, frozen=True, kw_only=True):
    """A signed record by its name, its signatures, and the documents that it commits to."""

    type: str
    message: dict[str, Any]
    signer: str
    signature: str
    possession: str = ""
    opening: SentOpening | None = None
    documents: list[SentDocument] = msgspec.field(default_factory=list)
    idempotency_key: str = ""


def send_signed(services: Services, request: SendSigned) -> dict[str, Any]:
    """Relay a request that was signed elsewhere; the same again gives the first answer.

    Raises:
        InvalidInputError: The record or a document is not well formed.
        UnauthorizedError: The signature or deadline does not hold.
        ConflictError: The idempotency key was used for other content.
        RefusedError: The contract refused, with its named error.
    """
    record = parse_record(request.type, request.message)
    if request.opening is not None and not isinstance(record, Advance):
        raise InvalidInputError("opening", request.type, "nothing, except with an Advance")
    signed = SignedRequest(
        record=record,
        signer=parse_hex(request.signer, "signer", 20),
        signature=parse_hex(request.signature, "signature"),
        possession=parse_hex(request.possession, "possession") if request.possession else b"",
        opening=_opening(request.opening) if request.opening is not None else None,
    )
    documents = [_document(document, record, f"documents[{place}]") for place, document in enumerate(request.documents)]
    # Nobody without the right to act fills the vault: what the contract would refuse is refused before.
    # Nor does a used idempotency key, whose first request brought its documents: they were on disk before it was sent.
    key = _outbox_key(request, record)
    if not services.outbox.is_known(key):
        try:
            check_acceptable(services, signed, key=key)
        except RefusedError:
            if not services.outbox.is_known(key):
                raise
        else:
            for document in documents:
                keep(services, document)
    receipt = _relayed_once(services, signed, key)
    return {
        "type": request.type,
        "digest": digest(domain_of(services.deployment, type(record)), record).hex(),
        "tx": receipt.tx_hash.hex(),
        "block": receipt.block_number,
        "block_hash": receipt.block_hash.hex(),
    }


def _relayed_once(services: Services, signed: SignedRequest, key: str) -> ChainReceipt:
    """Relay a request, or return what became of it where the same one overtook it: what that did now refuses this."""
    try:
        return relay(services, signed, key=key)
    except RefusedError:
        if not services.outbox.is_known(key):
            raise
        return relay(services, signed, key=key)


def parse_record(name: str, message: dict[str, Any]) -> Record:
    """Return the record of a name from the message that a wallet signed.

    Raises:
        InvalidInputError: No such record, a field missing or unknown, or a value out of range.
    """
    record = SENDABLE.get(name)
    if record is None:
        raise InvalidInputError("type", name, ", ".join(sorted(SENDABLE)))
    return record_of(record, message, "message")


def parse_hex(text: str, field: str, size: int = 0) -> bytes:
    """Return the bytes of 0x hex.

    Raises:
        InvalidInputError: Other text, or another size than wanted.
    """
    try:
        value = bytes.fromhex(text.removeprefix("0x"))
    except ValueError as error:
        raise InvalidInputError(field, text, "hexadecimal digits after 0x") from error
    if size and len(value) != size:
        raise InvalidInputError(field, text, f"{size} bytes")
    return value


def record_of(record: type[Record], message: Any, path: str) -> Record:
    """Return a record of a class from its fields as a wallet writes them.

    Raises:
        InvalidInputError: A field missing or unknown, or a value out of range; named by its path.
    """
    if not isinstance(message, dict):
        raise InvalidInputError(path, message, f"the fields of {record.__name__}")
    fields = shape(record)
    for unknown in sorted(set(message) - {field.solidity_name for field in fields}):
        raise InvalidInputError(f"{path}.{unknown}", unknown, ", ".join(field.solidity_name for field in fields))
    values = []
    for field in fields:
        where = f"{path}.{field.solidity_name}"
        if field.solidity_name not in message:
            raise InvalidInputError(where, "", "a value for every field")
        values.append(_value(field.type, message[field.solidity_name], where))
    return record(*values)


def _value(kind: FieldType, value: Any, path: str) -> Any:
    match kind:
        case RecordType():
            return record_of(kind.record, value, path)
        case ArrayType():
            if not isinstance(value, list):
                raise InvalidInputError(path, value, "a list")
            return tuple(_value(kind.element, element, f"{path}[{place}]") for place, element in enumerate(value))
        case Scalar():
            return _scalar(kind, value, path)


def _scalar(kind: Scalar, value: Any, path: str) -> bytes | int:
    if kind.solidity == "bool":
        if not isinstance(value, bool):
            raise InvalidInputError(path, value, "true or false")
        return value
    if kind.bits:
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 80:
            return int(value)
        raise InvalidInputError(path, value, "an integer, or decimal text")
    if not isinstance(value, str):
        raise InvalidInputError(path, value, "0x hex")
    return parse_hex(value, path)


def words_of(record: Record) -> frozenset[bytes]:
    """Return every 32-byte value in a record, nested ones included."""
    found: set[bytes] = set()
    for field in shape(type(record)):
        value = getattr(record, field.name)
        for element in value if isinstance(value, tuple) else (value,):
            if isinstance(element, Record):
                found |= words_of(element)
            elif isinstance(element, bytes):
                found.add(element)
    return frozenset(found)


def _outbox_key(request: SendSigned, record: Record) -> str:
    """Return the key under which a request is sent once: its sender's own key, else the nonce that it spends."""
    signer = parse_hex(request.signer, "signer", 20).hex()
    if request.idempotency_key:
        return f"api:{signer}:{request.idempotency_key}"
    return f"nonce:{CONTRACTS[type(record)]}:{signer}:{getattr(record, 'nonce', 0)}"


def _opening(sent: SentOpening) -> SignedOpening:
    path = tuple(parse_hex(node, f"opening.path[{place}]", 32) for place, node in enumerate(sent.path))
    for name, value in (("index", sent.index), ("size", sent.size)):
        if not 0 <= value < 2**63:
            raise InvalidInputError(f"opening.{name}", value, "0 to 2^63 - 1")
    opening = Opening(parse_hex(sent.leaf, "opening.leaf"), sent.index, sent.size, path)
    return SignedOpening(parse_hex(sent.filing, "opening.filing", 32), opening)


def _public_words(record: Record) -> frozenset[bytes]:
    """Return the commitments whose documents anyone may read: names, the texts of agreements, and notices."""
    match record:
        case Propose():
            return frozenset({record.terms.text})
        case RegisterPost():
            return frozenset({record.profile})
        case PublishEntry():
            return frozenset({record.content})
        case Advance() if tiers_of_step(record.step) == PUBLIC:
            return frozenset({record.commitment})
        case _:
            return frozenset()


def _tiers(record: Record, commitment: bytes) -> frozenset[Tier]:
    """Return the tiers that a document may have: by the record, since a commitment does not cover its tier."""
    if commitment in _public_words(record):
        return PUBLIC
    return SEALED if isinstance(record, Advance) else PRIVATE


def _referred(record: Record) -> tuple[str, bytes, bytes] | None:
    """Return the one document whose reference names an object: its kind, commitment and whom it is about.

    Only who may propose an agreement or file a case may name it; other documents name nothing.
    """
    match record:
        case Propose():
            return "agreement", record.terms.text, record.terms.agreement
        case Advance() if record.step in FILING_STEPS:
            return "case", record.commitment, record.case_id
        case _:
            return None


def _document(sent: SentDocument, record: Record, path: str) -> VaultDocument:
    words = words_of(record)
    if sent.kind not in _KINDS:
        raise InvalidInputError(f"{path}.kind", sent.kind, ", ".join(sorted(_KINDS)))
    if sent.tier not in set(Tier):
        raise InvalidInputError(f"{path}.tier", sent.tier, ", ".join(tier.value for tier in Tier))
    commitment = recommit(sent.groups)
    if commitment.root not in words:
        raise InvalidInputError(path, commitment.root, "a document that the signed record commits to")
    if sent.tier not in (allowed := _tiers(record, commitment.root)):
        raise InvalidInputError(f"{path}.tier", sent.tier, " or ".join(sorted(allowed)) + ", as for all such documents")
    for kind, texts in sent.texts.items():
        for place, text in enumerate(texts):
            check_text(kind, text, f"{path}.texts.{kind}[{place}]")
    extra: dict[str, object] = {}
    if sent.about:
        about = parse_hex(sent.about, f"{path}.about", 32)
        if about not in words:
            raise InvalidInputError(f"{path}.about", sent.about, "an id in the signed record")
        extra["about"] = about.hex()
    named = (sent.kind, commitment.root, bytes.fromhex(str(extra.get("about", ""))))
    stated = sent.groups.get("reference", ("", ""))[1]
    if isinstance(stated, str) and stated and named == _referred(record):
        extra["reference"] = check_reference(stated, f"{path}.groups.reference")
    if sent.texts:
        extra["texts"] = {kind: sorted(set(texts)) for kind, texts in sent.texts.items()}
    return VaultDocument(commitment.root, sent.kind, sent.tier, commitment.by_name(), extra)
