"""``fsck``: recompute everything from its source and name the first entry of each store that differs.

The stores check their own bytes (``Services.store_checks``: chain replay, log, vault, index). Here are the
checks between them: every anchor has the log's root and its checkpoint's note; every commitment on chain has its
opening, readable by whom its record says; every leaf has its document, every document its leaf's commitment, every
event its place, its reporter's right and signature and the verdict that the chain gives again.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from ledger.domain.codes import Tier
from ledger.domain.commitment import recommit
from ledger.domain.errors import LedgerError
from ledger.domain.event_v1 import NO_HASH, digest
from ledger.domain.history import known_by_block
from ledger.domain.identifiers import parse_post, post_id
from ledger.domain.key_state import Allowed, authority, fold_agency, fold_post
from ledger.domain.leaf import LeafV1, parse_leaf, stream_id
from ledger.domain.records import EventBatch
from ledger.domain.reporting import MAY_REPORT, standing
from ledger.domain.scalars import ZERO32
from ledger.domain.typed_data import digest as signing_digest
from ledger.log.checkpoint import parse_checkpoint
from ledger.log.note import parse_note
from ledger.log.proofs import root_from_inclusion
from ledger.service.anchoring import note_of
from ledger.service.asking_proof import rebind
from ledger.service.block_view import RESPONSIBILITIES
from ledger.service.event_documents import KIND, binding_of, documents_from, event_of
from ledger.service.log_keys import check_log_keys, retired_key_defects
from ledger.service.openings import check_openings
from ledger.service.registry_views import REGISTRY
from ledger.service.requests import Request
from ledger.service.signatures import recover
from ledger.service.submission import domain_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ledger.domain.event_v1 import EventV1
    from ledger.service.ports import BlockRef, VaultDocument
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
    resume: Callable[[Callable[[str, int, int], None]], tuple[int, list[Defect]]] | None = None
    """Like ``run``, but leaves out what an earlier one knew and what did not change since."""


class Fsck(Request, frozen=True, kw_only=True):
    """Arguments of ``fsck``."""

    log_only: bool = False
    """Check the log's entries, tiles and checkpoint, and nothing else."""
    resume: bool = False
    """Do not read again the log's spans that an earlier check read and whose files did not change since."""


def fsck(services: Services, request: Fsck, progress: Callable[[str, int, int], None]) -> dict[str, Any]:
    """Check every store and what binds them together, or the log alone."""
    services.state.refresh()
    checks: list[dict[str, Any]] = []
    defects: list[Defect] = []
    between = (
        StoreCheck("anchors", lambda told: _anchors(services, told)),
        StoreCheck("log-keys", lambda _told: _log_keys(services)),
    )
    for check in (*services.store_checks, *between):
        if request.log_only and check.what != "log":
            continue
        run = check.resume if request.resume and check.resume is not None else check.run
        checked, found = run(progress)
        checks.append({"what": check.what, "checked": checked, "defects": len(found)})
        defects += found
    if request.log_only:
        return _report(checks, defects, None)
    checked, missing, not_brought = check_openings(services, progress)
    found = [Defect("openings", commitment.hex(), reason) for commitment, reason in missing]
    checks.append({"what": "openings", "checked": checked, "defects": len(found)})
    defects += found
    checked, found = _entries(services, progress)
    checks.append({"what": "entries", "checked": checked, "defects": len(found)})
    defects += found
    return _report(checks, defects, not_brought)


def _report(checks: list[dict[str, Any]], defects: list[Defect], not_brought: int | None) -> dict[str, Any]:
    return {
        "checks": checks,
        "defects": [{"what": defect.what, "entry": defect.entry, "reason": defect.reason} for defect in defects],
        "not_brought": not_brought,
    }


def _anchors(services: Services, told: Callable[[str, int, int], None]) -> tuple[int, list[Defect]]:
    anchors = services.state.anchors()
    found: list[Defect] = []
    for done, anchored in enumerate(anchors, 1):
        size = anchored.event.size
        if size > services.log.size():
            found.append(Defect("anchors", str(size), "the log is shorter than this anchor"))
        elif (root := services.log.root(size)) != anchored.event.root:
            found.append(Defect("anchors", str(size), f"the log's root is {root.hex()}"))
        try:
            noted = parse_checkpoint(parse_note(note_of(services, anchored.event)).text)
        except LedgerError as error:
            found.append(Defect("anchors", str(size), error.explain()))
        else:
            if (noted.origin, noted.size, noted.root) != (services.deployment.log_origin, size, anchored.event.root):
                found.append(Defect("anchors", str(size), "its checkpoint's note is of another size or root"))
        if done % _PAGE == 0:
            told("anchors", done, len(anchors))
    return len(anchors), found


def _log_keys(services: Services) -> tuple[int, list[Defect]]:
    try:
        # A key that waits to follow is none of the log's yet: `quanze log rotate-key` goes on with it.
        check_log_keys(services.state, services.deployment, services.following_log_key())
        reasons = list(retired_key_defects(services))
    except LedgerError as error:
        reasons = [error.explain()]
    return len(services.deployment.log_vkeys), [Defect("log-keys", "", reason) for reason in reasons]


def _entries(services: Services, progress: Callable[[str, int, int], None]) -> tuple[int, list[Defect]]:
    size = services.log.size()
    streams: dict[str, _Previous] = {}
    rights = _Rights(services)
    found: list[Defect] = []
    block, accepted = 0, 0
    for first in range(0, size, _PAGE):
        leaves = [parse_leaf(data) for data in services.log.leaves(first, min(first + _PAGE, size))]
        documents = _documents(services, first, first + len(leaves))
        for index, leaf in enumerate(leaves, first):
            document = documents.get(index)
            if leaf.block < block or leaf.accepted_at_ms < accepted:
                found.append(Defect("entries", str(index), "its bound block or time goes back"))
            block, accepted = leaf.block, leaf.accepted_at_ms
            if document is None:
                found.append(Defect("entries", str(index), "its opening is missing or damaged"))
            else:
                try:
                    found += [
                        Defect("entries", str(index), reason)
                        for reason in _check_entry(services, rights, leaf, document, streams.get(leaf.stream))
                    ]
                except LedgerError as error:
                    found.append(Defect("entries", str(index), error.explain()))
            streams[leaf.stream] = _Previous(leaf, document)
        progress("entries", first + len(leaves), size)
    return size, found


def _documents(services: Services, first: int, last: int) -> dict[int, VaultDocument]:
    """Return the documents of leaves [first, last); those of a batch that cannot be read are left out."""
    found: dict[int, VaultDocument] = {}
    while first < last:
        try:
            for index, document in documents_from(services, first, last):
                found[index] = document
                first = index + 1
        except LedgerError:
            first += 1
    return found


def _check_entry(
    services: Services, rights: _Rights, leaf: LeafV1, document: VaultDocument, previous: _Previous | None
) -> Iterator[str]:
    groups: Any = document.groups
    if recommit(groups).root.hex() != leaf.commitment:
        yield "its groups do not hash to its commitment"
    event, binding = event_of(document), binding_of(document)
    if (document.kind, document.tier) != (KIND, Tier.PARTIES):
        yield f"its opening is kept as {document.kind}, {document.tier}, and {KIND}, {Tier.PARTIES} for every event"
    expected = previous.leaf.hash().hex() if previous is not None else NO_HASH
    if leaf.prev != expected or leaf.seq != (previous.leaf.seq + 1 if previous is not None else 0):
        yield "it does not follow the leaf before it in its stream"
    if (before := previous.event_hash() if previous is not None else NO_HASH) and event.prev_hash != before:
        yield "its event does not follow the reporter's event before it"
    if event.reporter_seq != leaf.seq:
        yield "its reporter's number is not the leaf's"
    salt = str(document.extra["stream_salt"])
    if stream_id(salt, reporter=event.reporter, agreement=event.agreement) != leaf.stream:
        yield "its stream is not its reporter's and agreement's"
    if (binding.block, binding.block_hash.hex()) != (leaf.block, leaf.block_hash):
        yield "it is bound at another block than its leaf says"
    elif rights.block(leaf.block).hash.hex() != leaf.block_hash:
        yield "the chain has another block under its bound number"
    if rebind(services, event, binding) != binding:
        yield "its verdict, recomputed, is another"
    if not _is_signed(services, event, document):
        yield "its batch's signature is not the stated signer's"
    elif denied := rights.denied(event.reporter, bytes.fromhex(str(document.extra["signer"])), leaf.block):
        yield f"its signer might not report for the post at the bound block: {denied}"
    elif not rights.has_standing(event, leaf.block):
        yield "its reporter tells another agency's side, and nobody entrusted it at the bound block"


@dataclass(frozen=True, slots=True)
class _Previous:
    """The entry before another in its stream."""

    leaf: LeafV1
    document: VaultDocument | None

    def event_hash(self) -> str:
        """Return the digest of its event, empty where it cannot be told."""
        try:
            return digest(event_of(self.document)).hex() if self.document is not None else ""
        except LedgerError:
            return ""


class _Rights:
    """Who might report at which block, each asked once."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._known: dict[tuple[str, bytes, int], str] = {}
        self._block: BlockRef | None = None

    def block(self, number: int) -> BlockRef:
        """Return a block's place; entries that follow each other are mostly bound at the same."""
        if self._block is None or self._block.number != number:
            self._block = self._services.chain.block(number).ref
        return self._block

    def denied(self, reporter: str, signer: bytes, block: int) -> str:
        """Return why a key might not report for a post at a block, empty where it might."""
        asked = (reporter, signer, block)
        if asked not in self._known:
            self._known[asked] = self._ask(*asked)
        return self._known[asked]

    def has_standing(self, event: EventV1, block: int) -> bool:
        """Say whether a post might report an event's side at a block."""
        read = partial(self._services.state.history, RESPONSIBILITIES)
        time = self.block(block).timestamp
        return standing(event, parse_post(event.reporter), read, block=block, time=time) is not None

    def _ask(self, reporter: str, signer: bytes, block: int) -> str:
        ref, state = parse_post(reporter), self._services.state
        post = fold_post(known_by_block(state.history(REGISTRY, ref.id), block))
        agency = fold_agency(known_by_block(state.history(REGISTRY, ref.agency.id), block))
        if post is None or agency is None:
            return "the post is not known"
        time = self.block(block).timestamp
        allowed = authority(post, agency, key=signer, any_of=MAY_REPORT, time=time)
        return "" if isinstance(allowed, Allowed) else allowed.reason


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
