"""The histories that a claim relies on: which they are, and that each is complete.

A history is all events that advanced one running head of one contract. Its fold from the empty head must be the
head that the state proof shows; so nothing is left out, added, altered or reordered, and an empty history is proved by
an empty slot. Exporter and verifier ask the same functions which histories are needed.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

from ledger.domain import events
from ledger.domain.errors import VerificationError
from ledger.domain.heads import event_digest, fold_head
from ledger.domain.identifiers import recipient_key
from ledger.domain.key_state import AGENCY_EVENTS, POST_EVENTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from ledger.domain.event_log import Event, Recorded
    from ledger.evidence.blocks import Blocks, PlacedEvent
    from ledger.evidence.file import History
    from ledger.evidence.state import ProvenState
    from ledger.evidence.trust_root import TrustRoot

STEP: Final = 6
REGISTRY: Final = "AgencyRegistry"
AGREEMENTS: Final = "AgreementLedger"
RESPONSIBILITIES: Final = "ResponsibilityLedger"
CASES: Final = "CaseLedger"

HeadKey = tuple[str, bytes]
"""A contract's name and the key of one of its running heads."""


def actor_of(event: Event) -> bytes | None:
    """Return the post that brought an event about, None for events of the registry and of the log."""
    if isinstance(event, (*AGENCY_EVENTS, *POST_EVENTS)):
        return None
    if isinstance(event, events.ResponsibilityAssigned | events.ResponsibilityEnded):
        return event.by_post
    post = getattr(event, "post", None)
    return post if isinstance(post, bytes) else None


def registered_agency(history: Iterable[Recorded[Event]]) -> bytes | None:
    """Return the agency of a post, by the post's history."""
    return next((one.event.agency for one in history if isinstance(one.event, events.PostRegistered)), None)


def proposed_agreements(history: Iterable[Recorded[Event]]) -> tuple[bytes, ...]:
    """Return the agreements that were ever proposed under a look-up pair, oldest first."""
    found = (one.event.agreement for one in history if isinstance(one.event, events.AgreementProposed))
    return tuple(dict.fromkeys(found))


def needed(
    base: Sequence[HeadKey], posts: Iterable[bytes], read: Callable[[str, bytes], Sequence[Recorded[Event]]]
) -> list[HeadKey]:
    """Return every history that must be there, in the order in which the file holds them.

    These are the base, the posts given, the posts that acted in the base, and the agencies of all those posts.
    """
    wanted: dict[HeadKey, None] = dict.fromkeys(base)
    acting: dict[bytes, None] = dict.fromkeys(posts)
    for contract, key in base:
        for recorded in read(contract, key):
            if (post := actor_of(recorded.event)) is not None:
                acting[post] = None
    for post in acting:
        wanted[REGISTRY, post] = None
        if (agency := registered_agency(read(REGISTRY, post))) is not None:
            wanted[REGISTRY, agency] = None
    return sorted(wanted)


def rights_base(
    recipient: bytes, dataset: bytes, read: Callable[[str, bytes], Sequence[Recorded[Event]]]
) -> list[HeadKey]:
    """Return the histories that answer by what right an agency held a dataset: the pair's, and each agreement's."""
    pair = recipient_key(recipient, dataset)
    agreements = proposed_agreements(read(AGREEMENTS, pair))
    return [(AGREEMENTS, pair), *((AGREEMENTS, agreement) for agreement in agreements)]


class Histories:
    """The file's histories, each event proved in its block's receipts."""

    def __init__(self, stated: Sequence[History], blocks: Blocks, root: TrustRoot) -> None:
        """Read every event.

        Raises:
            VerificationError: A history stands twice or out of order, or an event is not proved.
        """
        self._placed: dict[HeadKey, tuple[PlacedEvent, ...]] = {}
        keys = [(history.contract, bytes.fromhex(history.key)) for history in stated]
        if sorted(set(keys)) != keys:
            raise VerificationError(STEP, "the histories do not stand in their order, or one stands twice")
        for history, key in zip(stated, keys, strict=True):
            if history.contract not in root.contracts:
                raise VerificationError(STEP, f"the trust root knows no contract {history.contract}")
            address = root.address(history.contract)
            placed = tuple(blocks.event(place) for place in history.events)
            if any(one.recorded.address != address for one in placed):
                raise VerificationError(STEP, f"an event is not of the {history.contract} of the trust root")
            self._placed[key] = placed

    def read(self, contract: str, key: bytes) -> tuple[Recorded[Event], ...]:
        """Return a history's events; none where the file holds none (`check_needed` says whether it must)."""
        return tuple(one.recorded for one in self._placed.get((contract, key), ()))

    def by_contract(self) -> Mapping[str, Sequence[bytes]]:
        """Return the keys of each contract, in the order of the file."""
        keys: dict[str, list[bytes]] = {}
        for contract, key in self._placed:
            keys.setdefault(contract, []).append(key)
        return keys

    def placed(self) -> list[PlacedEvent]:
        """Return every event once, in the order of the chain."""
        every = {one.place: one for history in self._placed.values() for one in history}
        return [every[place] for place in sorted(every)]

    def check_needed(self, wanted: Sequence[HeadKey]) -> None:
        """Return if the file holds just these histories.

        Raises:
            VerificationError: One is missing or needless.
        """
        if list(wanted) != list(self._placed):
            odd = sorted(set(wanted) ^ set(self._placed))
            told = f"{odd[0][0]} {odd[0][1].hex()}" if odd else "their order"
            raise VerificationError(STEP, f"a history is missing or needless: {told}")

    def check_complete(self, state: ProvenState) -> None:
        """Return if the fold of each history is the head under the state root.

        Raises:
            VerificationError: An event was left out, added, altered or reordered.
        """
        for (contract, key), history in self._placed.items():
            steps = (
                (one.recorded.block, one.recorded.timestamp, event_digest(one.topics, one.data)) for one in history
            )
            if fold_head(steps) != state.head(contract, key):
                raise VerificationError(
                    STEP,
                    f"the history {key.hex()} of {contract} is not complete: "
                    f"its {len(history)} events do not give the running head on chain",
                )
            if any(first.place >= second.place for first, second in pairwise(history)):
                raise VerificationError(STEP, f"the history {key.hex()} of {contract} is not in the chain's order")
