"""Checks of the values that no store's own check reads again: what is written beside what it follows from.

Each value kept for speed or order is derived again from what it was derived from: a transaction's columns from its raw
bytes, a receipt's from the receipts before it, an intent of the outbox from its transaction, a key's file from its
secret. So no stored value may change without ``quanze fsck`` telling (`python -m scripts.tamper_drill` tries).
"""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

import msgspec

from ledger.bootstrap.parts import open_keyring
from ledger.chain.engine.transaction import parse
from ledger.chain.raw_transaction import created_address
from ledger.domain.block import decode_receipt
from ledger.domain.errors import LedgerError, VerificationError
from ledger.domain.keccak import keccak256
from ledger.domain.typed_data import digest
from ledger.evidence.calls import decode_call
from ledger.evidence.entry_steps import check_note
from ledger.log.checkpoint import parse_checkpoint
from ledger.log.note import parse_note
from ledger.log.tiles import CHECKPOINT_PATH
from ledger.service.fsck import Defect, StoreCheck
from ledger.service.ports import ChainReceipt
from ledger.service.submission import domain_of
from ledger.signing.envelope import Envelope
from ledger.signing.keystore import LOG_KEY_FORMAT, derived_id
from ledger.store.database import HEAD
from ledger.store.key_index import KeyIndex

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ledger.chain.engine.transaction import Transaction
    from ledger.evidence.trust_root import TrustRoot
    from ledger.home import Home
    from ledger.service.deployment import Deployment
    from ledger.service.ports import Chain
    from ledger.settings import Settings
    from ledger.store.sql_index import SQLIndex

    Told = Callable[[str, int, int], None]

_ROLES: Final = ("relayer", "registrar", "operator")
_META: Final = {"block_gas_limit", "chain_id", "genesis_time"}
_KEY_MEMBERS: Final = {".json": {"address", "crypto", "id", "version"}, ".ed25519": {"crypto", "format", "public_key"}}


def value_checks(
    settings: Settings,
    home: Home,
    deployment: Deployment,
    chain: Chain,
    index: SQLIndex,
    root: Callable[[], TrustRoot],
) -> tuple[StoreCheck, ...]:
    """Return the checks of values, each with what it looks at; ``root`` gives this home's own trust root."""
    journal = home.chain / "journal.db"
    made = {
        "journal": lambda: _journal(journal),
        "contracts": lambda: _contracts(deployment, chain),
        "outbox": lambda: _outbox(home.outbox, deployment, chain),
        "keys": lambda: _keys(settings, home),
        "dedup": lambda: _dedup(home.told),
        "checkpoint": lambda: _checkpoint(home, root()),
        "numbers": lambda: _numbers(home, index, chain),
    }
    if not journal.exists():  # A home on a network keeps no blocks of its own.
        del made["journal"]
    return tuple(StoreCheck(name, _collected(name, check)) for name, check in made.items())


def _collected(name: str, check: Callable[[], Iterator[Defect | None]]) -> Callable[[Told], tuple[int, list[Defect]]]:
    def run(_told: Told) -> tuple[int, list[Defect]]:
        checked, found = 0, []
        try:
            for one in check():
                checked += one is None
                if one is not None:
                    found.append(one)
        except (
            LedgerError,
            ValueError,
            TypeError,
            KeyError,
            OSError,
            sqlite3.DatabaseError,
            msgspec.MsgspecError,
        ) as error:
            reason = error.explain() if isinstance(error, LedgerError) else f"{type(error).__name__}: {error}"
            found.append(Defect(name, "", f"a value cannot be read: {reason}"))
        return checked, found

    return run


def _contracts(deployment: Deployment, chain: Chain) -> Iterator[Defect | None]:
    """Find each contract's creation in the block that the home's record names."""
    for name, contract in deployment.contracts.items():
        made = {
            created_address(found.sender, found.nonce)
            for found in map(parse, chain.block(contract.block).transactions)
            if found.is_creation
        }
        is_there = contract.address in made
        yield None if is_there else Defect("contracts", name, f"it was not created in block {contract.block}")


def _journal(path: Path) -> Iterator[Defect | None]:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as plain:
        names = {name for (name,) in plain.execute("SELECT name FROM meta")}
        if names != _META:
            yield Defect("journal", "meta", f"its names are {', '.join(sorted(map(str, names)))}")
        queued = plain.execute("SELECT seq, hash, sender, nonce, gas, raw FROM transactions ORDER BY seq")
        for place, (number, *kept, raw) in enumerate(queued, 1):
            if number != place:  # None is ever taken out, so the numbers have no gap.
                yield Defect("journal", f"transaction {number}", f"the transaction at place {place} has another number")
                break
            found = parse(raw)
            told = [found.hash, found.sender, found.nonce, found.gas]
            yield None if kept == told else Defect("journal", f"transaction {number}", "its columns are not its bytes'")
        block, logs, gas = -1, 0, 0
        for number, position, raw, used, first, revert in plain.execute(
            "SELECT block, position, rlp, gas_used, first_log, revert FROM receipts ORDER BY block, position"
        ):
            if number != block:
                block, logs, gas = number, 0, 0
            receipt = decode_receipt(raw)
            same = (used, first) == (receipt.cumulative_gas - gas, logs) and not (revert and receipt.status)
            yield None if same else Defect("journal", f"receipt {number}/{position}", "its columns are not its bytes'")
            logs, gas = logs + len(receipt.logs), receipt.cumulative_gas
        for number, header, hashed in plain.execute("SELECT number, header, hash FROM blocks WHERE header IS NOT NULL"):
            same = keccak256(header) == hashed
            yield None if same else Defect("journal", f"block {number}", "its header has another hash")
        versions = dict(plain.execute("SELECT engine, count(*) FROM blocks GROUP BY engine").fetchall())
        usual = max(versions, key=lambda name: versions[name], default="")
        for number, engine in plain.execute("SELECT number, engine FROM blocks"):
            # A program goes on to a newer engine and makes many blocks with it: what stands once is no engine's name.
            is_odd = engine != usual and versions[engine] == 1
            yield Defect("journal", f"block {number}", f"its engine {engine!r} made no other block") if is_odd else None


def _outbox(path: Path, deployment: Deployment, chain: Chain) -> Iterator[Defect | None]:
    names = {contract.address: name for name, contract in deployment.contracts.items()}
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as plain:
        sent: dict[tuple[bytes, int], list[Transaction]] = {}
        fillers: set[bytes] = set()
        for sender, nonce, ordinal, tx_hash, raw, filler in plain.execute(
            "SELECT sender, nonce, ordinal, tx_hash, raw, filler FROM attempts ORDER BY sender, nonce, ordinal"
        ):
            found, before = parse(raw), sent.setdefault((sender, nonce), [])
            same = (found.hash, found.sender, found.nonce, len(before)) == (tx_hash, sender, nonce, ordinal)
            yield None if same else Defect("outbox", tx_hash.hex(), "the attempt's columns are not its bytes'")
            before.append(found)
            if filler is not None:
                fillers.add(found.hash)
        for key, hashed, target, data, gas, state, sender, nonce, outcome in plain.execute(
            "SELECT key, digest, target, data, gas, state, sender, nonce, outcome FROM intents"
        ):
            made = [one for one in sent.get((sender, nonce), ()) if one.hash not in fillers]
            called = all((one.to, one.data) == (target, data) for one in made)
            paid = bool(made) and gas == made[0].gas
            named = any(sha256(role.encode() + b"\x00" + target + data).digest() == hashed for role in _ROLES)
            reason = "" if made and called and paid and named else "its call is not that of what was sent"
            if not reason and not _is_key_of(key, deployment, names.get(target, ""), data):
                reason = "its key is not that of what it calls"
            if not reason and state == "DONE":
                told = msgspec.msgpack.decode(outcome or b"", type=ChainReceipt)
                held = chain.receipt(told.tx_hash)
                if held != told or told.tx_hash not in {one.hash for one in made}:
                    reason = "its receipt is not the chain's"
            if not reason and (
                (state == "PENDING") != (outcome is None) or state not in {"DONE", "PENDING", "REFUSED"}
            ):
                reason = f"its state {state} is not that of its outcome"
            yield Defect("outbox", key, reason) if reason else None
        last: dict[bytes, int] = {}
        for sender, nonce in sent:
            last[sender] = max(nonce + 1, last.get(sender, 0))
        for address, following in plain.execute("SELECT address, next_nonce FROM senders"):
            same = last.get(address) == following
            yield (
                None
                if same
                else Defect("outbox", address.hex(), f"its next nonce is {following}, not {last.get(address)}")
            )


def _is_key_of(key: str, deployment: Deployment, contract: str, data: bytes) -> bool:
    """Say whether a key that tells what was signed tells it of this call: by its digest, or by who spent which nonce.

    A key that a sender chose, or one of a call that nobody signs, tells nothing that could be compared.
    """
    name, _, told = key.partition(":")
    try:
        call = decode_call(contract, data)
    except VerificationError:
        return _is_key_of_unsigned(name, told, data)
    record, signer = call.record, call.signer.hex()
    match name:
        case "nonce":
            wanted = f"{contract}:{signer}:{getattr(record, 'nonce', 0)}"
            if not signer:  # A record that says itself whose signature it wants: the call bears no signer.
                return re.fullmatch(wanted.replace("::", ":[0-9a-f]{40}:"), told) is not None
            return told == wanted
        case "api":
            return re.fullmatch(f"{signer or '[0-9a-f]{40}'}:.+", told, re.DOTALL) is not None
        case _:
            return key == f"{type(record).__name__}:{digest(domain_of(deployment, type(record)), record).hex()}"


def _is_key_of_unsigned(name: str, told: str, data: bytes) -> bool:
    """Say whether a key of what the operator sends alone tells what it calls with; a tick's is that of any block."""
    first, second = data[4:36], data[36:68]
    match name:
        case "anchor":  # Its size and root, and a number where the chain refused it before.
            return re.fullmatch(rf"{int.from_bytes(first)}:{second.hex()}(:[1-9][0-9]*)?", told) is not None
        case "rotate-log-key":
            return told == second.hex()
        case _:
            return name == "tick" and re.fullmatch("[0-9a-f]{64}", told) is not None


def _keys(settings: Settings, home: Home) -> Iterator[Defect | None]:
    keyring = open_keyring(settings, home)  # A new one, which has opened no key yet.
    can_open = settings.passphrase is not None or settings.passphrase_file is not None
    for path in sorted(home.keys.iterdir()):
        members = _KEY_MEMBERS.get(path.suffix)
        if members is None or path.name.startswith("."):
            continue
        try:
            kept = path.read_bytes()
            document: Any = json.loads(kept)
            form = json.dumps(document, indent=2, sort_keys=True).encode() == kept
            form = (
                form
                and set(document) == members
                and Envelope.from_json(document["crypto"]).to_json() == document["crypto"]
            )
            if path.suffix == ".ed25519":
                form = form and document["format"] == LOG_KEY_FORMAT
            if path.suffix == ".json":
                form = form and (document["id"], document["version"]) == (
                    derived_id(bytes.fromhex(document["address"])),
                    3,
                )
            reason = "" if form else "its file is not in the form in which keys are written"
            if not reason and can_open:
                (keyring.signer if path.suffix == ".json" else keyring.log_key)(path.stem)
        except (LedgerError, ValueError, TypeError, KeyError) as error:
            reason = error.explain() if isinstance(error, LedgerError) else str(error)
        yield Defect("keys", path.name, reason) if reason else None


def _dedup(folder: Path) -> Iterator[Defect | None]:
    """The index of used keys is made anew where it is damaged; but what damaged it may have damaged more."""
    for _ in range(3):  # Its owner may replace it meanwhile.
        if not (folder / "manifest.json").exists() or KeyIndex(folder).load() is not None:
            yield None
            return
    yield Defect("dedup", "manifest.json", "a file is not the one that the manifest names, or the manifest was altered")


def _checkpoint(home: Home, root: TrustRoot) -> Iterator[Defect | None]:
    """Every signature on the newest checkpoint is one of ours or of a witness; readers pass over others."""
    path = home.log / CHECKPOINT_PATH
    if path.exists() and parse_checkpoint(parse_note(path.read_bytes()).text).size:
        try:
            check_note(path.read_bytes(), root)
        except VerificationError as error:
            yield Defect("log", CHECKPOINT_PATH, error.reason)
            return
    yield None


def _numbers(home: Home, index: SQLIndex, chain: Chain) -> Iterator[Defect | None]:
    """Numbers that only order rows, and what the index remembers of the chain's newest blocks."""
    with closing(sqlite3.connect(f"file:{home.vault}?mode=ro", uri=True)) as plain:
        for place, (sequence,) in enumerate(plain.execute("SELECT sequence FROM documents ORDER BY sequence"), 1):
            yield None if sequence == place else Defect("vault", str(sequence), f"document {place} has another number")
            if sequence != place:
                break
    with index.database.read() as held:
        version = held.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one()
        yield None if version == HEAD else Defect("index", "alembic_version", f"it is {version}, not {HEAD}")
        for number, block_hash, timestamp in held.exec_driver_sql("SELECT number, hash, timestamp FROM recent_blocks"):
            found = chain.block(number).ref
            same = (found.hash, found.timestamp) == (block_hash, timestamp)
            yield None if same else Defect("index", f"recent_blocks {number}", "the chain has another block there")
