"""The server's half of appending: check a signed batch, bind it, make it durable, answer with receipts.

Order of writing (decisions 8): vault, then log, then memory. The receipt leaves only after the log's
entries are on disk.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from ledger.domain.agreement_state import fold_agreement
from ledger.domain.binding import Bound, bind
from ledger.domain.codes import DUTY_OF_KIND
from ledger.domain.commitment import SALT_BYTES
from ledger.domain.errors import ConflictError, UnavailableError
from ledger.domain.event_groups import GROUPS, commit_event
from ledger.domain.event_v1 import digest
from ledger.domain.history import known_by_block
from ledger.domain.identifiers import duty_key
from ledger.domain.leaf import LeafV1, parse_leaf
from ledger.domain.responsibility_state import ResponsibilityState, fold_responsibility
from ledger.log.tree import HashList, inclusion_proof
from ledger.service import event_checks
from ledger.service.agreement_views import AGREEMENTS, is_demonstration
from ledger.service.call_data import call_data
from ledger.service.event_documents import binding_of, event_document, event_of
from ledger.service.times import iso_ms

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ledger.domain.agreement_state import AgreementState
    from ledger.domain.binding import Binding
    from ledger.domain.codes import Duty
    from ledger.domain.event_log import Event, Recorded
    from ledger.domain.event_v1 import EventV1
    from ledger.service.event_batches import SignedBatch
    from ledger.service.ports import BlockRef, VaultDocument
    from ledger.service.services import Services

_FRESH_WAIT_S = 10.0


def append_signed_batch(services: Services, batch: SignedBatch) -> list[dict[str, Any]]:
    """Accept a reporter's batch and return one receipt an event; all or none.

    The same bytes again get the first answer, even after the deadline.

    Raises:
        InvalidInputError: An event is not well formed or lies in the future, or the deadline is too far.
        UnauthorizedError: The signature, key, post or deadline does not allow it.
        ConflictError: Another batch has the nonce, or events are out of place or reported already.
        UnavailableError: No block is fresh enough to bind at.
    """
    event_checks.check_shape(batch)
    digests = [digest(event) for event in batch.events]
    signed = event_checks.check_batch_signature(services, batch, digests)
    with services.append_lock:
        _check_key(services, batch, signed)
        if (first := services.intake.batches.get((batch.signer, batch.nonce))) is not None:
            if first[0] != signed:
                raise ConflictError("nonce", "it was used for another batch", first=first[0].hex(), given=signed.hex())
            return [receipt_of(services, index) for index in first[1]]
        event_checks.check_deadline(services, batch)
        event_checks.check_times(services, batch)
        block = bindable_block(services)
        event_checks.check_span(batch, block)
        event_checks.check_authority(services, batch, block)
        stream = services.intake.stream(batch.reporter, batch.agreement)
        event_checks.check_places(batch, stream)
        event_checks.check_pairings(services, batch)
        return _append(services, batch, digests, signed, block)


def _check_key(services: Services, batch: SignedBatch, signed: bytes) -> None:
    first = services.intake.keys.get((batch.signer, batch.idempotency_key)) if batch.idempotency_key else None
    if first is not None and first != signed:
        raise ConflictError("idempotency key", "it was used for another batch", first=first.hex(), given=signed.hex())


def bindable_block(services: Services) -> BlockRef:
    """Return the newest final block, which must be young enough that an anchor can still follow in time.

    Raises:
        UnavailableError: The chain has made no block for too long (STALE_BINDING).
    """
    limit = services.settings.binding_age_max_s // 2
    block = services.state.refresh()
    if services.now_s() - block.timestamp > limit:
        tick(services, block)
        block = services.state.refresh()
    age = services.now_s() - block.timestamp
    if age > limit:
        raise UnavailableError("chain", "STALE_BINDING: the newest block is too old to bind at", age_s=age)
    return block


def tick(services: Services, block: BlockRef) -> None:
    """Bring about a block after ``block``, by sending a call that changes nothing."""
    key = f"tick:{block.hash.hex()}"
    services.outbox.send(key, services.deployment.address("CheckpointAnchor"), call_data("latest", []))
    services.outbox.wait(key, _FRESH_WAIT_S)


def receipt_of(services: Services, index: int) -> dict[str, Any]:
    """Return the receipt of an event that the log holds: the same each time it is asked."""
    leaf = parse_leaf(services.log.leaf(index))
    document = services.vault.get(bytes.fromhex(leaf.commitment))
    return _receipt(index, leaf, event_of(document), binding_of(document))


class Binder:
    """Binds events at one block, folding each agreement and duty once."""

    def __init__(self, services: Services, block: BlockRef) -> None:
        self._services = services
        self._block = Bound(block.number, block.hash)
        self._agreements: dict[str, tuple[AgreementState | None, bool]] = {}
        self._duties: dict[tuple[Duty, str], ResponsibilityState] = {}

    def bind(self, event: EventV1) -> Binding:
        """Return an event's binding."""
        agreement, demonstration = self._agreement(event.agreement)
        return bind(
            event,
            agreement,
            self._responsibility(DUTY_OF_KIND[event.kind], event.agreement),
            self._block,
            demonstration=demonstration,
        )

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
            self._duties[duty, agreement] = fold_responsibility(self._recorded(event_checks.RESPONSIBILITIES, key))
        return self._duties[duty, agreement]

    def _recorded(self, contract: str, key: bytes) -> Iterator[Recorded[Event]]:
        """Yield what the chain had recorded by the bound block: other threads may have taken newer blocks since."""
        return known_by_block(self._services.state.history(contract, key), self._block.number)


def _append(
    services: Services, batch: SignedBatch, digests: Sequence[bytes], signed: bytes, block: BlockRef
) -> list[dict[str, Any]]:
    intake = services.intake
    stream = intake.stream(batch.reporter, batch.agreement)
    # Ledger times never decrease, whatever the machine's clock does.
    accepted_at_ms = max(services.clock.now_ms(), intake.last_accepted_ms)
    binder, tree = Binder(services, block), HashList(digests)
    documents: list[VaultDocument] = []
    leaves: list[LeafV1] = []
    bindings: list[Binding] = []
    previous = stream.last_leaf
    for place, event in enumerate(batch.events):
        binding = binder.bind(event)
        commitment = commit_event(event, binding, [secrets.token_bytes(SALT_BYTES) for _ in GROUPS])
        documents.append(
            event_document(
                commitment,
                batch,
                batch_digest=signed,
                place=place,
                path=inclusion_proof(tree, place, len(digests)),
                stream_salt=stream.salt,
            )
        )
        leaf = LeafV1(
            accepted_at_ms=accepted_at_ms,
            block=block.number,
            block_hash=block.hash.hex(),
            commitment=commitment.root.hex(),
            prev=previous,
            seq=event.reporter_seq,
            stream=stream.id,
        )
        previous = leaf.hash().hex()
        leaves.append(leaf)
        bindings.append(binding)
    services.vault.put(documents)
    first = services.log.append([leaf.encode() for leaf in leaves])
    indices = range(first, first + len(leaves))
    for index, event, event_digest, leaf in zip(indices, batch.events, digests, leaves, strict=True):
        intake.accept(index, event, event_digest, leaf, stream)
    intake.accept_batch(batch.signer, batch.nonce, signed, indices, batch.idempotency_key)
    return [
        _receipt(index, leaf, event, binding)
        for index, leaf, event, binding in zip(indices, leaves, batch.events, bindings, strict=True)
    ]


def _receipt(index: int, leaf: LeafV1, event: EventV1, binding: Binding) -> dict[str, Any]:
    return {
        "index": index,
        "id": event.id,
        "leaf_hash": leaf.hash().hex(),
        "accepted_at_ms": leaf.accepted_at_ms,
        "accepted_at": iso_ms(leaf.accepted_at_ms),
        "block": leaf.block,
        "block_hash": leaf.block_hash,
        "reporter_seq": event.reporter_seq,
        "correlation": event.correlation,
        "verdict": binding.verdict.value,
        "mismatches": [code.value for code in binding.mismatches],
        "flags": [flag.value for flag in binding.flags],
    }
