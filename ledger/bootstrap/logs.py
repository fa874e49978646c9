"""The log of a home: opened with its keys, and with the witnesses that its policy names."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

import msgspec

from ledger.bootstrap.parts import LOG_KEY, LazyNoteSigner, log_key_name
from ledger.domain.errors import IntegrityError, InvalidInputError, NotFoundError, UnavailableError
from ledger.home import read_record, write_record
from ledger.log.checkpoint import parse_checkpoint
from ledger.log.cosignature import Cosigner
from ledger.log.endorsing import NO_WITNESSES
from ledger.log.note import Ed25519Verifier, parse_note
from ledger.log.policy import parse_policy
from ledger.log.storage import FolderLog
from ledger.log.storage.edge import tile_root
from ledger.log.storage.high_water import HighWater
from ledger.native.library import library
from ledger.native.tiles import NativeTiles
from ledger.service.witnesses import WitnessEra
from ledger.witnessing.client import Witnesses

if TYPE_CHECKING:
    from ledger.home import Home
    from ledger.log.policy import Policy
    from ledger.log.ports import Endorser, Fetcher, NoteSigner
    from ledger.service.deployment import Deployment
    from ledger.settings import Settings
    from ledger.signing.keystore import FileKeyring


def open_log(
    settings: Settings, home: Home, deployment: Deployment, keyring: FileKeyring, archive: Fetcher | None = None
) -> tuple[FolderLog, Witnesses | None, tuple[WitnessEra, ...]]:
    """Open a home's log, and what asks its witnesses, if it has a policy; and who had to cosign from which size on.

    While its key is being replaced, both keys sign, and each gives its timestamped cosignature.

    Raises:
        InvalidInputError: The policy's file cannot be read, is no policy, or is another log's.
        UnavailableError: Another process owns the log.
        IntegrityError: The log's files disagree.
    """
    signer, *cosigners = log_signers(keyring, deployment)
    witnesses = open_witnesses(settings, deployment)
    compiled = library()
    with contextlib.ExitStack() as opened:
        if witnesses is not None:
            opened.callback(witnesses.close)
        log = FolderLog.open(
            home.log,
            signer=signer,
            origin=deployment.log_origin,
            cosigners=cosigners,
            former=[Ed25519Verifier.from_vkey(key.vkey) for key in deployment.log_former],
            endorser=_endorser(settings, witnesses),
            archive=archive,
            root_of=tile_root if compiled is None else NativeTiles(compiled).tile_root,
        )
        opened.callback(log.close)
        published = parse_checkpoint(parse_note(log.checkpoint()).text).size
        eras = settle_eras(home, None if witnesses is None else witnesses.policy, published)
        opened.pop_all()
    return log, witnesses, eras


def _endorser(settings: Settings, witnesses: Witnesses | None) -> Endorser:
    endorser: Endorser = NO_WITNESSES if witnesses is None else witnesses
    return endorser if settings.high_water_file is None else HighWater(settings.high_water_file, endorser)


def settle_eras(home: Home, policy: Policy | None, published: int) -> tuple[WitnessEra, ...]:
    """Return who had to cosign from which size on; a policy other than the last counts from the next size on.

    Nothing is published between the opening of the log and this record, so that each checkpoint of an era meets its
    policy.

    Raises:
        IntegrityError: The record is damaged.
    """
    eras = _read_eras(home)
    last = eras[-1] if eras else WitnessEra(0, (), 0)
    keys = () if policy is None else tuple(witness.key.vkey for witness in policy.counted())
    threshold = 0 if policy is None else policy.fewest()
    if (last.keys, last.threshold) == (keys, threshold):
        return eras
    era = WitnessEra(published + 1, keys, threshold)
    eras = (*(kept for kept in eras if kept.since < era.since), era)
    write_record(
        home.witnesses,
        {"eras": [{"since": one.since, "keys": [*one.keys], "threshold": one.threshold} for one in eras]},
    )
    return eras


def _read_eras(home: Home) -> tuple[WitnessEra, ...]:
    try:
        return msgspec.convert(read_record(home.witnesses, "witnesses")["eras"], tuple[WitnessEra, ...])
    except FileNotFoundError:
        return ()
    except (msgspec.ValidationError, KeyError) as error:
        raise IntegrityError(
            "witnesses", "the record of the log's policies is damaged", file=home.witnesses.name
        ) from error


def log_signers(keyring: FileKeyring, deployment: Deployment) -> list[NoteSigner]:
    """Return what signs the log's checkpoints: its key and that key's cosigner, then the one before if it still does.

    None is unlocked before it signs.
    """
    vkeys = deployment.log_vkeys
    signing = [len(vkeys) - 1]
    if deployment.log_former and deployment.log_former[-1].still_signs:
        signing.append(len(vkeys) - 2)
    signers: list[NoteSigner] = []
    for place in signing:
        name = log_key_name(place)
        signers += [LazyNoteSigner(keyring, vkeys[place], name), own_cosigner(keyring, vkeys[place], name)]
    return signers


def following_key(keyring: FileKeyring, deployment: Deployment) -> str | None:
    """Return the vkey that waits in the keyring to follow the log's present one; None where there is none.

    Raises:
        InvalidInputError: Its file is no log key's.
    """
    try:
        public = keyring.log_public_key(log_key_name(len(deployment.log_vkeys)))
    except NotFoundError:
        return None
    return Ed25519Verifier(deployment.log_origin, public).vkey


def sign_anew(log: FolderLog, deployment: Deployment) -> None:
    """Let the log's present keys sign what it shows where one of them has not yet: an overlap begins.

    Witnesses that do not answer are asked again at the next checkpoint, which both keys sign.
    """
    if deployment.log_former and deployment.log_former[-1].still_signs:
        with contextlib.suppress(UnavailableError):
            log.publish_checkpoint()


def own_cosigner(keyring: FileKeyring, vkey: str, key_name: str = LOG_KEY) -> Cosigner:
    """Return what cosigns our own checkpoints with a key of the log, unlocked when it first signs."""
    key = Ed25519Verifier.from_vkey(vkey)
    return Cosigner(
        key.name, key.public_key, lambda message: keyring.log_key(key_name).sign(message), lambda: int(time.time())
    )


def open_witnesses(settings: Settings, deployment: Deployment) -> Witnesses | None:
    """Return what asks the witnesses of the policy in ``QUANZE_WITNESSES``; None without one.

    Raises:
        InvalidInputError: The file cannot be read, is no policy, or names logs but not this one.
    """
    if settings.witnesses is None:
        return None
    try:
        policy = parse_policy(settings.witnesses.read_bytes())
    except OSError as error:
        raise InvalidInputError(
            "QUANZE_WITNESSES", str(settings.witnesses), "a policy file that can be read"
        ) from error
    _check_names(policy, deployment)
    return Witnesses(policy, timeout_s=settings.witness_timeout_ms / 1000)


def _check_names(policy: Policy, deployment: Deployment) -> None:
    """Return if the policy is of this log: it names no log, or this one among others."""
    named = [log.key.vkey for log in policy.logs]
    if named and not set(named).intersection(deployment.log_vkeys):
        raise InvalidInputError("QUANZE_WITNESSES", named[0], f"a policy of the log {deployment.log_vkey}")
    own = {Ed25519Verifier.from_vkey(vkey).public_key for vkey in deployment.log_vkeys}
    for witness in policy.witnesses:
        if witness.key.public_key in own:
            raise InvalidInputError("QUANZE_WITNESSES", witness.name, "witnesses with keys of their own, not the log's")
