"""Agencies: admitting one under its own root key, and showing them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ledger.domain.errors import ConflictError, InvalidInputError, NotFoundError
from ledger.domain.identifiers import parse_agency
from ledger.domain.keccak import keccak256_text
from ledger.domain.records import AdmitAgency
from ledger.domain.scalars import ZERO32
from ledger.service import registry_views
from ledger.service.keys import key_named
from ledger.service.posts import post_json, roles_mask
from ledger.service.profiles import demonstration_mark, is_marked, keep, make_profile, names_of
from ledger.service.requests import Nothing, Request
from ledger.service.submission import deadline_of, fresh_nonce, relay, sign_request
from ledger.service.times import iso

if TYPE_CHECKING:
    from ledger.domain.key_state import AgencyState
    from ledger.service.services import Services
    from ledger.service.submission import SignedRequest


class AddAgency(Request, frozen=True, kw_only=True):
    """Arguments of ``agency add``; ``root_key`` names a key here, made if there is none."""

    agency: str
    name_zh: str = ""
    name_en: str = ""
    capacities: list[str] = msgspec.field(default_factory=list)
    root_key: str = ""
    demonstration: bool = False


class ShowAgency(Request, frozen=True, kw_only=True):
    """Arguments of ``agency show``."""

    agency: str


def add_agency(services: Services, request: AddAgency) -> dict[str, object]:
    """Admit an agency: the registrar sends, the agency's root key proves possession.

    Raises:
        InvalidInputError: A bad id or name, or an unknown capacity.
        ConflictError: The agency is admitted already.
        LedgerError: As ``relay``.
    """
    receipt = relay(services, admission(services, request))
    return {**show_agency(services, ShowAgency(agency=request.agency)), "tx": receipt.tx_hash.hex()}


def admission(services: Services, request: AddAgency) -> SignedRequest:
    """Return what ``add_agency`` relays: signed by the root key, its profile on disk.

    Raises:
        InvalidInputError: A bad id or name, or an unknown capacity.
        ConflictError: The agency is admitted already.
    """
    ref = parse_agency(request.agency)
    if not request.name_zh and not request.name_en:
        raise InvalidInputError("name_zh", "", "a name in Chinese or English")
    if registry_views.find_agency(services, ref.id) is not None:
        raise ConflictError("agency", f"{ref} is admitted already")
    root = key_named(services, request.root_key or f"root-{ref.id.hex()[:16]}")
    profile = make_profile(
        "agency",
        ref.id,
        str(ref),
        {"name_zh": request.name_zh, "name_en": request.name_en, **demonstration_mark(request.demonstration)},
        texts={"agency": [str(ref)]},
    )
    record = AdmitAgency(
        agency=ref.id,
        scheme=keccak256_text(ref.scheme),
        root_key=root.address,
        capacities=roles_mask(request.capacities, "capacities"),
        profile=keep(services, profile),
        nonce=fresh_nonce(),
        deadline=deadline_of(services),
    )
    return sign_request(services, record, root)


def list_agencies(services: Services, _request: Nothing) -> dict[str, list[dict[str, object]]]:
    """List the agencies in the order of their admission."""
    views = (registry_views.find_agency(services, agency) for agency in services.state.ids("agency"))
    return {"items": [agency_json(services, view) for view in views if view is not None]}


def show_agency(services: Services, request: ShowAgency) -> dict[str, object]:
    """Show an agency with its posts.

    Raises:
        NotFoundError: It is not admitted.
    """
    ref = parse_agency(request.agency)
    view = registry_views.find_agency(services, ref.id)
    if view is None:
        raise NotFoundError("agency", str(ref))
    posts = (registry_views.find_post(services, post) for post in services.state.ids("post"))
    return {
        **agency_json(services, view),
        "posts": [post_json(services, post) for post in posts if post is not None and post.agency == ref.id],
    }


def agency_json(services: Services, view: AgencyState) -> dict[str, object]:
    """Return an agency as JSON values."""
    now = services.now_s()
    successor = view.succession.successor if view.succession else ZERO32
    return {
        "agency": services.directory.text(view.agency),
        **names_of(services, view.profile),
        "id": view.agency.hex(),
        "root_key": "0x" + view.roots[-1].key.hex(),
        "capacities": [role.name for role in view.capacities_at(now)],
        "demonstration": is_marked(services, view.profile),
        "suspended": not view.is_live_at(now),
        "successor": services.directory.text(successor) if successor != ZERO32 else "",
        "admitted_at": iso(view.admitted_at),
    }
