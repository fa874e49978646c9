"""``fsck``: recompute everything from its source and name the first entry of each store that differs.

The stores check their own bytes (``Services.store_checks``: chain replay, log, vault, index). Here are the
checks between them: every leaf has its document, every document its leaf's commitment, every event its
place, its reporter's signature and the verdict that the chain gives again, every anchor the log's root.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ledger.domain.commitment import recommit
from ledger.domain.errors import LedgerError
from ledger.domain.event_v1 import NO_HASH, digest
from ledger.domain.identifiers import post_id
from ledger.domain.leaf import LeafV1, parse_leaf, stream_id
from ledger.domain.records import EventBatch
from ledger.domain.scalars import ZERO32
from ledger.domain.typed_data import digest as signing_digest
from ledger.log.proofs import root_from_inclusion
from ledger.service.asking_proof import rebind
from ledger.service.event_documents import binding_of, event_of
from ledger.service.requests import Nothing
from ledger.service.signatures import recover
from ledger.service.submission import domain_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ledger.domain.event_v1 import EventV1
    from ledger.service.ports import VaultDocument
    from ledger.service.services import Services

_PAGE: Final = 500


@dataclass(frozen=True, slots=True)
class Defect:
    """One entry of a store that differs from what its source gives."""

    what: str
    entry: str
    reason: str


@dataclass(frozen=True, slots=True)
class StoreCheck:
    """A store's own check: yields its defects, and returns how many entries it looked at."""

    what: str
    run: Callable[[Callable[[str, int, int], None]], tuple[int, list[Defect]]]


def fsck(services: Services, _request: Nothing, progress: Callable[[str, int, int], None]) -> dict[str, Any]:
    """Check every store and what binds them together."""
    services.state.refresh()
    checks: list[dict[str, Any]] = []
    defects: list[Defect] = []
    for check in (*services.store_checks, StoreCheck("anchors", lambda _told: _anchors(services))):
        checked, found = check.run(progress)
        checks.append({"what": check.what, "checked": checked, "defects": len(found)})
        defects += found
    checked, found = _entries(services, progress)
    checks.append({"what": "entries", "checked": checked, "defects": len(found)})
    defects += found
    return {
        "checks": checks,
        "defects": [{"what": defect.what, "entry": defect.entry, "reason": defect.reason} for defect in defects],
    }


def _anchors(services: Services) -> tuple[int, list[Defect]]:
    anchors = services.state.anchors()
    found: list[Defect] = []
    for anchored in anchors:
        size = anchored.event.size
        if size > services.log.size():
            found.append(Defect("anchors", str(size), "the log is shorter than this anchor"))
        elif (root := services.log.root(size)) != anchored.event.root:
            found.append(Defect("anchors", str(size), f"the log's root is {root.hex()}"))
    return len(anchors), found


def _entries(services: Services, progress: Callable[[str, int, int], None]) -> tuple[int, list[Defect]]:
    size = services.log.size()
    streams: dict[str, LeafV1] = {}
    found: list[Defect] = []
    block, accepted = 0, 0
    for first in range(0, size, _PAGE):
        leaves = [parse_leaf(data) for data in services.log.leaves(first, min(first + _PAGE, size))]
        documents = services.vault.find_many([bytes.fromhex(leaf.commitment) for leaf in leaves])
        for index, leaf in enumerate(leaves, first):
            document = documents.get(bytes.fromhex(leaf.commitment))
            if leaf.block < block or leaf.accepted_at_ms < accepted:
                found.append(Defect("entries", str(index), "its bound block or time goes back"))
            block, accepted = leaf.block, leaf.accepted_at_ms
            if document is None:
                found.append(Defect("entries", str(index), "the vault lacks its opening"))
            else:
                try:
                    found += [
                        Defect("entries", str(index), reason)
                        for reason in _check_entry(services, leaf, document, streams.get(leaf.stream))
                    ]
                except LedgerError as error:
                    found.append(Defect("entries", str(index), error.explain()))
            streams[leaf.stream] = leaf
        progress("entries", first + len(leaves), size)
    return size, found


def _check_entry(services: Services, leaf: LeafV1, document: VaultDocument, previous: LeafV1 | None) -> Iterator[str]:
    groups: Any = document.groups
    if recommit(groups).root.hex() != leaf.commitment:
        yield "its groups do not hash to its commitment"
    event, binding = event_of(document), binding_of(document)
    expected = previous.hash().hex() if previous is not None else NO_HASH
    if leaf.prev != expected or leaf.seq != (previous.seq + 1 if previous is not None else 0):
        yield "it does not follow the leaf before it in its stream"
    if event.reporter_seq != leaf.seq:
        yield "its reporter's number is not the leaf's"
    salt = str(document.extra["stream_salt"])
    if stream_id(salt, reporter=event.reporter, agreement=event.agreement) != leaf.stream:
        yield "its stream is not its reporter's and agreement's"
    if (binding.block, binding.block_hash.hex()) != (leaf.block, leaf.block_hash):
        yield "it is bound at another block than its leaf says"
    elif services.chain.block(leaf.block).ref.hash.hex() != leaf.block_hash:
        yield "the chain has another block under its bound number"
    if rebind(services, event, binding) != binding:
        yield "its verdict, recomputed, is another"
    if not _is_signed(services, event, document):
        yield "its batch's signature is not the stated signer's"


def _is_signed(services: Services, event: EventV1, document: VaultDocument) -> bool:
    extra: Any = document.extra
    root = root_from_inclusion(
        digest(event), extra["place"], extra["count"], [bytes.fromhex(node) for node in extra["path"]]
    )
    record = EventBatch(
        post=post_id(event.reporter),
        agreement=bytes.fromhex(event.agreement) if event.agreement else ZERO32,
        count=extra["count"],
        root=root,
        nonce=int(extra["nonce"]),
        deadline=extra["deadline"],
    )
    signed = signing_digest(domain_of(services.deployment, EventBatch), record)
    return recover(signed, bytes.fromhex(extra["signature"])).hex() == str(extra["signer"])
