"""Checkpoints and anchors: the log's signed state, and its root on chain with a proof that nothing was rewritten."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from ledger.domain.codes import Tier
from ledger.domain.commitment import Commitment, commit
from ledger.domain.errors import IntegrityError
from ledger.log.checkpoint import parse_checkpoint
from ledger.log.note import parse_note
from ledger.service.call_data import call_data
from ledger.service.ports import VaultDocument
from ledger.service.requests import Request
from ledger.service.submission import send
from ledger.service.times import iso

if TYPE_CHECKING:
    from ledger.domain.event_log import Recorded
    from ledger.domain.events import CheckpointAnchored
    from ledger.log.checkpoint import Checkpoint
    from ledger.service.services import Services

OPERATOR = "operator"
_NOTE = "checkpoint"


class Anchor(Request, frozen=True, kw_only=True):
    """Arguments of ``anchor``: none."""


def publish_checkpoint(services: Services) -> Checkpoint:
    """Publish a signed checkpoint that covers every acknowledged leaf, and return it.

    A checkpoint that covers no new leaf is not written again.
    """
    note = services.log.checkpoint()
    known = parse_checkpoint(parse_note(note).text)
    if known.size == services.log.size():
        return known
    return parse_checkpoint(parse_note(services.log.publish_checkpoint()).text)


def anchor(services: Services, _request: Anchor) -> dict[str, object]:
    """Publish a checkpoint and anchor it; a log that has not grown since is left as it is.

    Raises:
        IntegrityError: The log is shorter than what was anchored.
        RefusedError: The contract refused the consistency proof or the operator.
        UnavailableError: The chain does not answer.
    """
    with services.anchor_lock:
        checkpoint = publish_checkpoint(services)
        services.state.refresh()
        last = last_anchor(services)
        if last is not None and last.event.size == checkpoint.size:
            return _result(last, repeated=True)
        if checkpoint.size == 0:
            return {"size": 0, "root": checkpoint.root.hex(), "block": 0, "tx": "", "at": "", "repeated": True}
        anchored = last.event.size if last is not None else 0
        if anchored > checkpoint.size:
            raise IntegrityError("log", "it is shorter than its last anchor", log=checkpoint.size, anchored=anchored)
        note = services.log.checkpoint()
        _keep(services, note)
        proof = services.log.consistency_proof(anchored, checkpoint.size) if anchored else []
        data = call_data(
            "anchor",
            [
                ("uint64", checkpoint.size),
                ("bytes32", checkpoint.root),
                ("bytes32", sha256(note).digest()),
                ("bytes32[]", proof),
            ],
        )
        key = f"anchor:{checkpoint.size}:{checkpoint.root.hex()}"
        send(services, key, services.deployment.address("CheckpointAnchor"), data, sender=OPERATOR)
        made = last_anchor(services)
        if made is None or made.event.size != checkpoint.size:
            raise IntegrityError("chain", "the anchor was mined but its event is missing", size=checkpoint.size)
        return _result(made, repeated=False)


def last_anchor(services: Services) -> Recorded[CheckpointAnchored] | None:
    """Return the newest anchor."""
    anchors = services.state.anchors()
    return anchors[-1] if anchors else None


def covering_anchor(services: Services, index: int) -> Recorded[CheckpointAnchored] | None:
    """Return the first anchor that covers a leaf: its block's time is the fact's known-at."""
    return next((anchored for anchored in services.state.anchors() if anchored.event.size > index), None)


def note_of(services: Services, anchored: CheckpointAnchored) -> bytes:
    """Return the checkpoint note that an anchor's hash stands for.

    Raises:
        IntegrityError: The vault does not hold it.
    """
    document = services.vault.find(_note_commitment(anchored.note_hash).root)
    note = str(document.extra.get("note", "")).encode() if document is not None else b""
    if sha256(note).digest() != anchored.note_hash:
        raise IntegrityError("vault", "it lacks an anchored checkpoint", note_hash=anchored.note_hash)
    return note


def _keep(services: Services, note: bytes) -> None:
    commitment = _note_commitment(sha256(note).digest())
    document = VaultDocument(commitment.root, _NOTE, Tier.PUBLIC.value, commitment.by_name(), {"note": note.decode()})
    services.vault.put([document])


def _note_commitment(note_hash: bytes) -> Commitment:
    """Return what a note is kept under: it follows from the anchor's hash, so that a note is found among any number.

    A note is public, and its hash is on chain; so the salt hides nothing, and the hash checks the note itself.
    """
    return commit({"note_hash": note_hash.hex()}, {"note_hash": note_hash})


def _result(anchored: Recorded[CheckpointAnchored], *, repeated: bool) -> dict[str, object]:
    return {
        "size": anchored.event.size,
        "root": anchored.event.root.hex(),
        "block": anchored.block,
        "tx": anchored.tx_hash.hex(),
        "at": iso(anchored.timestamp),
        "repeated": repeated,
    }
