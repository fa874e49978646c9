"""A growing log as its readers see it: sizes, roots, entries and proofs, from the edge in memory and from full tiles.

No proof leaves before it has been verified here.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from ledger.domain.errors import IntegrityError, InvalidInputError, VerificationError
from ledger.log.multiproof import inclusion_proofs
from ledger.log.proofs import verify_consistency, verify_inclusion
from ledger.log.storage.reader import LogReader
from ledger.log.tree import consistency_proof, inclusion_proof, root_at

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from threading import Lock

    from ledger.log.ports import Fetcher
    from ledger.log.storage.edge import Edge

_CACHED_ROOTS = 1024


class ReadableLog:
    """What may be asked of a log while its owner adds to it. Every method may be called from any thread."""

    def __init__(self, fetcher: Fetcher, edge: Edge, lock: Lock) -> None:
        """Read what ``edge`` (guarded by ``lock``) does not hold through ``fetcher``."""
        self._edge = edge
        self._state = lock
        self._reader = LogReader(fetcher, edge, lock)
        self._roots: OrderedDict[int, bytes] = OrderedDict()

    def size(self) -> int:
        """Return the number of entries on disk."""
        with self._state:
            return self._edge.size

    def root(self, size: int | None = None) -> bytes:
        """Return the root over all entries, or over the first ``size``.

        Raises:
            InvalidInputError: the log has fewer entries.
            IntegrityError: a tile is missing or has another length.
        """
        wanted = self._checked_size(self.size() if size is None else size)
        with self._state:
            found = self._roots.get(wanted)
        if found is None:
            found = root_at(self._reader, wanted)
            with self._state:
                self._roots[wanted] = found
                if len(self._roots) > _CACHED_ROOTS:
                    self._roots.popitem(last=False)
        return found

    def leaf(self, index: int) -> bytes:
        """Return one entry.

        Raises:
            InvalidInputError: there is no such entry yet.
            IntegrityError: its bundle or tile was altered.
        """
        _check_index(index, self.size())
        return self._reader.entry(index)

    def leaves(self, first: int, last: int) -> Iterator[bytes]:
        """Yield the entries of indexes [first, last), reading one bundle at a time.

        Raises:
            InvalidInputError: the range is not within the log.
            IntegrityError: a bundle or tile was altered.
        """
        if not 0 <= first <= self._checked_size(last):
            raise InvalidInputError("first", first, f"0 to {last}")
        for index in range(first, last):
            yield self._reader.entry(index)

    def inclusion_proof(self, index: int, size: int) -> list[bytes]:
        """Return the RFC 6962 audit path of an entry in the tree of the first ``size`` entries.

        Raises:
            InvalidInputError: not index < size <= the log's size.
            IntegrityError: the tiles no longer give a proof that holds.
        """
        _check_index(index, self._checked_size(size))
        proof = inclusion_proof(self._reader, index, size)
        try:
            verify_inclusion(self._reader.node(0, index), index, size, proof, self.root(size))
        except VerificationError as error:
            raise IntegrityError("tile", f"the tiles give no proof for entry {index} in {size}", entry=index) from error
        return proof

    def inclusion_proofs(self, indices: Sequence[int], size: int) -> dict[int, list[bytes]]:
        """Return the RFC 6962 audit paths of entries in the tree of the first ``size``, each node read once.

        Raises:
            InvalidInputError: no index, or not each of them < size <= the log's size.
            IntegrityError: the tiles no longer give proofs that hold.
        """
        root, paths = inclusion_proofs(self._reader, indices, self._checked_size(size))
        if root != self.root(size):
            raise IntegrityError(
                "tile", f"the tiles give no proof for {len(paths)} entries from {min(paths)} in {size}"
            )
        return paths

    def consistency_proof(self, old: int, new: int) -> list[bytes]:
        """Return the RFC 6962 proof that the first ``old`` entries are a prefix of the first ``new``.

        Raises:
            InvalidInputError: not old <= new <= the log's size.
            IntegrityError: the tiles no longer give a proof that holds.
        """
        proof = consistency_proof(self._reader, old, self._checked_size(new))
        if old == 0:
            return proof
        try:
            verify_consistency(old, new, proof, self.root(old), self.root(new))
        except VerificationError as error:
            raise IntegrityError("tile", f"the tiles give no proof from size {old} to {new}") from error
        return proof

    def _checked_size(self, size: int) -> int:
        if not 0 <= size <= self.size():
            raise InvalidInputError("size", size, f"0 to {self.size()}")
        return size


def _check_index(index: int, size: int) -> None:
    if not 0 <= index < size:
        raise InvalidInputError("index", index, f"0 to {size - 1}")
