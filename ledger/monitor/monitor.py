"""One round of a monitor, and what it finds.

The chain is read before the log: an anchor is made after its checkpoint was published, so whatever is anchored by then
the log must show. A note is kept before it is judged, an alarm before the state says that its note was judged.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ledger.domain.errors import UnavailableError, VerificationError
from ledger.log.errors import BadEntryError, MissingFileError
from ledger.log.tiles import CHECKPOINT_PATH, TILE_WIDTH
from ledger.monitor.anchoring import compare_anchor, read_anchors
from ledger.monitor.evidence import FORMAT, PASSING, Alarm, Kind, open_note
from ledger.monitor.state import Seen
from ledger.monitor.tree import recheck
from ledger.monitor.watching import Right, Wrong, judge, shrunk

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ledger.log.ports import Fetcher
    from ledger.monitor.ports import AnchorSource
    from ledger.monitor.state import MonitorState, Watched

_TRIES = 5
"""A log that goes on while it is read may take away a partial file: its newer checkpoint is read then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cadence:
    """How long may pass before silence is an alarm, and how much of the old is read again each round."""

    anchor_s: float = 120.0
    checkpoint_s: float = 60.0
    recheck_bundles: int = 8
    first_block: int = 0


@dataclass(frozen=True, slots=True)
class Raised:
    """An alarm of this round, its file, and whether no round before has told it."""

    alarm: Alarm
    file: Path
    is_new: bool


@dataclass(slots=True)
class Round:
    """What one round found."""

    size: int = 0
    root: str = ""
    new_entries: int = 0
    anchored: int = 0
    block: int = -1
    raised: list[Raised] = field(default_factory=list)


class Monitor:
    """Watches one log and its anchors, with everything it knows in ``state``."""

    def __init__(
        self,
        watched: Watched,
        state: MonitorState,
        fetcher: Fetcher,
        chain: AnchorSource | None,
        *,
        source: str,
        cadence: Cadence,
        now_ms: Callable[[], int],
    ) -> None:
        """Watch through ``fetcher`` and ``chain``; ``source`` names the log's place in alarms."""
        self._watched = watched
        self._state = state
        self._fetcher = fetcher
        self._chain = chain
        self._source = source
        self._cadence = cadence
        self._now_ms = now_ms
        self._sizes: dict[str, int] = {}

    def round(self) -> Round:
        """Look once at the chain and the log, and return what is so.

        Raises:
            OSError: The state folder cannot be written: a monitor that cannot remember must not go on.
        """
        found, verified = Round(), self._state.verified
        before, now = verified.tree.size, self._now_ms()
        verified.log_at_ms = verified.log_at_ms or now
        verified.chain_at_ms = verified.chain_at_ms or now
        self._read_chain(found)
        try:
            is_sound = self._read_log(found)
            if is_sound:
                self._compare_anchors(found)
                self._recheck(found)
            verified.log_at_ms = self._now_ms()
        except UnavailableError as error:
            if self._now_ms() - verified.log_at_ms > self._cadence.checkpoint_s * 1000:
                since = verified.log_at_ms
                self._raise(found, Wrong(Kind.CHECKPOINT_STALE, f"no answer since {since} ms: {error.reason}"))
        self._state.save()
        found.size, found.root = verified.tree.size, verified.tree.root().hex()
        found.new_entries, found.anchored = verified.tree.size - before, verified.anchored
        found.block = verified.block
        return found

    def standing(self) -> list[tuple[Path, Alarm]]:
        """Return the alarms that do not come right by themselves and that nobody has taken away yet."""
        return [(path, alarm) for path, alarm in self._state.alarms() if alarm.kind not in PASSING]

    def _read_chain(self, found: Round) -> None:
        if self._chain is None:
            return
        verified = self._state.verified
        try:
            wrong = read_anchors(self._chain, self._watched, self._state, self._cadence.first_block)
        except UnavailableError as error:
            if self._now_ms() - verified.chain_at_ms > self._cadence.anchor_s * 1000:
                since = verified.chain_at_ms
                self._raise(found, Wrong(Kind.CHAIN_SILENT, f"no answer since {since} ms: {error.reason}"))
            return
        verified.chain_at_ms = self._now_ms()
        if wrong is not None:
            self._raise(found, wrong)

    def _read_log(self, found: Round) -> bool:
        """Judge what the log shows and what was seen before and not judged; say whether the log is the known one."""
        current, outcome = self._current()
        verified = self._state.verified
        earlier = [seen for seen in self._state.pending() if seen.number != current.number]
        size = self._size(current)
        larger = max((seen for seen in earlier if self._size(seen) > max(size, verified.tree.size)),
                     key=self._size, default=None)  # fmt: skip
        if isinstance(outcome, Right):
            if outcome.tree.size != verified.tree.size or not verified.note:
                verified.note, verified.note_at_ms = current.note, current.at_ms
            verified.tree = outcome.tree
        else:
            self._raise(found, outcome)
        if larger is not None:  # Seen and not judged before a kill; gone by now.
            self._raise(found, shrunk(size, current, self._size(larger), larger.shown()))
        for seen in earlier:
            if seen is not larger:
                came_after = any(one.number < seen.number and self._size(one) > self._size(seen) for one in earlier)
                told = judge(self._fetcher, self._watched.log, verified, seen, came_after=came_after)
                if isinstance(told, Wrong):
                    self._raise(found, told)
        verified.judged = max([verified.judged, current.number, *(seen.number for seen in earlier)])
        return isinstance(outcome, Right)

    def _current(self) -> tuple[Seen, Right | Wrong]:
        """Keep and judge the log's newest note, again if the log went on meanwhile."""
        tries = 0
        while True:
            tries += 1
            seen = self._fetch()
            if isinstance(seen, Wrong):
                return self._last(), seen
            outcome = judge(self._fetcher, self._watched.log, self._state.verified, seen, came_after=True)
            if not isinstance(outcome, Wrong) or tries == _TRIES or outcome.kind is Kind.UNKNOWN_KEY:
                return seen, outcome
            again = self._fetch()
            if isinstance(again, Wrong) or again.note == seen.note:
                return seen, outcome
            if outcome.kind not in {Kind.FILE_MISSING, Kind.INCONSISTENT, Kind.TILE_ALTERED}:
                return seen, outcome

    def _fetch(self) -> Seen | Wrong:
        try:
            data = self._fetcher.read(CHECKPOINT_PATH)
            note = data.decode()
        except MissingFileError:
            return Wrong(Kind.FILE_MISSING, "the log has no checkpoint")
        except UnicodeDecodeError:
            return Wrong(Kind.UNKNOWN_KEY, "the log's checkpoint is not UTF-8")
        if len(note) > 1_000_000:
            return Wrong(Kind.UNKNOWN_KEY, "the log's checkpoint is longer than a note may be")
        return self._state.saw(note, self._now_ms(), self._source)

    def _last(self) -> Seen:
        verified = self._state.verified
        return Seen(verified.judged, verified.note_at_ms, self._source, verified.note)

    def _compare_anchors(self, found: Round) -> None:
        verified, waiting = self._state.verified, []
        for anchor in verified.waiting:
            if anchor.size > verified.tree.size:
                waiting.append(anchor)
                detail = f"the chain holds an anchor of {anchor.size} entries, the log shows {verified.tree.size}"
                note = verified.shown(self._source)
                self._raise(found, Wrong(Kind.ANCHOR_AHEAD, detail, (note,), anchor=anchor))
                continue
            wrong = compare_anchor(self._fetcher, verified, anchor, self._source)
            if wrong is None:
                verified.anchored = max(verified.anchored, anchor.size)
            else:
                self._raise(found, wrong)
        verified.waiting = waiting
        if self._chain is None or waiting:
            return
        first = next((seen for seen in self._state.notes if self._size(seen) > verified.anchored), None)
        if first is not None and self._now_ms() - first.at_ms > self._cadence.anchor_s * 1000:
            detail = f"entries after {verified.anchored} have no anchor; a note for them was seen at {first.at_ms} ms"
            self._raise(found, Wrong(Kind.ANCHOR_LATE, detail, (first.shown(),)))

    def _recheck(self, found: Round) -> None:
        """Read some of the old bundles and tiles again, one after another and then from the first."""
        verified = self._state.verified
        full = verified.tree.size // TILE_WIDTH
        if not full:
            return
        checkpoint = open_note(self._watched.log, verified.note)
        for _ in range(min(self._cadence.recheck_bundles, full)):
            index = verified.rechecked % full
            verified.rechecked = index + 1
            note = verified.shown(self._source)
            try:
                recheck(self._fetcher, index, checkpoint)
            except BadEntryError as error:
                self._raise(found, Wrong(Kind.ENTRY_ALTERED, error.explain(), (note,)))
            except VerificationError as error:
                self._raise(found, Wrong(Kind.TILE_ALTERED, error.explain(), (note,)))
            except MissingFileError as error:
                self._raise(found, Wrong(Kind.FILE_MISSING, f"{error.path} is no longer there", (note,)))

    def _raise(self, found: Round, wrong: Wrong) -> None:
        alarm = Alarm(
            anchor=wrong.anchor,
            detail=wrong.detail,
            format=FORMAT,
            kind=wrong.kind,
            log=self._watched.log,
            made_at_ms=self._now_ms(),
            notes=list(wrong.notes),
            prefix=wrong.prefix,
        )
        path, is_new = self._state.keep(alarm)
        if all(path != raised.file for raised in found.raised):
            found.raised.append(Raised(alarm, path, is_new))

    def _size(self, seen: Seen) -> int:
        """Return the size that a note of the log's key states, -1 for any other note."""
        if seen.note not in self._sizes:
            try:
                checkpoint = open_note(self._watched.log, seen.note)
            except VerificationError:
                self._sizes[seen.note] = -1
            else:
                self._sizes[seen.note] = checkpoint.size
        return self._sizes[seen.note]
