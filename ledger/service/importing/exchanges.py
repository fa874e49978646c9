"""``import xroad-opmon``: exchange records become usage events of the agency whose server made them.

With demonstration keys each agency gets two reporters, one a side, since one key never reports both sides of an
exchange. A record that names no member at all says nobody's name: the importing post reports it, if there is one.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ledger.domain.codes import PostRole, Side
from ledger.domain.errors import InvalidInputError, LedgerError, NotFoundError
from ledger.domain.event_v1 import complete_event
from ledger.domain.identifiers import PostRef, parse_agency, parse_post
from ledger.service.event_lines import NumberedEvent, append_numbered, count_verdicts
from ledger.service.importing.demonstration import prepare_posts
from ledger.service.importing.tally import ImportExchanges, Tally, check_signers, parse_all
from ledger.service.importing.xroad_mapping import Mapping, parse_mapping
from ledger.service.importing.xroad_opmon import parse_exchange
from ledger.service.registry_views import find_post

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ledger.domain.canonical import Json
    from ledger.domain.event_v1 import EventV1
    from ledger.service.importing.xroad_mapping import Rule
    from ledger.service.importing.xroad_opmon import ExchangeRecord
    from ledger.service.services import Services

_REPORTERS: Final = {Side.PROVIDER: "opmon-producer", Side.CONSUMER: "opmon-client"}
_SIDE_FIELD: Final = {Side.PROVIDER: "serviceMemberCode", Side.CONSUMER: "clientMemberCode"}
_ID_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class _Claims:
    """What the mapping file says, with the agreements that it refers to."""

    mapping: Mapping
    agreements: dict[str, str]

    def of(self, exchange: ExchangeRecord) -> tuple[Rule | None, str]:
        """Return the rule for a record, and the id of the agreement that it claims."""
        rule = self.mapping.rule_for(exchange)
        return rule, self.agreements[rule.agreement] if rule is not None else ""


def import_exchanges(
    services: Services, request: ImportExchanges, progress: Callable[[str, int, int], None]
) -> dict[str, Any]:
    """Import operational-monitoring records.

    Raises:
        InvalidInputError: The mapping is not well formed or names an unknown agreement, or nobody signs.
        UnavailableError: The chain does not answer; the same import may be repeated.
        LedgerError: As ``append_signed_batch``, for what concerns a whole batch.
    """
    check_signers(request)
    claims = _claims(services, request.mapping)
    importer = parse_post(request.post, "as") if request.post else None
    tally = Tally()
    sources = parse_all(request.records, parse_exchange, tally)
    by_reporter: dict[PostRef, list[tuple[int, ExchangeRecord]]] = {}
    for source in sources:
        reporter = _reporter(source.value, importer, demo_keys=request.demo_keys)
        if reporter is None:
            reason = "the record names no member, so whose server made it must be said by the importing post (--as)"
            tally.reject(source.record, reason, field_name=_SIDE_FIELD[source.value.side])
        else:
            by_reporter.setdefault(reporter, []).append((source.record, source.value))
    made = [post for post in by_reporter if request.demo_keys and not _is_own(services, post, importer)]
    failures = prepare_posts(services, dict.fromkeys(made, PostRole.REPORTER)) if made else {}
    receipts: list[dict[str, Any]] = []
    for done, (reporter, exchanges) in enumerate(by_reporter.items()):
        progress("exchanges", done, len(by_reporter))
        if (error := failures.get(str(reporter))) is not None:
            for record, exchange in exchanges:
                tally.refuse(record, error, field_name=_SIDE_FIELD[exchange.side])
            continue
        key = request.key if reporter == importer else ""
        receipts += _append(services, reporter, exchanges, claims, key, tally)
    return tally.result(
        request,
        verdicts=count_verdicts(receipts),
        first=min((receipt["index"] for receipt in receipts), default=-1),
        last=max((receipt["index"] for receipt in receipts), default=-1),
    )


def event_of(exchange: ExchangeRecord, rule: Rule | None, agreement: str, reporter: str) -> EventV1:
    """Return a record as an event: what it says, what the mapping adds, and nothing guessed.

    Raises:
        InvalidInputError: Names the field.
    """
    code = rule.dataset if rule is not None and rule.dataset else exchange.service
    source: dict[str, Json] = {**exchange.source}
    claimed: dict[str, Json] = (
        {"agreement": agreement, "version": rule.version, "purpose": rule.purpose, "delivery": rule.delivery.name}
        if rule is not None
        else {}
    )
    return complete_event(
        {
            "id": secrets.token_hex(_ID_BYTES),
            "kind": exchange.kind.value,
            "side": exchange.side.value,
            "occurred_at_ms": exchange.occurred_at_ms,
            "provider": exchange.provider,
            "requester": exchange.requester,
            "dataset": f"{exchange.provider}#{code}" if code and exchange.provider else "",
            "outcome": exchange.outcome.value,
            "size": exchange.size,
            "correlation": exchange.correlation,
            "source": source,
            **claimed,
        },
        reporter=reporter,
    )


def _claims(services: Services, text: str) -> _Claims:
    mapping = parse_mapping(text.encode()) if text else Mapping(())
    agreements: dict[str, str] = {}
    for index, rule in enumerate(mapping.rules):
        try:
            known = services.directory.resolve(rule.agreement, services.state.ids("agreement"), "agreement")
        except NotFoundError as error:
            allowed = "the reference or id of an agreement that this ledger holds"
            raise InvalidInputError(f"rules[{index}].agreement", rule.agreement, allowed) from error
        agreements[rule.agreement] = known.hex()
    return _Claims(mapping, agreements)


def _reporter(exchange: ExchangeRecord, importer: PostRef | None, *, demo_keys: bool) -> PostRef | None:
    if demo_keys and exchange.reporter_agency:
        return PostRef(_REPORTERS[exchange.side], parse_agency(exchange.reporter_agency))
    return importer


def _is_own(services: Services, post: PostRef, importer: PostRef | None) -> bool:
    return post == importer and find_post(services, post.id) is not None


def _append(
    services: Services,
    reporter: PostRef,
    exchanges: Sequence[tuple[int, ExchangeRecord]],
    claims: _Claims,
    key: str,
    tally: Tally,
) -> list[dict[str, Any]]:
    events: list[NumberedEvent] = []
    for record, exchange in exchanges:
        try:
            events.append(NumberedEvent(record, event_of(exchange, *claims.of(exchange), str(reporter))))
        except LedgerError as error:
            tally.refuse(record, error, field_name="record")
    appended = append_numbered(services, events, str(reporter), key)
    tally.unchanged += appended.repeated
    for rejection in appended.rejected:
        tally.reject(rejection["line"], rejection["reason"], field_name=rejection["field"])
    numbers = {event.event.id: event.number for event in events}
    for receipt in appended.receipts:
        tally.items.append(
            {
                "record": numbers[receipt["id"]],
                "event": receipt["id"],
                "index": receipt["index"],
                "reporter": str(reporter),
                "verdict": receipt["verdict"],
                "mismatches": receipt["mismatches"],
            }
        )
    return appended.receipts
