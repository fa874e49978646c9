"""The computed parts of the pages on evidence: steps, events with their heads, functions, rules and roles."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ledger.domain import event_decoding, events, records
from ledger.domain.codes import CaseStep, PostRole
from ledger.domain.event_log import signature, topic0
from ledger.domain.keccak import keccak256_text
from ledger.domain.record import solidity_name
from ledger.domain.records import Advance
from ledger.domain.scalars import ZERO32
from ledger.evidence import fingerprint
from ledger.evidence.calls import FUNCTIONS, signature_of
from ledger.evidence.report import TITLES
from ledger.evidence.signatures import ROLES, SAME, roles_of
from scripts.evidence_vectors.build import FOLDER, evidence_vectors

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ledger.domain.event_log import Event

SPEC: Final = Path(__file__).parents[2] / "docs" / "spec"

HEADS: Final[dict[str, tuple[type[Event], ...]]] = {
    "post": (
        events.PostRegistered, events.PostRolesSet, events.PostRetired, events.KeyBound, events.KeyRetired,
    ),
    "agency": (
        events.AgencyAdmitted, events.AgencyCapacitiesSet, events.AgencySuspended, events.AgencyReinstated,
        events.RootReplacementAnnounced, events.RootReplacementCancelled, events.RootKeyChanged, events.AgencySucceeded,
    ),
    "keccak256(dataset ‖ version), dataset": (events.EntryPublished, events.EntryWithdrawn),
    "agreement; and once for each pair in its grants: 4 zero bytes ‖ the first 28 of keccak256(recipient ‖ dataset)": (
        events.AgreementProposed,
    ),
    "agreement": (
        events.AgreementSigned, events.AgreementActivated, events.AgreementSuspended, events.AgreementResumed,
        events.AgreementTerminated, events.ProposalCancelled, events.DisposalCertified, events.AgreementDisposed,
    ),
    "keccak256(duty ‖ object)": (
        events.ResponsibilityAssigned, events.ResponsibilityAccepted, events.ResponsibilityEnded,
    ),
    "caseId": (events.CaseAdvanced, events.CaseOpened),
    "none": (events.CheckpointAnchored, events.OperatorChanged, events.LogKeyRotated),
}  # fmt: skip
"""Keys of the heads that an event advances, in their order → the events; numbers are words of 32 bytes."""


def fillings() -> dict[str, dict[str, str]]:
    """Return file name → mark → computed text."""
    root = evidence_vectors()[f"{FOLDER}/trust-root.json"]
    return {
        "evidence-v1.md": {
            "STEPS": _table(("Step", "Title"), [(str(number), title) for number, title in enumerate(TITLES)]),
            "EVENTS": _events(),
            "FUNCTIONS": _functions(),
            "RULES": _rules(),
            "ROLES": _roles(),
        },
        "trust-root-v1.md": {"FINGERPRINT": f"```\n{fingerprint(root.encode())}\n```"},
    }


def evidence_spec() -> Mapping[str, str]:
    """Return the pages by path, their computed parts fresh."""
    pages: dict[str, str] = {}
    for name, marks in fillings().items():
        text = (SPEC / name).read_text()
        for mark, value in marks.items():
            between = re.compile(rf"(<!--{mark}-->\n).*?(<!--/{mark}-->)", re.DOTALL)
            text = between.sub(lambda found, value=value: f"{found[1]}{value}\n{found[2]}", text)  # type: ignore[misc]
        pages[f"docs/spec/{name}"] = text
    return pages


def _events() -> str:
    keys = {event: told for told, some in HEADS.items() for event in some}
    rows = [
        (contract, f"`{signature(event)}`", f"`{topic0(event).hex()}`", keys[event])
        for contract, some in event_decoding.EVENTS.items()
        for event in some
    ]
    return _table(("Contract", "Event", "First topic", "Heads"), rows)


def _functions() -> str:
    rows = [(record.__name__, signature_of(record)) for record in FUNCTIONS]
    rows.append(("Advance, with an opening", signature_of(Advance, opens=True)))
    told = [(name, f"`{text}`", f"`{keccak256_text(text)[:4].hex()}`") for name, text in rows]
    return _table(("Record", "Function", "Selector"), told)


def _rules() -> str:
    rows = [
        (event.__name__, record.__name__, ", ".join(_equal(item) for item in rule.split()))
        for (event, record), rule in SAME.items()
    ]
    return _table(("Event", "Record", "Equal fields"), rows)


def _equal(item: str) -> str:
    names, _, default = item.partition("?")
    own, _, other = names.partition("=")
    told = f"`{solidity_name(own)}`" + (f" = `{solidity_name(other)}`" if other else "")
    return told + {"": "", "now": " (0: the block's time)", "open": " (0: 2^64 − 1)"}[default]


def _roles() -> str:
    rows = [(record.__name__, _names(mask)) for record, mask in ROLES.items()]
    for step in CaseStep:
        advance = records.Advance(ZERO32, ZERO32, step.value, ZERO32, ZERO32, 0, 0)
        rows.append((f"Advance to {step.name}", _names(roles_of(advance))))
    return _table(("Record", "One of the roles"), rows)


def _names(mask: PostRole) -> str:
    names = [role.name or "" for role in PostRole if role in mask]
    return "any" if len(names) == len(PostRole) else ", ".join(f"`{name}`" for name in names)


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [f"| {' | '.join(row)} |" for row in [head, *rows]]
    return "\n".join([lines[0], "|" + "---|" * len(head), *lines[1:]])
