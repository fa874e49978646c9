"""Alarm files (docs/spec/fork-evidence-v1.md): what a monitor saw, so that a stranger can check it offline.

An alarm is either **proven** by its own bytes (two notes that one key signed and that no single log can have), or a
**claim** of the monitor that made it (a file was missing, an anchor did not come). ``check`` says which.
"""

from __future__ import annotations

from enum import StrEnum
from hashlib import sha256
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from ledger.domain import canonical
from ledger.domain.errors import InvalidInputError, VerificationError
from ledger.evidence.trust_root import Log
from ledger.log.checkpoint import Checkpoint, open_checkpoint_of_any, parse_checkpoint
from ledger.log.note import parse_note
from ledger.log.proofs import verify_consistency

FORMAT: Final = "quanze-fork-evidence-v1"
MAX_FILE_BYTES: Final = 8 << 20
_STEP: Final = "alarm"

Hex32 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
Hex20 = Annotated[str, Meta(pattern="^[0-9a-f]{40}$")]
Number = Annotated[int, Meta(ge=0, lt=1 << 53)]


class Kind(StrEnum):
    """What is wrong."""

    FORK = "FORK"
    INCONSISTENT = "INCONSISTENT"
    SHRANK = "SHRANK"
    ANCHOR_DIFFERS = "ANCHOR_DIFFERS"
    ANCHOR_AHEAD = "ANCHOR_AHEAD"
    ANCHOR_LATE = "ANCHOR_LATE"
    ROOT_DIFFERS = "ROOT_DIFFERS"
    ENTRY_ALTERED = "ENTRY_ALTERED"
    TILE_ALTERED = "TILE_ALTERED"
    FILE_MISSING = "FILE_MISSING"
    UNKNOWN_KEY = "UNKNOWN_KEY"
    CHECKPOINT_STALE = "CHECKPOINT_STALE"
    CHAIN_SILENT = "CHAIN_SILENT"
    CHAIN_DIFFERS = "CHAIN_DIFFERS"


PASSING: Final = frozenset({Kind.ANCHOR_LATE, Kind.CHECKPOINT_STALE, Kind.CHAIN_SILENT})
"""What may come right by itself. Every other alarm stays until a person has looked at its file."""


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A closed object of the file."""


class SeenNote(_Part, frozen=True, kw_only=True):
    """A note as it was served, when this monitor first saw it, and where."""

    note: str
    seen_at_ms: Number
    source: str


class Prefix(_Part, frozen=True, kw_only=True):
    """The root of the first ``size`` entries in the tree of the file's newer note, proved from that note's root."""

    proof: list[Hex32]
    root: Hex32
    size: Number


class Anchor(_Part, frozen=True, kw_only=True):
    """A ``CheckpointAnchored`` event with its place on chain."""

    block: Number
    block_hash: Hex32
    chain_id: Number
    contract: Hex20
    log_index: Number
    note_hash: Hex32
    root: Hex32
    size: Number
    tx_hash: Hex32


class Alarm(_Part, frozen=True, kw_only=True):
    """The whole file. ``notes`` are at most two, the smaller tree first."""

    anchor: Anchor | None
    detail: str
    format: Literal["quanze-fork-evidence-v1"]
    kind: Kind
    log: Log
    made_at_ms: Number
    notes: Annotated[list[SeenNote], Meta(max_length=2)]
    prefix: Prefix | None

    @property
    def name(self) -> str:
        """The file's name: it follows from what is wrong, so that the same alarm is written once."""
        subject = [self.kind.value, *(note.note for note in self.notes)]
        if self.anchor is not None:
            subject += [self.anchor.block_hash, str(self.anchor.log_index)]
        if not self.notes or self.kind not in {Kind.FORK, Kind.INCONSISTENT, Kind.SHRANK}:
            subject.append(self.detail)
        return f"{self.kind.value.lower()}-{sha256(chr(0).join(subject).encode()).hexdigest()[:16]}.json"


class Finding(_Part, frozen=True, kw_only=True):
    """What an alarm file shows by itself."""

    kind: Kind
    proven: bool
    reason: str


def print_alarm(alarm: Alarm) -> bytes:
    """Return the file's bytes."""
    return canonical.encode(msgspec.to_builtins(alarm))


def parse_alarm(data: bytes) -> Alarm:
    """Return the alarm that these bytes are.

    Raises:
        VerificationError: they are not its canonical form.
    """
    if len(data) > MAX_FILE_BYTES:
        raise VerificationError(_STEP, f"the file has more than {MAX_FILE_BYTES} bytes")
    try:
        return msgspec.convert(canonical.decode_canonical(data), Alarm)
    except InvalidInputError as error:
        raise VerificationError(_STEP, error.explain()) from error
    except msgspec.ValidationError as error:
        raise VerificationError(_STEP, f"the file has another form: {error}") from error


def open_note(log: Log, note: str) -> Checkpoint:
    """Return the checkpoint that the log's key signed, or a former one for a size that still counts by it.

    Raises:
        VerificationError: it is none of this log's.
    """
    data = note.encode()
    size = parse_checkpoint(parse_note(data).text).size
    try:
        keys = log.keys_at(size)
    except (InvalidInputError, ValueError) as error:
        raise VerificationError(_STEP, "a verifier key of the log is none") from error
    checkpoint = open_checkpoint_of_any(data, keys)
    if checkpoint.origin != log.origin:
        raise VerificationError(_STEP, f"the origin is {checkpoint.origin}, not {log.origin}")
    return checkpoint


def check(alarm: Alarm, log: Log | None = None) -> Finding:
    """Say what the file shows to somebody who trusts only the log's key.

    Args:
        alarm: the file.
        log: the log's keys as the reader holds them; without them the file's own are taken, and what is proven is
            proven against the holders of those keys.

    Raises:
        VerificationError: the file contradicts itself: a note is not signed by the key, or the two do not conflict.
    """
    if log is not None and alarm.log.vkey not in {log.vkey, *(key.vkey for key in log.former)}:
        raise VerificationError(_STEP, f"the file is about the key {alarm.log.vkey}, which is not the log's")
    keys = log or alarm.log
    if alarm.kind is Kind.UNKNOWN_KEY:
        return _claim(alarm, "the file shows a note that is not signed by the log's key, not who served it")
    found = [open_note(keys, seen.note) for seen in alarm.notes]
    match alarm.kind:
        case Kind.FORK:
            return _fork(alarm, found)
        case Kind.ANCHOR_DIFFERS:
            return _anchor(alarm, found)
        case Kind.INCONSISTENT:
            _count(found, 2)
            return _claim(alarm, "both notes are signed; that no proof joins them is the monitor's word")
        case Kind.SHRANK:
            _count(found, 2)
            return _claim(alarm, "both notes are signed; that the smaller was served after the larger is its word")
        case _:
            return _claim(alarm, "nothing signed shows it; ask the log again, or compare with another monitor")


def _fork(alarm: Alarm, found: list[Checkpoint]) -> Finding:
    _count(found, 2)
    older, newer = found
    if older.size == newer.size:
        if older.root == newer.root:
            raise VerificationError(_STEP, "the two notes are of one tree")
        return _proven(alarm, f"the log's key signed two roots of size {newer.size}")
    _check_prefix(alarm, older.size, older.root, newer)
    return _proven(alarm, f"the tree of {newer.size} entries does not begin with the signed tree of {older.size}")


def _anchor(alarm: Alarm, found: list[Checkpoint]) -> Finding:
    _count(found, 1)
    (note,), anchor = found, alarm.anchor
    if anchor is None:
        raise VerificationError(_STEP, "the file has no anchor")
    root = bytes.fromhex(anchor.root)
    if anchor.size == note.size:
        if root == note.root:
            raise VerificationError(_STEP, "the anchor and the note are of one tree")
    else:
        _check_prefix(alarm, anchor.size, root, note)
    place = f"block {anchor.block} of chain {anchor.chain_id}"
    return _proven(alarm, f"the signed tree of {note.size} entries is not the anchored one of {anchor.size}, if {place}"
                          " holds that anchor: ask any node")  # fmt: skip


def _check_prefix(alarm: Alarm, size: int, root: bytes, newer: Checkpoint) -> None:
    prefix = alarm.prefix
    if prefix is None or prefix.size != size:
        raise VerificationError(_STEP, f"the file has no proof of what the first {size} entries are")
    held = bytes.fromhex(prefix.root)
    if held == root:
        raise VerificationError(_STEP, "the newer tree begins with the older one")
    verify_consistency(size, newer.size, [bytes.fromhex(value) for value in prefix.proof], held, newer.root)


def _count(found: list[Checkpoint], wanted: int) -> None:
    if len(found) != wanted:
        raise VerificationError(_STEP, f"the file has {len(found)} notes, not {wanted}")


def _proven(alarm: Alarm, reason: str) -> Finding:
    return Finding(kind=alarm.kind, proven=True, reason=reason)


def _claim(alarm: Alarm, reason: str) -> Finding:
    return Finding(kind=alarm.kind, proven=False, reason=reason)
