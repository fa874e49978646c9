"""A name is not taken over: what looks like an id is that id alone, and only a proposal or filing names an object."""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING

import pytest

from ledger.domain.codes import Tier
from ledger.domain.commitment import commit
from ledger.domain.errors import InvalidInputError, NotFoundError
from ledger.domain.records import Suspend
from ledger.service.agreement_views import resolve_agreement
from ledger.service.directory import Directory
from ledger.service.documents import make_document
from ledger.service.signed_requests import SendSigned, SentDocument, send_signed
from tests.api.acts import agreement, id_of
from tests.api.world import DRAFT, POSTS, REQUESTER, make_world

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.api.world import World


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = make_world(tmp_path_factory.mktemp("names") / "home")
    yield made
    made.services.close()


@pytest.mark.parametrize("shape", ["{}", "0x{}", "{:.8}", "0X{:.12}"])
def test_a_draft_cannot_be_called_by_another_agreements_id(world: World, shape: str) -> None:
    draft = {**DRAFT, "reference": shape.format(world.agreement).upper()}
    with pytest.raises(InvalidInputError, match="reference"):
        world.do("agreement.draft", text=json.dumps(draft), post=POSTS["head-p"][0])
    assert resolve_agreement(world.services, world.agreement).agreement.hex() == world.agreement


def test_a_case_cannot_be_called_by_another_cases_id(world: World) -> None:
    filing = {"respondent": REQUESTER, "post": POSTS["inspector"][0], "violations": ["decree809:R6"]}
    with pytest.raises(InvalidInputError, match="reference"):
        world.do("case.file", **filing, reference=world.sealed_case[:8])


@pytest.mark.parametrize("digits", [64, 8])
def test_a_reason_sent_with_a_record_names_nothing(world: World, digits: int) -> None:
    mine, other = agreement(world), agreement(world)
    for reference in (other[:digits], f"TAKEN-{digits}"):
        _suspend(world, mine, reference)
        assert resolve_agreement(world.services, other[:digits]).agreement.hex() == other
        with pytest.raises(NotFoundError):
            resolve_agreement(world.services, f"TAKEN-{digits}")


@pytest.mark.parametrize("kind", ["agreement", "case", "reason"])
def test_a_document_that_is_in_the_vault_already_takes_no_id(world: World, kind: str) -> None:
    mine, other = agreement(world), agreement(world)
    directory = Directory(world.services.vault)
    for reference in (other, other[:8], "DSA-001"):
        extra = {"about": mine, "reference": reference}
        document = make_document(kind, Tier.PUBLIC, {"reference": reference}, extra=extra)
        directory.learn(document)
    known = world.services.state.ids("agreement")
    assert directory.resolve(other, known, "agreement").hex() == other
    assert directory.resolve(other[:8], known, "agreement").hex() == other
    assert directory.resolve("DSA-001", known, "agreement").hex() == world.agreement


def test_a_case_and_an_agreement_may_bear_one_reference(world: World) -> None:
    assert world.services.directory.referred("SEALED-7", "agreement") is None
    draft = {**DRAFT, "reference": "SEALED-7"}
    made = world.do("agreement.draft", text=json.dumps(draft), post=POSTS["head-p"][0])["agreement"]
    assert made != world.sealed_case
    assert resolve_agreement(world.services, "SEALED-7").agreement.hex() == made


def _suspend(world: World, mine: str, reference: str) -> None:
    values = {"reference": reference, "title": "Another"}
    opened = commit(values, {name: secrets.token_bytes(32) for name in values})
    about, reason = "0x" + mine, "0x" + opened.root.hex()
    body = world.signed(Suspend, "authority", post=id_of("authority"), agreement=about, reason=reason)
    document = SentDocument(kind="agreement", tier="PARTIES", groups=dict(opened.by_name()), about=mine)
    send_signed(world.services, SendSigned(**body, documents=[document]))
    world.do("agreement.resume", agreement=mine, post=POSTS["authority"][0], reason="law:x")
