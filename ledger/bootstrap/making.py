"""Making a home: anew with its keys, chain, contracts and log, or from a backup."""

from __future__ import annotations

import json
import secrets
import shutil
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from ledger.bootstrap.engines import EMBEDDED, engine_kind, network_chain_id, open_engine
from ledger.bootstrap.log_stores import choose_store
from ledger.bootstrap.logs import own_cosigner
from ledger.bootstrap.opaque import is_opaque_home
from ledger.bootstrap.opening import check_chain, open_home
from ledger.bootstrap.parts import LOG_KEY, LazyNoteSigner, open_keyring
from ledger.chain.deploy import deploy_contracts
from ledger.chain.engine import CHAIN_ID_MAX, CHAIN_ID_MIN
from ledger.domain.errors import ConflictError, InvalidInputError, NotFoundError
from ledger.home import Home, HomeLock, copy_durably, sync_folder, write_json
from ledger.log.note import Ed25519Verifier, is_key_name
from ledger.log.storage import FolderLog
from ledger.service.deployment import Deployment
from ledger.service.keys import SYSTEM_KEYS
from ledger.service.older_copy import LogRewrittenError, RestoredOlderCopyError
from ledger.service.services import no_progress
from ledger.service.upkeep import BACKUP_RECORD
from ledger.store.vault import SQLiteVault

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ledger.settings import Settings
    from ledger.signing.keystore import FileKeyring


def init_home(
    settings: Settings,
    *,
    origin: str = "",
    demonstration: bool = False,
    progress: Callable[[str, int, int], None] = no_progress,
) -> dict[str, Any]:
    """Make a home: keys, chain, contracts, log; its record is written last.

    What was drawn at random is written first, so that a run after a crash goes on where the last one ended.

    Raises:
        ConflictError: There is a finished home, or a plain log's.
        InvalidInputError: No passphrase, or another origin than that of the unfinished run.
        UnavailableError: The engine cannot start, or the home is in use.
    """
    home = Home(settings.home)
    if is_opaque_home(home.path):
        raise ConflictError("home", "it is a plain log's; a ledger needs a home of its own", path=str(home.path))
    home.make()
    with ExitStack() as opened:
        opened.callback(HomeLock(home).release)
        if home.config.exists():
            raise ConflictError("home", "it exists already", path=str(home.path))
        keyring = open_keyring(settings, home)
        progress("keys", 0, len(SYSTEM_KEYS) + 1)
        for done, name in enumerate(SYSTEM_KEYS, 1):
            if name not in keyring.names():
                keyring.create(name)
            progress("keys", done, len(SYSTEM_KEYS) + 1)
        plan = _plan(settings, home, keyring, origin, demonstration=demonstration)
        try:
            log_key = keyring.log_key(LOG_KEY)
        except NotFoundError:
            log_key = keyring.create_log_key(LOG_KEY)
        verifier = Ed25519Verifier(plan["origin"], log_key.public_key)
        chain = open_engine(settings, home, plan, keyring).chain
        opened.callback(chain.close)
        contracts = deploy_contracts(home, chain, keyring, progress)
        deployment = Deployment(
            chain_id=plan["chain_id"],
            genesis_hash=chain.block(0).ref.hash,
            contracts=contracts,
            validators=(keyring.address("sealer"),),
            log_origin=plan["origin"],
            log_vkey=verifier.vkey,
            demonstration=plan["demonstration"],
        )
        check_chain(chain, deployment)
        log = FolderLog.open(
            home.log,
            signer=LazyNoteSigner(keyring, deployment.log_vkey),
            origin=deployment.log_origin,
            cosigners=[own_cosigner(keyring, deployment.log_vkey)],
        )
        log.publish_checkpoint()
        log.close()
        SQLiteVault(home.vault).close()
        choose_store(settings, home)
        write_json(
            home.config, {**deployment.to_json(), "engine": plan["engine"], "genesis_time": plan["genesis_time"]}
        )
        home.init_plan.unlink()
    return {
        "home": str(home.path),
        "chain_id": deployment.chain_id,
        "log_origin": deployment.log_origin,
        "log_vkey": deployment.log_vkey,
        "demonstration": deployment.demonstration,
        "contracts": {name: "0x" + contract.address.hex() for name, contract in sorted(contracts.items())},
    }


def restore_home(
    settings: Settings, folder: Path, *, progress: Callable[[str, int, int], None] = no_progress
) -> dict[str, Any]:
    """Make a home from a backup, open it once to see that its stores agree, and make its index.

    Raises:
        InvalidInputError: The folder is no finished backup, or holds something else than plain files and folders.
        ConflictError: The home exists.
        IntegrityError: The backup's stores disagree.
    """
    home = Home(settings.home)
    record = folder / BACKUP_RECORD
    if not record.is_file():
        raise InvalidInputError("folder", str(folder), "a folder made by `quanze backup`")
    if home.path.exists() and any(home.path.iterdir()):
        raise ConflictError("home", "it exists already", path=str(home.path))
    # Copied and opened beside, and renamed last, so that neither a torn copy nor a bad one ever looks like a home.
    home.path.parent.mkdir(parents=True, exist_ok=True)
    beside = Home(home.path.with_name(f".{home.path.name}.restoring"))
    shutil.rmtree(beside.path, ignore_errors=True)  # What a killed run left.
    try:
        copy_durably(folder, beside.path)
        (beside.path / BACKUP_RECORD).unlink()
        beside.make()
        opening = settings.model_copy(update={"home": beside.path})
        try:
            services = open_home(opening, progress)
        except (RestoredOlderCopyError, LogRewrittenError):  # It may be restored and read, and is not to be written.
            services = open_home(opening.model_copy(update={"read_only": True}), progress)
        try:
            services.dispatch("rebuild", {}, progress)
            found = {
                "home": str(home.path),
                "block": services.state.final.number,
                "log_size": services.log.size(),
                "older_copy": services.older_copy,
            }
        finally:
            services.close()
        if home.path.exists():
            home.path.rmdir()
        beside.path.rename(home.path)
    except BaseException:  # Also when interrupted: no half-restored home stays beside. Raised again.
        shutil.rmtree(beside.path, ignore_errors=True)
        raise
    sync_folder(home.path.parent)
    return found


def _plan(settings: Settings, home: Home, keyring: FileKeyring, origin: str, *, demonstration: bool) -> dict[str, Any]:
    """Return what this home is to be: drawn now, or as an unfinished run drew it."""
    if home.init_plan.exists():
        plan: dict[str, Any] = json.loads(home.init_plan.read_bytes())
        if origin and origin != plan["origin"]:
            raise InvalidInputError("origin", origin, f"{plan['origin']}, as the unfinished run began")
        return plan
    engine = engine_kind(settings)
    if engine == EMBEDDED:
        chain_id = CHAIN_ID_MIN + secrets.randbelow(CHAIN_ID_MAX - CHAIN_ID_MIN)
    else:
        chain_id = network_chain_id(settings, keyring)
    plan = {
        "engine": engine,
        "chain_id": chain_id,
        "genesis_time": int(time.time()),
        "origin": origin or f"quanze.invalid/{chain_id}",
        "demonstration": demonstration,
    }
    if not is_key_name(plan["origin"]):
        raise InvalidInputError("origin", origin, "text without white space and plus signs")
    write_json(home.init_plan, plan)
    return plan
