"""An event's evidence: what holds, what is shown, and that no byte of a file can change without a step that says so."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from ledger.domain import canonical, events, records
from ledger.domain.codes import Duty, PostRole
from ledger.domain.errors import UnavailableError
from ledger.domain.identifiers import post_id
from ledger.domain.keccak import keccak256_text
from ledger.domain.scalars import ZERO32
from ledger.evidence import verify
from ledger.evidence.report import TITLES
from scripts.evidence_vectors.chain import Key
from scripts.evidence_vectors.names import DATASET, GATEWAY, OFFICE, PROVIDER, WANTING
from scripts.evidence_vectors.world import World
from tests.evidence.altering import altered, failure, flipped, statuses

if TYPE_CHECKING:
    from tests.evidence.conftest import Made


def test_an_anchored_events_evidence_holds_in_every_step(made: Made) -> None:
    report = verify(made.evidence, made.root)
    assert statuses(made.evidence, made.root) == "PPPPPPPPP"
    assert [step.number for step in report.steps] == list(range(9))
    assert [step.title for step in report.steps] == list(TITLES)
    assert report.assurance == "OPERATOR_ONLY"
    assert report.steps[8].reason == "WITHIN_SCOPE"


def test_the_same_ledger_gives_the_same_bytes(made: Made) -> None:
    again = World()
    index = again.report(again.agree())
    again.anchor()
    assert again.event_evidence(index) == made.evidence
    assert again.trust_root_bytes() == made.root


def test_no_byte_can_change_unseen(made: Made) -> None:
    structure = [match.start() for match in re.finditer(rb"[^0-9a-f]", made.evidence)]
    places = sorted({*structure, *range(0, len(made.evidence), 31), *range(200)})
    assert len(places) > 3_000
    holding, unexpected = [], []
    for place in places:
        number, reason = failure(flipped(made.evidence, place), made.root)
        if number < 0:
            holding.append(place)
        if "unexpected" in reason:
            unexpected.append((place, reason))
    assert (holding, unexpected) == ([], [])


def test_no_member_can_be_left_out_or_added(made: Made) -> None:
    value = json.loads(made.evidence)
    for name in value:
        less = {key: member for key, member in value.items() if key != name}
        assert failure(canonical.encode(less), made.root)[0] == 0, name
    for name in value["entry"]["leaf"]:
        assert failure(altered(made.evidence, lambda v, n=name: v["entry"]["leaf"].pop(n) and None), made.root)[0] == 0
    assert failure(canonical.encode({**value, "note": ""}), made.root)[0] == 0
    assert failure(made.evidence + b"\n", made.root)[0] == 0
    assert failure(json.dumps(value).encode(), made.root)[0] == 0


@pytest.mark.parametrize(
    ("shown", "wanted"),
    [
        (["binding"], "PPPPPPPNN"),
        (["detail"], "PPPPPPNNN"),
        (["exchange"], "PPPPPPNNN"),
        (["binding", "detail"], "PPPPPPPNN"),
        (["binding", "exchange"], "PPPPPPPNP"),
        (["detail", "exchange"], "PPPPPPNNN"),
    ],
)
def test_what_is_withheld_is_said_and_never_passed(made: Made, shown: list[str], wanted: str) -> None:
    evidence = made.world.event_evidence(made.index, shown)
    report = verify(evidence, made.root)
    assert statuses(evidence, made.root) == wanted
    assert report.holds
    absent = ", ".join(str(place) for place, letter in enumerate(wanted) if letter == "N")
    assert report.assurance == f"OPERATOR_ONLY (not shown: steps {absent})"
    withheld = {"binding": GATEWAY, "detail": "x-request-1", "exchange": DATASET}
    assert all((text.encode() in evidence) == (name in shown) for name, text in withheld.items() if name != "binding")
    assert (b'"binding"' in evidence) == ("binding" in shown)


def test_an_event_that_names_no_agreement_is_bound_to_none() -> None:
    world = World()
    index = world.report(ZERO32, count=1)
    world.anchor()
    evidence, root = world.event_evidence(index), world.trust_root_bytes()
    assert statuses(evidence, root) == "PPPPPPPPP"
    assert verify(evidence, root).steps[8].reason == "NO_AGREEMENT"


def test_an_agreement_that_nobody_recorded_is_proved_absent() -> None:
    world = World()
    index = world.report(keccak256_text("never proposed"), count=1)
    world.anchor()
    evidence, root = world.event_evidence(index), world.trust_root_bytes()
    assert verify(evidence, root).steps[8].reason == "NO_AGREEMENT"
    histories = json.loads(evidence)["histories"]
    assert [history["events"] for history in histories if history["contract"] == "AgreementLedger"] == [[]]


def test_what_was_recorded_after_the_bound_block_does_not_change_the_verdict() -> None:
    world = World()
    agreement = world.agree()
    index = world.report(agreement)
    world.anchor()
    world.suspend(agreement)
    later = world.report(agreement)
    world.anchor()
    root = world.trust_root_bytes()
    assert verify(world.event_evidence(index), root).steps[8].reason == "WITHIN_SCOPE"
    assert verify(world.event_evidence(later), root).steps[8].reason == "SUSPENDED"


def test_keys_and_roots_may_change_and_past_signatures_stay_good() -> None:
    world = World()
    agreement = world.agree()
    before = world.report(agreement)
    world.anchor()
    world.rotate_key(GATEWAY, Key("another gateway key"))
    world.rotate_root(PROVIDER, Key("another root"))
    world.rotate_key(OFFICE, Key("another office key"))
    world.suspend(agreement)
    after = world.report(agreement)
    world.anchor()
    root = world.trust_root_bytes()
    assert statuses(world.event_evidence(before), root) == "PPPPPPPPP"
    assert statuses(world.event_evidence(after), root) == "PPPPPPPPP"


def test_a_trust_root_may_be_older_than_a_signed_rotation_and_newer_than_the_evidence() -> None:
    world = World()
    agreement = world.agree()
    index = world.report(agreement)
    world.anchor()
    old_root, old_evidence = world.trust_root_bytes(), world.event_evidence(index)
    world.rotate_root(PROVIDER, Key("another root"))
    assert statuses(world.event_evidence(index), old_root) == "PPPPPPPPP"
    assert statuses(old_evidence, world.trust_root_bytes()) == "PPPPPPPPP"


def test_a_post_that_was_entrusted_with_the_records_reports_for_another_agency() -> None:
    world = World()
    third = "xroad:SAMPLE/GOV/10000077"
    gateway = f"gateway@{third}"
    world.admit(third)
    world.register(gateway, PostRole.REPORTER)
    agreement = world.agree()
    world.assign(agreement, "records", duty=Duty.RECORD, assignee=gateway, role=4)
    index = world.report(agreement, post=gateway)
    world.anchor()
    report = verify(world.event_evidence(index), world.trust_root_bytes())
    assert report.holds
    assert report.steps[7].reason.endswith("entrusted with the records of the agreement")


def test_a_key_may_be_replaced_in_the_block_of_its_last_signature() -> None:
    """Order within a block counts: what was signed before the replacement was signed by the post's key."""
    world = World()
    terms = world.propose(keccak256_text("agreement"))
    world.sign(terms, OFFICE, mine=False)
    world.rotate_key(OFFICE, Key("the next office key"))
    assert statuses(world.agreement_evidence(terms.agreement), world.trust_root_bytes()) == "PNNNNPPNN"


def test_many_transactions_in_a_block_prove_the_ones_that_count() -> None:
    world = World()
    terms = world.propose(keccak256_text("agreement"))
    for number in range(150):
        world.chain.add("CheckpointAnchor", number.to_bytes(4, "big"), [])
    world.sign(terms, OFFICE, mine=False)
    for number in range(150):
        world.chain.add("CheckpointAnchor", number.to_bytes(4, "big"), [])
    world.sign(terms, WANTING, last=True)
    evidence = world.agreement_evidence(terms.agreement)
    assert statuses(evidence, world.trust_root_bytes()) == "PNNNNPPNN"
    assert json.loads(evidence)["histories"][-1]["events"][1][1] == 150


def test_a_chain_that_goes_on_meanwhile_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A suspension is mined between reading the histories and proving the state."""
    world = World()
    agreement = world.agree()
    prove, asked = world.chain.proofs, []

    def later(wanted: Any) -> Any:
        if not asked:
            asked.append(True)
            world.suspend(agreement)
        return prove(wanted)

    monkeypatch.setattr(world.chain, "proofs", later)
    evidence = world.agreement_evidence(agreement)
    assert statuses(evidence, world.trust_root_bytes()) == "PNNNNPPNN"
    history = next(h for h in json.loads(evidence)["histories"] if h["contract"] == "AgreementLedger")
    assert len(history["events"]) == 5


def test_a_chain_that_never_rests_is_said_to_be_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    agreement = world.agree()
    prove, made = world.chain.proofs, []

    def later(wanted: Any) -> Any:
        made.append(Key(f"key {len(made)}"))
        post = f"post-{len(made)}@{PROVIDER}"
        world.register(post, PostRole.PROVIDER_OFFICE_HEAD)
        reason = keccak256_text("reason")
        record = records.Suspend(post=post_id(post), agreement=agreement, reason=reason, **world.signed_tail())
        suspended = events.AgreementSuspended(agreement, post_id(post), reason, by_authority=False)
        world.act(record, world.keys[post], [suspended])
        return prove(wanted)

    monkeypatch.setattr(world.chain, "proofs", later)
    with pytest.raises(UnavailableError, match="faster than a proof"):
        world.agreement_evidence(agreement)
