"""The log of a home: opened with its keys, and with the witnesses that its policy names."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec

from ledger.bootstrap.parts import LOG_KEY, LazyNoteSigner
from ledger.domain.errors import IntegrityError, InvalidInputError
from ledger.home import write_json
from ledger.log.checkpoint import parse_checkpoint
from ledger.log.cosignature import Cosigner
from ledger.log.endorsing import NO_WITNESSES
from ledger.log.note import Ed25519Verifier, parse_note
from ledger.log.policy import parse_policy
from ledger.log.storage import FolderLog
from ledger.log.storage.high_water import HighWater
from ledger.service.witnesses import WitnessEra
from ledger.witnessing.client import Witnesses

if TYPE_CHECKING:
    from ledger.home import Home
    from ledger.log.policy import Policy
    from ledger.log.ports import Endorser, Fetcher
    from ledger.service.deployment import Deployment
    from ledger.settings import Settings
    from ledger.signing.keystore import FileKeyring


def open_log(
    settings: Settings, home: Home, deployment: Deployment, keyring: FileKeyring, archive: Fetcher | None = None
) -> tuple[FolderLog, Witnesses | None, tuple[WitnessEra, ...]]:
    """Open a home's log, and what asks its witnesses, if it has a policy; and who had to cosign from which size on.

    Raises:
        InvalidInputError: The policy's file cannot be read, is no policy, or is another log's.
        UnavailableError: Another process owns the log.
        IntegrityError: The log's files disagree.
    """
    witnesses = open_witnesses(settings, deployment)
    try:
        log = FolderLog.open(
            home.log,
            signer=LazyNoteSigner(keyring, deployment.log_vkey),
            origin=deployment.log_origin,
            cosigners=[own_cosigner(keyring, deployment.log_vkey)],
            endorser=_endorser(settings, witnesses),
            archive=archive,
        )
    except BaseException:
        if witnesses is not None:
            witnesses.close()
        raise
    published = parse_checkpoint(parse_note(log.checkpoint()).text).size
    return log, witnesses, settle_eras(home, None if witnesses is None else witnesses.policy, published)


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
    write_json(
        home.witnesses,
        {"eras": [{"since": one.since, "keys": one.keys, "threshold": one.threshold} for one in eras]},
    )
    return eras


def _read_eras(home: Home) -> tuple[WitnessEra, ...]:
    try:
        told = msgspec.json.decode(home.witnesses.read_bytes(), type=dict[str, list[WitnessEra]])
        return tuple(told["eras"])
    except FileNotFoundError:
        return ()
    except (msgspec.DecodeError, KeyError) as error:
        raise IntegrityError(
            "witnesses", "the record of the log's policies is damaged", file=str(home.witnesses)
        ) from error


def own_cosigner(keyring: FileKeyring, vkey: str) -> Cosigner:
    """Return what cosigns our own checkpoints with the log's key, unlocked when it first signs."""
    key = Ed25519Verifier.from_vkey(vkey)
    return Cosigner(
        key.name, key.public_key, lambda message: keyring.log_key(LOG_KEY).sign(message), lambda: int(time.time())
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
    if named and deployment.log_vkey not in named:
        raise InvalidInputError("QUANZE_WITNESSES", named[0], f"a policy of the log {deployment.log_vkey}")
    own = Ed25519Verifier.from_vkey(deployment.log_vkey).public_key
    for witness in policy.witnesses:
        if witness.key.public_key == own:
            raise InvalidInputError("QUANZE_WITNESSES", witness.name, "witnesses with keys of their own, not the log's")
