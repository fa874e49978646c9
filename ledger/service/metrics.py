"""What an operator's monitoring reads: sizes, latencies, queues, failures and lags, in Prometheus's text format.

The format is a few lines of text, so no library is needed for it. Latencies are summaries: quantiles over the last five
to ten minutes, each at most a twentieth too high, with sums and counts since the start. Every name, label and label
value is from a closed set, so that a reading never grows; nothing in it is private.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from ledger.domain.errors import LedgerError
from ledger.service.anchoring import anchors_under_way
from ledger.service.witnesses import barring, contradicting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ledger.service.services import Services

MEDIA_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_QUANTILES: Final = (0.5, 0.95, 0.99)
_COUNTERS: Final = {
    "checkpoints": "Checkpoints published since the start.",
    "anchors": "Anchors that became final since the start.",
    "anchor_failures": "Anchors that failed since the start, by the error's code.",
}


@dataclass(slots=True)
class Family:
    """One metric: its name, kind, what it says, and its samples by suffix and labels."""

    name: str
    kind: str
    about: str
    samples: list[tuple[str, dict[str, str], float]] = field(default_factory=list)

    def add(self, value: float, suffix: str = "", **labels: str) -> None:
        """Add a sample."""
        self.samples.append((suffix, labels, value))


def render(services: Services) -> str:
    """Return every metric as text."""
    return "".join(_lines(family) for family in _families(services))


def _families(services: Services) -> Iterator[Family]:
    yield from _sizes(services)
    yield _latencies(services)
    yield from _queues(services)
    yield from _lags(services)
    yield from _witnesses(services)
    yield from _counters(services)


def _sizes(services: Services) -> Iterator[Family]:
    sizes = services.frontiers.sizes
    family = Family("quanze_log_size", "gauge", "Entries that have reached a state.")
    for state in ("accepted", "included", "anchored", "final"):
        family.add(getattr(sizes, state).size, state=state)
    yield family


def _latencies(services: Services) -> Family:
    now = time.monotonic()
    family = Family("quanze_state_seconds", "summary", "Time of entries from one state to another.")
    for (start, end), passage in services.frontiers.passages().items():
        names = {"from": start, "to": end}
        for share in _QUANTILES:
            value = passage.quantile(share, now)
            family.add(float("nan") if value is None else value, quantile=str(share), **names)
        family.add(passage.sum_s, "_sum", **names)
        family.add(passage.count, "_count", **names)
    return family


def _queues(services: Services) -> Iterator[Family]:
    sizes = services.frontiers.sizes
    waiting = Family("quanze_entries_waiting", "gauge", "Accepted entries that have not reached a state.")
    for state in ("included", "anchored", "final"):
        waiting.add(max(0, sizes.accepted.size - getattr(sizes, state).size), state=state)
    yield waiting
    age = Family("quanze_anchor_wait_seconds", "gauge", "How long the oldest entry has waited for an anchor.")
    age.add(services.frontiers.waiting_s())
    yield age
    outbox = Family("quanze_outbox_pending", "gauge", "Writes to contracts that are not final.")
    outbox.add(len(services.outbox.pending()))
    yield outbox
    under_way = Family("quanze_anchors_pending", "gauge", "Anchors that were sent and are not final.")
    under_way.add(len(anchors_under_way(services)))
    yield under_way


def _lags(services: Services) -> Iterator[Family]:
    answers = Family("quanze_chain_answers", "gauge", "1 if the chain answers, else 0.")
    try:
        final, head = services.state.refresh(), services.chain.head_block().number
        answers.add(1)
    except LedgerError:
        final, head = services.state.final, services.state.final.number
        answers.add(0)
    yield answers
    behind = Family("quanze_follower_lag_blocks", "gauge", "Blocks that the chain has above the newest final one.")
    behind.add(max(0, head - final.number))
    yield behind
    age = Family("quanze_bindable_block_age_seconds", "gauge", "Age of the block that an event would be bound at.")
    age.add(max(0, services.clock.now_ms() // 1000 - final.timestamp))
    yield age
    blocks = Family("quanze_index_lag_blocks", "gauge", "Final blocks that the index has not taken.")
    blocks.add(max(0, final.number - services.index.cursor().number))
    yield blocks


def _witnesses(services: Services) -> Iterator[Family]:
    if services.witnesses is None:
        return
    unmet = Family("quanze_witnesses_unmet_seconds", "gauge", "How long too few witnesses have cosigned, or 0.")
    unmet.add(services.witnesses.unmet_for_s())
    yield unmet
    sizes = Family("quanze_witness_size", "gauge", "The size that a witness is known to have cosigned.")
    failing = Family("quanze_witness_failing", "gauge", "1 if a witness did not cosign the last checkpoint, else 0.")
    against = Family("quanze_witness_contradicts", "gauge", "1 if a witness cosigned another log than this, else 0.")
    size = services.log.size()
    contradict = {one.name for one in contradicting(services.witnesses, size)}
    for one in services.witnesses.standings():
        sizes.add(one.size, witness=one.name)
        failing.add(1 if one.problem else 0, witness=one.name)
        against.add(1 if one.name in contradict else 0, witness=one.name)
    yield sizes
    yield failing
    yield against
    refused = Family(
        "quanze_events_refused", "gauge", "1 while witnesses who contradict the log keep events out, else 0."
    )
    refused.add(1 if barring(services.witnesses, size) else 0)
    yield refused


def _counters(services: Services) -> Iterator[Family]:
    counted = services.counters.all()
    for name, about in _COUNTERS.items():
        family = Family(f"quanze_{name}", "counter", about)
        found = {labels: count for (held, labels), count in counted.items() if held == name}
        for labels, count in sorted(found.items()) or ([((), 0)] if name != "anchor_failures" else []):
            family.add(count, "_total", **dict(labels))
        yield family


def _lines(family: Family) -> str:
    # A counter's family is named with its suffix in this version of the format.
    name = f"{family.name}_total" if family.kind == "counter" else family.name
    lines = [f"# HELP {name} {family.about}\n", f"# TYPE {name} {family.kind}\n"]
    for suffix, labels, value in family.samples:
        inner = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
        shown = "NaN" if value != value else f"{value:.10g}"  # noqa: PLR0124 - only NaN differs from itself.
        lines.append(f"{family.name}{suffix}{{{inner}}} {shown}\n" if inner else f"{family.name}{suffix} {shown}\n")
    return "".join(lines)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
