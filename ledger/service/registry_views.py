"""Agencies, posts, keys and catalogue entries: the folds of their events."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ledger.domain import events
from ledger.domain.key_state import fold_agency, fold_post

if TYPE_CHECKING:
    from ledger.domain.key_state import AgencyState, KeyBinding, PostState
    from ledger.service.services import Services

REGISTRY = "AgencyRegistry"
CATALOGUE = "Catalogue"


@dataclass(frozen=True, slots=True)
class EntryView:
    """One version of a dataset's entry."""

    dataset: bytes
    version: int
    agency: bytes
    post: bytes
    attribute: int
    grade: int
    review_required: bool
    law: bytes
    content: bytes
    is_withdrawn: bool
    published_at: int


def find_agency(services: Services, agency: bytes) -> AgencyState | None:
    """Return an agency, or None if it was never admitted."""
    return fold_agency(services.state.history(REGISTRY, agency))


def find_post(services: Services, post: bytes) -> PostState | None:
    """Return a post, or None if it was never registered."""
    return fold_post(services.state.history(REGISTRY, post))


def keys_of(services: Services, post: bytes) -> tuple[KeyBinding, ...]:
    """Return the keys ever bound to a post, oldest first."""
    state = find_post(services, post)
    return state.keys if state is not None else ()


def posts_by_key(services: Services) -> dict[bytes, bytes]:
    """Return address → the post that it speaks for, or last spoke for. For what it may do now: ``SpeakingKeys``."""
    found: dict[bytes, bytes] = {}
    for post in services.state.ids("post"):
        for key in keys_of(services, post):
            found[key.key] = post
    return found


class SpeakingKeys:
    """Says whether an address speaks for a post at present; what was bound is read again when the chain has grown."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._read: tuple[int, dict[bytes, list[PostState]]] = (-1, {})

    def __call__(self, address: bytes) -> bool:
        """Say it, after what the chain has decided by now.

        Raises:
            UnavailableError: The chain does not answer.
        """
        self._services.state.refresh()
        now = self._services.now_s()
        for post in self._posts().get(address, ()):
            agency = find_agency(self._services, post.agency)
            if post.speaks_at(address, now) and agency is not None and agency.is_live_at(now):
                return True
        return False

    def _posts(self) -> dict[bytes, list[PostState]]:
        count, posts = self._read
        if (newest := self._services.state.count) != count:
            posts = {}
            for id_ in self._services.state.ids("post"):
                if (post := find_post(self._services, id_)) is not None:
                    for key in {binding.key for binding in post.keys}:
                        posts.setdefault(key, []).append(post)
            self._read = (newest, posts)
        return posts


def entries_of(services: Services, dataset: bytes) -> list[EntryView]:
    """Return every version of a dataset's entry, oldest first."""
    versions: dict[int, EntryView] = {}
    for recorded in services.state.history(CATALOGUE, dataset):
        match recorded.event:
            case events.EntryPublished() as event:
                versions[event.version] = EntryView(
                    dataset,
                    event.version,
                    event.agency,
                    event.post,
                    event.attribute,
                    event.grade,
                    event.review_required,
                    event.law,
                    event.content,
                    False,
                    recorded.timestamp,
                )
            case events.EntryWithdrawn() as event if event.version in versions:
                versions[event.version] = replace(versions[event.version], is_withdrawn=True)
            case _:
                pass
    return list(versions.values())
