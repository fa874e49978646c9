"""The verification of many events at once, and of a reporter's stream: each event goes through the steps of one alone.

What the events share (blocks, histories, signatures of a batch) is read once. A step that fails names the entry. Groups
that are withheld are withheld of all, so a step applies to every event or to none. A file of the kind ``stream`` also
shows that nothing is missing between its first and its last event: see `check_stream`.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

from ledger.domain.canonical import MAX_INTEGER
from ledger.domain.errors import VerificationError
from ledger.domain.event_groups import GROUPS, event_of_groups
from ledger.domain.event_v1 import digest
from ledger.domain.identifiers import parse_post
from ledger.domain.leaf import stream_id
from ledger.evidence import entry_steps
from ledger.evidence.blocks import Blocks
from ledger.evidence.events_file import EventsEvidence, entries_of, parse_events, shown_groups
from ledger.evidence.file import unhex
from ledger.evidence.trust_root import parse_trust_root
from ledger.evidence.verifier import NotApplicable, Run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ledger.domain.canonical import Json
    from ledger.evidence.file import Entry
    from ledger.evidence.histories import HeadKey

STREAM_SUBJECT: Final = ("agreement", "first", "last", "reporter")


class EventsRun(Run):
    """One verification of a file of many events."""

    _current: Entry | None = None

    def _form(self) -> str:
        evidence, trust_root = self._bytes
        self._root = parse_trust_root(trust_root)
        self._events: EventsEvidence = parse_events(evidence)
        self._shared = self._events
        subject = tuple(sorted(self._events.subject))
        if subject != (STREAM_SUBJECT if self._events.kind == "stream" else ()):
            raise VerificationError(0, f"evidence of the kind {self._events.kind} has another subject")
        if self._events.kind == "stream":
            _check_subject(self._events.subject)
        self._blocks = Blocks(self._events.blocks, self._root)
        self._entries = entries_of(self._events)
        self._opened: list[dict[str, Json]] = []
        told = f"{len(self._entries)} entries under {len(self._events.checkpoints)} checkpoints"
        return (
            f"{self._events.kind}, {told}, {len(self._events.blocks)} blocks, {len(self._events.histories)} histories"
        )

    def _disclosed(self) -> str:
        shown = shown_groups(self._events)
        for entry in self._each(self._entries):
            groups, _ = entry_steps.check_entry(entry)
            self._opened.append(groups)
            if "binding" in groups:
                self._claims.append(entry_steps.claim_of(groups))
        told = f"{len(self._entries)} events, of each disclosed: {', '.join(shown)}"
        if shown != GROUPS:
            told += f"; withheld: {', '.join(name for name in GROUPS if name not in shown)}"
        if self._events.kind == "stream":
            told += f"; {check_stream(self._events.subject, self._events.streams, self._entries)}"
        return told

    def _included(self) -> str:
        return self._for_each(super()._included)

    def _checkpoint(self) -> str:
        cosigned: list[tuple[int, int]] = []
        firsts = {entry.checkpoint: entry for entry in reversed(self._entries)}.values()
        for _ in self._each([*firsts][::-1]):
            super()._checkpoint()
            cosigned.append((self._cosigned, self._witnesses))
        self._cosigned, self._witnesses = min(cosigned)
        return f"{len(firsts)} checkpoints, each signed by {self._root.log.origin}"

    def _anchored(self) -> str:
        return self._for_each(super()._anchored)

    def _reported(self) -> str:
        try:
            told = self._for_each(super()._reported)
        except NotApplicable as nothing:
            if self._events.kind == "stream":
                raise NotApplicable(f"{nothing}, and that one event follows another only with them") from nothing
            raise
        if self._events.kind == "stream":
            events = [event_of_groups(groups) for groups in self._opened]
            for entry, (before, event) in zip(self._entries[1:], pairwise(events), strict=True):
                if event.prev_hash != digest(before).hex():
                    raise VerificationError(7, f"entry {entry.index}: its event does not follow the one before")
            told += "; each names the one before it, as the reporter signed it"
        return told

    def _follows(self) -> str:
        found: dict[str, int] = {}
        for _ in self._each(self._entries):
            verdict = super()._follows()
            found[verdict] = found.get(verdict, 0) + 1
        return "; ".join(f"{count} × {verdict}" for verdict, count in sorted(found.items()))

    def _entry(self) -> Entry:
        if self._current is None:
            raise VerificationError(0, "no entry is looked at")
        return self._current

    def named(self, reason: str) -> str:
        """Return why a step failed, with the entry that it was about."""
        return (
            reason if self._current is None or reason.startswith("entry ") else f"entry {self._current.index}: {reason}"
        )

    def _base(self) -> list[HeadKey]:
        return list(dict.fromkeys(key for claim in self._claims for key in entry_steps.event_base(claim)[0]))

    def _for_each(self, step: Callable[[], str]) -> str:
        told = ""
        for _ in self._each(self._entries):
            told = step()
        return f"{len(self._entries)} entries, the last: {told}"

    def _each(self, entries: Iterable[Entry]) -> Iterable[Entry]:
        """Yield each entry, the one that the step is about now; what is wrong with it names it."""
        for place, entry in enumerate(entries):
            self._current = entry
            self._groups = self._opened[place] if place < len(self._opened) else {}
            yield entry
        self._current = None


def check_stream(subject: dict[str, str], salts: dict[str, str], entries: Sequence[Entry]) -> str:
    """Return in words which part of a stream the entries are, without a gap.

    The salt opens the stream's id to the reporter and agreement in the subject, whatever groups are withheld. Each leaf
    holds its number in the stream and the hash of the stream's leaf before it. So between the first and the last
    nothing can be left out, exchanged or put in. That no event came after the last, leaves cannot show.

    Raises:
        VerificationError: An entry is of another stream, or a number is missing, repeated or out of its order.
    """
    first, last = (_number(subject[name], name) for name in ("first", "last"))
    reporter, agreement = subject["reporter"], subject["agreement"]
    for place, entry in enumerate(entries):
        leaf, expected = entry.leaf, first + place
        if stream_id(salts[leaf.stream], reporter=reporter, agreement=agreement) != leaf.stream:
            raise VerificationError(1, f"entry {entry.index} is not of the stream that the file is about")
        if expected < leaf.seq <= last:
            raise VerificationError(
                1, f"{_missing(expected, leaf.seq - 1)} of {reporter}, since entry {entry.index} is number {leaf.seq}"
            )
        if leaf.seq != expected:
            raise VerificationError(1, f"entry {entry.index} is number {leaf.seq} of {reporter}, not {expected}")
        if expected > last:
            raise VerificationError(
                1, f"entry {entry.index} is number {leaf.seq} of {reporter}, after the last, {last}"
            )
        if place and leaf.prev != entries[place - 1].leaf.hash().hex():
            raise VerificationError(1, f"entry {entry.index} does not follow the entry before it in its stream")
    if first + len(entries) <= last:
        raise VerificationError(1, f"{_missing(first + len(entries), last)} of {reporter}, at the end")
    return f"all events from number {first} to {last} of {reporter}"


def _check_subject(subject: dict[str, str]) -> None:
    """Refuse what names no reporter or agreement, or another way than in the one form of each."""
    if str(parse_post(subject["reporter"])) != subject["reporter"]:
        raise VerificationError(0, "the reporter is not spelt as its id is")
    if len(unhex(subject["agreement"], "the agreement")) not in {0, 32}:
        raise VerificationError(0, "the agreement is no id of 32 bytes")
    for name in ("first", "last"):
        _number(subject[name], name)


def _missing(first: int, last: int) -> str:
    return f"missing: number {first}" if first == last else f"missing: numbers {first} to {last}"


def _number(text: str, name: str) -> int:
    is_short = text.isascii() and text.isdecimal() and len(text) <= len(str(MAX_INTEGER))
    if not is_short or str(int(text)) != text or int(text) > MAX_INTEGER:
        raise VerificationError(0, f"{name} is no number")
    return int(text)
