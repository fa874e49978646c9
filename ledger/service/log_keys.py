"""Which key of the log followed which: what the chain records, what the home says, and that both say the same.

A log's key is replaced in four durable steps, each of which stands by itself:

1. the new key is in the keyring;
2. ``CheckpointAnchor`` records that it follows the present one, in a final block;
3. the home's record names the new key as the log's, and the one before as still signing (the overlap);
4. the home's record says up to which size the key before counts: a size that is anchored.

Between 1 and 3 the log goes on as before, and the same call goes on. Each rotation on chain is one in the home's
record; only between 2 and 3 the chain is one ahead, by the key that waits in the keyring.
"""

from __future__ import annotations

from hashlib import sha256
from itertools import pairwise
from typing import TYPE_CHECKING

from ledger.domain.errors import ConflictError, IntegrityError, UnavailableError
from ledger.log.checkpoint import parse_checkpoint
from ledger.log.note import Ed25519Verifier, keys_that_signed, parse_note
from ledger.service.anchoring import OPERATOR, Anchor, anchor, note_of
from ledger.service.call_data import call_data

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ledger.service.deployment import Deployment
    from ledger.service.ledger_state import LedgerState
    from ledger.service.services import Services

_WAIT_S = 60.0


def key_hash(vkey: str) -> bytes:
    """Return what stands for a key of the log on chain: SHA-256 of its vkey text."""
    return sha256(vkey.encode()).digest()


def check_log_keys(state: LedgerState, deployment: Deployment, following: str | None = None) -> None:
    """Check that the chain records the same keys of the log as the home, in the same order.

    Args:
        state: What the chain has decided.
        deployment: What the home says.
        following: The vkey that waits in the home's keyring to follow, if there is one.

    Raises:
        IntegrityError: A rotation is on chain and not in the home's record, or the other way round, or of other keys.
    """
    hashes = [key_hash(vkey) for vkey in deployment.log_vkeys]
    wanted = list(pairwise(hashes))
    rotations = [recorded.event for recorded in state.rotations()]
    found = [(event.old_key_hash, event.new_key_hash) for event in rotations]
    if following is not None and found[len(wanted) :] == [(hashes[-1], key_hash(following))]:
        found.pop()
    for place, (stated, recorded) in enumerate(zip(wanted, found, strict=False)):
        if stated != recorded:
            raise IntegrityError(
                "log key", f"rotation {place + 1} on chain is of other keys", found=recorded[1], deployment=stated[1]
            )
    if len(found) > len(wanted):
        reason = (
            "the chain records a key of the log that this home does not know: it is an older copy, or not the only one"
        )
        raise IntegrityError("log key", reason, found=found[len(wanted)][1], deployment=hashes[-1])
    if len(found) < len(wanted):
        reason = "the home's record names a key that the chain does not record"
        raise IntegrityError("log key", reason, missing=wanted[len(found)][1])
    for event, key in zip(rotations, deployment.log_former, strict=False):
        if key.until < event.size:
            reason = "a former key counts up to less than was anchored before it was followed"
            raise IntegrityError("log key", reason, until=key.until, anchored=event.size)


def retired_key_defects(services: Services) -> Iterator[str]:
    """Yield each former key whose last size is not that of the last anchored checkpoint that bears its signature.

    So nobody lets a retired key count further than it signed, nor less far. One that is said to sign still must have
    signed the newest anchor's checkpoint.

    Raises:
        IntegrityError: The vault lacks an anchored checkpoint.
    """
    former = services.deployment.log_former
    if not former:
        return
    newest = 0
    keys = {key.vkey: Ed25519Verifier.from_vkey(key.vkey) for key in former}
    last = dict.fromkeys(keys, 0)
    for anchored in services.state.anchors():
        note, newest = parse_note(note_of(services, anchored.event)), anchored.event.size
        for vkey, key in keys.items():
            if keys_that_signed(note, [key]):
                last[vkey] = anchored.event.size
    for one in former:
        if last[one.vkey] != (newest if one.still_signs else one.until):
            yield f"the key {one.vkey} counts up to {one.until}, and signed the anchors up to {last[one.vkey]}"


def record_rotation(services: Services, vkey: str) -> None:
    """Record on chain that a key follows the present one, once, and wait until that is final.

    Raises:
        RefusedError: The contract refuses; another key was recorded, say.
        UnavailableError: The chain does not answer, or the record is not final yet: the next call waits again.
    """
    old, new = key_hash(services.deployment.log_vkey), key_hash(vkey)
    services.state.refresh()
    if any(recorded.event.new_key_hash == new for recorded in services.state.rotations()):
        return
    key = f"rotate-log-key:{new.hex()}"
    data = call_data("rotateLogKey", [("bytes32", old), ("bytes32", new)])
    services.outbox.send(key, services.deployment.address("CheckpointAnchor"), data, sender=OPERATOR)
    services.outbox.wait(key, _WAIT_S)
    services.state.refresh()


def last_size_of_former(services: Services) -> int:
    """Publish and anchor everything, and return the size up to which the key before the present one then counts.

    Raises:
        UnavailableError: The chain does not answer, or too few witnesses signed.
        ConflictError: The log did not grow since the key before that one was retired.
    """
    anchor(services, Anchor())
    until = parse_checkpoint(parse_note(services.log.checkpoint()).text).size
    newest = services.state.newest_anchor()
    anchored = newest.event.size if newest is not None else 0
    if until != anchored or until != services.log.size():
        reason = "the newest checkpoint is not of all entries, or not anchored; both keys go on signing"
        raise UnavailableError("log key", reason, anchored=anchored, published=until)
    former = services.deployment.log_former
    if len(former) > 1 and until <= former[-2].until:
        raise ConflictError(
            "log key", "the log has not grown since the key before was retired; both keys go on signing", size=until
        )
    return until
