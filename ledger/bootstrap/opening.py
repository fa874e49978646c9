"""Opening a home: every store, the checks between them, and the services over them."""

from __future__ import annotations

import shutil
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from ledger.bootstrap.engines import open_engine
from ledger.bootstrap.indexes import index_check, open_index
from ledger.bootstrap.log_stores import open_published
from ledger.bootstrap.logs import following_key, open_log, sign_anew
from ledger.bootstrap.older_copies import check_outside
from ledger.bootstrap.parts import SystemClock, open_keyring, open_outbox
from ledger.bootstrap.reader_process import ReaderProcesses, leaf_maker
from ledger.bootstrap.stored_values import value_checks
from ledger.chain.outbox_store import OutboxStore
from ledger.domain.errors import IntegrityError
from ledger.domain.keccak import keccak256
from ledger.home import Home, HomeLock
from ledger.home_guard import check_home
from ledger.log.note import Ed25519Verifier
from ledger.log.storage import FolderFetcher, check_folder, resume_check
from ledger.log.storage.copying import copy_full, hold
from ledger.log.storage.layered import LayeredFetcher
from ledger.log.storage.published import OWN_FOLDER
from ledger.service.anchoring import resume_frontiers
from ledger.service.deployment import CONTRACT_NAMES, Deployment
from ledger.service.directory import Directory
from ledger.service.evidence_files import make_trust_root
from ledger.service.fsck import Defect, StoreCheck
from ledger.service.intake import Intake
from ledger.service.ledger_state import LedgerState
from ledger.service.log_keys import check_log_keys
from ledger.service.older_copy import LogRewrittenError, RestoredOlderCopyError
from ledger.service.read_only import read_only_log, read_only_outbox
from ledger.service.services import Services, no_progress
from ledger.service.upkeep import StoreCopy, held_size
from ledger.service.verbs import VERBS
from ledger.store.event_store import FileEventStore
from ledger.store.key_index import KeyIndex
from ledger.store.vault import SQLiteVault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from ledger.log.client import Progress
    from ledger.log.storage.published import Published
    from ledger.service.ports import Chain
    from ledger.settings import Settings


def open_home(settings: Settings, progress: Callable[[str, int, int], None] = no_progress) -> Services:
    """Open every store of a home for this process alone.

    Raises:
        InvalidInputError: There is no finished home.
        UnavailableError: Another process has it, it cannot be written, or the engine cannot start.
        IntegrityError: The stores disagree, or it is an older copy of a home that went on (then it may still be read).
    """
    home = Home(settings.home)
    config = home.read_config()
    deployment = _deployment_of(config)
    with ExitStack() as opened:
        check_home(home)
        opened.callback(HomeLock(home).release)
        keyring = open_keyring(settings, home)
        with _naming("chain"):
            engine = open_engine(settings, home, config, keyring)
        chain = engine.chain
        opened.callback(chain.close)
        outbox_store = OutboxStore(home.outbox)
        outbox = open_outbox(outbox_store, chain, keyring, deployment)
        opened.callback(outbox.close)
        vault = SQLiteVault(home.vault)
        opened.callback(vault.close)
        with _naming("log"):
            files = LayeredFetcher(FolderFetcher(home.log))
            log, witnesses, witness_eras = open_log(settings, home, deployment, keyring, files)
        opened.callback(log.close)
        log_keys = [Ed25519Verifier.from_vkey(vkey) for vkey in reversed(deployment.log_vkeys)]
        published = open_published(settings, home, log, files, log_keys)
        if witnesses is not None:
            opened.callback(witnesses.close)
        check_chain(chain, deployment)
        if not settings.read_only:
            outbox.reopen_lost()
            outbox.pump()
        state = LedgerState(chain, deployment)
        state.refresh()
        older = ""
        try:
            # Before anything is cut off that a longer log would need.
            check_outside(settings, deployment, log, witnesses, published, state)
        except (RestoredOlderCopyError, LogRewrittenError) as error:
            if not settings.read_only:
                raise
            older = error.explain()
        else:
            check_log_keys(state, deployment, following_key(keyring, deployment))
        events = FileEventStore.open(home.events, size=log.size(), read_only=settings.read_only)
        opened.callback(events.close)
        told = KeyIndex(home.told)
        opened.callback(told.close)
        intake = Intake(told)
        intake.load(log, events, progress)
        check_bound(chain, state, intake)
        index, indexing = open_index(home, chain, deployment, log, events, engine.index_reach(state))
        opened.callback(index.close)
        opened.callback(indexing.close)
        indexing.catch_up_if_near(progress)
        services = Services(
            home=home,
            settings=settings,
            deployment=deployment,
            chain=chain,
            log=log,
            tiles=files,
            published=published,
            vault=vault,
            events=events,
            outbox=outbox,
            keyring=keyring,
            clock=SystemClock(),
            state=state,
            directory=Directory(vault),
            intake=intake,
            index=index,
            indexing=indexing,
            verbs=VERBS,
            witnesses=witnesses,
            witness_eras=witness_eras,
            following_log_key=lambda: following_key(keyring, deployment),
            store_checks=(
                engine.check,
                *_checks(home, vault, events, published, deployment),
                index_check(home, chain, deployment, log, events, index),
                *value_checks(
                    settings, home, deployment, chain, index, lambda: make_trust_root(deployment, state, witness_eras)
                ),
            ),
            store_copies=_copies(home, engine.copies, outbox_store, vault, events),
        )
        services.older_copy = older
        if settings.read_only:
            services.log, services.outbox = read_only_log(log), read_only_outbox(outbox)
        else:
            sign_anew(log, deployment)
            services.rpc = engine.gateway(services)
            if settings.batch_readers:
                services.leaf_maker = leaf_maker()
                services.reader = readers = ReaderProcesses(settings.batch_readers)
                opened.callback(readers.close)
        resume_frontiers(services)
        services.closers.append(opened.pop_all().close)
    return services


def _deployment_of(config: Mapping[str, Any]) -> Deployment:
    """Return the deployment in a home's record. Raises IntegrityError where a member is missing or no such value."""
    try:
        deployment = Deployment.from_json(config)
        if set(deployment.contracts) != set(CONTRACT_NAMES):
            raise ValueError("its contracts have other names")
        for name, value in deployment.to_json().items():
            if name in config and config[name] != value:  # As hexadecimal digits in capitals, which mean the same.
                raise ValueError(f"{name} is not as it was written")
        return deployment
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        reason = f"a member is missing or has no such value: {error}"
        raise IntegrityError("config", reason, file="config.json") from error


@contextmanager
def _naming(store: str) -> Iterator[None]:
    """Let what a store finds wrong in itself name the store first, and the part of it after the reason."""
    try:
        yield
    except IntegrityError as error:
        found = {name: value for name, value in error.fields.items() if name not in {"what", "reason"}}
        if error.what != store and not found.keys() & {"block", "file"}:
            found["part"] = error.what
        raise IntegrityError(store, error.reason, **found) from error


def check_chain(chain: Chain, deployment: Deployment) -> None:
    """Check that the chain is the deployment's.

    Raises:
        IntegrityError: Another chain id, genesis or contract code.
    """
    if chain.chain_id() != deployment.chain_id:
        raise IntegrityError("chain", "another chain id", chain=chain.chain_id(), deployment=deployment.chain_id)
    if (genesis := chain.block(0).ref.hash) != deployment.genesis_hash:
        raise IntegrityError("chain", "another genesis block", chain=genesis, deployment=deployment.genesis_hash)
    for name, contract in deployment.contracts.items():
        if (found := keccak256(chain.code(contract.address))) != contract.code_hash:
            raise IntegrityError("chain", f"other code at {name}", found=found, deployment=contract.code_hash)


def check_bound(chain: Chain, state: LedgerState, intake: Intake) -> None:
    """Check that the chain has the highest block that an event was bound at.

    Raises:
        IntegrityError: It has not, or another one.
    """
    if intake.size:
        if state.final.number < intake.last_block:
            raise IntegrityError(
                "chain", "its tip is below the highest bound block", tip=state.final.number, bound=intake.last_block
            )
        if chain.block(intake.last_block).ref.hash != intake.last_block_hash:
            raise IntegrityError("chain", "the bound block has another hash", block=intake.last_block)


def _copies(
    home: Home, chain: tuple[StoreCopy, ...], outbox_store: OutboxStore, vault: SQLiteVault, events: FileEventStore
) -> tuple[StoreCopy, ...]:
    """Return how each store is copied, in an order in which no copy lacks what another relies on.

    Writes are relayed meanwhile. What the outbox calls done, the chain's copy has; what the chain's copy has, the vault
    can open and the keys can sign.
    """
    return (
        StoreCopy("config", lambda folder: _copy_files(home, folder)),
        StoreCopy(
            "log",
            lambda folder: copy_full(
                home.log, folder / home.log.name, held_size(folder), is_elsewhere=home.log_store.exists()
            ),
            hold=lambda folder: hold(home.log, folder / home.log.name),
        ),
        StoreCopy("events", lambda folder: events.backup(folder / home.events.name, size=held_size(folder))),
        StoreCopy("outbox", lambda folder: outbox_store.backup(folder / home.outbox.name)),
        *chain,
        StoreCopy("vault", lambda folder: vault.backup(folder / home.vault.name)),
        StoreCopy("keys", lambda folder: _copy_tree(home.keys, folder / home.keys.name)),
    )


def _copy_files(home: Home, folder: Path) -> None:
    shutil.copy2(home.config, folder / home.config.name)
    for record in (home.log_store, home.witnesses):
        if record.exists():
            shutil.copy2(record, folder / record.name)
    _copy_tree(home.receipts, folder / home.receipts.name)


def _copy_tree(source: Path, target: Path) -> None:
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("lock", "*.tmp", ".*.partial"))


def _checks(
    home: Home, vault: SQLiteVault, events: FileEventStore, published: Published, deployment: Deployment
) -> tuple[StoreCheck, ...]:
    """Return each store's own check."""
    vkey, former = deployment.log_vkey, [key.vkey for key in deployment.log_former]

    def check_tree(told: Callable[[str, int, int], None]) -> tuple[int, list[Defect]]:
        return followed(
            check_folder(home.log, vkey, former) if published.address == OWN_FOLDER else published.check(), told
        )

    def resume_tree(told: Callable[[str, int, int], None]) -> tuple[int, list[Defect]]:
        return followed(resume_check(home.log, vkey, home.log_check, former), told)

    def followed(steps: Iterator[Progress], told: Callable[[str, int, int], None]) -> tuple[int, list[Defect]]:
        seen = 0
        try:
            for step in steps:
                seen = step.entries
                told("log", seen, step.size)
        except IntegrityError as error:
            return seen, [Defect("log", str(error.fields.get("entry", error.fields.get("file", ""))), error.explain())]
        return seen, []

    def check_vault(_told: Callable[[str, int, int], None]) -> tuple[int, list[Defect]]:
        return vault.count(), [Defect("vault", found.commitment.hex(), found.reason) for found in vault.defects()]

    def check_events(_told: Callable[[str, int, int], None]) -> tuple[int, list[Defect]]:
        return events.end(), [Defect("events", file, reason) for file, reason in events.defects()]

    return (
        StoreCheck("log", check_tree, resume_tree if published.address == OWN_FOLDER else None),
        StoreCheck("events", check_events),
        StoreCheck("vault", check_vault),
    )
