"""Salted commitments: an RFC 6962 root over one leaf per disclosure group (docs/spec/commitment.md).

A group is a name and a JSON value; its leaf is ``JCS([salt, name, value])`` with a salt of 32 random bytes
in base64. Leaves stand in the order of their names. Only the root is ever published; who holds the groups
can open some and withhold others, and a reader learns nothing of the withheld ones but their number.

    commitment = commit({"title": "…", "text": "…"}, salts)
    openings = commitment.disclose(["title"])
    verify_openings(commitment.root, openings)   # -> {"title": "…"}
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ledger.domain import canonical
from ledger.domain.errors import InvalidInputError, VerificationError
from ledger.log.proofs import verify_inclusion
from ledger.log.tree import HashList, inclusion_proof, leaf_hash, root_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ledger.domain.canonical import Json

SALT_BYTES: Final = 32

_SALT_LENGTH: Final = 44
_LEAF_PARTS: Final = 3
_MAX_NAME_LENGTH: Final = 64


@dataclass(frozen=True, slots=True)
class Group:
    """One disclosure group: its salt in base64, name and value."""

    salt: str
    name: str
    value: Json

    def leaf(self) -> bytes:
        """Return the bytes that the tree's leaf hashes. Raises InvalidInputError outside the JSON subset."""
        return canonical.encode([self.salt, self.name, self.value])


@dataclass(frozen=True, slots=True)
class Opening:
    """A disclosed group: its leaf's bytes, its place, and the audit path to the root."""

    leaf: bytes
    index: int
    size: int
    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Commitment:
    """Groups in the order of their names, their leaves' bytes, and the root over them."""

    groups: tuple[Group, ...]
    leaves: tuple[bytes, ...]
    root: bytes

    def disclose(self, names: Iterable[str]) -> tuple[Opening, ...]:
        """Return openings of the named groups, in the order of the tree.

        Raises:
            InvalidInputError: a name that is no group.
        """
        wanted = set(names)
        known = {group.name for group in self.groups}
        for name in sorted(wanted - known):
            raise InvalidInputError("group", name, "one of " + ", ".join(sorted(known)))
        reader = HashList(leaf_hash(leaf) for leaf in self.leaves)
        size = len(self.leaves)
        return tuple(
            Opening(leaf, index, size, tuple(inclusion_proof(reader, index, size)))
            for index, (group, leaf) in enumerate(zip(self.groups, self.leaves, strict=True))
            if group.name in wanted
        )

    def by_name(self) -> dict[str, tuple[str, Json]]:
        """Return name → (salt, value): the form in which the vault keeps the groups."""
        return {group.name: (group.salt, group.value) for group in self.groups}


def commit(values: Mapping[str, Json], salts: Mapping[str, bytes]) -> Commitment:
    """Commit to ``values``, one group a key, each with its own salt.

    Args:
        values: group name → value within the canonical subset.
        salts: group name → 32 fresh random bytes; the same names as ``values``.

    Raises:
        InvalidInputError: no group, a bad name, a salt that is missing, short or used twice, a bad value.
    """
    if set(values) != set(salts):
        raise InvalidInputError("salts", ", ".join(sorted(salts)), "one salt for each of " + ", ".join(sorted(values)))
    if len(set(salts.values())) != len(salts):
        raise InvalidInputError("salts", "the same salt twice", "a fresh salt for each group")
    return _commitment([Group(salt_text(salts[name]), name, values[name]) for name in sorted(values)])


def recommit(groups: Mapping[str, tuple[str, Json]]) -> Commitment:
    """Rebuild a commitment from stored groups, name → (salt in base64, value).

    Raises:
        InvalidInputError: as `commit`.
    """
    return _commitment([Group(groups[name][0], name, groups[name][1]) for name in sorted(groups)])


def root_of_leaves(leaves: Sequence[bytes]) -> bytes:
    """Return the root over leaves' bytes that stand in order already: the fast path of ingest."""
    return root_of(leaf_hash(leaf) for leaf in leaves)


def salt_text(salt: bytes) -> str:
    """Return a salt in base64, 44 characters.

    Raises:
        InvalidInputError: not 32 bytes.
    """
    if len(salt) != SALT_BYTES:
        raise InvalidInputError("salt", f"{len(salt)} bytes", f"{SALT_BYTES} bytes")
    return base64.b64encode(salt).decode("ascii")


def parse_leaf(leaf: bytes) -> Group:
    """Parse a group leaf's bytes.

    Raises:
        InvalidInputError: not canonical, not ``[salt, name, value]``, or a salt that is not 32 bytes in base64.
    """
    value = canonical.decode_canonical(leaf)
    if not isinstance(value, list) or len(value) != _LEAF_PARTS:
        raise InvalidInputError("$", leaf, "[salt, name, value]")
    salt, name, content = value
    if not isinstance(salt, str) or not isinstance(name, str):
        raise InvalidInputError("$", leaf, "[salt, name, value] with a text salt and name")
    _check_group(salt, name)
    return Group(salt, name, content)


def verify_openings(root: bytes, openings: Sequence[Opening]) -> dict[str, Json]:
    """Return name → value of what the openings show of ``root``.

    Raises:
        VerificationError: an opening that does not lead to the root, a leaf that is not well formed, openings
            of different sizes, or names that do not rise with their places (so that no name opens twice).
    """
    opened: dict[str, Json] = {}
    last_index, last_name = -1, ""
    for opening in openings:
        verify_inclusion(leaf_hash(opening.leaf), opening.index, opening.size, opening.path, root)
        try:
            group = parse_leaf(opening.leaf)
        except InvalidInputError as error:
            raise VerificationError("commitment", error.explain()) from error
        if opening.size != openings[0].size:
            raise VerificationError("commitment", "the openings tell different numbers of groups")
        if opening.index <= last_index or group.name <= last_name:
            raise VerificationError("commitment", f"group {group.name!r} stands out of order")
        opened[group.name] = group.value
        last_index, last_name = opening.index, group.name
    return opened


def _commitment(groups: list[Group]) -> Commitment:
    if not groups:
        raise InvalidInputError("groups", "none", "at least one group")
    for group in groups:
        _check_group(group.salt, group.name)
    leaves = tuple(group.leaf() for group in groups)
    return Commitment(tuple(groups), leaves, root_of_leaves(leaves))


def _check_group(salt: str, name: str) -> None:
    if not 0 < len(name) <= _MAX_NAME_LENGTH or not name.isascii() or not name.isprintable():
        raise InvalidInputError("group", name, f"1 to {_MAX_NAME_LENGTH} printable ASCII characters")
    try:
        raw = base64.b64decode(salt, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidInputError("salt", salt, "base64 of 32 bytes") from error
    if len(salt) != _SALT_LENGTH or len(raw) != SALT_BYTES or base64.b64encode(raw).decode("ascii") != salt:
        raise InvalidInputError("salt", salt, "canonical base64 of 32 bytes")
