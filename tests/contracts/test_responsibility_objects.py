"""Whose object it is decides who may assign: nobody reaches another's duties by an id that it chose itself."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import pytest

from ledger.domain.codes import Duty, ObjectKind, PostRole
from ledger.domain.errors import RefusedError
from ledger.domain.records import Accept, Assign
from ledger.service.call_data import call_data
from tests.contracts.agreements import Party, grant, make_party, propose, publish, terms
from tests.contracts.test_responsibility_machine import PLATFORM

if TYPE_CHECKING:
    from ledger.service.ports import ChainReceipt
    from tests.contracts.deployed import DeployedLedger, Post


@pytest.fixture(scope="module")
def owner(ledger: DeployedLedger) -> Party:
    return make_party(ledger, PostRole.PROVIDER_OFFICE_HEAD)


@pytest.fixture(scope="module")
def intruder(ledger: DeployedLedger) -> Party:
    return make_party(ledger, PostRole.PROVIDER_OFFICE_HEAD)


def assign(ledger: DeployedLedger, post: Post, kind: ObjectKind, about: bytes, assignment: bytes = b"") -> ChainReceipt:
    return ledger.act(
        post,
        Assign,
        assignment=assignment or secrets.token_bytes(32),
        duty=Duty.OPERATE_PLATFORM,
        object_kind=kind,
        object=about,
        assignee=post.id,
        role=1,
        share_bps=0,
        valid_from=1,
        valid_to=0,
        basis=bytes(32),
    )


def agree_on_id(ledger: DeployedLedger, party: Party, agreement: bytes) -> None:
    """Make a party of an agreement whose id it chose."""
    other = make_party(ledger, PostRole.REQUESTER_OFFICE_HEAD)
    granted = grant(publish(ledger, party, secrets.token_bytes(32)), other)
    propose(ledger, party.head, terms((party, other), (granted,), agreement=agreement))


def refusal_of(ledger: DeployedLedger, post: Post, kind: ObjectKind, about: bytes) -> str:
    with pytest.raises(RefusedError) as refused:
        assign(ledger, post, kind, about)
    return refused.value.error


def test_an_agreement_under_a_datasets_id_gives_no_say_about_the_dataset(
    ledger: DeployedLedger, owner: Party, intruder: Party
) -> None:
    dataset = publish(ledger, owner, secrets.token_bytes(32))
    agree_on_id(ledger, intruder, dataset)
    assert refusal_of(ledger, intruder.head, ObjectKind.AGREEMENT, dataset) == "ObjectOfAnotherKind"
    assert refusal_of(ledger, intruder.head, ObjectKind.DATASET, dataset) == "ResponsibilityNotOfAgency"
    assignment = secrets.token_bytes(32)
    assign(ledger, owner.head, ObjectKind.DATASET, dataset, assignment)
    held = ledger.call("ResponsibilityLedger", call_data("assignmentOf", [("bytes32", assignment)]))
    ledger.act(owner.head, Accept, assignment=assignment, content=held[-32:])
    assert refusal_of(ledger, intruder.head, ObjectKind.AGREEMENT, dataset) == "ObjectOfAnotherKind"


def test_an_agreement_under_the_platforms_id_gives_no_say_about_the_platform(
    ledger: DeployedLedger, intruder: Party
) -> None:
    agree_on_id(ledger, intruder, PLATFORM)
    assert refusal_of(ledger, intruder.head, ObjectKind.AGREEMENT, PLATFORM) == "ResponsibilityFieldInvalid"
    assert refusal_of(ledger, intruder.head, ObjectKind.PLATFORM, PLATFORM) == "MissingRole"


def test_a_stranger_has_no_say_about_an_agreement(ledger: DeployedLedger, owner: Party, intruder: Party) -> None:
    agreement = secrets.token_bytes(32)
    assert refusal_of(ledger, owner.head, ObjectKind.AGREEMENT, agreement) == "ResponsibilityNotOfAgency"
    agree_on_id(ledger, owner, agreement)
    assert refusal_of(ledger, intruder.head, ObjectKind.AGREEMENT, agreement) == "ResponsibilityNotOfAgency"
    assign(ledger, owner.head, ObjectKind.AGREEMENT, agreement)
