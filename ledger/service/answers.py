"""What every answer carries: as of when, known when, from which records, how proved, and what is missing.

An answer's id is its question in base64url, so that ``evidence export answer ID`` can ask it again.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any, Final

from ledger.domain import canonical
from ledger.domain.errors import InvalidInputError, NotFoundError
from ledger.service.anchoring import last_anchor
from ledger.service.times import iso, parse_end, parse_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ledger.domain.event_log import Event, Recorded
    from ledger.service.ports import BlockRef
    from ledger.service.services import Services

RULES: Final = "quanze-rules-v1"


def answer_id(question: Mapping[str, str]) -> str:
    """Return the id of an answer: its question, every field stated."""
    return base64.urlsafe_b64encode(canonical.encode(dict(question))).decode("ascii").rstrip("=")


def question_of(text: str) -> dict[str, str]:
    """Return the question that an answer's id holds.

    Raises:
        NotFoundError: The id is none.
    """
    try:
        padded = text + "=" * (-len(text) % 4)
        question = canonical.decode_canonical(base64.urlsafe_b64decode(padded.encode("ascii")))
    except (InvalidInputError, UnicodeEncodeError, binascii.Error) as error:
        raise NotFoundError("answer", text) from error
    if not isinstance(question, dict) or not all(isinstance(value, str) for value in question.values()):
        raise NotFoundError("answer", text)
    return {key: str(value) for key, value in question.items()}


def as_of(services: Services, text: str) -> int:
    """Return the valid time that a question is about; now where none is stated."""
    return parse_time(text, "at") if text else services.now_s()


def known_by(services: Services, text: str) -> int:
    """Return the time by which something must have been recorded to count; now where none is stated."""
    return parse_end(text, "known-at") if text else services.now_s()


def known(history: Iterable[Recorded[Event]], known_at: int) -> list[Recorded[Event]]:
    """Return what of a history was recorded by a time."""
    return [recorded for recorded in history if recorded.timestamp <= known_at]


def frame(
    services: Services,
    question: Mapping[str, str],
    *,
    at: int,
    known_at: int,
    sources: Iterable[Recorded[Event]],
    gaps: Iterable[str] = (),
) -> dict[str, Any]:
    """Return the fields that every answer ends with."""
    final, anchored = services.state.final, last_anchor(services)
    unanchored = services.log.size() - (anchored.event.size if anchored else 0)
    missing = list(gaps)
    if unanchored:
        missing.append(f"{unanchored} events of the log are not anchored yet")
    return {
        "id": answer_id({**question, "at": iso(at), "known_at": iso(known_at)}),
        "as_of": iso(at),
        "known_at": iso(known_at),
        "rules": RULES,
        "calendar": "none: no working days were counted",
        "sources": [source_json(services, recorded) for recorded in sources] or [_nothing_recorded(final)],
        "proof": {
            "status": "FINAL",
            "read_at_block": final.number,
            "block_hash": final.hash.hex(),
            "export": "quanze evidence export answer ID -o FILE",
        },
        "coverage": {
            "agencies": len(services.state.ids("agency")),
            "datasets": len(services.state.ids("dataset")),
            "agreements": len(services.state.ids("agreement")),
            "events": services.log.size(),
            "events_anchored": anchored.event.size if anchored else 0,
        },
        "redactions": [],
        "gaps": missing,
    }


def _nothing_recorded(final: BlockRef) -> dict[str, Any]:
    """Return the source of an answer for which nothing was ever recorded: the state of a block, which proves that."""
    return {
        "event": "",
        "contract": "",
        "tx": "",
        "block": final.number,
        "log_index": -1,
        "recorded_at": iso(final.timestamp),
    }


def source_json(services: Services, recorded: Recorded[Event]) -> dict[str, Any]:
    """Return where one event stands on chain."""
    return {
        "event": type(recorded.event).__name__,
        "contract": services.deployment.name_of(recorded.address),
        "tx": recorded.tx_hash.hex(),
        "block": recorded.block,
        "log_index": recorded.log_index,
        "recorded_at": iso(recorded.timestamp),
    }
