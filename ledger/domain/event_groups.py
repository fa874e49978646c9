"""An event and its binding as the three disclosure groups of one commitment (docs/spec/entry-v1.md §2).

    binding   what the event claims of agreement, reporter and place in its stream, and what it was bound to
    detail    sizes, correlation and the source's own fields
    exchange  kind, side, time, parties, dataset, purpose, delivery, outcome

All three together give the event back byte by byte, and so its digest and the reporter's signature; fewer show
only what they hold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import msgspec

from ledger.domain import canonical
from ledger.domain.binding import Binding
from ledger.domain.codes import Duty, Flag, Mismatch, Verdict
from ledger.domain.commitment import Commitment, Group, root_of_leaves, salt_text
from ledger.domain.errors import InvalidInputError
from ledger.domain.event_v1 import Count, EventV1, Hex32, OptionalHex32, event_from_object, to_object
from ledger.domain.shape import misshapen

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ledger.domain.canonical import Json

GROUPS: Final = ("binding", "detail", "exchange")

_CLAIMED: Final = ("agreement", "version", "grant", "reporter", "reporter_seq", "prev_hash", "id")
_DETAIL: Final = ("size", "correlation", "source")
_EXCHANGE: Final = (
    "kind",
    "side",
    "occurred_at_ms",
    "provider",
    "requester",
    "dataset",
    "purpose",
    "delivery",
    "recipient",
    "outcome",
)


class _BoundV1(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The binding's part of the binding group: the wire of `Binding`."""

    block: Count
    block_hash: Hex32
    bound_agreement: OptionalHex32
    bound_grant: int
    bound_version: int
    duty: Literal["DELIVER", "USE_WITHIN_SCOPE", "PROTECT", "DISPOSE"]
    flags: tuple[Flag, ...]
    responsible_post: OptionalHex32
    verdict: tuple[Mismatch, ...]


_BOUND: Final = _BoundV1.__struct_fields__


def event_groups(event: EventV1, binding: Binding) -> dict[str, dict[str, Json]]:
    """Return the three groups' values. ``verdict`` lists the mismatches; an empty list is WITHIN_SCOPE."""
    whole = to_object(event)
    bound: dict[str, Json] = {
        "block": binding.block,
        "block_hash": binding.block_hash.hex(),
        "bound_agreement": binding.agreement.hex(),
        "bound_grant": binding.grant,
        "bound_version": binding.version,
        "duty": binding.duty.name,
        "flags": [flag.value for flag in binding.flags],
        "responsible_post": binding.responsible_post.hex(),
        "verdict": [mismatch.value for mismatch in binding.mismatches],
    }
    return {
        "binding": {key: whole[key] for key in _CLAIMED} | bound,
        "detail": {key: whole[key] for key in _DETAIL},
        "exchange": {key: whole[key] for key in _EXCHANGE},
    }


def exchange_group(event: EventV1) -> dict[str, Json]:
    """Return the value of the group ``exchange``, which does not depend on the binding."""
    whole = to_object(event)
    return {key: whole[key] for key in _EXCHANGE}


def commit_event(event: EventV1, binding: Binding, salts: Sequence[bytes]) -> Commitment:
    """Commit to a checked event and its binding.

    Args:
        event: as `check_event` leaves it; nothing is checked a second time here.
        binding: from `bind`.
        salts: three salts of 32 fresh random bytes, for binding, detail and exchange.

    Raises:
        InvalidInputError: not three different salts of 32 bytes.
    """
    if len(salts) != len(GROUPS) or len(set(salts)) != len(GROUPS):
        raise InvalidInputError("salts", len(salts), "three different salts")
    values = event_groups(event, binding)
    groups = tuple(Group(salt_text(salt), name, dict(values[name])) for name, salt in zip(GROUPS, salts, strict=True))
    leaves = tuple(canonical.encode_checked((group.salt, group.name, group.value)) for group in groups)
    return Commitment(groups, leaves, root_of_leaves(leaves))


def event_of_groups(groups: Mapping[str, Json]) -> EventV1:
    """Return the event that all three groups hold.

    Raises:
        InvalidInputError: a group is withheld or holds other keys, or the event is not allowed.
    """
    whole: dict[str, Json] = {}
    for name, keys in (("binding", _CLAIMED + _BOUND), ("detail", _DETAIL), ("exchange", _EXCHANGE)):
        members = _members(groups, name, keys)
        whole |= {key: value for key, value in members.items() if key not in _BOUND}
    return event_from_object(whole)


def binding_of_groups(groups: Mapping[str, Json]) -> Binding:
    """Return the binding that the group ``binding`` holds.

    Raises:
        InvalidInputError: the group is withheld, holds other keys, or values that are not allowed.
    """
    members = _members(groups, "binding", _CLAIMED + _BOUND)
    try:
        bound = msgspec.convert({key: members[key] for key in _BOUND}, _BoundV1)
    except msgspec.ValidationError as error:
        raise misshapen(error, {key: members[key] for key in _BOUND}, _BoundV1, "binding") from error
    return Binding(
        verdict=Verdict.MISMATCH if bound.verdict else Verdict.WITHIN_SCOPE,
        mismatches=bound.verdict,
        flags=bound.flags,
        agreement=bytes.fromhex(bound.bound_agreement),
        version=bound.bound_version,
        grant=bound.bound_grant,
        duty=Duty[bound.duty],
        responsible_post=bytes.fromhex(bound.responsible_post),
        block=bound.block,
        block_hash=bytes.fromhex(bound.block_hash),
    )


def _members(groups: Mapping[str, Json], name: str, keys: tuple[str, ...]) -> dict[str, Json]:
    if name not in groups:
        raise InvalidInputError("groups", name, "an opened group")
    members = groups[name]
    if not isinstance(members, dict) or set(members) != set(keys):
        raise InvalidInputError(name, members, "exactly the keys " + ", ".join(sorted(keys)))
    return members
