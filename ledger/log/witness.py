"""C2SP tlog-witness: the request ``add-checkpoint``, and what a witness decides on it.

    old 20852014
    PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=

    example.com/behind-the-sofa
    20852163
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

    — example.com/behind-the-sofa Az3grlgt…

The decision is a pure function of the request, the keys of the logs that the witness watches, and what it signed last.
Its promise: of one log, it never agrees to two roots of one size, nor to a smaller size than before, nor to a larger
one that does not extend what it agreed to.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ledger.domain.errors import VerificationError
from ledger.log.checkpoint import MAX_SIZE, Checkpoint, open_checkpoint_of_any, parse_checkpoint
from ledger.log.note import decode_base64, parse_note
from ledger.log.proofs import verify_consistency
from ledger.log.tree import EMPTY_ROOT, HASH_SIZE_BYTES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ledger.log.ports import NoteVerifier

PATH: Final = "add-checkpoint"
SIZE_TYPE: Final = "text/x.tlog.size"
"""The content type of a refusal that tells the size which the witness signed last."""

MAX_PROOF_LINES: Final = 63
MAX_REQUEST_BYTES: Final = 64 << 10
"""Far above any checkpoint with its proof; what a witness reads of a stranger."""

_OLD: Final = re.compile(r"old (0|[1-9][0-9]{0,18})")
_STEP: Final = "add-checkpoint"


@dataclass(frozen=True, slots=True)
class AddCheckpoint:
    """A checkpoint for a witness, and the proof that it extends the tree of the old size."""

    old: int
    proof: tuple[bytes, ...]
    note: bytes

    def print(self) -> bytes:
        """Return the request's body; ``parse_request`` gives the same request back."""
        lines = "".join(f"{base64.b64encode(node).decode()}\n" for node in self.proof)
        return f"old {self.old}\n{lines}\n".encode() + self.note


@dataclass(frozen=True, slots=True)
class Signed:
    """What a witness signed last of a log."""

    size: int
    root: bytes


NOTHING: Final = Signed(0, EMPTY_ROOT)
"""The state of a log that the witness never signed for."""


@dataclass(frozen=True, slots=True)
class Agreed:
    """The witness may sign this checkpoint, once it has kept its size and root."""

    checkpoint: Checkpoint
    text: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The witness does not sign; the HTTP status and the sentence or, with 409, the size that tell why."""

    status: int
    reason: str
    size: int | None = None


def parse_request(body: bytes) -> AddCheckpoint:
    """Return the request in a body; the checkpoint in it is not looked at yet.

    Raises:
        VerificationError: it has another form.
    """
    head, cut, note = body.partition(b"\n\n")
    try:
        first, *lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise VerificationError(_STEP, "the lines before the checkpoint are not ASCII") from error
    old = _OLD.fullmatch(first)
    if not cut or old is None or int(old[1]) > MAX_SIZE:
        raise VerificationError(_STEP, "it does not begin with a line `old SIZE`, a proof and an empty line")
    if len(lines) > MAX_PROOF_LINES:
        raise VerificationError(_STEP, f"more than {MAX_PROOF_LINES} lines of proof")
    proof = tuple(decode_base64(line, step=_STEP, what="a line of the proof") for line in lines)
    if any(len(node) != HASH_SIZE_BYTES for node in proof):
        raise VerificationError(_STEP, "a line of the proof is not of 32 bytes")
    return AddCheckpoint(int(old[1]), proof, note)


def origin_of(request: AddCheckpoint) -> str:
    """Return the name of the log whose checkpoint this claims to be.

    Raises:
        VerificationError: it holds no checkpoint.
    """
    return parse_checkpoint(parse_note(request.note).text).origin


def decide(request: AddCheckpoint, logs: Mapping[str, Sequence[NoteVerifier]], last: Signed) -> Agreed | Refused:
    """Say whether a witness that signed ``last`` of the request's log may sign its checkpoint.

    Raises:
        VerificationError: the request holds no checkpoint.
    """
    checkpoint = parse_checkpoint(text := parse_note(request.note).text)
    keys = logs.get(checkpoint.origin)
    if not keys:
        return Refused(404, "no log of this origin is known here")
    try:
        open_checkpoint_of_any(request.note, keys)
    except VerificationError as error:
        return Refused(403, error.reason)
    if request.old > checkpoint.size:
        return Refused(400, "the old size is above the checkpoint's")
    if request.old != last.size:
        return Refused(409, "the old size is not the one that was signed last", last.size)
    if checkpoint.size == last.size and checkpoint.root != last.root:
        return Refused(409, "another root was signed for this size", last.size)
    try:
        _check_extends(request, checkpoint, last)
    except VerificationError as error:
        return Refused(422, error.reason)
    return Agreed(checkpoint, text)


def _check_extends(request: AddCheckpoint, checkpoint: Checkpoint, last: Signed) -> None:
    """Return if the checkpoint extends what was signed last.

    Raises:
        VerificationError: the proof does not show it.
    """
    if last.size == 0:
        if request.proof:
            raise VerificationError(_STEP, "a proof from size 0 has no lines")
        return
    verify_consistency(last.size, checkpoint.size, list(request.proof), last.root, checkpoint.root)
