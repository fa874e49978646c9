"""The state of an entry: accepted, included, anchored or final, with the times; of one, of a range, and of all.

Only indexes, sizes, blocks and times are told, which are public; what an event says is in none of it.

A state follows from what holds now: the log's size, the published checkpoint, an anchor in any block, an anchor in a
final block. Only an anchor that is not final can be taken back, by a network that reorganises.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from ledger.domain.errors import InvalidInputError, NotFoundError, UnavailableError
from ledger.domain.leaf import parse_leaf
from ledger.service.anchoring import covering_anchor
from ledger.service.event_views import places
from ledger.service.reading_log import published
from ledger.service.requests import Request
from ledger.service.times import iso, iso_ms

if TYPE_CHECKING:
    from ledger.domain.event_log import Recorded
    from ledger.domain.events import CheckpointAnchored
    from ledger.service.frontiers import Reached, Sizes
    from ledger.service.services import Services

RANGE_MAX: Final = 10_000
"""Entries of one range: as many as a batch has."""

WAIT_MAX_S: Final = 600


class EntryState(StrEnum):
    """How far an entry has come; each state includes those before it."""

    ACCEPTED = "ACCEPTED"
    INCLUDED = "INCLUDED"
    ANCHORED = "ANCHORED"
    FINAL = "FINAL"


class ShowState(Request, frozen=True, kw_only=True):
    """Arguments of ``event state``: an id or index, the state to wait for (none if empty), and for how long."""

    event: str
    wait: str = ""
    timeout_s: int = 120


class ShowStates(Request, frozen=True, kw_only=True):
    """A range of entries."""

    first: int
    count: int


def event_state(services: Services, request: ShowState) -> dict[str, Any]:
    """Tell how far an entry has come, once it has come as far as is waited for.

    Raises:
        NotFoundError: There is no such entry.
        InvalidInputError: There is no such state, or the wait is too long.
        UnavailableError: It has not come that far in time, or nothing runs that would bring it further.
    """
    indices = places(services, request.event)
    if not indices:
        raise NotFoundError("event", request.event)
    index = indices[0]
    if request.wait:
        _wait(services, index, request)
    return state_json(services, index)


def public_state(services: Services, request: ShowState) -> dict[str, Any]:
    """Tell anyone how far the entry at an index has come.

    Raises:
        NotFoundError: The log has no entry at this index.
    """
    text = request.event
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(2**53)) and int(text) < services.log.size()):
        raise NotFoundError("event", text)
    return state_json(services, int(text))


def state_json(services: Services, index: int) -> dict[str, Any]:
    """Return an entry's state with what is known of when it came about; a time that nobody knows is empty."""
    frontiers, sizes = services.frontiers, services.frontiers.sizes
    leaf = parse_leaf(services.log.leaf(index))
    anchored = covering_anchor(services, index)
    state = _state(services, index, anchored)
    included_ms, final_ms = frontiers.included_at(index), frontiers.final_at(index)
    if anchored is not None:
        anchor = {
            "size": anchored.event.size,
            "block": anchored.block,
            "tx": anchored.tx_hash.hex(),
            "at": iso(anchored.timestamp),
        }
    elif state is EntryState.ANCHORED:
        anchor = {"size": sizes.anchored.size, "block": sizes.anchored.block, "tx": "", "at": _at(sizes.anchored.at_ms)}
    else:
        anchor = None
    return {
        "index": index,
        "leaf_hash": leaf.hash().hex(),
        "state": state.value,
        "accepted_at": iso_ms(leaf.accepted_at_ms),
        "included_at": _at(included_ms),
        "anchor": anchor,
        "final_at": _at(final_ms),
        "frontiers": sizes_json(sizes),
    }


def range_states(services: Services, request: ShowStates) -> dict[str, Any]:
    """Tell how far the entries of a range have come, as runs of entries that came equally far with the same anchor.

    Entries that the log does not have yet are in no run.

    Raises:
        InvalidInputError: A range that is none, or too long.
    """
    if request.first < 0:
        raise InvalidInputError("first", request.first, "0 or more")
    if not 0 < request.count <= RANGE_MAX:
        raise InvalidInputError("count", request.count, f"1 to {RANGE_MAX}")
    sizes = services.frontiers.sizes
    size = services.log.size()
    runs: list[dict[str, Any]] = []
    place, end = request.first, min(request.first + request.count, size)
    while place < end:
        anchored = covering_anchor(services, place)
        state = _state(services, place, anchored)
        match state:
            case EntryState.FINAL:
                limit = anchored.event.size if anchored is not None else end
            case EntryState.ANCHORED:
                limit = sizes.anchored.size
            case EntryState.INCLUDED:
                limit = published(services).size
            case EntryState.ACCEPTED:
                limit = end
        limit = min(max(limit, place + 1), end)
        block = anchored.block if anchored is not None else sizes.anchored.block
        is_anchored = state in {EntryState.ANCHORED, EntryState.FINAL}
        runs.append(
            {
                "first": place,
                "count": limit - place,
                "state": state.value,
                "anchor_block": block if is_anchored else 0,
            }
        )
        place = limit
    return {"runs": runs, "log_size": size, "frontiers": sizes_json(sizes)}


def state_of(services: Services, index: int) -> EntryState:
    """Return how far an entry that the log has has come."""
    return _state(services, index, covering_anchor(services, index))


def _state(services: Services, index: int, anchored: Recorded[CheckpointAnchored] | None) -> EntryState:
    """Return how far an entry has come, by the final anchor over it as it was just read."""
    if anchored is not None:
        return EntryState.FINAL
    if index < services.frontiers.sizes.anchored.size:
        return EntryState.ANCHORED
    return EntryState.INCLUDED if index < published(services).size else EntryState.ACCEPTED


def sizes_json(sizes: Sizes) -> dict[str, Any]:
    """Return the four frontiers as JSON values."""
    return {
        "accepted": _reached_json(sizes.accepted),
        "included": _reached_json(sizes.included),
        "anchored": {**_reached_json(sizes.anchored), "block": sizes.anchored.block},
        "final": {**_reached_json(sizes.final), "block": sizes.final.block},
    }


def _reached_json(reached: Reached) -> dict[str, Any]:
    return {"size": reached.size, "at": _at(reached.at_ms)}


def _at(at_ms: int) -> str:
    return iso_ms(at_ms) if at_ms else ""


def _wait(services: Services, index: int, request: ShowState) -> None:
    wanted = request.wait.upper()
    if wanted not in EntryState.__members__:
        raise InvalidInputError("wait", request.wait, ", ".join(state.value.lower() for state in EntryState))
    if not 0 <= request.timeout_s <= WAIT_MAX_S:
        raise InvalidInputError("timeout_s", request.timeout_s, f"0 to {WAIT_MAX_S}")
    order = list(EntryState)
    if order.index(state_of(services, index)) >= order.index(EntryState(wanted)):
        return
    if not services.is_up:
        raise UnavailableError("service", "`quanze up` does not run, so nothing brings the entry any further")

    def has_come(sizes: Sizes) -> bool:
        # By the sizes alone: whoever appends tells them, and must not wait here for what the chain answers.
        reached: Reached = getattr(sizes, wanted.lower())
        return reached.size > index

    if not services.frontiers.wait_until(has_come, request.timeout_s):
        came = state_of(services, index).value
        raise UnavailableError("log", f"entry {index} is {came} after {request.timeout_s} s, not {wanted} yet")
