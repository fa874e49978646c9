"""The evidence file's form (docs/spec/evidence-v1.md §2): canonical JSON with exactly these members.

Nothing here is checked beyond form; every value is then needed by a step, and nothing may be there that is not.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, TypeVar

import msgspec
from msgspec import Meta

from ledger.domain import canonical
from ledger.domain.canonical import MAX_INTEGER
from ledger.domain.errors import InvalidInputError, VerificationError
from ledger.domain.leaf import LeafV1

FORMAT: Final = "quanze-evidence-v1"
MAX_BYTES: Final = 64 * 2**20
"""A file beyond this is refused unread: no honest history needs it, and hostile ones shall not fill the memory."""

Kind = Literal["event", "agreement", "responsibility", "case", "answer"]
KINDS: Final = ("event", "agreement", "responsibility", "case", "answer")

Hex32 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$", max_length=64)]
Hex20 = Annotated[str, Meta(pattern="^[0-9a-f]{40}$", max_length=40)]
Number = Annotated[int, Meta(ge=0, le=MAX_INTEGER)]
Small = Annotated[int, Meta(ge=0, le=2**32 - 1)]
Group = str | tuple[str, str, Any]
"""A disclosed group ``[salt, name, value]``, or a withheld one's leaf hash."""

_Form = TypeVar("_Form", bound=msgspec.Struct)


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A closed object of the file."""


class Batch(Part, frozen=True, kw_only=True):
    """The reporter's signature over the batch that the event came in, and the event's place in it."""

    count: Number
    deadline: Number
    nonce: Annotated[str, Meta(pattern="^(0|[1-9][0-9]{0,77})$", max_length=78)]
    path: list[Hex32]
    place: Number
    signature: str


class Entry(Part, frozen=True, kw_only=True):
    """A fact: its groups, its log entry, and how the log holds it."""

    anchor: tuple[Number, Small, Small]
    batch: Batch | None
    checkpoint: str
    groups: list[Group]
    index: Number
    leaf: LeafV1
    path: list[Hex32]
    stream_salt: str


class Block(Part, frozen=True, kw_only=True):
    """A header, its seals, and the trie nodes of the transactions and receipts used."""

    header: str
    receipts: list[str]
    seals: list[str]
    transactions: list[str]


class History(Part, frozen=True, kw_only=True):
    """All events that advanced one running head, each as block, transaction and log within the receipt."""

    contract: str
    events: list[tuple[Number, Small, Small]]
    key: Hex32


class State(Part, frozen=True, kw_only=True):
    """Trie nodes under one block's state root: of accounts, and of each contract's storage."""

    accounts: list[str]
    block: Number
    storage: dict[str, list[str]]


class Evidence(Part, frozen=True, kw_only=True):
    """The whole file."""

    answer: dict[str, str] | None
    blocks: list[Block]
    documents: list[list[Group]]
    entry: Entry | None
    format: Literal["quanze-evidence-v1"]
    histories: list[History]
    kind: Kind
    state: State | None
    subject: dict[str, str]


def read_as(form: type[_Form], data: bytes) -> _Form:
    """Return the object of a form that these bytes are the canonical JSON of.

    Raises:
        VerificationError: They are not its canonical form, or a member is missing, unknown or of another kind.
    """
    if len(data) > MAX_BYTES:
        raise VerificationError(0, f"the file has more than {MAX_BYTES} bytes")
    try:
        read = msgspec.convert(canonical.decode_canonical(data), form)
    except InvalidInputError as error:
        raise VerificationError(0, f"the file is not canonical JSON: {error.explain()}") from error
    except msgspec.ValidationError as error:
        raise VerificationError(0, f"the file has another form: {error}") from error
    if canonical.encode_checked(read) != data:
        raise VerificationError(0, "the file leaves out a member that has a usual value")
    return read


def parse_evidence(data: bytes) -> Evidence:
    """Return the file that these bytes are.

    Raises:
        VerificationError: They are not its canonical form, or a member is missing, unknown or of another kind.
    """
    return read_as(Evidence, data)


def print_evidence(evidence: Evidence) -> bytes:
    """Return the file's bytes. Raises InvalidInputError outside the JSON subset."""
    return canonical.encode(msgspec.to_builtins(evidence))


def unhex(text: str, what: str) -> bytes:
    """Return the bytes of lower-case hexadecimal digits, which have no other spelling.

    Raises:
        VerificationError: Any other text.
    """
    try:
        value = bytes.fromhex(text)
    except ValueError as error:
        raise VerificationError(0, f"{what} is not hexadecimal") from error
    if value.hex() != text:
        raise VerificationError(0, f"{what} is not lower-case hexadecimal without spaces")
    return value
