"""A small deployment on a made chain: three agencies, an agreement, duties, a case, and a log with anchored events.

Everything follows from words, so that each run gives the same bytes.

    world = World()
    agreement = world.agree()
    index = world.report(agreement)
    world.anchor()
    world.event_evidence(index)
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

import msgspec

from ledger.domain import events
from ledger.domain.agreement_state import fold_agreement
from ledger.domain.binding import Bound, bind
from ledger.domain.codes import DUTY_OF_KIND
from ledger.domain.commitment import salt_text
from ledger.domain.event_groups import GROUPS, commit_event
from ledger.domain.event_v1 import NO_HASH, complete_event, digest
from ledger.domain.identifiers import duty_key
from ledger.domain.keccak import keccak256_text
from ledger.domain.leaf import LeafV1, stream_id
from ledger.domain.responsibility_state import ResponsibilityState, fold_responsibility
from ledger.domain.scalars import ZERO32
from ledger.domain.typed_data import Domain
from ledger.domain.typed_data import digest as signing_digest
from ledger.evidence import events_file, file, trust_root
from ledger.log.checkpoint import Checkpoint, sign_checkpoint
from ledger.log.tree import HashList, inclusion_proof, root_of
from ledger.service.event_batches import SignedBatch, batch_record
from ledger.service.event_documents import event_document
from ledger.service.evidence_batches import make_events_file
from ledger.service.evidence_files import HeldEvent, answer_file, event_file, make_trust_root, object_file
from ledger.service.ports import VaultDocument
from ledger.service.stored_batches import BatchHead
from ledger.service.times import iso

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ledger.domain.binding import Binding
    from ledger.domain.event_log import Event, Recorded

from scripts.evidence_vectors.acts import Acts
from scripts.evidence_vectors.names import DATASET, GATEWAY, ORIGIN, PROVIDER, PURPOSE, REQUESTER


class World(Acts):
    """The deployment with its log of facts, and the evidence of all that is in it."""

    def __init__(self, *, chain_id: int = 4_815_162_342_108, validators: int = 1, witnesses: int = 0) -> None:
        """Make the chain and admit the agencies with their posts; the log is empty."""
        super().__init__(chain_id=chain_id, validators=validators, witnesses=witnesses)
        self._leaves: list[LeafV1] = []
        self._documents: list[VaultDocument] = []
        self._digests: dict[tuple[str, str], list[bytes]] = {}
        self._anchors: list[tuple[int, bytes]] = []

    # Facts.

    def report(
        self,
        agreement: bytes,
        *,
        count: int = 3,
        post: str = GATEWAY,
        verdict: Callable[[Binding], Binding] = lambda binding: binding,
        lasting: int = 600,
        **stated: Any,
    ) -> int:
        """Let a post report a batch of deliveries, and return the entry of the second one (or of the only one).

        Args:
            agreement: What the events claim; 32 zero bytes for no claim.
            count: How many events.
            post: The reporter.
            verdict: Makes of the binding what a lying operator commits to.
            lasting: Seconds from the bound block to the batch's deadline.
            stated: What the events state otherwise than usual.
        """
        text = agreement.hex() if agreement != ZERO32 else ""
        block = self.chain.final_block()
        batch = self.signed_batch(text, count, post, stated, lasting=lasting)
        digests = [digest(event) for event in batch.events]
        signed = signing_digest(self.log_domain, batch_record(batch, digests))
        first = len(self._leaves)
        salt = sha256(f"stream {post} {text}".encode()).digest()
        held = [
            leaf for leaf in self._leaves if leaf.stream == stream_id(salt_text(salt), reporter=post, agreement=text)
        ]
        previous = held[-1].hash().hex() if held else NO_HASH
        for place, event in enumerate(batch.events):
            agreed = fold_agreement(self._history("AgreementLedger", agreement)) if text else None
            duty = DUTY_OF_KIND[event.kind]
            duties = (
                fold_responsibility(self._history("ResponsibilityLedger", duty_key(duty, agreement)))
                if text
                else ResponsibilityState()
            )
            binding = verdict(bind(event, agreed, duties, Bound(block.number, block.hash)))
            salts = [sha256(f"{name} {first + place}".encode()).digest() for name in ("binding", "detail", "exchange")]
            commitment = commit_event(event, binding, salts)
            path = inclusion_proof(HashList(digests), place, len(digests))
            head = BatchHead(
                accepted_at_ms=block.timestamp * 1000 + 2_500,
                agreement=text,
                bindings=(),
                block=block.number,
                block_hash=block.hash.hex(),
                deadline=batch.deadline,
                idempotency_key="",
                nonce=str(batch.nonce),
                rejected=(),
                reporter=post,
                signature=batch.signature.hex(),
                signed=signed.hex(),
                signer=batch.signer.hex(),
                stream=stream_id(salt_text(salt), reporter=post, agreement=text),
                stream_salt=salt_text(salt),
            )
            document = event_document(commitment, head, count=len(digests), place=place, path=path)
            leaf = LeafV1(
                accepted_at_ms=block.timestamp * 1000 + 2_500,
                block=block.number,
                block_hash=block.hash.hex(),
                commitment=commitment.root.hex(),
                prev=previous,
                seq=event.reporter_seq,
                stream=stream_id(salt_text(salt), reporter=post, agreement=text),
            )
            previous = leaf.hash().hex()
            self._leaves.append(leaf)
            self._documents.append(document)
        return min(first + 1, len(self._leaves) - 1)

    def signed_batch(
        self, agreement: str, count: int, post: str, stated: Mapping[str, Any], *, lasting: int = 600
    ) -> SignedBatch:
        """Return a batch placed at the end of its stream, signed by the post's key."""
        digests = self._digests.setdefault((post, agreement), [])
        placed = []
        for number in range(count):
            event = complete_event(
                {
                    "id": f"exchange-{len(self._leaves) + number}",
                    "kind": "DELIVERY",
                    "side": "PROVIDER",
                    "occurred_at_ms": self.chain.time * 1000 + 123,
                    "provider": PROVIDER,
                    "requester": REQUESTER,
                    "agreement": agreement,
                    "dataset": DATASET,
                    "purpose": PURPOSE,
                    "delivery": "INTERFACE",
                    "recipient": REQUESTER,
                    "outcome": "SUCCEEDED",
                    "size": 2003,
                    "correlation": f"x-request-{len(self._leaves) + number}",
                    "source": {"serviceType": "REST"},
                    **stated,
                },
                reporter=post,
            ).placed(len(digests), digests[-1].hex() if digests else NO_HASH)
            digests.append(digest(event))
            placed.append(event)
        nonce, deadline = self.signed_tail()["nonce"], self.chain.time + lasting
        unsigned = SignedBatch(post, agreement, tuple(placed), nonce, deadline, self.keys[post].address, b"")
        record = batch_record(unsigned, [digest(event) for event in placed])
        signature = self.keys[post].sign_digest(signing_digest(self.log_domain, record))
        return SignedBatch(
            post, agreement, unsigned.events, unsigned.nonce, unsigned.deadline, unsigned.signer, signature
        )

    def held_leaf(self, index: int) -> LeafV1:
        """Return an entry as it is in the log now."""
        return self._leaves[index]

    def relog(self, index: int, **changes: Any) -> None:
        """Let the operator log an entry otherwise than the rules say, before it is anchored."""
        self._leaves[index] = msgspec.structs.replace(self._leaves[index], **changes)

    def lose(self, post: str, agreement: str) -> None:
        """Let a reporter's next event name another event as the one before it."""
        self._digests[post, agreement][-1] = ZERO32[:-1] + b"\1"

    @property
    def log_domain(self) -> Domain:
        """The domain in which batches are signed."""
        return Domain(self.deployment.chain_id, self.chain.addresses["CheckpointAnchor"])

    def anchor(self) -> None:
        """Sign a checkpoint over the whole log and anchor it."""
        size = len(self._leaves)
        root = root_of(leaf.hash() for leaf in self._leaves)
        note = sign_checkpoint(Checkpoint(ORIGIN, size, root), [self.log_key, self.log_cosigner, *self.witness_keys])
        self._anchors.append((size, note))
        anchored = events.CheckpointAnchored(size=size, root=root, note_hash=sha256(note).digest())
        self.chain.add("CheckpointAnchor", keccak256_text("anchor")[:4], [anchored])
        self.mine()

    # Evidence.

    def held(self, index: int) -> HeldEvent:
        """Return an event with the first anchor that covers it."""
        place, (size, note) = next((at, known) for at, known in enumerate(self._anchors) if known[0] > index)
        hashes = HashList(leaf.hash() for leaf in self._leaves[:size])
        path = inclusion_proof(hashes, index, size)
        anchored = self.state.anchors()[place]
        return HeldEvent(index, self._leaves[index], self._documents[index], anchored, note, path)

    def event_evidence(self, index: int, disclose: Sequence[str] = ()) -> bytes:
        """Return the evidence file of an event."""
        return file.print_evidence(event_file(self, self.held(index), disclose))

    def events_evidence(
        self, indices: Sequence[int], stream: Mapping[str, str] | None = None, disclose: Sequence[str] = GROUPS
    ) -> bytes:
        """Return one evidence file of several events; with the subject of a stream's, it claims that these are all."""
        kind = "events" if stream is None else "stream"
        made = make_events_file(self, [self.held(index) for index in indices], kind, stream or {}, disclose)
        return events_file.print_events(made)

    def object_evidence(
        self, kind: file.Kind, subject: Mapping[str, str], key: tuple[str, bytes], documents: Sequence[Any] = ()
    ) -> bytes:
        """Return the evidence file of an object."""
        return file.print_evidence(object_file(self, kind, subject, key, documents))

    def agreement_evidence(self, agreement: bytes, documents: Sequence[Any] = ()) -> bytes:
        """Return the evidence file of an agreement."""
        return self.object_evidence(
            "agreement", {"agreement": agreement.hex()}, ("AgreementLedger", agreement), documents
        )

    def case_evidence(self, case: bytes, documents: Sequence[Any] = ()) -> bytes:
        """Return the evidence file of a case."""
        return self.object_evidence("case", {"case": case.hex()}, ("CaseLedger", case), documents)

    def answer_evidence(self, question: Mapping[str, str]) -> bytes:
        """Return the evidence file of an answer, as known at the newest block unless the question says otherwise."""
        known_at = iso(self.chain.final_block().timestamp)
        return file.print_evidence(answer_file(self, {"known_at": known_at, **question}))

    def trust_root(self) -> trust_root.TrustRoot:
        """Return the deployment's trust root, with the witnesses."""
        made = make_trust_root(self.deployment, self.state)
        keys = [witness.vkey for witness in self.witness_keys]
        witnesses = [trust_root.Witnesses(keys=keys, since=1, threshold=len(keys) // 2 + 1)] if keys else []
        return trust_root.TrustRoot(
            **{name: getattr(made, name) for name in made.__struct_fields__ if name != "witnesses"},
            witnesses=witnesses,
        )

    def trust_root_bytes(self) -> bytes:
        """Return the trust root's bytes."""
        return trust_root.print_trust_root(self.trust_root())

    def _history(self, contract: str, key: bytes) -> tuple[Recorded[Event], ...]:
        return self.state.history(contract, key)
