"""Who might act: which key spoke for a post with which roles, and which root key for an agency, at a place on chain.

Authority is judged by what the chain held just before the act, at the time of its block: never by what came later.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Final

from ledger.domain import events
from ledger.domain.codes import COMMON_ROLES, PostRole
from ledger.domain.errors import VerificationError
from ledger.domain.key_state import Allowed, authority, fold_agency, fold_post
from ledger.evidence.histories import REGISTRY

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ledger.domain.event_log import Event, Recorded
    from ledger.domain.key_state import AgencyState, PostState
    from ledger.evidence.trust_root import TrustRoot

_STEP: Final = 6

Position = tuple[int, int]


class Authorities:
    """Posts and agencies as their histories tell them."""

    def __init__(self, read: Callable[[str, bytes], Sequence[Recorded[Event]]]) -> None:
        self._read = read
        self._histories: dict[bytes, tuple[Sequence[Recorded[Event]], list[Position]]] = {}
        self._posts: dict[tuple[bytes, int], PostState | None] = {}
        self._agencies: dict[tuple[bytes, int], AgencyState | None] = {}

    def post(self, post: bytes, before: Position) -> PostState | None:
        """Return a post as it was before a place on chain; None if it was not registered."""
        history = self._before(post, before)
        known = (post, len(history))
        if known not in self._posts:
            self._posts[known] = fold_post(history)
        return self._posts[known]

    def agency(self, agency: bytes, before: Position) -> AgencyState | None:
        """Return an agency as it was before a place on chain; None if it was not admitted."""
        history = self._before(agency, before)
        known = (agency, len(history))
        if known not in self._agencies:
            self._agencies[known] = fold_agency(history)
        return self._agencies[known]

    def _before(self, key: bytes, before: Position) -> Sequence[Recorded[Event]]:
        """Return what a history, which stands in the order of the chain, held before a place."""
        if key not in self._histories:
            history = self._read(REGISTRY, key)
            self._histories[key] = (history, [recorded.position for recorded in history])
        history, positions = self._histories[key]
        return history[: bisect_left(positions, before)]

    def check_post(self, post: bytes, key: bytes, *, any_of: PostRole, before: Position, time: int) -> bytes:
        """Return the agency of a post for which the key might act, in one of the roles.

        Raises:
            VerificationError: It might not, and why.
        """
        state = self.post(post, before)
        agency = self.agency(state.agency, before) if state is not None else None
        if state is None or agency is None:
            raise VerificationError(_STEP, f"post {post.hex()} was not registered by an admitted agency")
        allowed = authority(state, agency, key=key, any_of=any_of, time=time)
        if not isinstance(allowed, Allowed):
            raise VerificationError(
                _STEP, f"key {key.hex()} might not act for post {post.hex()} at {time}: {allowed.reason}"
            )
        if not state.roles_at(time) & any_of & (agency.capacities_at(time) | COMMON_ROLES):
            raise VerificationError(_STEP, f"post {post.hex()} had a role beyond its agency's capacities")
        return allowed.agency

    def check_root(self, agency: bytes, key: bytes, *, before: Position) -> None:
        """Return if the key was the agency's root key.

        Raises:
            VerificationError: It was not.
        """
        state = self.agency(agency, before)
        if state is None or state.roots[-1].key != key:
            raise VerificationError(_STEP, f"key {key.hex()} was not the root key of agency {agency.hex()}")

    def check_trusted(self, agency: bytes, root: TrustRoot, rotations: set[tuple[bytes, Position]]) -> None:
        """Return if an agency's root keys are those of the trust root, as far as both go.

        The file may be older or newer than the trust root. Root keys that it adds must each have been put in
        place by the one before, with a signature; one that the registrar put in place needs a newer trust root.

        Args:
            agency: The agency.
            root: The trust root.
            rotations: Agency and place of every change of a root key that was signed. That a key came by a signed
                rotation of another agency's, or elsewhere in the history, says nothing of this one.

        Raises:
            VerificationError: The trust root says otherwise, or does not know the agency.
        """
        held: list[bytes] = []
        signed: list[bool] = []
        for one in self._read(REGISTRY, agency):
            if isinstance(one.event, events.AgencyAdmitted):
                held.append(one.event.root_key)
                signed.append(False)
            elif isinstance(one.event, events.RootKeyChanged):
                held.append(one.event.new_root)
                signed.append((agency, one.position) in rotations)
        trusted = list(root.roots(agency))
        if not trusted:
            raise VerificationError(_STEP, f"the trust root knows no root key of agency {agency.hex()}")
        shared = min(len(held), len(trusted))
        if held[:shared] != trusted[:shared]:
            raise VerificationError(_STEP, f"agency {agency.hex()} has other root keys than the trust root says")
        if not all(signed[shared:]):
            raise VerificationError(
                _STEP,
                f"a root key of agency {agency.hex()} was replaced by the registrar after the trust root was made",
            )
