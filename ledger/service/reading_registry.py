"""Agencies, posts, keys and the catalogue as anyone may read them. Keys are public addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger.domain.errors import InvalidInputError
from ledger.domain.identifiers import parse_agency, parse_dataset, parse_post
from ledger.service import registry_views
from ledger.service.agencies import ShowAgency, agency_json, show_agency
from ledger.service.answers import source_json
from ledger.service.catalogue import ShowEntry, entry_json, show_entry
from ledger.service.paging import Paged, check_limit, page_of, read_at
from ledger.service.posts import ShowPost, post_json, show_post
from ledger.service.times import iso

if TYPE_CHECKING:
    from ledger.domain.key_state import KeyBinding
    from ledger.service.services import Services


class PageAgencies(Paged, frozen=True, kw_only=True):
    """Which agencies: all."""


class PagePosts(Paged, frozen=True, kw_only=True):
    """Which posts: all, or one agency's."""

    agency: str = ""


class PageKeys(Paged, frozen=True, kw_only=True):
    """Which keys: all, or one post's."""

    post: str = ""


class PageEntries(Paged, frozen=True, kw_only=True):
    """Which datasets: all, or one agency's."""

    agency: str = ""


def page_agencies(services: Services, request: PageAgencies) -> dict[str, object]:
    """List agencies in the order of their admission. Raises as ``page_of``."""

    def view(agency: bytes) -> dict[str, object] | None:
        found = registry_views.find_agency(services, agency)
        return agency_json(services, found) if found is not None else None

    return {**page_of(services.state.ids("agency"), request, view), "read_at": read_at(services)}


def public_agency(services: Services, request: ShowAgency) -> dict[str, object]:
    """Show an agency, its posts, and the chain events that say so. Raises as ``show_agency``."""
    shown = show_agency(services, request)
    return {**shown, **_sourced(services, registry_views.REGISTRY, parse_agency(request.agency).id)}


def page_posts(services: Services, request: PagePosts) -> dict[str, object]:
    """List posts in the order of their registration. Raises as ``page_of``."""
    wanted = parse_agency(request.agency).id if request.agency else None

    def view(post: bytes) -> dict[str, object] | None:
        found = registry_views.find_post(services, post)
        return post_json(services, found) if found is not None and wanted in {None, found.agency} else None

    return {**page_of(services.state.ids("post"), request, view), "read_at": read_at(services)}


def public_post(services: Services, request: ShowPost) -> dict[str, object]:
    """Show a post, the keys ever bound to it, and the chain events that say so. Raises as ``show_post``."""
    shown = show_post(services, request)
    return {**shown, **_sourced(services, registry_views.REGISTRY, parse_post(request.post).id)}


def page_keys(services: Services, request: PageKeys) -> dict[str, object]:
    """List the keys ever bound to posts, post by post. The cursor is a post's id and a key's number.

    Raises:
        InvalidInputError: A cursor that is none, or a length that is not allowed.
    """
    limit = check_limit(request.limit)
    posts = [parse_post(request.post).id] if request.post else services.state.ids("post")
    first, skipped = _key_place(posts, request.after)
    items: list[dict[str, object]] = []
    last, following = "", ""
    for post in posts[first:]:
        for place, key in enumerate(registry_views.keys_of(services, post)):
            if post == posts[first] and place < skipped:
                continue
            if len(items) == limit:
                following = following or last
                break
            items.append(_key_json(services, post, key))
            last = f"{post.hex()}:{place}"
        if following:
            break
    return {"items": items, "next": following, "read_at": read_at(services)}


def page_entries(services: Services, request: PageEntries) -> dict[str, object]:
    """List the newest version of each dataset's entry. Raises as ``page_of``."""
    wanted = parse_agency(request.agency).id if request.agency else None

    def view(dataset: bytes) -> dict[str, object] | None:
        newest = registry_views.entries_of(services, dataset)[-1]
        return entry_json(services, newest) if wanted in {None, newest.agency} else None

    return {**page_of(services.state.ids("dataset"), request, view), "read_at": read_at(services)}


def public_entry(services: Services, request: ShowEntry) -> dict[str, object]:
    """Show a dataset with every version of its entry, and the chain events that say so. Raises as ``show_entry``."""
    shown = show_entry(services, request)
    return {**shown, **_sourced(services, registry_views.CATALOGUE, parse_dataset(request.dataset).id)}


def _sourced(services: Services, contract: str, identifier: bytes) -> dict[str, object]:
    history = services.state.history(contract, identifier)
    return {"sources": [source_json(services, recorded) for recorded in history], "read_at": read_at(services)}


def _key_json(services: Services, post: bytes, key: KeyBinding) -> dict[str, object]:
    return {
        "key": "0x" + key.key.hex(),
        "post": services.directory.text(post),
        "valid_from": iso(key.valid_from),
        "valid_to": iso(key.end),
        "bound_at": iso(key.bound_at),
        "bound_block": key.bound_block,
        "retired": key.retired_at is not None,
    }


def _key_place(posts: list[bytes], after: str) -> tuple[int, int]:
    if not after:
        return 0, 0
    post, _, place = after.partition(":")
    try:
        return posts.index(bytes.fromhex(post)), int(place) + 1
    except ValueError as error:
        raise InvalidInputError("after", after, "the cursor `next` of the page before") from error
