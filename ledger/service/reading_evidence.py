"""Evidence files and the trust root as they are given over a network: of what the asker may read, and no more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from ledger.domain.canonical import MAX_INTEGER
from ledger.domain.errors import InvalidInputError, NotFoundError
from ledger.service.answers import question_of
from ledger.service.event_views import find_leaf
from ledger.service.evidence import ExportEvidence, export_entry, export_evidence
from ledger.service.evidence_batches import (
    ExportStream,
    export_entries,
    export_stream,
    indices_of,
    stream_entries,
)
from ledger.service.reading_events import readable
from ledger.service.reading_notices import resolve_open_case
from ledger.service.requests import Request
from ledger.service.signatures import SignatureMissingError

if TYPE_CHECKING:
    from ledger.domain.identifiers import PostRef
    from ledger.service.services import Services

KINDS = ("agreement", "answer", "case", "event", "events", "responsibility", "stream")
MAX_EVENTS = 1_000
"""Of many events in one file: what one asker may let this service gather at a time."""


_STREAM_PARTS = 3


class ReadEvidence(Request, frozen=True, kw_only=True):
    """What is to be proved; ``disclose`` names groups of an event, or of each of many, all by default."""

    kind: str
    id: str
    disclose: list[str] = msgspec.field(default_factory=list)


def read_evidence(services: Services, request: ReadEvidence, post: PostRef | None) -> dict[str, Any]:
    """Return an evidence file as text. Agreements, responsibilities, opened cases and their answers are anyone's.

    An event's evidence says what the event says, so it is for its parties, and for anyone in a demonstration.

    Raises:
        InvalidInputError: Another kind, or groups named for what has none.
        NotFoundError: There is no such object, or none that the asker may read.
        SignatureMissingError: An event's evidence is asked for, and nobody signed the question.
        LedgerError: As ``export_evidence``.
    """
    if request.kind not in KINDS:
        raise InvalidInputError("kind", request.kind, ", ".join(KINDS))
    if request.disclose and request.kind not in {"event", "events", "stream"}:
        raise InvalidInputError("disclose", ", ".join(request.disclose), "nothing, but for events")
    match request.kind:
        case "event":
            return _event(services, request.id, request.disclose, post)
        case "events":
            indices = _readable(services, indices_of(request.id, services.log.size()), post)
            return export_entries(services, indices, request.disclose)
        case "stream":
            asked = _stream(request.id, request.disclose)
            _readable(services, stream_entries(services, asked)[0], post)
            return export_stream(services, asked)
        case "case":
            case = resolve_open_case(services, request.id)
            return export_evidence(services, ExportEvidence(kind="case", id=case.hex()))
        case "answer":
            question = question_of(request.id)
            match question.get("ask"):
                case "prove":
                    return _event(services, question.get("event", ""), [], post)
                case "history" if question.get("case") != resolve_open_case(services, question.get("case", "")).hex():
                    raise NotFoundError("answer", request.id)
                case "right" | "responsible" | "history":
                    return export_evidence(services, ExportEvidence(kind="answer", id=request.id))
                case _:
                    raise NotFoundError("answer", request.id)
        case _:
            return export_evidence(services, ExportEvidence(kind=request.kind, id=request.id))


def _readable(services: Services, indices: list[int], post: PostRef | None) -> list[int]:
    """Return the indices if the asker may read the event at each."""
    if len(indices) > MAX_EVENTS:
        raise InvalidInputError("id", f"{len(indices)} events", f"at most {MAX_EVENTS} in one file over the network")
    if post is not None:
        for index in indices:
            readable(services, str(index), post)
    elif not services.deployment.demonstration:
        raise SignatureMissingError("events' evidence is for their parties")
    return indices


def _stream(text: str, disclose: list[str]) -> ExportStream:
    """Return what ``REPORTER|AGREEMENT|FIRST..LAST`` asks for; the agreement may be empty."""
    parts = text.split("|")
    first, dots, last = parts[-1].partition("..")
    numbers = [first, last]
    if len(parts) != _STREAM_PARTS or not dots or any(not (one.isascii() and one.isdecimal()) for one in numbers):
        raise InvalidInputError("id", text, "REPORTER|AGREEMENT|FIRST..LAST")
    if any(len(one) > len(str(MAX_INTEGER)) for one in numbers):
        raise InvalidInputError("id", text, f"numbers of at most {MAX_INTEGER}")
    return ExportStream(reporter=parts[0], agreement=parts[1], first=int(first), last=int(last), disclose=disclose)


def _event(services: Services, text: str, disclose: list[str], post: PostRef | None) -> dict[str, Any]:
    if post is not None:
        return export_entry(services, *readable(services, text, post), disclose)
    if not services.deployment.demonstration:
        raise SignatureMissingError("an event's evidence is for its parties")
    return export_entry(services, *find_leaf(services, text), disclose)
