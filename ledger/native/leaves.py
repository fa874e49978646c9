"""`LeafMaker` by compiled code: committed, written and hashed outside Python's lock."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Final

from ledger.log.encoded import EncodedEntries
from ledger.native.library import Bytes, Plan, Template, within
from ledger.service.leaf_making import MadeLeaves, receipt_end, receipt_shared

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ledger.service.block_view import BoundKind
    from ledger.service.placing import Placing
    from ledger.service.read_ahead import ReadAhead

_HASH: Final = 32
_LEAF_MORE_BYTES: Final = 2 + 64 + len('","prev":"') + 64 + len('","seq":') + 20
"""The most that a leaf has besides what a batch's leaves share, and its length before it."""
_RECEIPT_MORE_BYTES: Final = len(',{"index":,"id":,"leaf_hash":","correlation":') + 2 * 20 + 64
"""Likewise a receipt, besides what receipts share, its id and its correlation."""


class NativeLeaves:
    """`ledger.service.leaf_making.LeafMaker`."""

    code: Final = "compiled"

    def __init__(self, library: ctypes.CDLL) -> None:
        self._library = library

    def root(self, digests: bytes) -> bytes:
        """Return the RFC 6962 root over some digests."""
        nodes, root = ctypes.create_string_buffer(digests, len(digests)), ctypes.create_string_buffer(_HASH)
        self._library.qz_root(nodes, len(digests) // _HASH, root)
        return root.raw

    def make(self, read: ReadAhead, first: int, placing: Placing, kinds: Sequence[BoundKind]) -> MadeLeaves:
        """Return the leaves of a batch at its place; see `LeafMaker`."""
        shape, shared = placing.leaves(), receipt_shared(placing)
        ends = [receipt_end(kind) for kind in kinds]
        templates = (Template * len(kinds))(
            *(
                Template(
                    Bytes.of(kind.template.before_id),
                    Bytes.of(kind.template.after_id),
                    Bytes.of(kind.template.after_prev),
                    Bytes.of(kind.template.after_seq),
                    Bytes.of(end),
                )
                for kind, end in zip(kinds, ends, strict=True)
            )
        )
        plan = Plan(
            count=read.count,
            templates=len(kinds),
            first_index=first,
            first_seq=read.first_seq,
            leaf_seq=shape.seq,
            template=templates,
            kind_of=read.kind_of,
            salts=read.salts,
            others=read.others,
            digests=read.digests,
            first_prev=read.first_prev.encode("ascii"),
            prev_leaf=shape.prev.encode("ascii"),
            ids=Bytes.of(read.ids.data),
            id_ends=read.ids.ends,
            correlations=Bytes.of(read.correlations.data),
            correlation_ends=read.correlations.ends,
            leaf_before=Bytes.of(shape.before),
            leaf_after=Bytes.of(shape.after),
            receipt_shared=Bytes.of(shared),
        )
        leaves = bytearray(read.count * (_LEAF_MORE_BYTES + len(shape.before) + len(shape.after)))
        receipts = bytearray(
            read.count * (_RECEIPT_MORE_BYTES + len(shared) + max(map(len, ends)))
            + len(read.ids.data)
            + len(read.correlations.data)
        )
        hashes = bytearray(_HASH * read.count)
        lengths = (ctypes.c_size_t * 2)()
        self._library.qz_bind(
            plan,
            within(leaves),
            len(leaves),
            within(hashes),
            within(receipts),
            len(receipts),
            ctypes.addressof(lengths),
        )
        entries = EncodedEntries(bytes(leaves[: lengths[0]]), bytes(hashes), count=read.count)
        return MadeLeaves(entries, bytes(receipts[: lengths[1]]))
