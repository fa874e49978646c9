"""What a transaction asked of a contract: the signed record and its signatures, out of the call's bytes.

Reading follows the offsets as the contract's own decoder does, so that whoever relays a request cannot, by an odd but
valid encoding, make it unreadable here. What is read is proved by the transaction's place in the block; nothing in a
call is believed for any other reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ledger.domain import records, rlp
from ledger.domain.abi import static_size
from ledger.domain.commitment import Opening
from ledger.domain.errors import VerificationError
from ledger.domain.keccak import keccak256_text
from ledger.domain.record import ArrayType, FieldType, RecordType, is_dynamic, shape
from ledger.domain.scalars import WORD_BYTES, Scalar, decode_word
from ledger.evidence.kept import keep_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ledger.domain.record import Record

FUNCTIONS: Final[dict[type[Record], str]] = {
    records.AdmitAgency: "admitAgency",
    records.CancelRootReplacement: "cancelRootReplacementBySig",
    records.RegisterPost: "registerPostBySig",
    records.SetPostRoles: "setPostRolesBySig",
    records.RetirePost: "retirePostBySig",
    records.BindKey: "bindKeyBySig",
    records.RotateKey: "rotateKeyBySig",
    records.RetireKey: "retireKeyBySig",
    records.RotateRoot: "rotateRootBySig",
    records.PublishEntry: "publishEntryBySig",
    records.WithdrawEntry: "withdrawEntryBySig",
    records.Propose: "proposeBySig",
    records.Sign: "signBySig",
    records.CancelProposal: "cancelProposalBySig",
    records.Suspend: "suspendBySig",
    records.Resume: "resumeBySig",
    records.Terminate: "terminateBySig",
    records.Dispose: "disposeBySig",
    records.Assign: "assignBySig",
    records.Accept: "acceptBySig",
    records.HandOver: "handOverBySig",
    records.Vacate: "vacateBySig",
    records.Advance: "advanceBySig",
}
"""Signed record → the function of its contract that takes it."""

OPEN_NOTICE: Final = "openNoticeBySig"
"""Takes an `Advance`, and what it opens of the case's filing."""

_WITH_POSSESSION: Final = (records.BindKey, records.RotateKey, records.RotateRoot)
_OPENING: Final = "(bytes32,bytes,uint64,uint64,bytes32[])"
_SELECTOR_BYTES: Final = 4
_ELEMENTS_MAX: Final = 65_536
_TRANSACTION_FIELDS: Final = {0: (9, 3, 5), 1: (11, 4, 6), 2: (12, 5, 7)}
"""Transaction type → number of fields, place of the recipient, place of the call's data."""
_STEP: Final = 6
_WORD: Final = Scalar("bytes32")
_ADDRESS: Final = Scalar("address")
_LENGTH: Final = Scalar("uint64")


@dataclass(frozen=True, slots=True)
class Call:
    """A signed record as a contract was given it.

    ``signer`` is empty where the record itself says whose signature it wants; ``possession`` and ``opening`` are
    there only where the function takes them.
    """

    contract: str
    record: Record
    signer: bytes
    signature: bytes
    possession: bytes
    filing: bytes
    opening: Opening | None


@dataclass(frozen=True, slots=True)
class _Shape:
    contract: str
    record: type[Record]
    opens: bool


def recipient_and_data(raw: bytes) -> tuple[bytes, bytes]:
    """Return whom a raw transaction calls, and with what.

    Raises:
        VerificationError: It is no transaction of type 0, 1 or 2.
    """
    kind = raw[0] if raw and raw[0] < 0xC0 else 0
    try:
        fields = rlp.decode(raw[1:] if kind else raw)
    except ValueError as error:
        raise VerificationError(_STEP, f"a transaction does not decode: {error}") from error
    if kind in _TRANSACTION_FIELDS and isinstance(fields, list):
        count, to, data = _TRANSACTION_FIELDS[kind]
        if len(fields) == count:
            match fields[to], fields[data]:
                case bytes(recipient), bytes(content):
                    return recipient, content
                case _:
                    pass
    raise VerificationError(_STEP, "a transaction has another form than types 0, 1 and 2")


@keep_of
def decode_call(contract: str, data: bytes) -> Call:
    """Return the signed record that a call of a contract carries.

    Raises:
        VerificationError: The call is of no function that takes a signed record.
    """
    found = _SHAPES.get(data[:_SELECTOR_BYTES])
    if found is None or found.contract != contract:
        raise VerificationError(
            _STEP, f"a transaction calls a function of {contract} that takes no signature: {data[:4].hex()}"
        )
    reader = _Reader(data[_SELECTOR_BYTES:])
    kind: FieldType = RecordType(found.record)
    at = 0
    record = reader.value(kind, at, 0)
    at += WORD_BYTES if is_dynamic(kind) else static_size(kind)
    filing, opening = b"", None
    if found.opens:
        filing, opening = reader.opening(reader.offset(at, 0))
        at += WORD_BYTES
    signer = b""
    if found.record is not records.AdmitAgency:
        signer = _bytes(reader.value(_ADDRESS, at, 0))
        at += WORD_BYTES
    signature = reader.bytes_at(reader.offset(at, 0))
    possession = b""
    if found.record in _WITH_POSSESSION:
        possession = reader.bytes_at(reader.offset(at + WORD_BYTES, 0))
    if not isinstance(record, found.record):
        raise VerificationError(_STEP, "a call holds another record than its function takes")
    return Call(contract, record, signer, signature, possession, filing, opening)


class _Reader:
    """Reads ABI values by their offsets, inside the bytes given."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def word(self, at: int) -> bytes:
        word = self._data[at : at + WORD_BYTES]
        if len(word) != WORD_BYTES:
            raise VerificationError(_STEP, "a call's data is cut short")
        return word

    def offset(self, at: int, start: int) -> int:
        """Return the place that the offset at ``at`` points to, counted from ``start``."""
        place = start + int.from_bytes(self.word(at), "big")
        if place > len(self._data):
            raise VerificationError(_STEP, "a call's data points outside itself")
        return place

    def bytes_at(self, at: int) -> bytes:
        size = int.from_bytes(self.word(at), "big")
        begin = at + WORD_BYTES
        if size > len(self._data) - begin:
            raise VerificationError(_STEP, "a call's data is cut short")
        return self._data[begin : begin + size]

    def value(self, kind: FieldType, at: int, start: int) -> object:
        """Return the value whose head is at ``at`` in the tuple that begins at ``start``."""
        if isinstance(kind, Scalar):
            return decode_word(kind, self.word(at), kind.solidity)
        place = self.offset(at, start) if is_dynamic(kind) else at
        if isinstance(kind, RecordType):
            return kind.record(*self._values([field.type for field in shape(kind.record)], place))
        return self._array(kind, place)

    def opening(self, at: int) -> tuple[bytes, Opening]:
        """Return the filing and the opening of the tuple that begins at ``at``."""
        filing = self.word(at)
        leaf = self.bytes_at(self.offset(at + WORD_BYTES, at))
        index, size = (decode_word(_LENGTH, self.word(at + place * WORD_BYTES), "opening") for place in (2, 3))
        path = self._array(ArrayType(_WORD), self.offset(at + 4 * WORD_BYTES, at))
        return filing, Opening(leaf, int(index), int(size), tuple(_bytes(node) for node in path))

    def _array(self, kind: ArrayType, place: int) -> tuple[object, ...]:
        count = int.from_bytes(self.word(place), "big")
        begin = place + WORD_BYTES
        if count > _ELEMENTS_MAX or count * static_size(kind.element) > len(self._data) - begin:
            raise VerificationError(_STEP, "a call's data holds a list that is longer than itself")
        return tuple(self._values([kind.element] * count, begin))

    def _values(self, kinds: Sequence[FieldType], start: int) -> list[object]:
        values: list[object] = []
        at = start
        for kind in kinds:
            values.append(self.value(kind, at, start))
            at += WORD_BYTES if is_dynamic(kind) else static_size(kind)
        return values


def _bytes(value: object) -> bytes:
    if not isinstance(value, bytes):
        raise VerificationError(_STEP, "a call's data holds another type")
    return value


def abi_type(kind: FieldType) -> str:
    """Return a type as a function's signature writes it."""
    match kind:
        case Scalar():
            return kind.solidity
        case ArrayType():
            return abi_type(kind.element) + "[]"
        case RecordType():
            return "(" + ",".join(abi_type(field.type) for field in shape(kind.record)) + ")"


def signature_of(record: type[Record], *, opens: bool = False) -> str:
    """Return the signature of the function that takes a record."""
    kinds = [abi_type(RecordType(record))]
    if opens:
        kinds.append(_OPENING)
    if record is not records.AdmitAgency:
        kinds.append("address")
    kinds.append("bytes")
    if record in _WITH_POSSESSION:
        kinds.append("bytes")
    return f"{OPEN_NOTICE if opens else FUNCTIONS[record]}({','.join(kinds)})"


def _shapes() -> dict[bytes, _Shape]:
    shapes = {
        keccak256_text(signature_of(record))[:_SELECTOR_BYTES]: _Shape(records.CONTRACTS[record], record, opens=False)
        for record in FUNCTIONS
    }
    opening = keccak256_text(signature_of(records.Advance, opens=True))[:_SELECTOR_BYTES]
    shapes[opening] = _Shape("CaseLedger", records.Advance, opens=True)
    return shapes


_SHAPES: Final = _shapes()
"""Selector → what the call carries."""
