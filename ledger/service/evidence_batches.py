"""Evidence of many events in one file, and of a reporter's stream without a gap (docs/spec/evidence-batch-v1.md)."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

import msgspec

from ledger.domain.errors import InvalidInputError, NotFoundError, UnavailableError, VerificationError
from ledger.domain.event_groups import GROUPS
from ledger.domain.identifiers import parse_post
from ledger.domain.leaf import parse_leaf
from ledger.evidence import events_file, verify
from ledger.evidence.entry_steps import claim_of, event_base
from ledger.log.multiproof import multiproof
from ledger.service.agreement_views import resolve_agreement
from ledger.service.anchoring import covering_anchor, note_of
from ledger.service.documents import values_of
from ledger.service.event_documents import documents_from
from ledger.service.evidence import export_trust_root
from ledger.service.evidence_files import HeldEvent, named_groups, shown_groups
from ledger.service.evidence_gathering import Gathered
from ledger.service.index_rows import FactFilter
from ledger.service.requests import Nothing, Request

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ledger.domain.event_log import Recorded
    from ledger.domain.events import CheckpointAnchored
    from ledger.service.evidence_gathering import Source
    from ledger.service.services import Services

_ANCHOR: Final = "CheckpointAnchor"
_PAGE: Final = 500


class ExportEvents(Request, frozen=True, kw_only=True):
    """Arguments of ``evidence events``: entries of the log, as ``3..1002`` (both included) or ``3,8,15``.

    ``disclose`` names the groups to open of each event, all by default.
    """

    entries: str
    disclose: list[str] = msgspec.field(default_factory=list)


class ExportStream(Request, frozen=True, kw_only=True):
    """Arguments of ``evidence stream``: a reporter's events under an agreement, by the reporter's own numbers.

    ``disclose`` names the groups to open of each event, all by default.
    """

    reporter: str
    agreement: str = ""
    first: int = 0
    last: int = -1
    disclose: list[str] = msgspec.field(default_factory=list)


def export_events(services: Services, request: ExportEvents) -> dict[str, Any]:
    """Return one evidence file of many events, as text, with what it shows.

    Raises:
        InvalidInputError: No list of entries of the log, too many, or a group that an event does not have.
        UnavailableError: One of them is not anchored yet; try again.
        VerificationError: The evidence would not hold.
    """
    return export_entries(services, indices_of(request.entries, services.log.size()), request.disclose)


def export_entries(services: Services, indices: Sequence[int], disclose: Sequence[str] = ()) -> dict[str, Any]:
    """Return one evidence file of the events at indices of the log, which rise. Raises as ``export_events``."""
    shown = named_groups(disclose)
    return _checked(services, make_events_file(services, held_events(services, indices), "events", {}, shown))


def export_stream(services: Services, request: ExportStream) -> dict[str, Any]:
    """Return one evidence file of a reporter's events ``first`` to ``last`` under an agreement, all of them.

    A negative ``last`` means the newest that is anchored.

    Raises:
        InvalidInputError: No such range, too long a one, or a group that an event does not have.
        NotFoundError: The reporter has no such events.
        UnavailableError: One of them is not anchored yet; try again.
        VerificationError: The evidence would not hold.
    """
    shown = named_groups(request.disclose)
    indices, subject = stream_entries(services, request)
    return _checked(services, make_events_file(services, held_events(services, indices), "stream", subject, shown))


def stream_entries(services: Services, request: ExportStream) -> tuple[list[int], dict[str, str]]:
    """Return the indices of a stream's events, and the subject of their evidence. Raises as ``export_stream``."""
    reporter = str(parse_post(request.reporter))
    agreement = resolve_agreement(services, request.agreement).agreement if request.agreement else b""
    if request.first < 0 or 0 <= request.last < request.first:
        raise InvalidInputError("first", f"{request.first} to {request.last}", "a number, and none below it as last")
    services.indexing.catch_up_soon()
    newest = services.state.newest_anchor()
    anchored = newest.event.size if newest is not None else 0
    wanted = FactFilter(reporter=reporter, agreement=agreement)
    indices: list[int] = []
    after, number = "", -1
    while True:
        found = services.index.facts(wanted, after, _PAGE)
        for fact in found.rows:
            is_wanted = fact.seq >= request.first and (
                fact.seq <= request.last if request.last >= 0 else fact.leaf_index < anchored
            )
            if is_wanted and (not indices or fact.leaf_index > indices[-1]):
                indices.append(fact.leaf_index)
                number = fact.seq
        after = found.next
        _check_count(len(indices))
        if not after or (found.rows and 0 <= request.last <= found.rows[-1].seq):
            break
    if not indices or number < request.last:
        raise NotFoundError("events of the stream", f"{reporter} {request.first} to {request.last}")
    subject = {"agreement": agreement.hex(), "first": str(request.first), "last": str(number), "reporter": reporter}
    return indices, subject


def indices_of(text: str, size: int) -> list[int]:
    """Return the entries that ``3..1002`` or ``3,8,15`` means, rising.

    Raises:
        InvalidInputError: It means none, too many, one twice or one that the log does not have.
    """
    first, dots, last = text.partition("..")
    parts = [first, last] if dots else text.split(",")
    digits = len(str(size))
    if any(not (part.isascii() and part.isdecimal() and len(part) <= digits) for part in parts):
        raise InvalidInputError("entries", text, "FIRST..LAST, or indices by comma")
    numbers = [int(part) for part in parts]
    if dots:
        _check_count(numbers[1] - numbers[0] + 1)
        numbers = list(range(numbers[0], numbers[1] + 1))
    _check_count(len(numbers))
    if not numbers or len({*numbers}) != len(numbers) or max(numbers) >= size:
        raise InvalidInputError("entries", text, f"entries of 0 to {size - 1}, each once")
    return sorted(numbers)


def held_events(services: Services, indices: Sequence[int]) -> list[HeldEvent]:
    """Return events as log, vault and chain hold them.

    Raises:
        UnavailableError: One of them is not anchored yet.
    """
    anchors: dict[int, Recorded[CheckpointAnchored]] = {}
    for index in indices:
        anchored = covering_anchor(services, index)
        if anchored is None:
            raise UnavailableError(
                "evidence", "the event is not anchored yet; `quanze anchor` does it now", index=index
            )
        anchors[index] = anchored
    paths: dict[int, list[bytes]] = {}
    for size, some in groupby(indices, lambda index: anchors[index].event.size):
        paths |= services.log.inclusion_proofs(list(some), size)
    held: list[HeldEvent] = []
    notes: dict[bytes, bytes] = {}
    for _, pairs in groupby(enumerate(indices), lambda pair: pair[1] - pair[0]):
        run = [index for _, index in pairs]
        leaves = services.log.leaves(run[0], run[-1] + 1)
        for (index, document), leaf in zip(documents_from(services, run[0], run[-1] + 1), leaves, strict=True):
            anchored = anchors[index]
            if (note := notes.get(anchored.event.note_hash)) is None:
                note = notes[anchored.event.note_hash] = note_of(services, anchored.event)
            held.append(HeldEvent(index, parse_leaf(leaf), document, anchored, note, paths[index]))
    return held


def make_events_file(
    source: Source, held: Sequence[HeldEvent], kind: str, subject: Mapping[str, str], shown: Sequence[str] = GROUPS
) -> events_file.EventsEvidence:
    """Return evidence of events in the order of the log; of each the same groups are disclosed, and none besides.

    Raises:
        UnavailableError: The chain went on faster than it could be read.
    """
    gathered = Gathered(source)
    base: dict[tuple[str, bytes], None] = {}
    posts: dict[bytes, None] = {}
    for one in held:
        gathered.use_block(one.leaf.block)
        if "binding" in shown:
            values: Any = values_of(one.document)
            keys, acting = event_base(claim_of(values))
            base |= dict.fromkeys(keys)
            posts |= dict.fromkeys(acting)
    if "binding" in shown:
        gathered.prove(lambda _read: list(base), list(posts), [_ANCHOR])
    is_whole = set(shown) == set(GROUPS)
    batches = _Batches()
    checkpoints = []
    for size, members in groupby(held, lambda one: one.anchored.event.size):
        some = list(members)
        checkpoints.append(
            events_file.Anchored(
                anchor=gathered.place(some[0].anchored),
                checkpoint=some[0].note.decode(),
                entries=[
                    events_file.HeldEntry(
                        batch=batches.number(one) if is_whole else None,
                        groups=shown_groups(one.document, shown),
                        index=one.index,
                        leaf=one.leaf,
                        place=batches.place(one) if is_whole else None,
                    )
                    for one in some
                ],
                path=_hex(multiproof({one.index: one.path for one in some}, size)),
            )
        )
    salts: dict[str, str] = {}
    if "binding" in shown or kind == "stream":
        for one in held:
            extra: Any = one.document.extra
            salts[one.leaf.stream] = extra["stream_salt"]
    return events_file.EventsEvidence(
        batches=batches.signed(),
        blocks=gathered.blocks(),
        checkpoints=checkpoints,
        format=events_file.FORMAT,
        histories=gathered.histories,
        kind="stream" if kind == "stream" else "events",
        state=gathered.state,
        streams=salts,
        subject=dict(subject),
    )


class _Batches:
    """The signed batches that events came in, by the order of their first event here."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, str, int, int], int] = {}
        self._paths: list[dict[int, list[bytes]]] = []

    def number(self, held: HeldEvent) -> int:
        extra: Any = held.document.extra
        key = (extra["signature"], extra["nonce"], extra["deadline"], extra["count"])
        number = self._numbers.setdefault(key, len(self._numbers))
        if number == len(self._paths):
            self._paths.append({})
        self._paths[number][extra["place"]] = [bytes.fromhex(node) for node in extra["path"]]
        return number

    def place(self, held: HeldEvent) -> int:
        extra: Any = held.document.extra
        place: int = extra["place"]
        return place

    def signed(self) -> list[events_file.SignedBatch]:
        return [
            events_file.SignedBatch(
                count=count,
                deadline=deadline,
                nonce=nonce,
                path=_hex(multiproof(self._paths[number], count)),
                signature=signature,
            )
            for (signature, nonce, deadline, count), number in self._numbers.items()
        ]


def _checked(services: Services, made: events_file.EventsEvidence) -> dict[str, Any]:
    """Return the file as text, once our own verifier accepts it."""
    content = events_file.print_events(made)
    report = verify(content, export_trust_root(services, Nothing())["content"].encode())
    if (failed := report.failed) is not None:
        raise VerificationError(failed.number, failed.reason)
    return {
        "content": content.decode(),
        "kind": made.kind,
        "bytes": len(content),
        "events": sum(len(part.entries) for part in made.checkpoints),
        "checkpoints": len(made.checkpoints),
        "blocks": len(made.blocks),
        "proved_at_block": made.state.block if made.state is not None else 0,
        "assurance": report.assurance,
    }


def _check_count(count: int) -> None:
    if count > events_file.MAX_EVENTS:
        raise InvalidInputError("entries", str(count), f"at most {events_file.MAX_EVENTS} events in one file")


def _hex(nodes: Sequence[bytes]) -> list[str]:
    return [node.hex() for node in nodes]
