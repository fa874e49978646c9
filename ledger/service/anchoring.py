"""Checkpoints and anchors: the log's signed state, and its root on chain with a proof that nothing was rewritten."""

from __future__ import annotations

import contextlib
import time
from hashlib import sha256
from typing import TYPE_CHECKING

from ledger.domain.codes import Tier
from ledger.domain.commitment import Commitment, commit
from ledger.domain.errors import IntegrityError, LedgerError, RefusedError, UnavailableError
from ledger.domain.event_decoding import decode_log
from ledger.domain.events import CheckpointAnchored
from ledger.log.checkpoint import parse_checkpoint
from ledger.log.note import parse_note
from ledger.service.call_data import call_data
from ledger.service.ports import VaultDocument
from ledger.service.requests import Request
from ledger.service.times import iso
from ledger.service.witnesses import barring

if TYPE_CHECKING:
    from ledger.domain.event_log import Recorded
    from ledger.log.checkpoint import Checkpoint
    from ledger.service.services import Services

OPERATOR = "operator"
_NOTE = "checkpoint"
_KEY = "anchor:"
_WAIT_S = 60.0
_TURN_WAIT_S = 10.0
"""How long the service's own turn holds the anchors' lock for one that does not get on: a backup waits for it."""

_LOOK_S = 0.5


class Anchor(Request, frozen=True, kw_only=True):
    """Arguments of ``anchor``: none."""


def publish_checkpoint(services: Services) -> Checkpoint:
    """Publish a signed checkpoint that covers every acknowledged leaf, and return it.

    A checkpoint that covers no new leaf is not written again; but witnesses for whose sake no leaf comes are asked
    whether they still contradict it.
    """
    note = services.log.checkpoint()
    known = parse_checkpoint(parse_note(note).text)
    if known.size != services.log.size():
        known = parse_checkpoint(parse_note(services.log.publish_checkpoint()).text)
        services.counters.add("checkpoints")
    elif services.witnesses is not None and barring(services.witnesses, known.size):
        services.witnesses.ask(note, known, services.log)
    services.frontiers.included(known.size, services.clock.now_ms())
    return known


def anchor(services: Services, _request: Anchor, wait_s: float = _WAIT_S) -> dict[str, object]:
    """Publish a checkpoint and anchor it; a log that has not grown since is left as it is.

    An anchor that is still under way is waited for first, since the proof of the next one begins at its root: whatever
    came meanwhile is in that next one.

    Args:
        services: The open stores.
        wait_s: How long an anchor may take to be final.

    Raises:
        IntegrityError: The log is shorter than what was anchored.
        RefusedError: The contract refused the consistency proof or the operator.
        UnavailableError: The chain does not answer, or an anchor is not final yet.
    """
    with services.anchor_lock:
        for key in anchors_under_way(services):
            with contextlib.suppress(RefusedError):  # Nothing was recorded under it: the next one is made anew.
                _await_final(services, key, wait_s)
        try:
            publish_checkpoint(services)
        except UnavailableError:
            # What too few witnesses signed is not anchored; what they signed before is.
            if services.witnesses is None:
                raise
        note = services.log.checkpoint()  # Read once: the next one may be published meanwhile.
        checkpoint = parse_checkpoint(parse_note(note).text)
        observe_anchors(services)
        last = last_anchor(services)
        if last is not None and last.event.size == checkpoint.size:
            return _result(last, repeated=True)
        if checkpoint.size == 0:
            return {"size": 0, "root": checkpoint.root.hex(), "block": 0, "tx": "", "at": "", "repeated": True}
        anchored = last.event.size if last is not None else 0
        if anchored > checkpoint.size:
            raise IntegrityError("log", "it is shorter than its last anchor", log=checkpoint.size, anchored=anchored)
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
        key = _free_key(services, checkpoint)
        services.outbox.send(key, services.deployment.address("CheckpointAnchor"), data, sender=OPERATOR)
        _await_final(services, key, wait_s)
        observe_anchors(services)
        made = last_anchor(services)
        if made is None or made.event.size != checkpoint.size:
            raise IntegrityError("chain", "the anchor was mined but its event is missing", size=checkpoint.size)
        services.counters.add("anchors")
        return _result(made, repeated=False)


def anchors_under_way(services: Services) -> list[str]:
    """Return the outbox keys of anchors that were sent and are not final."""
    return [key for key in services.outbox.pending() if key.startswith(_KEY)]


def observe_anchors(services: Services) -> None:
    """Tell the frontiers how far the chain has anchored the log, in final blocks and in those above.

    Raises:
        UnavailableError: The chain does not answer.
    """
    final, now = services.state.refresh(), services.clock.now_ms()
    newest = last_anchor(services)
    size, block = (newest.event.size, newest.block) if newest is not None else (0, 0)
    services.frontiers.final(size, now, block)
    head = services.chain.head_block()
    if head.number > final.number:
        for log in services.chain.logs(
            final.number + 1, head.number, [services.deployment.address("CheckpointAnchor")]
        ):
            event = decode_log(log.topics, log.data)
            if isinstance(event, CheckpointAnchored):
                size, block = event.size, log.block_number
    if size >= services.frontiers.sizes.anchored.size:
        services.frontiers.anchored(size, block, now)
    else:
        services.frontiers.reorganised(size, block)


def resume_frontiers(services: Services) -> None:
    """Begin at the sizes that log and chain hold."""
    newest = last_anchor(services)
    size, block = (newest.event.size, newest.block) if newest is not None else (0, 0)
    published = parse_checkpoint(parse_note(services.log.checkpoint()).text).size
    services.frontiers.resume(accepted=services.log.size(), included=published, anchored=size, block=block, final=size)


def anchor_by_itself(services: Services) -> None:
    """Make an anchor as the running service does: a failure is counted and told, and never ends anything.

    Raises:
        LedgerError: As `anchor`; the next turn tries again.
    """
    try:
        anchor(services, Anchor(), _TURN_WAIT_S)
    except LedgerError as error:
        services.counters.add("anchor_failures", code=error.code)
        raise


def last_anchor(services: Services) -> Recorded[CheckpointAnchored] | None:
    """Return the newest anchor in a final block."""
    return services.state.newest_anchor()


def covering_anchor(services: Services, index: int) -> Recorded[CheckpointAnchored] | None:
    """Return the first final anchor that covers a leaf: its block's time is the fact's known-at."""
    return services.state.anchor_over(index)


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


def _free_key(services: Services, checkpoint: Checkpoint) -> str:
    """Return the outbox key of an anchor: what it anchors, numbered where the chain refused it before.

    A write is sent once under its key, and a refusal is its answer for good; but an operator that had no right to
    anchor may have it now.
    """
    key = first = f"{_KEY}{checkpoint.size}:{checkpoint.root.hex()}"
    number = 1
    while services.outbox.is_known(key):
        number += 1
        key = f"{first}:{number}"
    return key


def _await_final(services: Services, key: str, wait_s: float) -> None:
    """Wait until an anchor is final, telling the frontiers meanwhile when a block holds it.

    Raises:
        RefusedError: The contract refused it.
        UnavailableError: It is not final yet; it stays under way.
    """
    until = time.monotonic() + wait_s
    while True:
        try:
            services.outbox.wait(key, max(0.0, min(_LOOK_S, until - time.monotonic())))
        except UnavailableError:
            if time.monotonic() >= until:
                raise
            observe_anchors(services)
        else:
            return


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
