"""Replacing the key of a home's log: the steps of ``ledger.service.log_keys``, each durable before the next.

A run that dies between two steps goes on at the next call, or has nothing left to do. The home is opened for this
process alone: a running ``quanze up`` holds its keys in memory, so it is stopped first and signs by both keys when it
starts again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ledger.bootstrap.logs import following_key
from ledger.bootstrap.opening import open_home
from ledger.bootstrap.parts import log_key_name, open_keyring
from ledger.domain.errors import ConflictError
from ledger.home import Home, write_json
from ledger.home_guard import HomeBusyError
from ledger.log.note import Ed25519Verifier
from ledger.log.storage.files import no_step
from ledger.service.log_keys import last_size_of_former, record_rotation

if TYPE_CHECKING:
    from ledger.log.storage.files import AtStep
    from ledger.service.deployment import Deployment
    from ledger.service.services import Services
    from ledger.settings import Settings


def rotate_log_key(settings: Settings, *, retire: bool = False, at_step: AtStep = no_step) -> dict[str, Any]:
    """Let a new key follow the log's, beside which the present one still signs; or retire the one before.

    Args:
        settings: Where the home is, and what unlocks its keys.
        retire: End the overlap: the key before counts up to the size anchored now, and signs no more.
        at_step: Called with the name of each durable step, for tests that stop there.

    Raises:
        ConflictError: The home is in use; a key still signs beside the present one, or none does.
        RefusedError: The contract refuses.
        UnavailableError: The chain does not answer, or witnesses do not; the next call goes on.
        IntegrityError: The stores disagree.
    """
    services = _open(settings)
    try:
        deployment = services.deployment
        overlaps = bool(deployment.log_former) and deployment.log_former[-1].still_signs
        if retire:
            if not overlaps:
                raise ConflictError(
                    "log key", "no key signs beside the log's; `quanze log rotate-key` begins an overlap"
                )
            changed = deployment.with_retired_log_key(last_size_of_former(services))
            at_step("everything anchored")
        else:
            if overlaps:
                raise ConflictError(
                    "log key",
                    "the key before still signs; `quanze log rotate-key --retire` ends that",
                    former=deployment.log_former[-1].vkey,
                )
            changed = deployment.with_new_log_key(_next_key(settings, services, at_step))
        _keep(services.home, changed)
        at_step("record written")
    finally:
        services.close()
    # Opened again, the log is signed by the keys that the record names now.
    services = _open(settings)
    try:
        return {
            "vkey": services.deployment.log_vkey,
            "former": [{"vkey": key.vkey, "until": key.until, "signs": key.still_signs}
                       for key in services.deployment.log_former],
            "checkpoint": services.log.checkpoint().decode(),
        }  # fmt: skip
    finally:
        services.close()


def _open(settings: Settings) -> Services:
    try:
        return open_home(settings)
    except HomeBusyError as error:
        raise ConflictError(
            "home",
            "a process has it open; stop `quanze up`, replace the key, and start it again",
            found=error.explain(),
        ) from error


def _next_key(settings: Settings, services: Services, at_step: AtStep) -> str:
    """Make the key that follows, if an earlier run did not, and record it on chain; return its vkey."""
    deployment = services.deployment
    keyring = open_keyring(settings, services.home)
    name = log_key_name(len(deployment.log_vkeys))
    if following_key(keyring, deployment) is None:
        keyring.create_log_key(name)
        at_step("key made")
    # Opened before it is recorded: a key that nothing unlocks must not become the log's.
    vkey = Ed25519Verifier(deployment.log_origin, keyring.log_key(name).public_key).vkey
    record_rotation(services, vkey)
    at_step("recorded on chain")
    return vkey


def _keep(home: Home, changed: Deployment) -> None:
    """Write the home's record anew, whole: what is not the deployment's in it stays."""
    write_json(home.config, {**home.read_config(), **changed.to_json()})
