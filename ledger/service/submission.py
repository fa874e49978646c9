"""From a record to a transition on chain: sign, relay, wait, read back.

The two halves may live apart. ``sign_request`` needs a key and the deployment's addresses; ``relay``
needs only what was signed, checks it before it costs a transaction, and is what the API calls with
requests that were signed elsewhere.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ledger.domain.errors import ConflictError, InvalidInputError, LedgerError, RefusedError, UnauthorizedError
from ledger.domain.records import (
    CONTRACTS,
    Accept,
    AdmitAgency,
    Advance,
    Assign,
    BindKey,
    CancelProposal,
    CancelRootReplacement,
    Dispose,
    HandOver,
    Propose,
    PublishEntry,
    RegisterPost,
    Resume,
    RetireKey,
    RetirePost,
    RotateKey,
    RotateRoot,
    SetPostRoles,
    Sign,
    Suspend,
    Terminate,
    Vacate,
    WithdrawEntry,
)
from ledger.domain.typed_data import Domain, digest
from ledger.service.call_data import call_data, tuple_type
from ledger.service.refusals import in_words, tell
from ledger.service.signatures import SignatureRefusedError, recover
from ledger.service.standstill import check_newest_by_witnesses

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ledger.domain.commitment import Opening
    from ledger.domain.record import Record
    from ledger.service.deployment import Deployment
    from ledger.service.ports import ChainReceipt, Sent, Signer
    from ledger.service.services import Services

RELAYER: Final = "relayer"
REGISTRAR: Final = "registrar"
_WAIT_S: Final = 60.0
_OPENING: Final = "(bytes32,bytes,uint64,uint64,bytes32[])"


@dataclass(frozen=True, slots=True)
class _Entry:
    """How a contract takes a record: the function, and who pays."""

    function: str
    sender: str = RELAYER


FUNCTIONS: Final[dict[type[Record], _Entry]] = {
    AdmitAgency: _Entry("admitAgency", REGISTRAR),
    CancelRootReplacement: _Entry("cancelRootReplacementBySig"),
    RegisterPost: _Entry("registerPostBySig"),
    SetPostRoles: _Entry("setPostRolesBySig"),
    RetirePost: _Entry("retirePostBySig"),
    BindKey: _Entry("bindKeyBySig"),
    RotateKey: _Entry("rotateKeyBySig"),
    RetireKey: _Entry("retireKeyBySig"),
    RotateRoot: _Entry("rotateRootBySig"),
    PublishEntry: _Entry("publishEntryBySig"),
    WithdrawEntry: _Entry("withdrawEntryBySig"),
    Propose: _Entry("proposeBySig"),
    Sign: _Entry("signBySig"),
    CancelProposal: _Entry("cancelProposalBySig"),
    Suspend: _Entry("suspendBySig"),
    Resume: _Entry("resumeBySig"),
    Terminate: _Entry("terminateBySig"),
    Dispose: _Entry("disposeBySig"),
    Assign: _Entry("assignBySig"),
    Accept: _Entry("acceptBySig"),
    HandOver: _Entry("handOverBySig"),
    Vacate: _Entry("vacateBySig"),
    Advance: _Entry("advanceBySig"),
}


_NAMES: Final = frozenset(record.__name__ for record in FUNCTIONS)


@dataclass(frozen=True, slots=True)
class SignedOpening:
    """What a notice opens: the filing's commitment, and the respondent's group in it."""

    filing: bytes
    opening: Opening


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """A record with its signatures, ready to be relayed by anyone.

    Attributes:
        record: What was signed.
        signer: The acting key's address.
        signature: Its signature.
        possession: For bindings of a new key, that key's signature of the same record.
        opening: For a notice, what it opens; not signed, since the commitment proves it.
    """

    record: Record
    signer: bytes
    signature: bytes
    possession: bytes = b""
    opening: SignedOpening | None = None


def domain_of(deployment: Deployment, record: type[Record]) -> Domain:
    """Return the EIP-712 domain in which a record class is signed."""
    return Domain(deployment.chain_id, deployment.address(CONTRACTS[record]))


def fresh_nonce() -> int:
    """Return a nonce that no other request uses: a random key of 192 bits, its first number.

    Nonces are keyed on chain, so posts sign in parallel and nobody has to ask for the next number.
    """
    return secrets.randbits(192) << 64


def deadline_of(services: Services) -> int:
    """Return the deadline of a request made now, in Unix seconds."""
    return services.now_s() + services.settings.signature_ttl_s


def sign_request(
    services: Services,
    record: Record,
    signer: Signer,
    *,
    possession: Signer | None = None,
    opening: SignedOpening | None = None,
) -> SignedRequest:
    """Sign a record, with the new key's proof of possession where one is bound."""
    signed = digest(domain_of(services.deployment, type(record)), record)
    return SignedRequest(
        record=record,
        signer=signer.address,
        signature=signer.sign_digest(signed),
        possession=possession.sign_digest(signed) if possession is not None else b"",
        opening=opening,
    )


def check_signature(services: Services, request: SignedRequest) -> None:
    """Check what the contract would refuse, before it costs a transaction.

    Raises:
        SignatureRefusedError: The deadline has passed, or the signature is another key's.
    """
    deadline = getattr(request.record, "deadline", None)
    now = services.now_s()
    if isinstance(deadline, int) and deadline < now:
        raise SignatureRefusedError("the signature's deadline has passed", deadline=deadline, now=now)
    if services.chain.code(request.signer):
        return  # A contract account (EIP-1271): only the chain can ask it.
    signed = digest(domain_of(services.deployment, type(request.record)), request.record)
    if (recovered := recover(signed, request.signature)) != request.signer:
        raise SignatureRefusedError(
            "the signature is not the stated signer's", signer=request.signer, recovered=recovered
        )


def relay(services: Services, request: SignedRequest, *, key: str = "") -> ChainReceipt:
    """Send a signed request to its contract and return the receipt once it is in a block.

    Args:
        services: The open stores.
        request: What was signed.
        key: The caller's idempotency key; the record's own digest by default.

    Raises:
        SignatureRefusedError: The signature does not hold.
        ConflictError: The key was used for other content.
        RefusedError: The contract refused, with its named error.
        UnavailableError: The chain does not answer; the same call may be repeated.
    """
    used = key or key_of(services, request)
    if not services.outbox.is_known(used):  # A retry gets the first answer, even after its deadline.
        check_signature(services, request)
    to, data, sender = _call(services, request)
    with in_words(services):
        return send(services, used, to, data, sender=sender)


def relay_all(services: Services, requests: Sequence[SignedRequest]) -> list[ChainReceipt | LedgerError]:
    """Send signed requests that do not build on each other, so that they share blocks; each succeeds or fails alone.

    Returns:
        For each request in its place its receipt, or why it was refused.

    Raises:
        UnavailableError: The chain does not answer; the same call may be repeated.
        IntegrityError: As ``relay``.
    """
    check_newest_by_witnesses(services)
    outcomes: list[Sent | LedgerError] = []
    for request in requests:
        try:
            key = key_of(services, request)
            if not services.outbox.is_known(key):
                check_signature(services, request)
            to, data, sender = _call(services, request)
            outcomes.append(services.outbox.send(key, to, data, sender=sender))
        except RefusedError as error:
            outcomes.append(tell(services, error))
        except (ConflictError, InvalidInputError, UnauthorizedError) as error:
            outcomes.append(error)
    settled: list[ChainReceipt | LedgerError] = []
    for outcome in outcomes:
        if isinstance(outcome, LedgerError):
            settled.append(outcome)
            continue
        try:
            settled.append(services.outbox.wait(outcome.key, _WAIT_S))
        except RefusedError as error:
            settled.append(tell(services, error))
    services.state.refresh()
    return settled


def check_acceptable(services: Services, request: SignedRequest, *, key: str = "") -> None:
    """Check a request without sending it: its signature here, its right and its state at the contract.

    A request that was relayed before passes, since its retry gets the first answer.

    Raises:
        SignatureRefusedError: The signature or the deadline does not hold.
        RefusedError: The contract would refuse it now.
    """
    to, data, sender = _call(services, request)
    if not services.outbox.is_known(key or key_of(services, request)):
        check_signature(services, request)
        with in_words(services):
            services.outbox.preflight(to, data, sender=sender)


def _call(services: Services, request: SignedRequest) -> tuple[bytes, bytes, str]:
    entry = FUNCTIONS.get(type(request.record))
    if entry is None:
        raise InvalidInputError("record", type(request.record).__name__, "a record that a contract takes")
    function = entry.function if request.opening is None else "openNoticeBySig"
    data = call_data(function, _arguments(request))
    return services.deployment.address(CONTRACTS[type(request.record)]), data, entry.sender


def send(services: Services, key: str, to: bytes, data: bytes, *, sender: str = RELAYER) -> ChainReceipt:
    """Send a call through the outbox, wait for its receipt, and take its events into the state.

    Raises:
        LedgerError: As ``relay``.
    """
    check_newest_by_witnesses(services)
    sent = services.outbox.send(key, to, data, sender=sender)
    receipt = services.outbox.wait(sent.key, _WAIT_S)
    services.state.refresh()
    return receipt


def key_of(services: Services, request: SignedRequest) -> str:
    """Return the outbox key of a request that brings none: its name and what was signed."""
    name = type(request.record).__name__
    return f"{name}:{digest(domain_of(services.deployment, type(request.record)), request.record).hex()}"


def is_key_of_ours(key: str) -> bool:
    """Say whether a key is one that `key_of` returned: its request was signed in this home, not brought to it."""
    return key.partition(":")[0] in _NAMES


def _arguments(request: SignedRequest) -> Sequence[tuple[str, object]]:
    record = request.record
    signed: list[tuple[str, object]] = [(tuple_type(type(record)), record)]
    if (opened := request.opening) is not None:
        opening = opened.opening
        signed.append((_OPENING, (opened.filing, opening.leaf, opening.index, opening.size, opening.path)))
    match record:
        case AdmitAgency():
            return [*signed, ("bytes", request.signature)]
        case BindKey() | RotateKey() | RotateRoot():
            return [*signed, ("address", request.signer), ("bytes", request.signature), ("bytes", request.possession)]
        case _:
            return [*signed, ("address", request.signer), ("bytes", request.signature)]
