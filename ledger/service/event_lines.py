"""The client's half of appending, for NDJSON: check lines, skip what the ledger holds, sign, append.

A line states what its source says; what only the reporter can say (id, reporter, place in the stream) is
filled in here, before signing. One bad line never takes a good one with it.
"""

from __future__ import annotations

import secrets
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ledger.domain import canonical
from ledger.domain.errors import InvalidInputError, LedgerError, NotFoundError
from ledger.domain.event_v1 import complete_event
from ledger.domain.identifiers import parse_post
from ledger.domain.reporting import MAY_REPORT
from ledger.service import registry_views
from ledger.service.block_view import BlockView
from ledger.service.event_appending import append_signed_batch
from ledger.service.event_batches import MAX_BATCH_EVENTS, batch_deadline, place_events, sign_batch
from ledger.service.event_checks import held_at
from ledger.service.intake import claim_digest, other_side, pairing_keys
from ledger.service.keys import signer_for_post
from ledger.service.requests import Request

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ledger.domain.event_v1 import EventV1
    from ledger.service.services import Services

_HEX32 = 64


class AppendLines(Request, frozen=True, kw_only=True):
    """Arguments of ``event append-lines``: raw lines (base64 in JSON), the first one's number, the reporter.

    ``post`` empty is the one reporter whose key is in this home.
    """

    lines: list[bytes]
    post: str = ""
    first_line: int = 1
    key: str = ""


@dataclass(frozen=True, slots=True)
class NumberedEvent:
    """An event not placed yet, with its number in the file that it comes from."""

    number: int
    event: EventV1


@dataclass(frozen=True, slots=True)
class Appended:
    """What became of numbered events: receipts of the new ones, how many were held, and what was rejected."""

    receipts: list[dict[str, Any]]
    repeated: int
    rejected: list[dict[str, Any]]


def append_lines(services: Services, request: AppendLines) -> dict[str, Any]:
    """Append a batch of NDJSON lines signed for a post; returns receipts, repetitions and rejected lines.

    Raises:
        InvalidInputError: More lines than a batch may have.
        LedgerError: As ``append_signed_batch``, for what concerns the whole batch.
    """
    if len(request.lines) > MAX_BATCH_EVENTS:
        raise InvalidInputError("lines", len(request.lines), f"at most {MAX_BATCH_EVENTS}")
    post = parse_post(request.post or _only_reporter(services))
    parsed: list[NumberedEvent] = []
    rejected: list[dict[str, Any]] = []
    for number, line in enumerate(request.lines, request.first_line):
        if not line.strip():
            continue
        try:
            parsed.append(NumberedEvent(number, parse_line(services, line, str(post))))
        except LedgerError as error:
            rejected.append(_rejection(number, error))
    appended = append_numbered(services, parsed, str(post), request.key)
    rejected = sorted((*rejected, *appended.rejected), key=lambda rejection: int(rejection["line"]))
    receipts = appended.receipts
    return {
        "appended": len(receipts),
        "repeated": appended.repeated,
        "rejected": rejected,
        "verdicts": count_verdicts(receipts),
        "first": receipts[0]["index"] if receipts else -1,
        "last": receipts[-1]["index"] if receipts else -1,
        "receipts": receipts,
    }


def append_numbered(services: Services, items: Sequence[NumberedEvent], post: str, key: str = "") -> Appended:
    """Append those of a post's events that the ledger does not hold; what conflicts is rejected, each alone.

    Raises:
        LedgerError: As ``append_signed_batch``, for what concerns the whole batch.
    """
    rejected: list[dict[str, Any]] = []
    with services.append_lock:
        services.appender.heal(services)
        fresh, repeated = _sift(services, items, rejected)
        receipts = append_events(services, [item.event for item in fresh], post, key)
    return Appended(receipts, repeated, rejected)


def count_verdicts(receipts: Sequence[dict[str, Any]]) -> dict[str, int]:
    """Return how many events have each mismatch, or none."""
    verdicts = Counter(code for receipt in receipts for code in receipt["mismatches"] or [receipt["verdict"]])
    return dict(sorted(verdicts.items()))


def append_events(services: Services, events: Sequence[EventV1], post: str, key: str = "") -> list[dict[str, Any]]:
    """Sign complete events as ``post`` and append them, stream by stream, in their order.

    Raises:
        LedgerError: As ``append_signed_batch``.
    """
    if not events:
        return []
    signer = signer_for_post(services, parse_post(post).id, key)
    receipts: list[dict[str, Any]] = []
    with services.append_lock:
        services.appender.heal(services)
        for agreement, group in _by_agreement(events).items():
            for start in range(0, len(group), MAX_BATCH_EVENTS):
                stream = services.intake.stream(post, agreement)
                placed = place_events(
                    group[start : start + MAX_BATCH_EVENTS], next_seq=stream.next_seq, prev_hash=stream.last_event
                )
                batch = sign_batch(services.deployment, signer, placed, deadline=batch_deadline(services))
                receipts += append_signed_batch(services, batch)
    return receipts


def parse_line(services: Services, line: bytes, reporter: str) -> EventV1:
    """Return the event that a line states, with the reporter and an id filled in.

    Raises:
        InvalidInputError: Names the field.
    """
    if len(line) > canonical.MAX_ENTRY_BYTES:
        raise InvalidInputError("line", f"more than {canonical.MAX_ENTRY_BYTES} bytes", "a shorter line")
    stated = canonical.decode(line)
    if not isinstance(stated, dict):
        raise InvalidInputError("line", stated, "a JSON object")
    for name in ("reporter_seq", "prev_hash"):
        if name in stated:
            raise InvalidInputError(name, stated[name], "nothing: the reporter's key places the event when it signs")
    if stated.get("reporter", reporter) != reporter:
        raise InvalidInputError("reporter", stated["reporter"], reporter)
    filled = {"id": secrets.token_hex(16), **stated}
    agreement = stated.get("agreement", "")
    if isinstance(agreement, str) and agreement and len(agreement) != _HEX32:
        filled["agreement"] = _agreement(services, agreement)
    return complete_event(filled, reporter=reporter)


def _only_reporter(services: Services) -> str:
    here = {services.keyring.address(name) for name in services.keyring.names()}
    now = services.now_s()
    found = []
    for post in services.state.ids("post"):
        view = registry_views.find_post(services, post)
        if view is not None and view.roles_at(now) & MAY_REPORT:
            found += [services.directory.text(post) for binding in view.keys_at(now) if binding.key in here]
    names = sorted(set(found))
    if len(names) != 1:
        raise InvalidInputError(
            "as", "", "one of " + ", ".join(names) if names else "a reporter with a key in this home"
        )
    return names[0]


def _agreement(services: Services, text: str) -> str:
    try:
        return services.directory.resolve(text, services.state.ids("agreement"), "agreement").hex()
    except NotFoundError as error:
        raise InvalidInputError("agreement", text, "a known reference, or an id of 64 hex digits") from error


def _sift(
    services: Services, parsed: Sequence[NumberedEvent], rejected: list[dict[str, Any]]
) -> tuple[list[NumberedEvent], int]:
    """Return the events that are new, and how many the ledger holds already; conflicts are rejected."""
    fresh: list[NumberedEvent] = []
    seen: dict[int, bytes] = {}
    sides: dict[str, str] = {}
    repeated = 0
    latest = services.clock.now_ms() + services.settings.clock_skew_max_s * 1000
    post = parse_post(parsed[0].event.reporter) if parsed else None
    view = BlockView(services, services.state.refresh())
    keys = pairing_keys([item.event for item in parsed])
    found = services.intake.keys.find(keys + [other_side(key) for key in keys])
    for item, key in zip(parsed, keys, strict=True):
        event = item.event
        claim = claim_digest(event)
        held = held_at(services, event, found.get(key))
        known = claim_digest(held[1]) if held is not None else seen.get(key)
        if known == claim:
            repeated += 1
        elif known is not None:
            rejected.append(_reject(item.number, "correlation", "the ledger holds it with other content"))
        elif event.occurred_at_ms > latest:
            rejected.append(_reject(item.number, "occurred_at_ms", f"in the future: at most {latest} is allowed"))
        elif (
            _is_told_from_the_other_side(services, event, found.get(other_side(key)))
            or sides.get(event.correlation, event.side.value) != event.side.value
        ):
            rejected.append(_reject(item.number, "side", "one reporter never reports both sides of an exchange"))
        elif post is not None and not view.may_report(post, event):
            rejected.append(
                _reject(item.number, "side", f"{post} reports its own agency's side, or one that entrusted it")
            )
        else:
            seen[key] = claim
            if event.correlation:
                sides[event.correlation] = event.side.value
            fresh.append(item)
    return fresh, repeated


def _is_told_from_the_other_side(services: Services, event: EventV1, index: int | None) -> bool:
    return bool(event.correlation) and held_at(services, event, index, is_other=True) is not None


def _by_agreement(events: Sequence[EventV1]) -> dict[str, list[EventV1]]:
    groups: dict[str, list[EventV1]] = {}
    for event in events:
        groups.setdefault(event.agreement, []).append(event)
    return groups


def _rejection(line: int, error: LedgerError) -> dict[str, Any]:
    if not isinstance(error, InvalidInputError):
        return _reject(line, "line", error.explain())
    field = error.field.removeprefix("$").removeprefix(".")
    return _reject(line, field if field not in {"", "document", "event"} else "line", error.reason())


def _reject(line: int, field: str, reason: str) -> dict[str, Any]:
    return {"line": line, "field": field, "reason": reason}
