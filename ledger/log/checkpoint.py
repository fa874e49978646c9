"""C2SP checkpoints: a log's origin, size and root as the text of a signed note."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ledger.domain.errors import InvalidInputError, VerificationError
from ledger.log.note import decode_base64, is_key_name, keys_that_signed, parse_note, sign_note
from ledger.log.tree import EMPTY_ROOT, HASH_SIZE_BYTES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ledger.log.ports import NoteSigner, NoteVerifier

MAX_SIZE = (1 << 63) - 1
"""Go's readers hold the size in an int64; a larger one would be read by some and refused by others."""

_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}")
_FIXED_LINES = 3
_STEP = "checkpoint"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What the log's key signs: the tree of ``size`` leaves of ``origin`` has this root."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def text(self) -> str:
        """Return the note text; ``parse_checkpoint`` gives the same checkpoint back.

        Raises:
            InvalidInputError: a field cannot be written down.
        """
        if not is_key_name(self.origin):
            raise InvalidInputError(
                field="origin", value=self.origin, allowed="text without white space and plus signs"
            )
        if not 0 <= self.size <= MAX_SIZE:
            raise InvalidInputError(field="size", value=str(self.size), allowed=f"0 to {MAX_SIZE}")
        if len(self.root) != HASH_SIZE_BYTES:
            raise InvalidInputError(field="root", value=f"{len(self.root)} bytes", allowed=f"{HASH_SIZE_BYTES} bytes")
        if any(not line or "\n" in line for line in self.extensions):
            raise InvalidInputError(field="extensions", value=repr(self.extensions), allowed="lines that are not empty")
        lines = (self.origin, str(self.size), base64.b64encode(self.root).decode())
        return "".join(f"{line}\n" for line in lines + self.extensions)


def parse_checkpoint(text: str) -> Checkpoint:
    """Return the checkpoint in a note's text.

    Raises:
        VerificationError: the text is not a checkpoint.
    """
    if not text.endswith("\n"):
        raise VerificationError(step=_STEP, reason="the text does not end with a newline")
    lines = text[:-1].split("\n")
    if len(lines) < _FIXED_LINES:
        raise VerificationError(step=_STEP, reason="fewer than three lines")
    origin, size, root = lines[:_FIXED_LINES]
    if not is_key_name(origin):
        raise VerificationError(step=_STEP, reason="the origin has white space or a plus sign")
    if _DECIMAL.fullmatch(size) is None or int(size) > MAX_SIZE:
        raise VerificationError(step=_STEP, reason="the size is not a decimal number below 2^63")
    value = decode_base64(root, step=_STEP, what="the root")
    if len(value) != HASH_SIZE_BYTES:
        raise VerificationError(step=_STEP, reason=f"the root has {len(value)} bytes, not 32")
    if size == "0" and value != EMPTY_ROOT:
        raise VerificationError(step=_STEP, reason="the root of size 0 is not the empty tree's")
    extensions = tuple(lines[_FIXED_LINES:])
    if "" in extensions:
        raise VerificationError(step=_STEP, reason="an empty extension line")
    return Checkpoint(origin, int(size), value, extensions)


def open_checkpoint(
    data: bytes, verifier: NoteVerifier, *, witnesses: Sequence[NoteVerifier] = (), origin: str = ""
) -> Checkpoint:
    """Return the checkpoint that the log's key signed.

    Args:
        data: the signed note.
        verifier: the log's key.
        witnesses: further known keys; a wrong signature of one refuses the note.
        origin: the log's name, where it is not the key's name.

    Raises:
        VerificationError: not a checkpoint of this origin signed by the log's key.
    """
    note = parse_note(data)
    # By name and key: a log's own cosignature bears the log's name.
    if (verifier.name, verifier.key_id) not in keys_that_signed(note, [verifier, *witnesses]):
        raise VerificationError(step=_STEP, reason=f"not signed by {verifier.name}")
    checkpoint = parse_checkpoint(note.text)
    wanted = origin or verifier.name
    if checkpoint.origin != wanted:
        raise VerificationError(step=_STEP, reason=f"the origin is {checkpoint.origin}, not {wanted}")
    return checkpoint


def open_checkpoint_of_any(data: bytes, verifiers: Sequence[NoteVerifier]) -> Checkpoint:
    """Return the checkpoint that at least one of the keys of one log signed: of a log whose key may have changed.

    Raises:
        VerificationError: none of them signed, one signed wrongly, or the origin is not the keys' name.
    """
    note = parse_note(data)
    signed = keys_that_signed(note, verifiers)
    if not signed:
        raise VerificationError(step=_STEP, reason=f"not signed by {verifiers[0].name}")
    checkpoint = parse_checkpoint(note.text)
    if {name for name, _ in signed} != {checkpoint.origin}:
        raise VerificationError(step=_STEP, reason=f"the origin is {checkpoint.origin}, not {verifiers[0].name}")
    return checkpoint


def sign_checkpoint(checkpoint: Checkpoint, signers: Sequence[NoteSigner]) -> bytes:
    """Return the checkpoint as a note signed by each key.

    Raises:
        InvalidInputError: a field cannot be written down.
    """
    return sign_note(checkpoint.text(), signers)
