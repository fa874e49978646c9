"""Evidence files and the trust root: what is verified offline, with no trust in this service."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from api.answers import JSON, file
from api.deps import Reader, ReadServices
from api.headers import PRIVATE
from api.schemas import answers_file
from ledger.service.evidence import export_trust_root
from ledger.service.reading_evidence import ReadEvidence, read_evidence
from ledger.service.requests import Nothing

_NAMED = (
    "What is to be proved, as the other routes name it; for `events` entries of the log, FIRST..LAST or by comma; for "
    "`stream` REPORTER|AGREEMENT|FIRST..LAST, by the reporter's own numbers."
)

router = APIRouter(prefix="/v1", tags=["evidence"])


@router.get("/trust-root", summary="The trust root", responses=answers_file(JSON, "A trust root file."))
def trust_root(request: Request, services: ReadServices) -> Response:
    """Give what a verifier has to trust. Compare the fingerprint in `Quanze-Fingerprint` by another way first."""
    made = export_trust_root(services, Nothing())
    answer = file(request, made["content"].encode(), JSON, is_immutable=False)
    answer.headers["Quanze-Fingerprint"] = made["fingerprint"]
    return answer


@router.get(
    "/evidence/{kind}/{id}", summary="Evidence of a record", responses=answers_file(JSON, "A file for `quanze verify`.")
)
def evidence(
    request: Request,
    services: ReadServices,
    reader: Reader,
    kind: Annotated[
        str, Path(max_length=20, description="agreement, answer, case, event, events, responsibility or stream.")
    ],
    id: Annotated[str, Path(max_length=4000, description=_NAMED)],  # noqa: A002
    disclose: Annotated[
        str,
        Query(
            max_length=100,
            description="Of an event or of each of many, the groups to open, with commas; all if not stated.",
        ),
    ] = "",
) -> Response:
    """Give an evidence file; an event's only to a signed read by one of its parties, since it says what happened."""
    groups = [group for group in disclose.split(",") if group]
    with request.app.state.evidence_places.one():
        made = read_evidence(services, ReadEvidence(kind=kind, id=id, disclose=groups), reader)
    if reader is not None:
        return Response(made["content"], headers=PRIVATE, media_type=JSON)
    return file(request, made["content"].encode(), JSON, is_immutable=False)
