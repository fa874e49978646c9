"""The verification itself: numbered steps over the bytes of an evidence file and of a trust root, and nothing else.

    report = report_of(Run(evidence_bytes, trust_root_bytes))
    report.holds, report.failed, report.assurance

Whatever is wrong with the bytes, the answer is a report in which one step failed; no hostile input raises. The steps
and what each relies on are in docs/spec/evidence-v1.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ledger.domain.codes import Duty
from ledger.domain.errors import InvalidInputError, LedgerError, VerificationError
from ledger.domain.event_groups import GROUPS
from ledger.domain.identifiers import duty_key
from ledger.domain.key_state import AGENCY_EVENTS
from ledger.domain.record import Record
from ledger.domain.scalars import hex32
from ledger.evidence import entry_steps
from ledger.evidence.answers import answer_base, answer_to, check_question
from ledger.evidence.blocks import Blocks
from ledger.evidence.file import Entry, Evidence, parse_evidence
from ledger.evidence.histories import (
    AGREEMENTS,
    CASES,
    REGISTRY,
    RESPONSIBILITIES,
    Histories,
    needed,
)
from ledger.evidence.report import NONE, TITLES, Report, Status, Step
from ledger.evidence.signatures import Rechecked, SignatureCheck
from ledger.evidence.state import ProvenState
from ledger.evidence.trust_root import TrustRoot, parse_trust_root

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ledger.domain.canonical import Json
    from ledger.domain.event_log import Event, Recorded
    from ledger.evidence.events_file import EventsEvidence
    from ledger.evidence.histories import HeadKey

_ANCHOR: Final = "CheckpointAnchor"
_SUBJECTS: Final = {
    "event": (),
    "agreement": ("agreement",),
    "responsibility": ("duty", "object"),
    "case": ("case",),
}
"""Kind → the members of its subject; an answer's are its question's."""


class NotApplicable(Exception):  # noqa: N818 - it is no error: the step has nothing to check here.
    """A step has nothing to check in this file."""


def report_of(run: Run) -> Report:
    """Run the steps of a verification. Never raises."""
    steps: list[Step] = []
    failed = False
    for number, (title, check) in enumerate(zip(TITLES, run.steps(), strict=True)):
        if failed:
            steps.append(Step(number, title, Status.NOT_REACHED, ""))
            continue
        status, reason = _take(check)
        failed = status is Status.FAILED
        if failed:
            reason = run.named(reason)
        steps.append(Step(number, title, status, reason))
    return Report(tuple(steps), NONE if failed else run.assurance(steps))


def _take(check: Callable[[], str]) -> tuple[Status, str]:
    try:
        return Status.PASSED, check()
    except NotApplicable as nothing:
        return Status.NOT_APPLICABLE, str(nothing)
    except VerificationError as error:
        return Status.FAILED, error.reason
    except LedgerError as error:
        return Status.FAILED, error.explain()
    except Exception as error:  # noqa: BLE001 - Hostile bytes: whatever fails underneath, the evidence does not hold.
        return Status.FAILED, f"unexpected: {type(error).__name__}"


class Run:
    """One verification: what earlier steps found, for the later ones."""

    def __init__(self, evidence: bytes, trust_root: bytes) -> None:
        self._bytes = evidence, trust_root
        self._groups: dict[str, Json] = {}
        self._claim: entry_steps.Claim | None = None
        self._shared: Evidence | EventsEvidence
        self._entries: list[Entry] = []
        self._claims: list[entry_steps.Claim] = []
        self._cosigned, self._witnesses = 0, 0
        self._seals = 0
        self._proved_until = 0
        self._proved_block = 0
        self._by_chain_only = 0

    def steps(self) -> tuple[Callable[[], str], ...]:
        """Return the steps by their numbers."""
        return (
            self._form,
            self._disclosed,
            self._included,
            self._checkpoint,
            self._anchored,
            self._sealed,
            self._histories_hold,
            self._reported,
            self._follows,
        )

    def named(self, reason: str) -> str:
        """Return why a step failed, with what it was about where that is one of several."""
        return reason

    def assurance(self, steps: Sequence[Step]) -> str:
        """Return what a file that holds is worth."""
        root = self._root
        reached: list[str] = []
        if self._witnesses:
            reached.append(f"WITNESSED {self._cosigned}/{self._witnesses}")
        if len(root.validators.keys) > 1:
            reached.append(f"VALIDATORS {self._seals}/{len(root.validators.keys)}")
        told = ", ".join(reached) or "OPERATOR_ONLY"
        if self._entries:
            absent = [str(step.number) for step in steps if step.status is Status.NOT_APPLICABLE]
            if absent:
                told += f" (not shown: steps {', '.join(absent)})"
        if self._by_chain_only:
            told += f" ({self._by_chain_only} signatures by the chain's word only)"
        return told + (" (demonstration)" if root.demonstration else "")

    def _form(self) -> str:
        evidence, trust_root = self._bytes
        self._root: TrustRoot = parse_trust_root(trust_root)
        self._file: Evidence = parse_evidence(evidence)
        file = self._file
        if (file.entry is not None) != (file.kind == "event") or (file.answer is not None) != (file.kind == "answer"):
            raise VerificationError(0, f"evidence of the kind {file.kind} has other members")
        if file.kind == "answer":
            check_question(file.subject)
        elif tuple(sorted(file.subject)) != _SUBJECTS[file.kind]:
            raise VerificationError(0, f"evidence of the kind {file.kind} has another subject")
        self._shared = file
        self._blocks = Blocks(file.blocks, self._root)
        self._entries = [] if file.entry is None else [file.entry]
        return f"{file.kind}, {len(file.blocks)} blocks, {len(file.histories)} histories"

    def _disclosed(self) -> str:
        file = self._file
        if file.entry is not None:
            if file.documents:
                raise VerificationError(1, "evidence of an event holds no other documents")
            self._groups, told = entry_steps.check_entry(file.entry)
            if "binding" in self._groups:
                self._claim = entry_steps.claim_of(self._groups)
                self._claims = [self._claim]
            return told
        if not file.documents:
            raise NotApplicable("no document is disclosed")
        opened = [entry_steps.open_groups(document, 1) for document in file.documents]
        if len({document.root for document in opened}) != len(opened):
            raise VerificationError(1, "a document stands twice")
        committed = self._committed()
        found: list[str] = []
        for document in opened:
            if document.root not in committed:
                raise VerificationError(1, f"no event commits to the document {document.root.hex()}")
            found.append(f"{', '.join(committed[document.root])}: {document.told()}")
        return "; ".join(found)

    def _committed(self) -> dict[bytes, list[str]]:
        """Return every word of 32 bytes in an event of the file's own object, and where it stands, in words.

        A text may be that of a version which nobody signed: which event commits to it is for the reader to know.
        """
        words: dict[bytes, list[str]] = {}
        for contract, key in self._base():
            for recorded in self._read_unproved(contract, key):
                version = getattr(recorded.event, "version", None)
                told = "" if version is None else f" of version {version}"
                where = f"{type(recorded.event).__name__}{told} in block {recorded.block}"
                for name, word in _words(recorded.event):
                    words.setdefault(word, []).append(f"{name} of {where}")
        return words

    def _included(self) -> str:
        return entry_steps.check_inclusion(self._entry())

    def _checkpoint(self) -> str:
        self._cosigned, self._witnesses, told = entry_steps.check_checkpoint(self._entry(), self._root)
        return told

    def _anchored(self) -> str:
        return entry_steps.check_anchor(self._entry(), self._blocks, self._root)

    def _sealed(self) -> str:
        file = self._shared
        self._seals = self._blocks.check_seals()
        plain: list[int] = []
        events = [place for history in file.histories for place in history.events]
        for entry in self._entries:
            plain.append(entry.leaf.block)
            events.append(entry.anchor)
        if file.state is not None:
            plain.append(file.state.block)
        self._blocks.check_used(plain, events)
        return f"{len(file.blocks)} blocks, each with at least {self._seals} seals"

    def _histories_hold(self) -> str:
        file = self._shared
        if self._entries and not self._claims:
            if file.histories or file.state is not None:
                raise VerificationError(6, "histories are shown without the group that relies on them")
            raise NotApplicable("the group `binding` is withheld, so nothing says on which histories it relies")
        if file.state is None:
            raise VerificationError(6, "the file has no state proof")
        header = self._blocks.header(file.state.block)
        newest = max((place[0] for history in file.histories for place in history.events), default=0)
        anchored = max((max(entry.leaf.block, entry.anchor[0]) for entry in self._entries), default=0)
        if header.number < max(newest, anchored):
            raise VerificationError(6, f"block {header.number} is before some of what its state should prove")
        histories = Histories(file.histories, self._blocks, self._root)
        self._read = histories.read
        posts = [post for claim in self._claims for post in entry_steps.event_base(claim)[1]]
        histories.check_needed(needed(self._base(), posts, histories.read))
        state = ProvenState(file.state, header.state_root, self._root)
        histories.check_complete(state)
        check = SignatureCheck(self._blocks, histories, state, self._root)
        found = check.check()
        self._authorities = check.authorities
        self._by_chain_only = found.by_chain_only
        self._check_agencies(histories, found)
        contracts = dict(histories.by_contract())
        if self._entries:
            contracts[_ANCHOR] = ()
        state.check_used(dict(sorted(contracts.items())), sorted(found.contract_signers))
        self._check_subject()
        self._proved_until, self._proved_block = header.timestamp, header.number
        count = len(histories.placed())
        return f"{count} events, complete up to block {header.number} at {header.timestamp}; {found.told()}"

    def _check_agencies(self, histories: Histories, found: Rechecked) -> None:
        for key in histories.by_contract().get(REGISTRY, ()):
            if any(isinstance(one.event, AGENCY_EVENTS) for one in histories.read(REGISTRY, key)):
                self._authorities.check_trusted(key, self._root, found.rotations)

    def _check_subject(self) -> None:
        """Evidence about an object needs the object; only answers and events prove that there is none."""
        file = self._shared
        if file.kind in {"agreement", "responsibility", "case"} and not self._read(*self._base()[0]):
            raise VerificationError(6, f"there is no such {file.kind}")

    def _reported(self) -> str:
        entry = self._entry()
        withheld = [name for name in GROUPS if name not in self._groups]
        if entry.batch is None:
            if not withheld:
                raise VerificationError(7, "all groups are disclosed, and the reporter's signature is not")
            raise NotApplicable(f"withheld: {', '.join(withheld)}; the reporter signed all groups together")
        if withheld:
            raise VerificationError(7, "the reporter's signature is shown, and groups that it covers are not")
        return entry_steps.check_reporter(
            entry, entry.batch, self._groups, self._blocks, self._root, self._authorities, self._read
        )

    def _follows(self) -> str:
        if self._entries:
            withheld = [name for name in ("binding", "exchange") if name not in self._groups]
            if withheld:
                raise NotApplicable(f"withheld: {', '.join(withheld)}; the verdict follows from both")
            return entry_steps.check_verdict(self._groups, self._root, self._read)
        file = self._file
        if file.answer is None:
            raise NotApplicable(f"evidence of the kind {file.kind} claims no verdict")
        found = answer_to(file.subject, self._read, proved_at=self._proved_until)
        if found != file.answer:
            odd = next(name for name in sorted({*found, *file.answer}) if found.get(name) != file.answer.get(name))
            raise VerificationError(
                8, f"the answer's {odd} is {file.answer.get(odd)!r}, and the histories give {found.get(odd)!r}"
            )
        told = ", ".join(f"{name} {value or '-'}" for name, value in sorted(found.items()) if name != "question")
        return f"{told}; as recorded by {file.subject['known_at']}, in blocks up to {self._proved_block}"

    def _entry(self) -> Entry:
        if self._file.entry is None:
            raise NotApplicable(f"evidence of the kind {self._file.kind} is about no log entry")
        return self._file.entry

    def _base(self) -> list[HeadKey]:
        """Return the histories that the file's claim is about."""
        file, subject = self._file, self._file.subject
        match file.kind:
            case "event":
                return [] if self._claim is None else entry_steps.event_base(self._claim)[0]
            case "agreement":
                return [(AGREEMENTS, hex32(subject["agreement"], "agreement"))]
            case "responsibility":
                if subject["duty"] not in Duty.__members__:
                    raise InvalidInputError("duty", subject["duty"], ", ".join(Duty.__members__))
                return [(RESPONSIBILITIES, duty_key(Duty[subject["duty"]], hex32(subject["object"], "object")))]
            case "case":
                return [(CASES, hex32(subject["case"], "case"))]
            case "answer":
                return answer_base(subject, self._read_unproved)

    def _read_unproved(self, contract: str, key: bytes) -> list[Recorded[Event]]:
        """Return a history before step 6 has proved it: what it is about, never whether it counts."""
        for history in self._shared.histories:
            if history.contract == contract and history.key == key.hex():
                return [self._blocks.event(place).recorded for place in history.events]
        return []


def _words(record: Any, within: str = "") -> Iterator[tuple[str, bytes]]:
    """Yield every word of 32 bytes in a record and in the records within it, each with the name of its field."""
    for name in record.__dataclass_fields__:
        value, path = getattr(record, name), f"{within}{name}"
        for element in value if isinstance(value, tuple) else (value,):
            if isinstance(element, Record):
                yield from _words(element, f"{path}.")
            elif isinstance(element, bytes) and len(element) == 32:
                yield path, element
