"""Cases: each verb is one step of the contract's state machine, signed by the acting post.

What is said in a step stays in the vault; the chain sees a random case id, a step and a commitment, until
the notice opens the respondent.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import msgspec

from ledger.domain.codes import CaseStep, Measure
from ledger.domain.errors import InvalidInputError
from ledger.domain.identifiers import parse_agency, parse_code, parse_post
from ledger.domain.legal_time import window_end
from ledger.domain.records import Advance
from ledger.domain.scalars import ZERO32
from ledger.domain.text import check_reference
from ledger.service.case_documents import filing_of, keep_step, notice_of, respondent_leaf, respondent_opening
from ledger.service.case_views import case_json, is_open, resolve_case
from ledger.service.documents import values_of
from ledger.service.keys import signer_for_post
from ledger.service.requests import Request
from ledger.service.submission import SignedOpening, deadline_of, fresh_nonce, relay, sign_request

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ledger.domain.canonical import Json
    from ledger.service.services import Services
    from ledger.service.submission import SignedRequest

_APPEALS = {
    "UPHELD": CaseStep.APPEAL_UPHELD,
    "VARIED": CaseStep.APPEAL_VARIED,
    "REVOKED": CaseStep.APPEAL_REVOKED,
}


class FileCase(Request, frozen=True, kw_only=True):
    """Arguments of ``case file``; ``case`` names a recorded lead, which then says what is left out here."""

    respondent: str = ""
    post: str
    violations: list[str] = msgspec.field(default_factory=list)
    reference: str = ""
    case: str = ""
    lead_only: bool = False
    text: str = ""
    key: str = ""


class TakeStep(Request, frozen=True, kw_only=True):
    """Arguments of tell, notify, close, appeal, withdraw and reopen."""

    case: str
    post: str
    text: str = ""
    key: str = ""


class DecideCase(Request, frozen=True, kw_only=True):
    """Arguments of ``case decide``."""

    case: str
    post: str
    measures: list[str]
    no_action: bool = False
    text: str = ""
    key: str = ""


class RectifyCase(Request, frozen=True, kw_only=True):
    """Arguments of ``case rectify``: an order with a due date, or the evidence of what was done."""

    case: str
    post: str
    due: str = ""
    evidence: bool = False
    text: str = ""
    key: str = ""


class ReviewCase(Request, frozen=True, kw_only=True):
    """Arguments of ``case review``: verified, rework, or the decision of an appeal."""

    case: str
    post: str
    rework: bool = False
    appeal: str = ""
    text: str = ""
    key: str = ""


def file_case(services: Services, request: FileCase) -> dict[str, object]:
    """File a sealed case, or record a lead.

    Raises:
        InvalidInputError: A bad respondent, violation code or reference.
        LedgerError: As ``relay``.
    """
    case = resolve_case(services, request.case) if request.case else secrets.token_bytes(32)
    values: dict[str, Json] = dict(values_of(filing_of(services, case))) if request.case else {}  # type: ignore[arg-type] # JSON.
    if request.reference:
        check_reference(request.reference)
    stated = {"respondent": request.respondent, "facts": request.text, "reference": request.reference}
    values |= {name: value for name, value in stated.items() if value}
    if request.violations or not values.get("violations"):
        values["violations"] = [str(parse_code(code, "violation")) for code in request.violations]
    values["respondent"] = str(parse_agency(str(values.get("respondent", "")), "respondent"))
    if not values["violations"]:
        raise InvalidInputError("violation", "", "at least one scheme:value, as decree809:R6")
    step = CaseStep.LEAD if request.lead_only else CaseStep.FILED
    return _advance(services, case, step, request.post, request.key, values, reference=str(values.get("reference", "")))


def lead(
    services: Services, case: bytes, post: str, values: Mapping[str, Json], *, reference: str, key: str = ""
) -> SignedRequest:
    """Return what recording a lead relays: sealed, its commitment signed by a post, its text on disk.

    Raises:
        UnauthorizedError: No key of the post is in this home.
    """
    signer = signer_for_post(services, parse_post(post).id, key)
    record = _record(services, case, CaseStep.LEAD, post, keep_step(services, case, CaseStep.LEAD, values, reference))
    return sign_request(services, record, signer)


def tell_facts(services: Services, request: TakeStep) -> dict[str, object]:
    """Record that the respondent was told the facts. Raises as ``relay``."""
    return _step(services, request, CaseStep.FACTS_TOLD, "told")


def decide_case(services: Services, request: DecideCase) -> dict[str, object]:
    """Record the decision, or end the case without a finding.

    Raises:
        InvalidInputError: A measure that is in no list.
        LedgerError: As ``relay``.
    """
    for measure in request.measures:
        if measure not in set(Measure):
            raise InvalidInputError("measure", measure, ", ".join(Measure))
    step = CaseStep.NO_ACTION if request.no_action else CaseStep.DECIDED
    measures: list[Json] = [*request.measures]
    values: dict[str, Json] = {"decision": request.text, "measures": measures}
    return _advance(services, resolve_case(services, request.case), step, request.post, request.key, values)


def notify_case(services: Services, request: TakeStep) -> dict[str, object]:
    """Issue the notice: the chain checks and publishes the respondent.

    What is public of a notice is in its own document: the text given here, whom it concerns, the articles and the
    measures. Facts and reasons stay sealed in the filing and the decision.

    Raises:
        LedgerError: As ``relay``.
    """
    case = resolve_case(services, request.case)
    return _open(services, case, CaseStep.NOTICE_ISSUED, request, notice_of(services, case))


def rectify_case(services: Services, request: RectifyCase) -> dict[str, object]:
    """Order a rectification, or file the evidence of one.

    Raises:
        InvalidInputError: A due date given with evidence, or not readable.
        LedgerError: As ``relay``.
    """
    if request.evidence and request.due:
        raise InvalidInputError("due", request.due, "nothing where evidence is filed")
    if request.due:
        window_end(request.due, field="due")
    step = CaseStep.EVIDENCE_FILED if request.evidence else CaseStep.RECTIFYING
    values: dict[str, Json] = {"text": request.text, "due": request.due}
    return _advance(services, resolve_case(services, request.case), step, request.post, request.key, values)


def review_case(services: Services, request: ReviewCase) -> dict[str, object]:
    """Record the independent review, or the decision of an appeal.

    Raises:
        InvalidInputError: An unknown outcome of an appeal.
        LedgerError: As ``relay``; `RefusedError` ReviewerNotIndependent where the post took part before.
    """
    step = CaseStep.REWORK if request.rework else CaseStep.VERIFIED
    if request.appeal:
        outcome = request.appeal.upper()
        if outcome not in _APPEALS or request.rework:
            raise InvalidInputError("appeal", request.appeal, ", ".join(_APPEALS) + ", without --rework")
        step = _APPEALS[outcome]
    values: dict[str, Json] = {"finding": request.text}
    return _advance(services, resolve_case(services, request.case), step, request.post, request.key, values)


def close_case(services: Services, request: TakeStep) -> dict[str, object]:
    """Close the case; one that had no notice opens its respondent to the contract now. Raises as ``relay``."""
    case = resolve_case(services, request.case)
    if is_open(services, case):
        return _step(services, request, CaseStep.CLOSED, "text")
    return _open(services, case, CaseStep.CLOSED, request)


def appeal_case(services: Services, request: TakeStep) -> dict[str, object]:
    """Record an appeal. Raises as ``relay``."""
    return _step(services, request, CaseStep.APPEAL_FILED, "appeal")


def withdraw_case(services: Services, request: TakeStep) -> dict[str, object]:
    """Withdraw the case. Raises as ``relay``."""
    case = resolve_case(services, request.case)
    if is_open(services, case):
        return _step(services, request, CaseStep.WITHDRAWN, "text")
    return _open(services, case, CaseStep.WITHDRAWN, request)


def reopen_case(services: Services, request: TakeStep) -> dict[str, object]:
    """Reopen a closed case. Raises as ``relay``."""
    return _step(services, request, CaseStep.REOPENED, "text")


def _step(services: Services, request: TakeStep, step: CaseStep, group: str) -> dict[str, object]:
    case = resolve_case(services, request.case)
    return _advance(services, case, step, request.post, request.key, {group: request.text})


def _advance(
    services: Services,
    case: bytes,
    step: CaseStep,
    post: str,
    key: str,
    values: dict[str, Json],
    *,
    reference: str = "",
) -> dict[str, object]:
    signer = signer_for_post(services, parse_post(post).id, key)  # First: what cannot be signed is not kept.
    record = _record(services, case, step, post, keep_step(services, case, step, values, reference))
    receipt = relay(services, sign_request(services, record, signer))
    return {**case_json(services, case), "tx": receipt.tx_hash.hex(), "block": receipt.block_number}


def _open(
    services: Services, case: bytes, step: CaseStep, request: TakeStep, public: Mapping[str, Json] | None = None
) -> dict[str, object]:
    """Take a step that opens the respondent out of the filing's commitment."""
    filing = filing_of(services, case)
    signer = signer_for_post(services, parse_post(request.post).id, request.key)
    record = _record(
        services, case, step, request.post, keep_step(services, case, step, {"text": request.text, **(public or {})})
    )
    opening = SignedOpening(filing.commitment, respondent_opening(filing))
    receipt = relay(services, sign_request(services, record, signer, opening=opening))
    return {**case_json(services, case), "tx": receipt.tx_hash.hex(), "block": receipt.block_number}


def _record(services: Services, case: bytes, step: CaseStep, post: str, commitment: bytes) -> Advance:
    return Advance(
        post=parse_post(post).id,
        case_id=case,
        step=step,
        commitment=commitment,
        aux=respondent_leaf(services, commitment) if step is CaseStep.FILED else ZERO32,
        nonce=fresh_nonce(),
        deadline=deadline_of(services),
    )
