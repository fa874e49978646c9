"""X-Road operational monitoring: one record a message and a security server.

A record names members, a service and times, never an agreement, a purpose or a delivery: those come from the
mapping file. ``xRequestId`` pairs the two sides; ``messageId`` does not, since clients reuse
it. A record that names no service or no member is still a record: what it does not say stays
``""``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ledger.domain.codes import EventKind, Outcome, Side
from ledger.domain.errors import InvalidInputError
from ledger.domain.event_v1 import MAX_SOURCE_TEXT
from ledger.domain.identifiers import parse_agency
from ledger.domain.text import check_name
from ledger.service.importing.source_file import Record, integer_of, text_of

MEMBER: Final = "records"
FIELDS: Final = ("securityServerType", "requestInTs")
"""What no record can do without."""
_SIDES: Final = {"Client": Side.CONSUMER, "Producer": Side.PROVIDER}
_CLAIMED: Final = frozenset(
    {
        "securityServerType",
        "requestInTs",
        "clientXRoadInstance",
        "clientMemberClass",
        "clientMemberCode",
        "serviceXRoadInstance",
        "serviceMemberClass",
        "serviceMemberCode",
        "responseSize",
        "succeeded",
        "xRequestId",
    }
)


@dataclass(frozen=True, slots=True)
class ExchangeRecord:
    """One side's record of one exchange; ``""`` and -1 mean not stated."""

    side: Side
    kind: EventKind
    occurred_at_ms: int
    provider: str
    requester: str
    requester_subsystem: str
    service: str
    outcome: Outcome
    size: int
    correlation: str
    source: dict[str, str | int]

    @property
    def reporter_agency(self) -> str:
        """Whose server made the record: the provider's for its side, else the requester's."""
        return self.provider if self.side is Side.PROVIDER else self.requester


def parse_exchange(record: Record) -> ExchangeRecord:
    """Return one operational-monitoring record in our terms.

    Raises:
        InvalidInputError: The side, the time or the outcome is missing or wrong, or an identifier is malformed.
    """
    side = _SIDES.get(text_of(record, "securityServerType", required=True))
    if side is None:
        raise InvalidInputError("securityServerType", record.get("securityServerType"), "Client or Producer")
    occurred = integer_of(record, "requestInTs", required=True)
    if occurred is None or occurred <= 0:
        raise InvalidInputError("requestInTs", occurred, "milliseconds since 1970-01-01T00:00:00Z")
    succeeded = record.get("succeeded")
    if not isinstance(succeeded, bool):
        raise InvalidInputError("succeeded", succeeded, "true or false")
    size = integer_of(record, "responseSize")
    if size is not None and size < 0:
        raise InvalidInputError("responseSize", size, "a number of bytes, 0 or more")
    return ExchangeRecord(
        side=side,
        kind=EventKind.DELIVERY if side is Side.PROVIDER else EventKind.ACCESS,
        occurred_at_ms=occurred,
        provider=_member(record, "service"),
        requester=_member(record, "client"),
        requester_subsystem=text_of(record, "clientSubsystemCode"),
        service=_service(record),
        outcome=Outcome.SUCCEEDED if succeeded else Outcome.FAILED,
        size=-1 if size is None else size,
        correlation=text_of(record, "xRequestId"),
        source=_source(record),
    )


def _member(record: Record, prefix: str) -> str:
    """Return ``xroad:INSTANCE/CLASS/CODE``, or ``""`` where the record names no member at all."""
    fields = [f"{prefix}XRoadInstance", f"{prefix}MemberClass", f"{prefix}MemberCode"]
    parts = [text_of(record, field) for field in fields]
    if not any(parts):
        return ""
    for field, part in zip(fields, parts, strict=True):
        if not part or "/" in part:
            raise InvalidInputError(field, part, "a text without / where the other parts of the member are given")
    return str(parse_agency("xroad:" + "/".join(parts), f"{prefix}MemberCode"))


def _service(record: Record) -> str:
    """Return ``SUBSYSTEM/CODE``, ``CODE`` for a service of the member itself, or ``""``."""
    code = text_of(record, "serviceCode")
    if not code:
        return ""
    subsystem = text_of(record, "serviceSubsystemCode")
    return check_name(f"{subsystem}/{code}" if subsystem else code, "serviceCode")


def _source(record: Record) -> dict[str, str | int]:
    """Return the record's other fields as it wrote them, long texts cut with a mark; nested values are refused."""
    kept: dict[str, str | int] = {}
    for field, value in record.items():
        if field in _CLAIMED or value is None:
            continue
        if not field.isascii() or not field.isprintable():
            raise InvalidInputError(repr(field), value, "field names of printable ASCII")
        if isinstance(value, bool):
            kept[field] = "true" if value else "false"
        elif isinstance(value, int):
            kept[field] = value
        elif isinstance(value, str):
            text = text_of(record, field)
            kept[field] = text if len(text) <= MAX_SOURCE_TEXT else text[: MAX_SOURCE_TEXT - 1] + "…"
        else:
            raise InvalidInputError(field, value, "a text, an integer or a truth value")
    return kept
