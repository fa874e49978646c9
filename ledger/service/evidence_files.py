"""Evidence files out of what the ledger holds: each kind's members, and the trust root to check them against."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from ledger.domain import events
from ledger.domain.commitment import recommit
from ledger.domain.errors import InvalidInputError
from ledger.domain.event_groups import GROUPS
from ledger.domain.history import known_by_block
from ledger.evidence import file, trust_root
from ledger.evidence.answers import answer_base, answer_to
from ledger.evidence.entry_steps import claim_of, event_base
from ledger.evidence.histories import REGISTRY
from ledger.log.tree import leaf_hash
from ledger.service.documents import values_of
from ledger.service.evidence_gathering import Gathered

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ledger.domain.event_log import Recorded
    from ledger.domain.events import CheckpointAnchored
    from ledger.domain.leaf import LeafV1
    from ledger.evidence.histories import HeadKey
    from ledger.service.deployment import Deployment
    from ledger.service.evidence_gathering import Source
    from ledger.service.ledger_state import LedgerState
    from ledger.service.ports import VaultDocument
    from ledger.service.witnesses import WitnessEra

_ANCHOR: Final = "CheckpointAnchor"


@dataclass(frozen=True, slots=True)
class HeldEvent:
    """An event as log, vault and chain hold it: entry and document, the anchor that covers it, its note and path."""

    index: int
    leaf: LeafV1
    document: VaultDocument
    anchored: Recorded[CheckpointAnchored]
    note: bytes
    path: Sequence[bytes]


def event_file(source: Source, held: HeldEvent, disclose: Sequence[str] = ()) -> file.Evidence:
    """Return evidence of an event, all its groups disclosed unless some are named.

    Raises:
        InvalidInputError: An event has no such group.
        UnavailableError: The chain went on faster than it could be read.
    """
    shown = named_groups(disclose)
    gathered = Gathered(source)
    gathered.use_block(held.leaf.block)
    extra: Any = held.document.extra
    salt = ""
    if "binding" in shown:
        values: Any = values_of(held.document)
        base, posts = event_base(claim_of(values))
        gathered.prove(lambda _read: base, posts, [_ANCHOR])
        salt = extra["stream_salt"]
    batch = None
    if shown == GROUPS:
        batch = file.Batch(
            count=extra["count"],
            deadline=extra["deadline"],
            nonce=extra["nonce"],
            path=extra["path"],
            place=extra["place"],
            signature=extra["signature"],
        )
    entry = file.Entry(
        anchor=gathered.place(held.anchored),
        batch=batch,
        checkpoint=held.note.decode(),
        groups=shown_groups(held.document, shown),
        index=held.index,
        leaf=held.leaf,
        path=[node.hex() for node in held.path],
        stream_salt=salt,
    )
    return _file(gathered, "event", {}, entry=entry)


def named_groups(disclose: Sequence[str]) -> tuple[str, ...]:
    """Return the groups of an event that are to be disclosed in their order: all, unless some are named.

    Raises:
        InvalidInputError: An event has no such group.
    """
    for name in disclose:
        if name not in GROUPS:
            raise InvalidInputError("disclose", name, ", ".join(GROUPS))
    return tuple(name for name in GROUPS if name in disclose) or GROUPS


def object_file(
    source: Source,
    kind: file.Kind,
    subject: Mapping[str, str],
    key: HeadKey,
    documents: Sequence[list[file.Group]] = (),
) -> file.Evidence:
    """Return evidence of an agreement, a responsibility or a case: its whole history, and documents of it."""
    gathered = Gathered(source)
    gathered.prove(lambda _read: [key])
    return _file(gathered, kind, subject, documents=documents)


def answer_file(source: Source, question: Mapping[str, str]) -> file.Evidence:
    """Return evidence of the answer to a question (`ledger.evidence.answers`), recomputed at the proved block.

    Raises:
        VerificationError: The question asks what was known later than the newest final block.
        UnavailableError: The chain went on faster than it could be read.
    """
    gathered = Gathered(source)
    gathered.prove(partial(answer_base, question))
    up_to = gathered.proved_at
    answer = answer_to(
        question,
        lambda contract, key: list(known_by_block(source.state.history(contract, key), up_to.number)),
        proved_at=up_to.timestamp,
    )
    return _file(gathered, "answer", question, answer=answer)


def make_trust_root(
    deployment: Deployment, state: LedgerState, eras: Sequence[WitnessEra] = ()
) -> trust_root.TrustRoot:
    """Return what a verifier of this deployment's evidence has to trust, with the root keys known now."""
    agencies: dict[str, list[str]] = {}
    for agency in state.ids("agency"):
        keys: list[str] = []
        for recorded in state.history(REGISTRY, agency):
            match recorded.event:
                case events.AgencyAdmitted() as event:
                    keys.append(event.root_key.hex())
                case events.RootKeyChanged() as event:
                    keys.append(event.new_root.hex())
                case _:
                    pass
        agencies[agency.hex()] = keys
    count = len(deployment.validators)
    return trust_root.TrustRoot(
        agencies=agencies,
        chain_id=deployment.chain_id,
        contracts={
            name: trust_root.Contract(address=contract.address.hex(), code_hash=contract.code_hash.hex())
            for name, contract in deployment.contracts.items()
        },
        demonstration=deployment.demonstration,
        format=trust_root.FORMAT,
        genesis_hash=deployment.genesis_hash.hex(),
        log=trust_root.Log(
            former=[trust_root.FormerKey(until=key.until, vkey=key.vkey) for key in deployment.log_former],
            origin=deployment.log_origin,
            vkey=deployment.log_vkey,
        ),
        # More than two thirds of several validators, as their consensus needs; the one of the embedded engine.
        validators=trust_root.Validators(
            keys=[validator.hex() for validator in deployment.validators], threshold=2 * count // 3 + 1
        ),
        witnesses=[trust_root.Witnesses(keys=list(era.keys), since=era.since, threshold=era.threshold) for era in eras],
    )


def shown_groups(document: VaultDocument, shown: Iterable[str]) -> list[file.Group]:
    """Return a document's groups in their order, the ones not shown as hashes."""
    wanted = set(shown)
    stored: Any = document.groups
    return [
        (group.salt, group.name, group.value) if group.name in wanted else leaf_hash(group.leaf()).hex()
        for group in recommit(stored).groups
    ]


def _file(
    gathered: Gathered,
    kind: file.Kind,
    subject: Mapping[str, str],
    *,
    entry: file.Entry | None = None,
    answer: dict[str, str] | None = None,
    documents: Sequence[list[file.Group]] = (),
) -> file.Evidence:
    return file.Evidence(
        answer=answer,
        blocks=gathered.blocks(),
        documents=list(documents),
        entry=entry,
        format=file.FORMAT,
        histories=gathered.histories,
        kind=kind,
        state=gathered.state,
        subject=dict(subject),
    )
