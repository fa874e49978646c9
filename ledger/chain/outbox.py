"""The outbox: contract writes that are on disk before they are sent, once for each key of the caller.

    outbox = TransactionOutbox(store, chain, {"relayer": [signer]}, errors)
    outbox.send("sign:42:post", ledger_address, call_data)   # refused at once, or accepted for good
    receipt = outbox.wait("sign:42:post")                    # done, or RefusedError by its name

The life of a write, with the points at which it may be killed:

1. preflight: the call is tried on the tip. A refusal is told at once; nothing is stored, no nonce is spent.
2. ``stored``: key, digest, call, nonce and signed bytes are on disk in one transaction.
3. ``submitted``: the chain has the bytes. If it loses them, `pump` sends them again.
4. ``settled``: an attempt at the nonce is in a final block, and the outcome is on disk. A revert is final.

Must stay true: nothing is signed twice for one key at two nonces unless a transaction not ours took the
first nonce for good; a nonce whose transaction the chain will never take gets a no-op, so that the next
one is not blocked; what is on disk is enough to go on after a kill.
"""

from __future__ import annotations

import hashlib
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ledger.chain.raw_transaction import RawTransaction, sign_transaction
from ledger.domain.errors import InvalidInputError, LedgerError, NotFoundError, RefusedError, UnavailableError
from ledger.service.ports import Sent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ledger.chain.contract_errors import ContractErrors
    from ledger.chain.outbox_store import Attempt, Intent, OutboxStore
    from ledger.service.ports import Chain, ChainReceipt, Signer

_MAX_KEY_CHARS = 512
_FILLER_GAS = 60_000
_GAS_HEADROOM = 1.5
_WINDOW = 64
_POLL_S = 0.02


@dataclass(frozen=True, slots=True)
class OutboxPolicy:
    """How writes are paid for and repeated.

    The embedded engine takes zero fees. On a network with fees, a transaction that is not mined within
    ``raise_fee_after_s`` is signed again for the same nonce with both fees raised by a quarter, to at most
    ``fee_cap``.
    """

    gas_cap: int = 25_000_000
    max_fee: int = 0
    tip: int = 0
    fee_cap: int = 0
    resend_after_s: float = 2.0
    raise_fee_after_s: float = 30.0


def _no_crash(_point: str) -> None:
    """Go on."""


class TransactionOutbox:
    """Implements the port ``Outbox`` over any chain."""

    def __init__(
        self,
        store: OutboxStore,
        chain: Chain,
        senders: Mapping[str, Sequence[Signer]],
        errors: ContractErrors,
        *,
        names: Mapping[bytes, str] | None = None,
        policy: OutboxPolicy | None = None,
        crash_point: Callable[[str], None] = _no_crash,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take its collaborators; reaches for the chain only when used.

        Args:
            store: Where intents are durable.
            chain: Where they go.
            senders: The relaying keys by role; a role with several spreads its writes over them.
            errors: Names for reverts.
            names: Contract names by address, for refusals.
            policy: Fees and repetition.
            crash_point: Called with a step's name once the step is durable; tests kill there.
            monotonic: Seconds that only grow.
        """
        self._store = store
        self._chain = chain
        self._senders = {role: tuple(signers) for role, signers in senders.items()}
        self._signers = {signer.address: signer for signers in senders.values() for signer in signers}
        self._errors = errors
        self._names = dict(names or {})
        self._policy = policy or OutboxPolicy()
        self._crash_point = crash_point
        self._monotonic = monotonic
        self._locks = {address: threading.RLock() for address in self._signers}
        self._sent_at: dict[bytes, float] = {}
        self._first_sent_at: dict[tuple[bytes, int], float] = {}
        self._nonce_taken_at_block: dict[tuple[bytes, int], int] = {}
        self._chain_id: int | None = None

    def send(self, key: str, to: bytes, data: bytes, *, sender: str = "relayer") -> Sent:
        """Try the call on the tip, then store and relay it.

        Raises:
            RefusedError: the contract refuses the call now; nothing was stored.
            ConflictError: the key was used for other content; names both digests.
            UnavailableError: the chain does not answer; nothing was stored.
            InvalidInputError: no such sender, or a key that is empty or too long.
        """
        return self._send(key, to, data, sender)

    def is_known(self, key: str) -> bool:
        """Say whether something was sent under this key."""
        return self._store.intent(key) is not None

    def key_of_transaction(self, tx_hash: bytes) -> str | None:
        """Return the key of the write that a transaction was sent for, None for one that is not ours."""
        return self._store.key_of(tx_hash)

    def preflight(self, to: bytes, data: bytes, *, sender: str = "relayer") -> None:
        """Try a call on the tip without sending it.

        Raises:
            RefusedError: the contract refuses the call now.
            UnavailableError: the chain does not answer.
            InvalidInputError: no such sender.
        """
        trial = self._chain.simulate(self._least_busy(sender).address, to, data)
        if trial.revert is not None:
            raise self._errors.refusal(trial.revert, self._names.get(to, ""))

    def wait(self, key: str, timeout_s: float = 30.0) -> ChainReceipt:
        """Return the receipt of a write once it is final.

        Raises:
            RefusedError: the contract refused it.
            NotFoundError: nothing was sent under this key.
            UnavailableError: it is not final yet; wait again.
        """
        deadline = self._monotonic() + timeout_s
        while True:
            intent = self._store.intent(key)
            if intent is None:
                raise NotFoundError("outbox key", key)
            if intent.outcome is None:
                self._pump_sender(intent.sender)
                intent = self._store.intent(key) or intent
            if intent.state == "DONE":
                return intent.receipt()
            if intent.state == "REFUSED":
                raise intent.refusal()
            left = deadline - self._monotonic()
            if left <= 0:
                raise UnavailableError("chain", f"the write {key} is not final yet", waited_s=timeout_s)
            self._await_change(intent, min(left, self._policy.resend_after_s))

    def pump(self) -> int:
        """Settle what is final, send again what the chain lost; return how many writes are still pending.

        Call it at start, and from time to time.
        """
        for address in self._signers:
            self._pump_sender(address)
        return len(self._store.pending())

    def reopen_lost(self) -> int:
        """Make pending again what was settled at nonces that the chain has not reached; return how many writes.

        So it is where a copy of the chain is older than the outbox beside it. `pump` sends the same bytes again, since
        without them no later nonce of the sender could ever be mined. Call it at start, before `pump`.

        Raises:
            IntegrityError: a nonce in between is nobody's.
            UnavailableError: the chain does not answer.
        """
        return sum(self._store.reopen_from(address, self._chain.nonce(address)) for address in self._signers)

    def pending(self) -> list[str]:
        """Return the keys of writes that are not final, in the order of their nonces."""
        return [intent.key for intent in self._store.pending()]

    def close(self) -> None:
        """Close the store."""
        self._store.close()

    def _send(self, key: str, to: bytes, data: bytes, role: str) -> Sent:
        if not 0 < len(key) <= _MAX_KEY_CHARS:
            raise InvalidInputError("outbox key", key, f"1 to {_MAX_KEY_CHARS} characters")
        digest = hashlib.sha256(role.encode() + b"\x00" + to + data).digest()
        signer = self._least_busy(role)
        gas = self._policy.gas_cap
        if self._store.intent(key) is None:
            trial = self._chain.simulate(signer.address, to, data)
            if trial.revert is not None:
                raise self._errors.refusal(trial.revert, self._names.get(to, ""))
            # What a call costs depends on what is mined before it: the last of several parties that sign at once pays
            # for the agreement's coming into force. Where gas costs nothing, none is spared.
            if self._policy.max_fee:
                gas = min(int(trial.gas * _GAS_HEADROOM), gas)
        with self._locks[signer.address]:
            intent, first = self._store.add(
                key,
                digest=digest,
                target=to,
                data=data,
                gas=gas,
                sender=signer.address,
                nonce_on_chain=self._chain.nonce(signer.address),
                sign=lambda nonce: self._sign(signer, nonce, to, data, gas),
            )
            attempt = self._store.attempts(intent)[-1]
            if first:
                self._crash_point("stored")
                self._submit(intent, attempt)
        return Sent(key, attempt.tx_hash, first)

    def _least_busy(self, role: str) -> Signer:
        signers = self._senders.get(role, ())
        if not signers:
            raise InvalidInputError("sender", role, "one of " + ", ".join(sorted(self._senders)))
        if len(signers) == 1:
            return signers[0]
        return min(signers, key=lambda signer: len(self._store.pending(signer.address)))

    def _sign(
        self, signer: Signer, nonce: int, to: bytes, data: bytes, gas: int, fees: tuple[int, int] | None = None
    ) -> RawTransaction:
        if self._chain_id is None:
            self._chain_id = self._chain.chain_id()
        max_fee, tip = fees or (self._policy.max_fee, self._policy.tip)
        return sign_transaction(
            signer, chain_id=self._chain_id, nonce=nonce, to=to, data=data, gas=gas, max_fee=max_fee, tip=tip
        )

    def _submit(self, intent: Intent, attempt: Attempt) -> None:
        """Hand the bytes to the chain; whatever is not final afterwards is `pump`'s to mend."""
        now = self._monotonic()
        self._sent_at[attempt.tx_hash] = now
        self._first_sent_at.setdefault((intent.sender, intent.nonce), now)
        try:
            self._chain.submit(attempt.raw)
        except UnavailableError:
            return
        except LedgerError as error:
            self._refused_by_node(intent, attempt, error)
            return
        self._crash_point("submitted")

    def _refused_by_node(self, intent: Intent, attempt: Attempt, error: LedgerError) -> None:
        """The node will not take these bytes: find out whether the nonce was spent, or must be filled."""
        if any(self._chain.receipt(known.tx_hash) is not None for known in self._store.attempts(intent)):
            return
        turn = self._chain.nonce(intent.sender)
        if turn > intent.nonce:
            self._move_if_lost(intent, turn)
        elif turn == intent.nonce and attempt.filler is None:
            # Only when it is this nonce's turn: a node may also refuse one whose predecessors it has not seen.
            signer = self._signers[intent.sender]
            filler = self._sign(signer, intent.nonce, intent.sender, b"", _FILLER_GAS)
            self._store.add_attempt(intent, filler, error.explain())
            self._crash_point("filled")
            self._submit(intent, self._store.attempts(intent)[-1])

    def _move_if_lost(self, intent: Intent, turn: int) -> None:
        """Take a new nonce once finality has passed over the old one and no attempt of ours is there."""
        place = (intent.sender, intent.nonce)
        seen_at = self._nonce_taken_at_block.setdefault(place, self._chain.head_block().number)
        if self._chain.final_block().number <= seen_at:
            return
        signer = self._signers[intent.sender]
        self._store.move(intent, turn, lambda nonce: self._sign(signer, nonce, intent.target, intent.data, intent.gas))
        del self._nonce_taken_at_block[place]
        moved = self._store.intent(intent.key) or intent
        self._crash_point("moved")
        self._submit(moved, self._store.attempts(moved)[-1])

    def _pump_sender(self, address: bytes) -> None:
        lock = self._locks.get(address)
        if lock is None:
            return  # A relayer that is configured no more; its writes settle when its key is back.
        with lock:
            for intent in self._store.pending(address)[:_WINDOW]:
                try:
                    self._advance(intent)
                except UnavailableError:
                    return

    def _advance(self, intent: Intent) -> None:
        attempts = self._store.attempts(intent)
        final = self._chain.final_block().number
        mined = False
        for attempt in attempts:
            receipt = self._chain.receipt(attempt.tx_hash)
            if receipt is None:
                continue
            mined = True
            if receipt.block_number <= final:
                self._settle(intent, attempt, receipt)
                return
        if not mined and self._is_due(attempts[-1]):
            self._submit(intent, self._with_raised_fee(intent, attempts))

    def _settle(self, intent: Intent, attempt: Attempt, receipt: ChainReceipt) -> None:
        contract = self._names.get(intent.target, "")
        if attempt.filler is not None:
            self._store.settle_refused(intent, RefusedError("NotAdmitted", {"reason": attempt.filler}, contract))
        elif receipt.status == 1:
            self._store.settle_done(intent, receipt)
        else:
            self._store.settle_refused(intent, self._errors.refusal(self._reason(intent, receipt), contract))
        for known in self._store.attempts(intent):
            self._sent_at.pop(known.tx_hash, None)
        self._first_sent_at.pop((intent.sender, intent.nonce), None)
        self._crash_point("settled")

    def _reason(self, intent: Intent, receipt: ChainReceipt) -> bytes:
        """Return the revert's data; where the node keeps none, ask the tip, which may since have moved on."""
        if receipt.revert:
            return receipt.revert
        return self._chain.simulate(intent.sender, intent.target, intent.data).revert or b""

    def _is_due(self, attempt: Attempt) -> bool:
        sent_at = self._sent_at.get(attempt.tx_hash)
        return sent_at is None or self._monotonic() - sent_at >= self._policy.resend_after_s

    def _with_raised_fee(self, intent: Intent, attempts: list[Attempt]) -> Attempt:
        """Return the newest attempt, or a new one with higher fees if the old has waited long enough."""
        last = attempts[-1]
        fee = min(_raised(self._policy.max_fee, len(attempts)), self._policy.fee_cap)
        waited = self._monotonic() - self._first_sent_at.get((intent.sender, intent.nonce), self._monotonic())
        due = waited >= self._policy.raise_fee_after_s * len(attempts)
        if not due or last.filler is not None or fee <= _raised(self._policy.max_fee, len(attempts) - 1):
            return last
        tip = min(_raised(self._policy.tip, len(attempts)), fee)
        signer = self._signers[intent.sender]
        signed = self._sign(signer, intent.nonce, intent.target, intent.data, intent.gas, (fee, tip))
        self._store.add_attempt(intent, signed, None)
        return self._store.attempts(intent)[-1]

    def _await_change(self, intent: Intent, timeout_s: float) -> None:
        """Block until the chain has a receipt to look at, or the time is over."""
        last = self._store.attempts(intent)[-1]
        try:
            receipt = self._chain.wait_receipt(last.tx_hash, timeout_s)
        except UnavailableError:
            return
        if receipt.block_number > self._chain.final_block().number:
            threading.Event().wait(min(_POLL_S, timeout_s))


def _raised(fee: int, times: int) -> int:
    """Return a fee raised by a quarter (the tenth that nodes ask of a replacement, and some) so many times."""
    for _ in range(times):
        fee += (fee + 3) // 4
    return fee
