"""What the chain commits to, and what the vault must hold for it: the part of ``fsck`` that looks from the chain.

A commitment belongs to the first record that states it: whoever repeats it later cannot open it. What was signed in
this home is on disk before it is sent, so a missing opening is a defect. A record signed elsewhere need not bring its
documents; where it brought none, or where they are gone, the opening is counted as not brought.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ledger.domain import events
from ledger.domain.codes import CaseStep, Tier
from ledger.domain.errors import IntegrityError
from ledger.domain.scalars import ZERO32
from ledger.service.documents import values_of
from ledger.service.submission import is_key_of_ours

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from ledger.service.ledger_state import EventRecord
    from ledger.service.ports import VaultDocument
    from ledger.service.services import Services

PUBLIC: Final = frozenset({Tier.PUBLIC})
SEALED: Final = frozenset({Tier.SEALED})
PRIVATE: Final = frozenset({Tier.PARTIES, Tier.SEALED})
_PAGE: Final = 500


@dataclass(frozen=True, slots=True)
class Stated:
    """A commitment that an event states: under which field, who may read its document, and what lies beside it."""

    field: str
    commitment: bytes
    tiers: frozenset[Tier]
    extra: Mapping[str, object]
    recorded: EventRecord

    @property
    def place(self) -> str:
        """Where it is stated, for people."""
        return f"the {self.field} of {type(self.recorded.event).__name__} in block {self.recorded.block}"


def tiers_of_step(step: int) -> frozenset[Tier]:
    """Return who may read what a step of a case commits to: anyone its notice, nobody else all the rest."""
    return PUBLIC if step == CaseStep.NOTICE_ISSUED else SEALED


def check_openings(
    services: Services, told: Callable[[str, int, int], None]
) -> tuple[int, list[tuple[bytes, str]], int]:
    """Look up every commitment on chain.

    Returns:
        How many commitments there are; those whose opening is missing or not what it was, with the reason; and how
        many were not brought.
    """
    first: dict[bytes, Stated] = {}
    for recorded in services.state.every():
        for stated in _stated(recorded):
            if stated.commitment != ZERO32 and not services.directory.knows(stated.commitment):
                first.setdefault(stated.commitment, stated)
    found: list[tuple[bytes, str]] = []
    commitments, not_brought = list(first), 0
    for start in range(0, len(commitments), _PAGE):
        some = commitments[start : start + _PAGE]
        documents = _documents(services, some)
        for commitment in some:
            stated = first[commitment]
            is_ours = is_key_of_ours(services.outbox.key_of_transaction(stated.recorded.tx_hash) or "")
            document = documents.get(commitment)
            if document is not None:
                found += [(commitment, reason) for reason in _differences(stated, document, is_ours=is_ours)]
            elif commitment in documents:
                pass  # Altered on disk, as the vault's own check says.
            elif is_ours and not _is_given(services, stated):
                found.append((commitment, f"the vault lacks its opening: {stated.place}"))
            else:
                not_brought += 1
        told("openings", start + len(some), len(commitments))
    return len(commitments), found, not_brought


def _documents(services: Services, commitments: list[bytes]) -> Mapping[bytes, VaultDocument | None]:
    """Return what the vault holds; None where it cannot be read."""
    try:
        return services.vault.find_many(commitments)
    except IntegrityError:
        documents: dict[bytes, VaultDocument | None] = {}
        for commitment in commitments:
            try:
                if (document := services.vault.find(commitment)) is not None:
                    documents[commitment] = document
            except IntegrityError:
                documents[commitment] = None
        return documents


def _differences(stated: Stated, document: VaultDocument, *, is_ours: bool) -> Iterator[str]:
    """Yield what beside a document's groups is not as its record says: no commitment covers it."""
    if document.tier not in stated.tiers:
        allowed = " or ".join(sorted(stated.tiers))
        yield f"its tier is {document.tier}, and {allowed} as {stated.place}"
    reference = document.extra.get("reference")
    if reference is not None and reference != values_of(document).get("reference"):
        yield f"the reference beside it is not its own: {stated.place}"
    if is_ours:
        for name, value in stated.extra.items():
            if document.extra.get(name) != value:
                yield f"the {name} beside it is not its record's: {stated.place}"


def _is_given(services: Services, stated: Stated) -> bool:
    """Say whether the commitment itself was given to the draft, as of a review that stays where it was made."""
    event = stated.recorded.event
    if not isinstance(event, events.AgreementProposed) or stated.field != "review":
        return False
    text = services.directory.document(event.terms.text)
    return text is not None and text.extra.get("review") == "given"


def _stated(recorded: EventRecord) -> Iterator[Stated]:
    match recorded.event:
        case events.AgencyAdmitted() as event:
            yield Stated("profile", event.profile, PUBLIC, {"about": event.agency.hex()}, recorded)
        case events.PostRegistered() as event:
            yield Stated("profile", event.profile, PUBLIC, {"about": event.post.hex()}, recorded)
        case events.EntryPublished() as event:
            yield Stated("content", event.content, PUBLIC, {"about": event.dataset.hex()}, recorded)
        case events.AgreementProposed() as event:
            about = {"about": event.agreement.hex()}
            yield Stated("text", event.terms.text, PUBLIC, {**about, "version": event.version}, recorded)
            yield Stated("review", event.terms.review, PRIVATE, about, recorded)
        case events.DisposalCertified() as event:
            yield Stated("certificate", event.certificate, PRIVATE, {"about": event.agreement.hex()}, recorded)
        case events.ResponsibilityAssigned() as event:
            yield Stated("basis", event.basis, PRIVATE, {}, recorded)
        case events.CaseAdvanced() as event:
            extra = {"about": event.case_id.hex(), "step": CaseStep(event.step).name}
            yield Stated("commitment", event.commitment, tiers_of_step(event.step), extra, recorded)
        case (
            events.AgreementSuspended()
            | events.AgreementTerminated()
            | events.ProposalCancelled()
            | events.ResponsibilityEnded()
            | events.EntryWithdrawn()
            | events.AgencySuspended()
            | events.PostRetired()
            | events.KeyRetired()
        ) as event:
            yield Stated("reason", event.reason, PRIVATE, {}, recorded)
        case _:
            pass
