"""LeafV1: the public bytes of one log entry (docs/spec/entry-v1.md §3). It says nothing of the event in clear.

    {"accepted_at_ms":…,"block":…,"block_hash":"…","commitment":"…","prev":"…","seq":…,"stream":"…","v":1}

A stream is one reporter post and agreement. Its id is a salted commitment to the two, so that everyone sees a
gap in a stream's numbers, and only who is given the salt sees whose stream it is.
"""

from __future__ import annotations

from typing import Final

import msgspec

from ledger.domain import canonical
from ledger.domain.commitment import Group
from ledger.domain.errors import InvalidInputError, VerificationError
from ledger.domain.event_v1 import NO_HASH, Count, Hex32
from ledger.log.tree import leaf_hash

VERSION: Final = 1


class LeafV1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """One log entry: the commitment to a bound event, its place in its stream, and the block it was bound at."""

    accepted_at_ms: Count
    block: Count
    block_hash: Hex32
    commitment: Hex32
    prev: Hex32
    seq: Count
    stream: Hex32
    v: int = VERSION

    def encode(self) -> bytes:
        """Return the entry's bytes: the ones in the tile, under the Merkle leaf hash."""
        return canonical.encode_checked(self)

    def hash(self) -> bytes:
        """Return the RFC 6962 leaf hash of the entry."""
        return leaf_hash(self.encode())


class LeafWriter:
    """Writes the leaves of one batch: the bytes of `LeafV1.encode`, from parts that the batch's leaves share.

    Leaves of a batch have their time, block and stream in common, and each names the one before it.
    """

    __slots__ = ("after", "before", "prev", "seq")

    def __init__(self, *, accepted_at_ms: int, block: int, block_hash: str, stream: str, prev: str, seq: int) -> None:
        """Begin after the stream's leaf whose hash is ``prev``, with number ``seq``.

        ``before`` and ``after`` are the bytes that all leaves have before their commitment and after their number.
        """
        self.before = b'{"accepted_at_ms":%d,"block":%d,"block_hash":"%b","commitment":"' % (
            accepted_at_ms,
            block,
            block_hash.encode("ascii"),
        )
        self.after = b',"stream":"%b","v":%d}' % (stream.encode("ascii"), VERSION)
        self.prev = prev
        self.seq = seq

    def next(self, commitment: bytes) -> tuple[bytes, bytes]:
        """Return the next leaf's bytes and hash."""
        leaf = b'%b%b","prev":"%b","seq":%d%b' % (
            self.before,
            commitment.hex().encode(),
            self.prev.encode(),
            self.seq,
            self.after,
        )
        digest = leaf_hash(leaf)
        self.prev = digest.hex()
        self.seq += 1
        return leaf, digest


_DECODER: Final = msgspec.json.Decoder(LeafV1)


def parse_leaf(data: bytes) -> LeafV1:
    """Parse an entry's bytes, which must be canonical.

    Raises:
        InvalidInputError: another shape or version, or other bytes than `LeafV1.encode` gives.
    """
    try:
        leaf = _DECODER.decode(data)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise InvalidInputError("leaf", data, f"a LeafV1: {error}") from error
    if leaf.v != VERSION:
        raise InvalidInputError("leaf.v", leaf.v, str(VERSION))
    if leaf.encode() != data:
        raise InvalidInputError("leaf", data, "canonical JSON (RFC 8785) with every key")
    return leaf


def stream_opening(salt: str, *, reporter: str, agreement: str) -> bytes:
    """Return the bytes that a stream's id hashes: what discloses whose stream it is.

    Args:
        salt: 32 random bytes in base64, one for each stream, kept in the vault.
        reporter: the reporter's post text id.
        agreement: the agreement's id in hex, ``""`` for events that name none.
    """
    return Group(salt, "stream", {"agreement": agreement, "reporter": reporter}).leaf()


def stream_id(salt: str, *, reporter: str, agreement: str) -> str:
    """Return the stream's id in hex: SHA-256(0x00 ‖ JCS([salt, "stream", {agreement, reporter}]))."""
    return leaf_hash(stream_opening(salt, reporter=reporter, agreement=agreement)).hex()


def check_successor(leaf: LeafV1, previous: LeafV1 | None) -> None:
    """Check that ``leaf`` is the next of its stream, and that block and time do not go back.

    Raises:
        VerificationError: another stream, a gap, a wrong ``prev``, an earlier block or an earlier time.
    """
    if previous is None:
        if leaf.seq != 0 or leaf.prev != NO_HASH:
            raise VerificationError("leaf", f"a stream starts at 0 after no leaf, not at {leaf.seq}")
        return
    if leaf.stream != previous.stream:
        raise VerificationError("leaf", "the two leaves are of different streams")
    if leaf.seq != previous.seq + 1:
        raise VerificationError("leaf", f"{leaf.seq} follows {previous.seq} in the stream")
    if leaf.prev != previous.hash().hex():
        raise VerificationError("leaf", f"prev of {leaf.seq} is not the hash of the leaf before")
    if leaf.block < previous.block or leaf.accepted_at_ms < previous.accepted_at_ms:
        raise VerificationError("leaf", f"block or time of {leaf.seq} goes back")
