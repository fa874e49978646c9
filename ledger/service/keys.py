"""Keys in this home: making them, finding the one that speaks for a post, binding and rotating."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger.domain.errors import ConflictError, NotFoundError, UnauthorizedError
from ledger.domain.identifiers import parse_post
from ledger.domain.records import BindKey, RotateKey
from ledger.domain.scalars import OPEN_END
from ledger.service import registry_views
from ledger.service.requests import Nothing, Request
from ledger.service.submission import check_acceptable, deadline_of, fresh_nonce, relay, sign_request
from ledger.service.times import iso, parse_end

if TYPE_CHECKING:
    from collections.abc import Callable

    from ledger.domain.identifiers import AgencyRef, PostRef
    from ledger.service.ports import Signer
    from ledger.service.services import Services
    from ledger.service.submission import SignedRequest

SYSTEM_KEYS = ("admin", "registrar", "relayer", "operator", "sealer")


class NewKey(Request, frozen=True, kw_only=True):
    """Arguments of ``key new``."""

    name: str


class BindNewKey(Request, frozen=True, kw_only=True):
    """Arguments of ``key bind``; ``until`` empty is open-ended."""

    name: str
    post: str
    until: str = ""


class RotatePostKey(Request, frozen=True, kw_only=True):
    """Arguments of ``key rotate``; ``old`` empty means the post's only key here."""

    name: str
    post: str
    old: str = ""


def new_key(services: Services, request: NewKey) -> dict[str, str]:
    """Make a key, encrypted on disk when this returns.

    Raises:
        ConflictError: The name is taken.
    """
    if request.name in SYSTEM_KEYS:
        raise ConflictError(f"key {request.name}", "the name is kept for the system")
    return {"name": request.name, "address": "0x" + services.keyring.create(request.name).address.hex()}


def list_keys(services: Services, _request: Nothing) -> dict[str, list[dict[str, object]]]:
    """List this home's keys with the post that each is bound to."""
    items: list[dict[str, object]] = []
    bound = registry_views.posts_by_key(services)
    for name in services.keyring.names():
        address = services.keyring.address(name)
        post = bound.get(address)
        items.append(
            {
                "name": name,
                "address": "0x" + address.hex(),
                "post": services.directory.text(post) if post is not None else "",
            }
        )
    return {"items": items}


def signer_for_post(services: Services, post: bytes, name: str = "") -> Signer:
    """Return the key here that speaks for a post now.

    Args:
        services: The open stores.
        post: The post's id.
        name: A key's name; the post's newest bound key in this home by default.

    Raises:
        UnauthorizedError: No key in this home is bound to the post.
        NotFoundError: No key has this name.
    """
    if name:
        return services.keyring.signer(name)
    here = {services.keyring.address(known): known for known in services.keyring.names()}
    now = services.now_s()
    for key in reversed(registry_views.keys_of(services, post)):
        if key.speaks_at(now) and key.key in here:
            return services.keyring.signer(here[key.key])
    raise UnauthorizedError("no key in this home is bound to the post", post=services.directory.text(post))


def root_signer(services: Services, agency: AgencyRef) -> Signer:
    """Return an agency's root key.

    Raises:
        NotFoundError: The agency is not admitted.
        UnauthorizedError: Its root key is not in this home.
    """
    found = registry_views.find_agency(services, agency.id)
    if found is None:
        raise NotFoundError("agency", str(agency))
    for name in services.keyring.names():
        if services.keyring.address(name) == found.roots[-1].key:
            return services.keyring.signer(name)
    raise UnauthorizedError("the agency's root key is not in this home", agency=str(agency))


def key_named(services: Services, name: str, check: Callable[[Signer], None] | None = None) -> Signer:
    """Return the key of this name, made if there is none and ``check`` does not object to it."""
    if name in SYSTEM_KEYS:
        raise ConflictError(f"key {name}", "the name is kept for the system")
    return services.keyring.signer(name) if name in services.keyring.names() else services.keyring.create(name, check)


def bind_key(services: Services, request: BindNewKey) -> dict[str, str]:
    """Bind a key to a post from now on, signed by the agency's root and by the key.

    Raises:
        NotFoundError: There is no such post.
        LedgerError: As ``relay``; `RefusedError` if the key is bound to a live post already. A key made for it is
            not kept then.
    """
    _check_exists(services, parse_post(request.post))
    key = key_named(services, request.name, lambda key: check_acceptable(services, _binding(services, request, key)))
    relay(services, _binding(services, request, key))
    return _bound(request.name, key, request.post, _until(request))


def binding(services: Services, request: BindNewKey) -> SignedRequest:
    """Return what ``bind_key`` relays: signed by the agency's root key and by the key itself.

    Raises:
        InvalidInputError: A bad post or time.
        NotFoundError: The post's agency is not admitted.
        UnauthorizedError: Its root key is not in this home.
    """
    parse_post(request.post)
    return _binding(services, request, key_named(services, request.name))


def _binding(services: Services, request: BindNewKey, key: Signer) -> SignedRequest:
    post = parse_post(request.post)
    record = BindKey(
        agency=post.agency.id,
        post=post.id,
        key=key.address,
        valid_from=0,
        valid_to=_until(request),
        nonce=fresh_nonce(),
        deadline=deadline_of(services),
    )
    return sign_request(services, record, root_signer(services, post.agency), possession=key)


def rotate_key(services: Services, request: RotatePostKey) -> dict[str, str]:
    """Replace a post's key by another from now on.

    Raises:
        NotFoundError: There is no such post.
        LedgerError: As ``relay``. A key made for it is not kept then.
    """
    post = parse_post(request.post)
    _check_exists(services, post)
    old = signer_for_post(services, post.id, request.old)
    key = key_named(services, request.name, lambda key: check_acceptable(services, _rotation(services, post, old, key)))
    relay(services, _rotation(services, post, old, key))
    return {**_bound(request.name, key, str(post), OPEN_END), "replaces": "0x" + old.address.hex()}


def _rotation(services: Services, post: PostRef, old: Signer, key: Signer) -> SignedRequest:
    record = RotateKey(
        agency=post.agency.id,
        post=post.id,
        old_key=old.address,
        new_key=key.address,
        valid_to=OPEN_END,
        nonce=fresh_nonce(),
        deadline=deadline_of(services),
    )
    return sign_request(services, record, root_signer(services, post.agency), possession=key)


def _check_exists(services: Services, post: PostRef) -> None:
    if registry_views.find_post(services, post.id) is None:
        raise NotFoundError("post", str(post))


def _until(request: BindNewKey) -> int:
    return parse_end(request.until, "until") if request.until else OPEN_END


def _bound(name: str, key: Signer, post: str, until: int) -> dict[str, str]:
    return {
        "name": name,
        "address": "0x" + key.address.hex(),
        "post": post,
        "valid_to": iso(until),
    }
