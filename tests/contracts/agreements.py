"""Agreements on a deployment: agencies with heads, entries and terms, made with few words."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ledger.domain.codes import Grade, PostRole, SharingAttribute
from ledger.domain.identifiers import dataset_id_of
from ledger.domain.records import Grant, Propose, PublishEntry, Sign, Terms
from ledger.domain.scalars import ZERO32
from ledger.domain.typed_data import struct_hash

if TYPE_CHECKING:
    from ledger.service.ports import ChainReceipt
    from tests.contracts.deployed import DeployedLedger, Post

TEXT: Final = b"\x07" * 32
PURPOSE: Final = b"\x08" * 32


@dataclass(frozen=True, slots=True)
class Party:
    """An agency with its office head, and a department head."""

    agency: bytes
    head: Post
    dept: Post


def make_party(ledger: DeployedLedger, role: PostRole) -> Party:
    """Admit an agency that nobody used before."""
    agency = ledger.agency(secrets.token_bytes(32))
    return Party(agency, ledger.post(agency, "head", role), ledger.post(agency, "dept", PostRole.DEPT_HEAD))


def publish(
    ledger: DeployedLedger,
    owner: Party,
    code: bytes,
    *,
    version: int = 1,
    attribute: SharingAttribute = SharingAttribute.UNCONDITIONAL,
    review_required: bool = False,
) -> bytes:
    """Publish a version of an entry and return its dataset's id."""
    ledger.act(
        owner.dept,
        PublishEntry,
        code=code,
        version=version,
        attribute=int(attribute),
        grade=int(Grade.GENERAL),
        review_required=review_required,
        law=b"\x09" * 32 if attribute is SharingAttribute.NOT_SHARED else ZERO32,
        content=b"\x0a" * 32,
    )
    return dataset_id_of(owner.agency, code)


def grant(dataset: bytes, recipient: Party, *, version: int = 1, valid_from: int = 1, valid_to: int = 0) -> Grant:
    """A grant of a dataset version, open-ended unless an end is given."""
    return Grant(
        dataset=dataset,
        dataset_version=version,
        recipient=recipient.agency,
        purpose=PURPOSE,
        delivery=1,
        valid_from=valid_from,
        valid_to=valid_to,
    )


def terms(parties: tuple[Party, ...], grants: tuple[Grant, ...], *, agreement: bytes, version: int = 1) -> Terms:
    """Terms without a security review; the first party provides."""
    return Terms(
        agreement=agreement,
        version=version,
        provider=parties[0].agency,
        parties=tuple(party.agency for party in parties),
        text=TEXT,
        review=ZERO32,
        review_valid_until=0,
        grants=grants,
    )


def propose(ledger: DeployedLedger, proposer: Post, proposed: Terms) -> ChainReceipt:
    """Propose terms. Raises RefusedError."""
    return ledger.act(proposer, Propose, terms=proposed)


def sign(ledger: DeployedLedger, signer: Post, proposed: Terms) -> ChainReceipt:
    """Sign terms. Raises RefusedError."""
    return ledger.act(
        signer,
        Sign,
        agreement=proposed.agreement,
        version=proposed.version,
        terms_hash=struct_hash(proposed),
    )
