"""The verification of many events at once, and of a reporter's stream: each event goes through the steps of one alone.

What the events share (blocks, histories, signatures of a batch) is read once. A step that fails names the entry. A file
of the kind ``stream`` also shows that nothing is missing between its first and its last event: see `check_stream`.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from ledger.domain.errors import VerificationError
from ledger.domain.event_groups import event_of_groups
from ledger.domain.event_v1 import digest
from ledger.evidence import entry_steps
from ledger.evidence.blocks import Blocks
from ledger.evidence.events_file import EventsEvidence, entries_of, parse_events
from ledger.evidence.trust_root import parse_trust_root
from ledger.evidence.verifier import Run

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
        self._blocks = Blocks(self._events.blocks, self._root)
        self._entries = entries_of(self._events)
        self._opened: list[dict[str, Json]] = []
        told = f"{len(self._entries)} entries under {len(self._events.checkpoints)} checkpoints"
        return (
            f"{self._events.kind}, {told}, {len(self._events.blocks)} blocks, {len(self._events.histories)} histories"
        )

    def _disclosed(self) -> str:
        for entry in self._each(self._entries):
            groups, _ = entry_steps.check_entry(entry)
            self._opened.append(groups)
            self._claims.append(entry_steps.claim_of(groups))
        told = f"{len(self._entries)} events with all groups"
        if self._events.kind == "stream":
            told += f"; {check_stream(self._events.subject, self._entries, self._claims)}"
        return told

    def _included(self) -> str:
        return self._for_each(super()._included)

    def _checkpoint(self) -> str:
        cosigned: list[tuple[int, int]] = []
        firsts = {entry.checkpoint: entry for entry in self._entries}.values()
        for _ in self._each(firsts):
            super()._checkpoint()
            cosigned.append((self._cosigned, self._witnesses))
        self._cosigned, self._witnesses = min(cosigned)
        return f"{len(firsts)} checkpoints, each signed by {self._root.log.origin}"

    def _anchored(self) -> str:
        return self._for_each(super()._anchored)

    def _reported(self) -> str:
        told = self._for_each(super()._reported)
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


def check_stream(subject: dict[str, str], entries: Sequence[Entry], claims: Sequence[Any]) -> str:
    """Return in words which part of a stream the entries are, without a gap.

    Each leaf holds its number in the stream and the hash of the stream's leaf before it. So between the first and the
    last nothing can be left out, exchanged or put in. That no event came after the last, leaves cannot show.

    Raises:
        VerificationError: An entry is of another stream, or one is missing, repeated or out of its order.
    """
    first, last = (_number(subject[name], name) for name in ("first", "last"))
    if last - first + 1 != len(entries):
        raise VerificationError(1, f"{len(entries)} entries are not those from {first} to {last}")
    for place, (entry, claim) in enumerate(zip(entries, claims, strict=True)):
        stated = (claim.reporter, claim.agreement, entry.leaf.stream)
        if stated != (subject["reporter"], subject["agreement"], entries[0].leaf.stream):
            raise VerificationError(1, f"entry {entry.index} is not of the stream that the file is about")
        if entry.leaf.seq != first + place:
            raise VerificationError(1, f"entry {entry.index} is number {entry.leaf.seq}, not {first + place}")
        if place and entry.leaf.prev != entries[place - 1].leaf.hash().hex():
            raise VerificationError(1, f"entry {entry.index} does not follow the entry before it in its stream")
    return f"all events from number {first} to {last} of {subject['reporter']}"


def _number(text: str, name: str) -> int:
    if not (text.isascii() and text.isdecimal()) or str(int(text)) != text:
        raise VerificationError(0, f"{name} is no number")
    return int(text)
