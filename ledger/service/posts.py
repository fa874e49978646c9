"""Posts: setting one up under its agency's root key, and showing them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger.domain.codes import PostRole
from ledger.domain.errors import ConflictError, InvalidInputError, NotFoundError
from ledger.domain.identifiers import parse_agency, parse_post
from ledger.domain.records import RegisterPost
from ledger.service import registry_views
from ledger.service.keys import BindNewKey, bind_key, root_signer
from ledger.service.profiles import demonstration_mark, is_marked, keep, make_profile, names_of
from ledger.service.requests import Request
from ledger.service.submission import deadline_of, fresh_nonce, relay, sign_request
from ledger.service.times import iso

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ledger.domain.key_state import PostState
    from ledger.service.services import Services
    from ledger.service.submission import SignedRequest


class AddPost(Request, frozen=True, kw_only=True):
    """Arguments of ``post add``; ``key`` names a key to bind as well, empty binds none."""

    post: str
    roles: list[str]
    name_zh: str = ""
    name_en: str = ""
    key: str = ""
    demonstration: bool = False


class ShowPost(Request, frozen=True, kw_only=True):
    """Arguments of ``post show``."""

    post: str


class ListPosts(Request, frozen=True, kw_only=True):
    """Arguments of ``post list``; empty ``agency`` lists all."""

    agency: str = ""


def roles_mask(names: Iterable[str], field: str) -> int:
    """Return the mask of role names.

    Raises:
        InvalidInputError: An unknown role.
    """
    mask = PostRole(0)
    for name in names:
        try:
            mask |= PostRole[name.upper().replace("-", "_")]
        except KeyError as error:
            raise InvalidInputError(field, name, ", ".join(role.name or "" for role in PostRole)) from error
    return int(mask)


def add_post(services: Services, request: AddPost) -> dict[str, object]:
    """Register a post, signed by its agency's root key, and bind a key to it if one is named.

    Raises:
        InvalidInputError: A bad id, name or role.
        ConflictError: The post exists.
        LedgerError: As ``relay``.
    """
    receipt = relay(services, registration(services, request))
    if request.key:
        bind_key(services, BindNewKey(name=request.key, post=request.post))
    return {**show_post(services, ShowPost(post=request.post)), "tx": receipt.tx_hash.hex()}


def registration(services: Services, request: AddPost) -> SignedRequest:
    """Return what ``add_post`` relays: signed by the agency's root key, its profile on disk.

    Raises:
        InvalidInputError: A bad id, name or role.
        ConflictError: The post exists.
        UnauthorizedError: The agency's root key is not in this home.
    """
    ref = parse_post(request.post)
    if not request.roles:
        raise InvalidInputError("roles", "", "at least one role")
    if registry_views.find_post(services, ref.id) is not None:
        raise ConflictError("post", f"{ref} exists already")
    root = root_signer(services, ref.agency)
    profile = make_profile(
        "post",
        ref.id,
        str(ref),
        {"name_zh": request.name_zh, "name_en": request.name_en, **demonstration_mark(request.demonstration)},
        texts={"post": [str(ref)]},
    )
    record = RegisterPost(
        agency=ref.agency.id,
        code=ref.code_hash,
        roles=roles_mask(request.roles, "roles"),
        profile=keep(services, profile),
        nonce=fresh_nonce(),
        deadline=deadline_of(services),
    )
    return sign_request(services, record, root)


def list_posts(services: Services, request: ListPosts) -> dict[str, list[dict[str, object]]]:
    """List the posts, of one agency or all."""
    wanted = parse_agency(request.agency).id if request.agency else None
    views = (registry_views.find_post(services, post) for post in services.state.ids("post"))
    return {
        "items": [post_json(services, view) for view in views if view is not None and wanted in {None, view.agency}]
    }


def show_post(services: Services, request: ShowPost) -> dict[str, object]:
    """Show a post with the keys ever bound to it.

    Raises:
        NotFoundError: It does not exist.
    """
    ref = parse_post(request.post)
    view = registry_views.find_post(services, ref.id)
    if view is None:
        raise NotFoundError("post", str(ref))
    keys = [
        {
            "key": "0x" + key.key.hex(),
            "valid_from": iso(key.valid_from),
            "valid_to": iso(key.end),
        }
        for key in registry_views.keys_of(services, ref.id)
    ]
    return {**post_json(services, view), "keys": keys}


def post_json(services: Services, view: PostState) -> dict[str, object]:
    """Return a post as JSON values."""
    return {
        "post": services.directory.text(view.post),
        **names_of(services, view.profile),
        "id": view.post.hex(),
        "agency": services.directory.text(view.agency),
        "roles": [role.name for role in PostRole(view.roles[-1].value)],
        "demonstration": is_marked(services, view.profile),
        "retired": view.retired_at is not None,
        "registered_at": iso(view.registered_at),
    }
