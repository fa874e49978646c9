"""``--demo-keys``: bodies that only a file names are admitted with keys generated here.

Must stay true: such a key is made for nobody who is in the ledger with keys of its own, and everything that it
stands behind says so (``ledger.service.profiles.DEMONSTRATION``): the profiles under their commitments, the
agreements in their texts, and the events through the agreements and posts that they name.

Each step sends all that is missing at once, so that many bodies cost a few blocks; what a crash cut short is
taken up where it ended.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar

from ledger.domain.codes import PostRole
from ledger.domain.errors import LedgerError, UnauthorizedError
from ledger.service import registry_views
from ledger.service.agencies import AddAgency, admission
from ledger.service.catalogue import AddEntry, publication
from ledger.service.keys import BindNewKey, binding, signer_for_post
from ledger.service.posts import AddPost, registration
from ledger.service.profiles import is_marked
from ledger.service.submission import relay_all

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from ledger.domain.identifiers import AgencyRef, DatasetRef, PostRef
    from ledger.service.services import Services
    from ledger.service.submission import SignedRequest

Failures: TypeAlias = dict[str, LedgerError]
"""Why a body, post or dataset cannot be used, by its text id."""

Thing = TypeVar("Thing")
NO_CAPACITIES: Final = PostRole(0)


def prepare_posts(
    services: Services, wanted: Mapping[PostRef, PostRole], *, capacities: PostRole = NO_CAPACITIES
) -> Failures:
    """Admit the posts' agencies, register the posts and bind a generated key to each, as far as that is missing.

    Args:
        services: The open stores.
        wanted: The posts and their roles.
        capacities: Roles beyond the common ones that the agencies' posts may hold.

    Returns:
        Why some posts cannot be used.
    """
    failures: Failures = {}
    agencies = list(dict.fromkeys(post.agency for post in wanted))
    refused = _each(
        services,
        [agency for agency in agencies if registry_views.find_agency(services, agency.id) is None],
        lambda agency: admission(
            services,
            AddAgency(
                agency=str(agency),
                name_en=agency.name,
                capacities=[role.name or "" for role in capacities],
                root_key=f"demo-root-{agency.id.hex()[:16]}",
                demonstration=True,
            ),
        ),
    )
    for agency in agencies:
        known = registry_views.find_agency(services, agency.id)
        if str(agency) not in refused and known is not None and not is_marked(services, known.profile):
            refused[str(agency)] = UnauthorizedError(
                "it has keys of its own here, and demonstration keys sign for nobody else", agency=str(agency)
            )
    usable = [post for post in wanted if str(post.agency) not in refused]
    failures |= {str(post): refused[str(post.agency)] for post in wanted if str(post.agency) in refused}
    failures |= _each(
        services,
        [post for post in usable if registry_views.find_post(services, post.id) is None],
        lambda post: registration(
            services,
            AddPost(
                post=str(post),
                roles=[role.name or "" for role in wanted[post]],
                name_en=post.code.replace("-", " ").capitalize(),
                demonstration=True,
            ),
        ),
    )
    usable = [post for post in usable if str(post) not in failures]
    return failures | _each(
        services,
        [post for post in usable if not _has_key(services, post)],
        lambda post: binding(services, BindNewKey(name=f"demo-{post.code}-{post.id.hex()[:16]}", post=str(post))),
    )


def prepare_entries(
    services: Services, datasets: Iterable[DatasetRef], post_of: Callable[[AgencyRef], PostRef]
) -> Failures:
    """Publish a first catalogue entry of each dataset that has none, signed by a post of its agency."""
    missing = [dataset for dataset in dict.fromkeys(datasets) if not registry_views.entries_of(services, dataset.id)]
    return _each(
        services,
        missing,
        lambda dataset: publication(
            services,
            AddEntry(dataset=str(dataset), post=str(post_of(dataset.agency)), name_en=dataset.code, demonstration=True),
        ),
    )


def _has_key(services: Services, post: PostRef) -> bool:
    try:
        signer_for_post(services, post.id)
    except UnauthorizedError:
        return False
    return True


def _each(services: Services, things: Sequence[Thing], make: Callable[[Thing], SignedRequest]) -> Failures:
    """Relay one request for each thing together; return why some were refused."""
    failures: Failures = {}
    requests: dict[str, SignedRequest] = {}
    for thing in things:
        try:
            requests[str(thing)] = make(thing)
        except LedgerError as error:
            failures[str(thing)] = error
    for name, outcome in zip(requests, relay_all(services, list(requests.values())), strict=True):
        if isinstance(outcome, LedgerError):
            failures[name] = outcome
    return failures
