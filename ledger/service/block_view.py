"""What counts at one bound block, worked out once: who may report, and how events of one kind are bound.

A view is made for each bound block, from what the chain had recorded by it, and answers from memory: folds by
agreement and duty, authority by key, standing and binding by what an event claims and the second it occurred in. All
are pure functions of these, so that a view answers what evidence recomputes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ledger.domain.agreement_state import fold_agreement
from ledger.domain.binding import Binding, Bound, bind
from ledger.domain.codes import DUTY_OF_KIND, Duty
from ledger.domain.errors import UnauthorizedError
from ledger.domain.event_templates import Template, template_of
from ledger.domain.event_v1 import claims_of
from ledger.domain.history import known_by_block
from ledger.domain.identifiers import duty_key, parse_post
from ledger.domain.key_state import Allowed, authority, fold_agency, fold_post
from ledger.domain.reporting import MAY_REPORT, standing
from ledger.domain.responsibility_state import ResponsibilityState, fold_responsibility
from ledger.service.agreement_views import AGREEMENTS, is_demonstration
from ledger.service.registry_views import REGISTRY
from ledger.service.stored_batches import BoundAs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ledger.domain.agreement_state import AgreementState
    from ledger.domain.event_log import Event, Recorded
    from ledger.domain.event_v1 import EventV1
    from ledger.domain.identifiers import PostRef
    from ledger.service.ports import BlockRef
    from ledger.service.services import Services

RESPONSIBILITIES: Final = "ResponsibilityLedger"
_MAX_KINDS: Final = 20_000
"""So many kinds of events and seconds are kept of one block; a reporter that tells more pays for the work again."""


@dataclass(frozen=True, slots=True)
class BoundKind:
    """How all events are bound that claim the same and occurred in the same second."""

    binding: Binding
    bound: BoundAs
    template: Template
    verdict: str
    mismatches: tuple[str, ...]
    flags: tuple[str, ...]


class BlockView:
    """What counts at one block. Not thread-safe: the appending thread owns it."""

    def __init__(self, services: Services, block: BlockRef) -> None:
        self.block = block
        self._services = services
        self._bound = Bound(block.number, block.hash)
        self._agreements: dict[str, tuple[AgreementState | None, bool]] = {}
        self._duties: dict[tuple[Duty, str], ResponsibilityState] = {}
        self._allowed: set[tuple[str, bytes]] = set()
        self._standing: dict[tuple[object, ...], bool] = {}
        self._kinds: dict[tuple[tuple[object, ...], int], BoundKind] = {}

    def check_authority(self, reporter: str, signer: bytes) -> None:
        """Return if the key spoke for the post at the block, and the post may report at all.

        Raises:
            UnauthorizedError: Names what is missing.
        """
        if (reporter, signer) in self._allowed:
            return
        ref = parse_post(reporter)
        # What other threads have read of the chain since is not what the bound block's evidence will show.
        post = fold_post(self._recorded(REGISTRY, ref.id))
        agency = fold_agency(self._recorded(REGISTRY, ref.agency.id))
        if post is None or agency is None:
            raise UnauthorizedError("the reporter is no post that is known", post=reporter)
        # The bound block may be a few seconds old, while a key bound since counts from its own block's time.
        allowed = authority(post, agency, key=signer, any_of=MAY_REPORT, time=self.block.timestamp)
        if not isinstance(allowed, Allowed):
            raise UnauthorizedError(
                f"the key may not report for the post: {allowed.reason}", post=reporter, signer=signer
            )
        self._allowed.add((reporter, signer))

    def may_report(self, post: PostRef, event: EventV1) -> bool:
        """Say whether a post may report an event: its own agency's side, or one that entrusted it."""
        key = (event.reporter, event.side, event.provider, event.requester, event.agreement)
        found = self._standing.get(key)
        if found is None:
            right = standing(
                event,
                post,
                lambda about: self._services.state.history(RESPONSIBILITIES, about),
                block=self.block.number,
                time=self.block.timestamp,
            )
            found = self._standing[key] = right is not None
        return found

    def bind(self, event: EventV1) -> Binding:
        """Return an event's binding."""
        agreement, demonstration = self._agreement(event.agreement)
        return bind(
            event,
            agreement,
            self._responsibility(DUTY_OF_KIND[event.kind], event.agreement),
            self._bound,
            demonstration=demonstration,
        )

    def kind(self, event: EventV1) -> BoundKind:
        """Return how an event is bound, with all that follows from it and what the event claims."""
        key = (claims_of(event), event.occurred_at_ms // 1000)  # A binding counts in seconds, as the chain does.
        found = self._kinds.get(key)
        if found is None:
            binding = self.bind(event)
            found = BoundKind(
                binding,
                BoundAs.of(binding),
                template_of(event, binding),
                binding.verdict.value,
                tuple(code.value for code in binding.mismatches),
                tuple(flag.value for flag in binding.flags),
            )
            if len(self._kinds) >= _MAX_KINDS:
                self._kinds.clear()
            self._kinds[key] = found
        return found

    def _agreement(self, text: str) -> tuple[AgreementState | None, bool]:
        if not text:
            return None, False
        if text not in self._agreements:
            known = bytes.fromhex(text)
            state = fold_agreement(self._recorded(AGREEMENTS, known))
            self._agreements[text] = (state, state is not None and is_demonstration(self._services, known))
        return self._agreements[text]

    def _responsibility(self, duty: Duty, agreement: str) -> ResponsibilityState:
        if not agreement:
            return ResponsibilityState()
        if (duty, agreement) not in self._duties:
            key = duty_key(duty, bytes.fromhex(agreement))
            self._duties[duty, agreement] = fold_responsibility(self._recorded(RESPONSIBILITIES, key))
        return self._duties[duty, agreement]

    def _recorded(self, contract: str, key: bytes) -> Iterator[Recorded[Event]]:
        """Yield what the chain had recorded by the bound block: other threads may have taken newer blocks since."""
        return known_by_block(self._services.state.history(contract, key), self.block.number)
