"""fsck finds what the vault has lost or shows to the wrong people, whatever was recomputed to hide it."""

from __future__ import annotations

import hashlib
import json
import secrets
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from ledger.domain import canonical
from ledger.domain.leaf import parse_leaf
from ledger.domain.records import Suspend
from ledger.service.event_documents import documents_from
from ledger.service.fsck import _check_entry, _Previous, _Rights
from ledger.service.signed_requests import SendSigned, send_signed
from tests.api.acts import agreement, id_of
from tests.api.world import DRAFT, POSTS, make_world

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.api.world import World

REVIEWED = {
    **DRAFT,
    "reference": "REVIEWED",
    "security_review": {"valid_until": "2099-01-01", "document": {"finding": "passed"}},
}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = make_world(tmp_path_factory.mktemp("fsck") / "home")
    head = POSTS["head-p"][0]
    made.append("reporter-p", {}, {})
    made.do("anchor")
    made.append("reporter-p", {})
    made.do("anchor")
    made.do("agreement.draft", text=json.dumps(REVIEWED), post=head)
    given = {"valid_until": "2099-01-01", "commitment": secrets.token_hex(32)}
    made.do("agreement.draft", text=json.dumps({**REVIEWED, "reference": "GIVEN", "security_review": given}), post=head)
    made.do("agreement.suspend", agreement=agreement(made), post=head, reason="a text that stays private")
    made.do("responsibility.vacate", assignment=made.assignment, post=head, reason="a private reason of its own")
    yield made
    made.services.close()


@pytest.fixture
def documents(world: World) -> Iterator[sqlite3.Connection]:
    """The vault's table, put back as it was afterwards."""
    with closing(sqlite3.connect(world.services.home.vault, isolation_level=None)) as connection:
        connection.execute("CREATE TEMP TABLE kept AS SELECT * FROM documents")
        yield connection
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("DELETE FROM documents")
        connection.execute("INSERT INTO documents SELECT * FROM kept")
        connection.execute("COMMIT")


def defects(world: World) -> list[dict[str, str]]:
    found: list[dict[str, str]] = world.do("fsck")["defects"]
    return found


def alter(documents: sqlite3.Connection, kind: str, change: Callable[[dict[str, Any]], None]) -> int:
    """Rewrite the documents of a kind with their digests right, and return how many became others."""
    changed = 0
    rows = documents.execute("SELECT sequence, body FROM documents WHERE kind = ?", (kind,)).fetchall()
    for sequence, before in rows:
        value: Any = canonical.decode(before)
        change(value)
        body = canonical.encode(value)
        changed += body != before
        told = (body, hashlib.sha256(body).digest(), sequence)
        documents.execute("UPDATE documents SET body = ?, digest = ? WHERE sequence = ?", told)
    return changed


def test_a_whole_home_has_no_defect_and_its_outside_review_is_not_brought(world: World) -> None:
    report = world.do("fsck")
    assert report["defects"] == []
    assert report["not_brought"] == 1
    checked = {check["what"]: check["checked"] for check in report["checks"]}
    assert checked["openings"] > 30
    assert checked["anchors"] == 2


@pytest.mark.parametrize("kind", ["agency", "post", "dataset", "agreement", "case", "reason", "checkpoint"])
def test_every_document_that_is_gone_is_named(world: World, documents: sqlite3.Connection, kind: str) -> None:
    gone = [
        commitment for (commitment,) in documents.execute("SELECT commitment FROM documents WHERE kind = ?", (kind,))
    ]
    documents.execute("DELETE FROM documents WHERE kind = ?", (kind,))
    found = defects(world)
    match kind:
        case "checkpoint":
            assert [one["what"] for one in found] == ["vault", "anchors", "anchors"]  # The first: its number is missed.
        case "reason":  # A code is known by its text; of the private ones each is missed.
            assert len(found) == 2
        case _:
            assert {one["entry"] for one in found if one["what"] == "openings"} >= {one.hex() for one in gone}


@pytest.mark.parametrize(
    ("kind", "tier"),
    [("case", "PUBLIC"), ("case", "PARTIES"), ("agreement", "SEALED"), ("post", "PARTIES")],
)
def test_another_tier_is_named_though_the_digest_is_right(
    world: World, documents: sqlite3.Connection, kind: str, tier: str
) -> None:
    changed = alter(documents, kind, lambda value: value.update(tier=tier))
    assert changed > 1
    named = [one for one in defects(world) if "tier" in one["reason"] or "kept as" in one["reason"]]
    assert len(named) == changed if kind != "agreement" else named


def test_what_lies_beside_a_text_is_its_own(world: World, documents: sqlite3.Connection) -> None:
    other = secrets.token_hex(32)
    assert alter(documents, "case", lambda value: value["extra"].update(about=other)) > 1
    assert alter(documents, "agreement", lambda value: value["extra"].update(reference="ANOTHER")) > 1
    reasons = " ".join(one["reason"] for one in defects(world))
    assert "the about beside it" in reasons
    assert "the reference beside it" in reasons


def test_a_note_of_another_checkpoint_is_none(world: World, documents: sqlite3.Connection) -> None:
    notes = [
        canonical.decode(body)["extra"]["note"]  # type: ignore[index,call-overload]
        for (body,) in documents.execute("SELECT body FROM documents WHERE kind = 'checkpoint' ORDER BY sequence")
    ]
    alter(documents, "checkpoint", lambda value: value["extra"].update(note=notes[0]))
    assert [one["what"] for one in defects(world)] == ["anchors"]


def test_a_record_signed_elsewhere_may_come_without_its_documents(world: World) -> None:
    before = world.do("fsck")["not_brought"]
    about = "0x" + agreement(world)
    body = world.signed(
        Suspend, "authority", post=id_of("authority"), agreement=about, reason="0x" + secrets.token_hex(32)
    )
    send_signed(world.services, SendSigned(**body))
    report = world.do("fsck")
    assert (report["defects"], report["not_brought"]) == ([], before + 1)
    with closing(sqlite3.connect(world.services.home.outbox, isolation_level=None)) as outbox:
        (key,) = outbox.execute("SELECT key FROM intents WHERE key LIKE 'nonce:%'").fetchone()
        for other in (key[:-1] + chr(ord(key[-1]) ^ 1), key.replace("nonce:", "nonce:0"), "api" + key[5:]):
            outbox.execute("UPDATE intents SET key = ? WHERE key = ?", (other, key))
            assert [one["what"] for one in defects(world)].count("outbox") == 1, other
            outbox.execute("UPDATE intents SET key = ? WHERE key = ?", (key, other))


def test_an_event_follows_its_reporters_event_and_a_signer_that_might_report(world: World) -> None:
    """What no use-case would have written, since acceptance refuses it: told from the same entries, put wrong."""
    services = world.services
    leaves = [parse_leaf(data) for data in services.log.leaves(0, 3)]
    first, second, third = (document for _, document in documents_from(services, 0, 3))
    rights = _Rights(services)
    assert list(_check_entry(services, rights, leaves[2], third, _Previous(leaves[1], second))) == []
    reasons = list(_check_entry(services, rights, leaves[2], third, _Previous(leaves[1], first)))
    assert reasons == ["its event does not follow the reporter's event before it"]
    reporter, signer = POSTS["reporter-p"][0], services.keyring.address("reporter-p")
    assert rights.denied(reporter, signer, leaves[0].block) == ""
    assert rights.denied(reporter, signer, 1) == "the post is not known"
    assert rights.denied(reporter, services.keyring.address("head-p"), leaves[0].block) == "UnauthorisedSigner"
