"""What the steps of a case commit to: salted groups in the vault, sealed until the notice.

The filing's groups are ``respondent`` (the agency's text id), ``violations``, ``facts`` and ``reference``.
The notice opens ``respondent`` on chain, from the filing's own commitment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ledger.domain.codes import CaseStep, Tier
from ledger.domain.commitment import recommit
from ledger.domain.errors import IntegrityError
from ledger.domain.events import CaseAdvanced
from ledger.log.tree import leaf_hash
from ledger.service.documents import make_document, values_of
from ledger.service.profiles import keep

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ledger.domain.canonical import Json
    from ledger.domain.commitment import Opening
    from ledger.service.ports import VaultDocument
    from ledger.service.services import Services

FILING_STEPS = (CaseStep.LEAD, CaseStep.FILED)


def keep_step(
    services: Services, case: bytes, step: CaseStep, values: Mapping[str, Json], reference: str = ""
) -> bytes:
    """Keep what one step commits to and return its commitment.

    Args:
        services: The open stores.
        case: The case's id.
        step: The step; a notice is public, all else is sealed.
        values: The groups; empty ones are left out.
        reference: A name for people, kept beside.
    """
    tier = Tier.PUBLIC if step is CaseStep.NOTICE_ISSUED else Tier.SEALED
    stated: dict[str, Json] = {name: value for name, value in values.items() if value}
    extra: dict[str, object] = {"about": case.hex(), "step": step.name}
    if reference:
        extra["reference"] = reference
    agency = stated.get("respondent")
    texts = {"agency": [agency]} if isinstance(agency, str) else {}
    return keep(services, make_document("case", tier, {**stated, "step": step.name}, texts=texts, extra=extra))


def filing_of(services: Services, case: bytes) -> VaultDocument:
    """Return the document of a case's filing, or of its lead.

    Raises:
        IntegrityError: The vault does not hold it.
    """
    documents = {document.commitment: document for document in services.directory.documents_about(case)}
    recorded = [
        advanced.event
        for advanced in services.state.history("CaseLedger", case)
        if isinstance(advanced.event, CaseAdvanced)
    ]
    for step in reversed(FILING_STEPS):
        # By what the chain holds: a filing that was kept but never relayed is none.
        for event in recorded:
            if event.step == step and event.commitment in documents:
                return documents[event.commitment]
    raise IntegrityError("vault", "it lacks the filing of a case", case=case)


def notice_of(services: Services, case: bytes) -> dict[str, Json]:
    """Return what a notice makes public of the sealed documents before it: respondent, articles and measures.

    Raises:
        IntegrityError: The vault does not hold the filing.
    """
    filing = values_of(filing_of(services, case))
    decisions = [
        values_of(document)
        for document in services.directory.documents_about(case)
        if document.extra.get("step") == CaseStep.DECIDED.name
    ]
    measures: Any = decisions[-1].get("measures", []) if decisions else []
    public: Any = {"respondent": filing.get("respondent"), "violations": filing.get("violations"), "measures": measures}
    return {name: value for name, value in public.items() if value}


def respondent_opening(document: VaultDocument) -> Opening:
    """Return the opening of a filing's respondent."""
    groups: Any = document.groups
    (opening,) = recommit(groups).disclose(["respondent"])
    return opening


def respondent_leaf(services: Services, filing: bytes) -> bytes:
    """Return the hash of the leaf that holds a filing's respondent: it is signed, so that no other can be opened.

    Raises:
        NotFoundError: The vault does not hold the filing.
    """
    return leaf_hash(respondent_opening(services.vault.get(filing)).leaf)
