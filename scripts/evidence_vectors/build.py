"""The vectors of docs/spec/evidence-v1.md: good files, bad ones, and patches that make good ones bad."""

from __future__ import annotations

import dataclasses
import json
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from ledger.domain import canonical, events, records
from ledger.domain.codes import Duty, Verdict
from ledger.domain.identifiers import agency_id, duty_key, post_id
from ledger.domain.keccak import keccak256_text
from ledger.domain.reporting import EVENT_DEADLINE_MAX_S
from ledger.domain.scalars import ZERO32
from ledger.domain.typed_data import struct_hash
from ledger.service.evidence_files import shown_groups
from ledger.service.ports import VaultDocument
from scripts.evidence_vectors.cases import Vectors
from scripts.evidence_vectors.chain import Key
from scripts.evidence_vectors.names import DATASET, GATEWAY, OFFICE, PROVIDER, REQUESTER, WANTING
from scripts.evidence_vectors.patches import Patch, add, remove, replace
from scripts.evidence_vectors.world import World

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ledger.domain.commitment import Commitment

FOLDER: Final = "docs/spec/vectors/evidence-v1"
_INSTANT: Final = "2026-01-02T00:00:00Z"


def evidence_vectors() -> Mapping[str, str]:
    """Return every file of the folder by its path."""
    made = Vectors()
    _good(made)
    _patched(made)
    _forged(made)
    return made.folder(FOLDER)


def _good(made: Vectors) -> None:
    world = World()
    text = world.commitment("text", {"reference": "DSA-1", "title": "Vehicles by plate", "text.purpose": "on the road"})
    agreement = world.agree(text=text.root)
    index = world.report(agreement)
    world.anchor()
    root = made.keep("trust-root.json", world.trust_root_bytes())
    made.case("an event within scope", made.keep("event.json", world.event_evidence(index)), root)
    exchange = made.keep("event-exchange-only.json", world.event_evidence(index, ["exchange"]))
    made.case("an event of which only the exchange is disclosed", exchange, root)
    shown = [_document(text, "reference", "title")]
    file = made.keep("agreement.json", world.agreement_evidence(agreement, shown))
    made.case("an agreement, with two groups of its text", file, root)
    subject = {"duty": "DELIVER", "object": agreement.hex()}
    key = ("ResponsibilityLedger", duty_key(Duty.DELIVER, agreement))
    file = made.keep("responsibility.json", world.object_evidence("responsibility", subject, key))
    made.case("a duty, assigned and accepted", file, root)
    held = {"ask": "right", "agency": REQUESTER, "dataset": DATASET, "at": _INSTANT}
    made.case("a right that was held", made.keep("answer-right.json", world.answer_evidence(held)), root)
    none = {**held, "agency": PROVIDER}
    made.case("a right that nobody ever had", made.keep("answer-no-right.json", world.answer_evidence(none)), root)
    vacant = {"ask": "responsible", "duty": "DISPOSE", "object": agreement.hex(), "at": _INSTANT}
    made.case("a duty that nobody took", made.keep("answer-vacant.json", world.answer_evidence(vacant)), root)

    world = World()
    case, filing = world.file_case()
    root = made.keep("trust-root-case.json", world.trust_root_bytes())
    made.case("a sealed case", made.keep("case-sealed.json", world.case_evidence(case)), root)
    world.notice(case, filing, keccak256_text("notice"))
    shown = [_document(filing, "respondent")]
    made.case("a case after its notice", made.keep("case-opened.json", world.case_evidence(case, shown)), root)

    world = World()
    index = world.report(ZERO32, count=1, provider="")
    world.anchor()
    root = made.keep("trust-root-nobody.json", world.trust_root_bytes())
    file = made.keep("event-nobody.json", world.event_evidence(index))
    made.case("an event whose side names nobody: its reporter speaks for itself", file, root)

    world = World(validators=4, witnesses=2)
    index = world.report(ZERO32, count=1)
    world.anchor()
    root = made.keep("trust-root-validators.json", world.trust_root_bytes())
    file = made.keep("event-validators.json", world.event_evidence(index))
    made.case("an event that names no agreement, under four validators and two witnesses", file, root)
    blocks = len(json.loads(made.files[file])["blocks"])
    fewer = [remove(f"/blocks/{place}/seals/0") for place in range(blocks)]
    made.case("three of four seals on each block", file, root, fewer)
    made.case("two of four seals on one block", file, root, [*fewer, remove("/blocks/0/seals/0")])


def _patched(made: Vectors) -> None:
    event, root = "event.json", "trust-root.json"
    value = json.loads(made.files[event])
    first = value["histories"][0]["events"][0]
    agreed = next(place for place, h in enumerate(value["histories"]) if h["contract"] == "AgreementLedger")
    listed = value["histories"][agreed]["events"]
    larger = value["entry"]["checkpoint"].replace("\n3\n", "\n4\n")
    cases: list[tuple[str, Patch]] = [
        ("a member that the format does not have", [add("/note", "")]),
        ("a member left out", [remove("/documents")]),
        ("a hash in upper case", [replace("/entry/leaf/commitment", value["entry"]["leaf"]["commitment"].upper())]),
        ("another purpose", [replace("/entry/groups/2/2/purpose", "dpv:Marketing")]),
        ("another verdict", [replace("/entry/groups/0/2/verdict", ["SUSPENDED"])]),
        ("another salt of the stream", [replace("/entry/stream_salt", "A" * 43 + "=")]),
        ("a truncated path", [remove("/entry/path/1")]),
        ("another place in the log", [replace("/entry/index", 0)]),
        ("a checkpoint of another size", [replace("/entry/checkpoint", larger)]),
        ("another event in the anchor's place", [replace("/entry/anchor", first)]),
        ("a block without its seal", [replace("/blocks/0/seals", [])]),
        ("the seal of another block", [replace("/blocks/0/seals", value["blocks"][1]["seals"])]),
        ("a block left out", [remove("/blocks/1")]),
        ("two blocks exchanged", [replace("/blocks/1", value["blocks"][2]), replace("/blocks/2", value["blocks"][1])]),
        ("a needless trie node", [add("/blocks/0/receipts/0", "c0")]),
        ("a history in another order", [replace(f"/histories/{agreed}/events", listed[::-1])]),
        ("an event twice in a history", [add(f"/histories/{agreed}/events/0", listed[0])]),
        ("a state proof of another block", [replace("/state/block", value["entry"]["leaf"]["block"])]),
        ("storage of a contract left out", [remove("/state/storage/AgreementLedger")]),
        ("the reporter's signature altered", [replace("/entry/batch/nonce", "1")]),
        ("the reporter's signature hidden", [replace("/entry/batch", None)]),
    ]  # fmt: skip
    for title, patch in cases:
        made.case(title, event, root, patch)
    answer = json.loads(made.files["answer-no-right.json"])
    made.case("a negative answer turned", "answer-no-right.json", root, [replace("/answer/held", "yes")])
    later = [replace("/subject/at", "2026-01-03T00:00:00Z")]
    made.case("an answer under another question", "answer-right.json", root, later)
    ahead = {**json.loads(made.files["answer-right.json"])["subject"], "known_at": _INSTANT}
    asked = sha256(canonical.encode(ahead)).hexdigest()
    patch = [replace("/subject/known_at", _INSTANT), replace("/answer/question", asked)]
    made.case("an answer as known later than the block whose state is proved", "answer-right.json", root, patch)
    made.case("an answer about another agency", "answer-no-right.json", root, [replace("/subject/agency", REQUESTER)])
    made.case("evidence under a foreign trust root", event, "trust-root-validators.json")
    if not answer["histories"]:
        raise ValueError("the negative answer proves no empty history")


def _forged(made: Vectors) -> None:
    """Ledgers that lie: everything is hashed and sealed as it should be, and something was not signed or not so."""
    world = World()
    terms = world.propose(keccak256_text("agreement"))
    world.sign(terms, OFFICE)
    signer = world.keys[WANTING].address
    record = records.Sign(
        post=post_id(WANTING),
        agreement=terms.agreement,
        version=1,
        terms_hash=struct_hash(terms),
        **world.signed_tail(),
    )
    signed = events.AgreementSigned(terms.agreement, 1, post_id(WANTING), agency_id(REQUESTER), signer)
    world.act(record, Key("thief"), [signed, events.AgreementActivated(terms.agreement, 1)], signer=signer)
    _lie(made, "signature", "a party's signature that its key did not make", world, terms.agreement)

    world = World()
    real, world.roots[REQUESTER] = world.roots[REQUESTER], Key("the operator's idea of a root")
    world.bind_key(WANTING, Key("planted"))
    world.roots[REQUESTER] = real
    terms = world.propose(keccak256_text("agreement"))
    world.sign(terms, OFFICE)
    world.sign(terms, WANTING, last=True)
    _lie(made, "planted-key", "a key that no root key bound to the post", world, terms.agreement)

    world = World()
    root = made.keep("trust-root-before-rotation.json", world.trust_root_bytes())
    planted = Key("planted root")
    world.rotate_root(PROVIDER, planted)
    world.by_registrar(events.RootKeyChanged(agency_id(REQUESTER), world.roots[REQUESTER].address, planted.address))
    world.roots[REQUESTER] = planted
    world.bind_key(WANTING, Key("planted"))
    file = made.keep("bad-rotation-of-another.json", world.agreement_evidence(world.agree()))
    made.case("a root key that only another agency's rotation signed for", file, root)

    world = World()
    agreement = world.agree()
    world.suspend(agreement)
    value = json.loads(world.agreement_evidence(agreement))
    place = next(at for at, history in enumerate(value["histories"]) if history["contract"] == "AgreementLedger")
    suspension = value["histories"][place]["events"].pop()[0]
    # The suspension's block goes too, unless it is the one whose state is proved.
    numbers = [one[0] for history in value["histories"] for one in history["events"]]
    if suspension == value["state"]["block"]:
        value["blocks"][-1].update(transactions=[], receipts=[])
    elif suspension not in numbers:
        value["blocks"] = [block for at, block in enumerate(value["blocks"]) if at != len(value["blocks"]) - 2]
    root = made.keep("trust-root-suspended.json", world.trust_root_bytes())
    file = made.keep("bad-omitted-suspension.json", canonical.encode(value))
    made.case("a suspension left out of the agreement's history", file, root)

    world = World()
    index = world.report(world.agree())
    for _ in range(7):
        world.mine()
    world.anchor()
    root = made.keep("trust-root-stale.json", world.trust_root_bytes())
    file = made.keep("bad-stale-binding.json", world.event_evidence(index, ["exchange"]))
    made.case("an event anchored 80 s after its bound block", file, root)

    world = World()
    index = world.report(ZERO32, count=1, verdict=lambda binding: dataclasses.replace(
        binding, mismatches=(), verdict=Verdict.WITHIN_SCOPE
    ))  # fmt: skip
    world.anchor()
    root = made.keep("trust-root-misjudged.json", world.trust_root_bytes())
    file = made.keep("bad-verdict.json", world.event_evidence(index))
    made.case("an operator that committed to a verdict of its own", file, root)

    world = World()
    real = world.keys[GATEWAY]
    world.keys[GATEWAY] = Key("thief")
    index = world.report(ZERO32, count=1)
    world.anchor()
    world.keys[GATEWAY] = real
    root = made.keep("trust-root-thief.json", world.trust_root_bytes())
    file = made.keep("bad-reporter.json", world.event_evidence(index))
    made.case("a batch signed by a key that is not the reporter's", file, root)

    world = World()
    index = world.report(ZERO32, count=1, lasting=EVENT_DEADLINE_MAX_S + 1)
    world.anchor()
    root = made.keep("trust-root-lasting.json", world.trust_root_bytes())
    file = made.keep("bad-lasting.json", world.event_evidence(index))
    made.case("a batch whose signature outlasts the longest deadline", file, root)


def _lie(made: Vectors, name: str, title: str, world: World, agreement: bytes) -> None:
    root = made.keep(f"trust-root-{name}.json", world.trust_root_bytes())
    made.case(title, made.keep(f"bad-{name}.json", world.agreement_evidence(agreement)), root)


def _document(commitment: Commitment, *shown: str) -> list[Any]:
    return shown_groups(VaultDocument(commitment.root, "any", "PUBLIC", commitment.by_name(), {}), shown)
