"""The catalogue: publishing a dataset's entry, and showing what may be shared."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, TypeVar

from ledger.domain.codes import Grade, SharingAttribute
from ledger.domain.errors import InvalidInputError, NotFoundError
from ledger.domain.identifiers import code_id, parse_agency, parse_dataset, parse_post
from ledger.domain.records import PublishEntry
from ledger.domain.scalars import ZERO32
from ledger.service import registry_views
from ledger.service.keys import signer_for_post
from ledger.service.profiles import demonstration_mark, is_marked, keep, make_profile, names_of
from ledger.service.requests import Request
from ledger.service.submission import deadline_of, fresh_nonce, relay, sign_request
from ledger.service.times import iso

if TYPE_CHECKING:
    from ledger.service.registry_views import EntryView
    from ledger.service.services import Services
    from ledger.service.submission import SignedRequest

E = TypeVar("E", bound=IntEnum)


class AddEntry(Request, frozen=True, kw_only=True):
    """Arguments of ``catalogue add``."""

    dataset: str
    post: str
    name_zh: str = ""
    name_en: str = ""
    attribute: str = "CONDITIONAL"
    grade: str = "GENERAL"
    law: str = ""
    review_required: bool = False
    key: str = ""
    demonstration: bool = False


class ListEntries(Request, frozen=True, kw_only=True):
    """Arguments of ``catalogue list``; empty ``agency`` lists all."""

    agency: str = ""


class ShowEntry(Request, frozen=True, kw_only=True):
    """Arguments of ``catalogue show``."""

    dataset: str


def named(codes: type[E], name: str, field: str) -> E:
    """Return the code of a name.

    Raises:
        InvalidInputError: No code has it.
    """
    try:
        return codes[name.upper().replace("-", "_")]
    except KeyError as error:
        raise InvalidInputError(field, name, ", ".join(code.name for code in codes)) from error


def add_entry(services: Services, request: AddEntry) -> dict[str, object]:
    """Publish the next version of a dataset's entry, signed by a department head of its agency.

    Raises:
        InvalidInputError: A bad id, code or name, or a post of another agency.
        LedgerError: As ``relay``; `RefusedError` NotSharedNeedsLaw where no law is cited.
    """
    receipt = relay(services, publication(services, request))
    newest = registry_views.entries_of(services, parse_dataset(request.dataset).id)[-1]
    return {**entry_json(services, newest), "tx": receipt.tx_hash.hex()}


def publication(services: Services, request: AddEntry) -> SignedRequest:
    """Return what ``add_entry`` relays: signed by the post's key, its content on disk.

    Raises:
        InvalidInputError: A bad id, code or name, or a post of another agency.
        UnauthorizedError: No key of the post is in this home.
    """
    dataset = parse_dataset(request.dataset)
    post = parse_post(request.post)
    if post.agency != dataset.agency:
        raise InvalidInputError("post", str(post), f"a post of {dataset.agency}")
    if request.law:
        code_id(request.law)
    known = registry_views.entries_of(services, dataset.id)
    profile = make_profile(
        "dataset",
        dataset.id,
        str(dataset),
        {
            "name_zh": request.name_zh,
            "name_en": request.name_en,
            "law": request.law,
            **demonstration_mark(request.demonstration),
        },
        texts={"dataset": [str(dataset)], "code": [request.law] if request.law else []},
    )
    record = PublishEntry(
        post=post.id,
        code=dataset.code_hash,
        version=known[-1].version + 1 if known else 1,
        attribute=named(SharingAttribute, request.attribute, "attribute"),
        grade=named(Grade, request.grade, "grade"),
        review_required=request.review_required,
        law=code_id(request.law) if request.law else ZERO32,
        content=keep(services, profile),
        nonce=fresh_nonce(),
        deadline=deadline_of(services),
    )
    return sign_request(services, record, signer_for_post(services, post.id, request.key))


def list_entries(services: Services, request: ListEntries) -> dict[str, list[dict[str, object]]]:
    """List the newest version of each dataset, of one agency or all."""
    wanted = parse_agency(request.agency).id if request.agency else None
    newest = (registry_views.entries_of(services, dataset)[-1] for dataset in services.state.ids("dataset"))
    return {"items": [entry_json(services, entry) for entry in newest if wanted in {None, entry.agency}]}


def show_entry(services: Services, request: ShowEntry) -> dict[str, object]:
    """Show a dataset with all versions of its entry.

    Raises:
        NotFoundError: It has none.
    """
    dataset = parse_dataset(request.dataset)
    versions = registry_views.entries_of(services, dataset.id)
    if not versions:
        raise NotFoundError("dataset", str(dataset))
    return {"dataset": str(dataset), "versions": [entry_json(services, entry) for entry in versions]}


def entry_json(services: Services, entry: EntryView) -> dict[str, object]:
    """Return one version of an entry as JSON values."""
    return {
        "dataset": services.directory.text(entry.dataset),
        "version": entry.version,
        **names_of(services, entry.content),
        "id": entry.dataset.hex(),
        "agency": services.directory.text(entry.agency),
        "attribute": SharingAttribute(entry.attribute).name,
        "grade": Grade(entry.grade).name,
        "review_required": entry.review_required,
        "law": services.directory.text(entry.law) if entry.law != ZERO32 else "",
        "demonstration": is_marked(services, entry.content),
        "withdrawn": entry.is_withdrawn,
        "published_at": iso(entry.published_at),
    }
