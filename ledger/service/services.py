"""``Services``: the open stores of one home, and the one door through which verbs are called.

A delivery layer calls either a use-case function with a typed request, or ``dispatch`` with a verb's
name and JSON arguments; both reach the same function. ``ledger.bootstrap`` builds it.
"""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec
import structlog

from ledger.domain.errors import InvalidInputError
from ledger.domain.shape import misshapen
from ledger.service.counters import Counters
from ledger.service.frontiers import Frontiers
from ledger.service.group_appender import GroupAppender
from ledger.service.leaf_making import PythonLeaves

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ledger.home import Home
    from ledger.log.ports import Fetcher
    from ledger.service.deployment import Deployment
    from ledger.service.directory import Directory
    from ledger.service.fsck import StoreCheck
    from ledger.service.index import Index
    from ledger.service.indexing import Indexing
    from ledger.service.intake import Intake
    from ledger.service.leaf_making import LeafMaker
    from ledger.service.ledger_state import LedgerState
    from ledger.service.ports import Chain, Clock, EventLog, Keyring, Outbox, PublishedLog, Vault
    from ledger.service.read_ahead import BatchReader
    from ledger.service.stored_batches import EventStore
    from ledger.service.upkeep import StoreCopy
    from ledger.service.verbs import Verb
    from ledger.service.witnesses import WitnessedLog, WitnessEra
    from ledger.settings import Settings


def no_progress(_what: str, _done: int, _total: int) -> None:
    """Show no progress."""


@dataclass(slots=True)
class Services:
    """Everything that a use-case may touch."""

    home: Home
    settings: Settings
    deployment: Deployment
    chain: Chain
    log: EventLog
    tiles: Fetcher
    """The log's public files."""
    published: PublishedLog
    """Where they are published."""
    vault: Vault
    events: EventStore
    """The events' own vault."""
    outbox: Outbox
    keyring: Keyring
    clock: Clock
    state: LedgerState
    directory: Directory
    intake: Intake
    index: Index
    indexing: Indexing
    """What keeps ``index`` up to date: `catch_up` takes what chain and log have now."""
    verbs: Mapping[str, Verb]
    frontiers: Frontiers = field(default_factory=Frontiers)
    """The sizes that are accepted, included, anchored and final: who moves one of them tells it here."""
    counters: Counters = field(default_factory=Counters)
    """What happened since the start, for metrics."""
    appender: GroupAppender = field(default_factory=GroupAppender)
    """What makes batches of events durable."""
    witnesses: WitnessedLog | None = None
    """The log's witnesses, where the operator chose a policy."""
    witness_eras: tuple[WitnessEra, ...] = ()
    """Who had to cosign the log's checkpoints from which size on, as the trust root tells it."""
    older_copy: str = ""
    """Why this home must not write, where it was opened for reading though somebody knows a later size of its log."""
    following_log_key: Callable[[], str | None] = lambda: None
    """Tells the vkey that waits in the keyring to follow the log's present one."""
    leaf_maker: LeafMaker = field(default_factory=PythonLeaves)
    """What makes the leaves of batches that were read ahead."""
    reader: BatchReader | None = None
    """Reads batches in a process of its own, where that is worth it."""
    is_up: bool = False
    rpc: Callable[[bytes], bytes | None] | None = None
    """Answers a JSON-RPC request or batch of the chain's read-only gateway, where the engine has one."""
    store_checks: tuple[StoreCheck, ...] = ()
    store_copies: tuple[StoreCopy, ...] = ()
    closers: list[Callable[[], None]] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)
    append_lock: threading.RLock = field(default_factory=threading.RLock)
    """Held while the log grows: one writer decides the order of streams and leaves."""
    anchor_lock: threading.RLock = field(default_factory=threading.RLock)
    """Held while an anchor is made: anchors follow each other."""

    def dispatch(
        self, name: str, arguments: Mapping[str, object], progress: Callable[[str, int, int], None] = no_progress
    ) -> Any:
        """Run the verb ``name`` with JSON ``arguments`` and return its JSON result.

        Raises:
            InvalidInputError: There is no such verb, or an argument is missing, unknown or of another type.
            LedgerError: As the verb says.
        """
        verb = self.verbs.get(name)
        if verb is None:
            raise InvalidInputError("verb", name, ", ".join(sorted(self.verbs)))
        try:
            request = msgspec.convert(arguments, verb.request)
        except msgspec.ValidationError as error:
            raise misshapen(error, arguments, verb.request, "arguments") from error
        with contextlib.nullcontext() if verb.runs_beside else self.lock:
            result = verb.run(self, request, progress) if verb.is_long else verb.run(self, request)
        return msgspec.to_builtins(result)

    def now_s(self) -> int:
        """Return the present in Unix seconds: the clock's, and never before the newest block's."""
        return max(self.clock.now_ms() // 1000, self.state.final.timestamp)

    def report_fault(self) -> None:
        """Log the exception being handled, for the operator."""
        structlog.get_logger("service").exception("verb_failed")

    def close(self) -> None:
        """Close the stores in the reverse order of their opening."""
        while self.closers:
            self.closers.pop()()
