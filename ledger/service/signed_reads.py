"""Reading as a post: a signature that says which post asks for what, and until when.

    GET /v1/events/41
    Authorization: Quanze <base64url of {"deadline": …, "nonce": "…", "post": "…", "signature": "0x…", "signer": "0x…"}>

The signature is over ``ReadAsPost`` with ``target = keccak256("GET /v1/events/41")``. It lets nobody do
anything, so that a repetition until its deadline is harmless to all but the secrecy that it already had.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

from ledger.domain import canonical
from ledger.domain.codes import ALL_ROLES
from ledger.domain.errors import InvalidInputError, UnauthorizedError
from ledger.domain.identifiers import parse_post
from ledger.domain.keccak import keccak256
from ledger.domain.key_state import Allowed, authority
from ledger.domain.records import ReadAsPost
from ledger.domain.typed_data import digest
from ledger.service import registry_views
from ledger.service.batch_events import parse_nonce
from ledger.service.requests import Request, made_of
from ledger.service.signatures import SignatureRefusedError, recover
from ledger.service.signed_requests import parse_hex
from ledger.service.submission import domain_of, fresh_nonce

if TYPE_CHECKING:
    from ledger.domain.identifiers import PostRef
    from ledger.service.deployment import Deployment
    from ledger.service.ports import Signer
    from ledger.service.services import Services

SCHEME = "Quanze"


class Credential(Request, frozen=True, kw_only=True):
    """Who reads, and the signature that says so."""

    post: str
    signer: str
    signature: str
    deadline: int
    nonce: str


def reading_post(services: Services, credential: Credential, target: bytes) -> PostRef:
    """Return the post that signed to read ``target``.

    Raises:
        InvalidInputError: The credential is not well formed.
        SignatureRefusedError: It is not the stated signer's, or its deadline has passed.
        UnauthorizedError: The key does not speak for the post.
    """
    ref = parse_post(credential.post)
    signer = parse_hex(credential.signer, "signer", 20)
    now = services.now_s()
    if not 0 <= credential.deadline < 2**64:
        raise InvalidInputError("deadline", credential.deadline, "Unix seconds")
    if credential.deadline < now:
        raise SignatureRefusedError("the signature's deadline has passed", deadline=credential.deadline, now=now)
    record = ReadAsPost(ref.id, keccak256(target), parse_nonce(credential.nonce), credential.deadline)
    signed = digest(domain_of(services.deployment, ReadAsPost), record)
    recovered = recover(signed, parse_hex(credential.signature, "signature", 65))
    if recovered != signer:
        raise SignatureRefusedError(
            "the signature is not the stated signer's for this request", signer=signer, recovered=recovered
        )
    post = registry_views.find_post(services, ref.id)
    agency = registry_views.find_agency(services, ref.agency.id)
    if post is None or agency is None:
        raise UnauthorizedError("no such post is known", post=str(ref))
    allowed = authority(post, agency, key=signer, any_of=ALL_ROLES, time=now)
    if not isinstance(allowed, Allowed):
        raise UnauthorizedError(f"the key may not read for the post: {allowed.reason}", post=str(ref), signer=signer)
    return ref


def parse_authorization(header: str) -> Credential:
    """Return the credential in an ``Authorization`` header.

    Raises:
        InvalidInputError: It holds none.
    """
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != SCHEME.lower() or not encoded.isascii():
        raise InvalidInputError("Authorization", scheme, f"{SCHEME} and base64url of a JSON object")
    try:
        text = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidInputError("Authorization", encoded, f"{SCHEME} and base64url of a JSON object") from error
    return made_of(Credential, canonical.decode(text))


def sign_read(deployment: Deployment, signer: Signer, post: str, target: bytes, *, deadline: int) -> str:
    """Return the ``Authorization`` header with which a post reads ``target``, as ``GET /v1/events/41``."""
    nonce = fresh_nonce()
    record = ReadAsPost(parse_post(post).id, keccak256(target), nonce, deadline)
    signature = signer.sign_digest(digest(domain_of(deployment, ReadAsPost), record))
    credential = {
        "deadline": deadline,
        "nonce": str(nonce),
        "post": post,
        "signature": "0x" + signature.hex(),
        "signer": "0x" + signer.address.hex(),
    }
    return f"{SCHEME} " + base64.urlsafe_b64encode(canonical.encode(credential)).decode("ascii").rstrip("=")
