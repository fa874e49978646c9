"""Whose signature brought each event about, checked again from the raw transaction.

For every event of the histories: its transaction called the contract with a signed record; the event says what the
record says; the signature is the stated signer's; and the signer might act, as the chain stood just before.

What the registrar did alone (capacities, suspensions, announcements) carries no signature of an agency: the chain
vouches for it, and it never lets anybody speak for an agency. A contract account's signature (EIP-1271) only the chain
can check.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from ledger.domain import events, records
from ledger.domain.codes import ALL_ROLES, CaseStep, PostRole
from ledger.domain.commitment import verify_openings
from ledger.domain.errors import VerificationError
from ledger.domain.heads import event_digest
from ledger.domain.identifiers import agency_id, post_id_of
from ledger.domain.key_state import AGENCY_EVENTS, POST_EVENTS
from ledger.domain.scalars import OPEN_END
from ledger.domain.typed_data import Domain, digest, struct_hash
from ledger.evidence.authority import Authorities
from ledger.evidence.calls import Call, decode_call, recipient_and_data
from ledger.evidence.signature import recover
from ledger.evidence.state import NO_CODE

if TYPE_CHECKING:
    from ledger.domain.event_log import Event
    from ledger.domain.record import Record
    from ledger.evidence.blocks import Blocks, PlacedEvent
    from ledger.evidence.histories import Histories
    from ledger.evidence.state import ProvenState
    from ledger.evidence.trust_root import TrustRoot

_STEP: Final = 6
R: Final = PostRole

_OFFICE_HEADS: Final = R.PROVIDER_OFFICE_HEAD | R.REQUESTER_OFFICE_HEAD
_AUTHORITY: Final = R.SHARING_AUTHORITY | R.SUPERIOR
_INVESTIGATING: Final = R.INSPECTOR | _AUTHORITY
_ASSIGNING: Final = _OFFICE_HEADS | R.DEPT_HEAD | R.PLATFORM_OPERATOR | _AUTHORITY

ROLES: Final[dict[type[Record], PostRole]] = {
    records.PublishEntry: R.DEPT_HEAD,
    records.WithdrawEntry: R.DEPT_HEAD,
    records.Propose: _OFFICE_HEADS,
    records.Sign: _OFFICE_HEADS,
    records.CancelProposal: _OFFICE_HEADS,
    records.Suspend: R.PROVIDER_OFFICE_HEAD | R.SHARING_AUTHORITY,
    records.Resume: R.PROVIDER_OFFICE_HEAD | R.SHARING_AUTHORITY,
    records.Terminate: _OFFICE_HEADS | R.SHARING_AUTHORITY,
    records.Dispose: R.REQUESTER_OFFICE_HEAD,
    records.Assign: _ASSIGNING,
    records.Accept: ALL_ROLES,
    records.HandOver: _ASSIGNING,
    records.Vacate: ALL_ROLES,
}
"""Record → roles, one of which its signer needs; an `Advance` depends on its step."""

_RESPONSES: Final = (CaseStep.EVIDENCE_FILED, CaseStep.APPEAL_FILED)
_REVIEWS: Final = (
    CaseStep.VERIFIED,
    CaseStep.REWORK,
    CaseStep.APPEAL_UPHELD,
    CaseStep.APPEAL_VARIED,
    CaseStep.APPEAL_REVOKED,
)

_REGISTRAR: Final = (
    events.AgencyCapacitiesSet,
    events.AgencySuspended,
    events.AgencyReinstated,
    events.RootReplacementAnnounced,
    events.AgencySucceeded,
)
"""Events that only the registrar brings about, without a signature of the agency's."""

SAME: Final[dict[tuple[type[Event], type[Record]], str]] = {
    (events.AgencyAdmitted, records.AdmitAgency): "agency scheme root_key capacities profile",
    (events.RootReplacementCancelled, records.CancelRootReplacement): "agency",
    (events.RootKeyChanged, records.RotateRoot): "agency new_root",
    (events.PostRegistered, records.RegisterPost): "agency roles profile",
    (events.PostRolesSet, records.SetPostRoles): "post roles",
    (events.PostRetired, records.RetirePost): "post reason",
    (events.KeyBound, records.BindKey): "post key valid_from?now valid_to?open",
    (events.KeyBound, records.RotateKey): "post key=new_key valid_to?open",
    (events.KeyRetired, records.RotateKey): "post key=old_key",
    (events.KeyRetired, records.RetireKey): "post key reason",
    (events.EntryPublished, records.PublishEntry): "post code version attribute grade review_required law content",
    (events.EntryWithdrawn, records.WithdrawEntry): "post dataset version reason",
    (events.AgreementProposed, records.Propose): "post terms",
    (events.AgreementSigned, records.Sign): "post agreement version",
    (events.AgreementActivated, records.Sign): "agreement version",
    (events.AgreementSuspended, records.Suspend): "post agreement reason",
    (events.AgreementResumed, records.Resume): "post agreement",
    (events.AgreementTerminated, records.Terminate): "post agreement reason",
    (events.ProposalCancelled, records.CancelProposal): "post agreement version reason",
    (events.ProposalCancelled, records.Terminate): "post agreement reason",
    (events.DisposalCertified, records.Dispose): "post agreement certificate",
    (events.AgreementDisposed, records.Dispose): "agreement",
    (events.ResponsibilityAssigned, records.Assign): (
        "by_post=post assignment duty object_kind object assignee role share_bps valid_from valid_to basis"
    ),
    (events.ResponsibilityAssigned, records.HandOver): (
        "by_post=post assignment=successor_assignment predecessor=assignment assignee=to_post valid_from=at?now basis"
    ),
    (events.ResponsibilityAccepted, records.Accept): "post assignment",
    (events.ResponsibilityEnded, records.HandOver): "by_post=post assignment at?now reason=basis",
    (events.ResponsibilityEnded, records.Vacate): "by_post=post assignment at?now reason",
    (events.CaseAdvanced, records.Advance): "post case_id step commitment aux",
    (events.CaseOpened, records.Advance): "case_id",
}
"""(event, record) → the event's fields that the record states: ``event[=record][?default where the record has 0]``."""


@dataclass(slots=True)
class Rechecked:
    """What was checked again, and what only the chain vouches for."""

    signatures: int = 0
    by_chain_only: int = 0
    registrar: int = 0
    keys: set[bytes] = field(default_factory=set)
    contract_signers: set[bytes] = field(default_factory=set)
    rotations: set[tuple[bytes, tuple[int, int]]] = field(default_factory=set)
    """Agency and place of each change of a root key that the root key before it signed."""

    def told(self) -> str:
        """Return it in words."""
        parts = [f"{self.signatures} signatures rechecked"]
        if self.by_chain_only:
            parts.append(f"{self.by_chain_only} of contract accounts vouched for by the chain only")
        if self.registrar:
            parts.append(f"{self.registrar} acts of the registrar vouched for by the chain only")
        return ", ".join(parts)


class SignatureCheck:
    """Checks the signatures behind the events of the file's histories."""

    def __init__(self, blocks: Blocks, histories: Histories, state: ProvenState, root: TrustRoot) -> None:
        self._blocks = blocks
        self._histories = histories
        self._state = state
        self._root = root
        self._names = {root.address(name): name for name in root.contracts}
        self.authorities = Authorities(histories.read)
        self._calls: dict[tuple[int, int], tuple[Call, bytes]] = {}
        self._terms: dict[tuple[bytes, int], bytes] = {}
        self._assigned: dict[bytes, bytes] = {}
        self._found = Rechecked()

    def check(self) -> Rechecked:
        """Check every event.

        Raises:
            VerificationError: A signature, a right to act, or the agreement of event and record is missing.
        """
        for placed in self._histories.placed():
            event = placed.recorded.event
            if isinstance(event, events.AgreementProposed):
                self._terms[event.agreement, event.version] = event.terms_hash
            elif isinstance(event, events.ResponsibilityAssigned):
                self._assigned[event.assignment] = event_digest(placed.topics, placed.data)
            if isinstance(event, _REGISTRAR):
                self._found.registrar += 1
                continue
            name = self._names[placed.recorded.address]
            raw = self._blocks.transaction(placed.place[0], placed.place[1])
            to, data = recipient_and_data(raw)
            if to != placed.recorded.address:
                raise _refused(placed, f"its transaction did not call {name} itself")
            if isinstance(event, events.RootKeyChanged) and not _is_signed_call(name, data):
                self._found.registrar += 1
                continue
            call, agency = self._call(placed, name, data)
            self._match(placed, call, agency)
            if isinstance(event, events.RootKeyChanged):
                self._found.rotations.add((agency, placed.recorded.position))
        if both := self._found.keys & self._found.contract_signers:
            # No contract has the address of a key; a chain that says so lies about what the key signed.
            raise VerificationError(_STEP, f"the key {min(both).hex()} is taken for a contract account elsewhere")
        return self._found

    def _call(self, placed: PlacedEvent, name: str, data: bytes) -> tuple[Call, bytes]:
        """Return the signed record behind an event, and the agency that acted; checked once for each transaction."""
        where = placed.place[:2]
        known = self._calls.get(where)
        if known is None:
            call = decode_call(name, data)
            agency = self._check_call(placed, call)
            known = self._calls[where] = (call, agency)
        return known

    def _check_call(self, placed: PlacedEvent, call: Call) -> bytes:
        record: Any = call.record
        time = placed.recorded.timestamp
        if record.deadline < time:
            raise _refused(placed, "its signature's deadline had passed")
        signed = digest(Domain(self._root.chain_id, self._root.address(call.contract)), call.record)
        # All events of one transaction follow from one act: its authority is what stood before the first log.
        before = (placed.recorded.block, placed.recorded.tx_index << 32)
        signer = record.root_key if isinstance(call.record, records.AdmitAgency) else call.signer
        self._check_signature(placed, signed, signer, call.signature)
        match call.record:
            case records.AdmitAgency():
                return bytes(record.agency)
            case records.BindKey():
                self._check_signature(placed, signed, record.key, call.possession)
            case records.RotateKey():
                self._check_signature(placed, signed, record.new_key, call.possession)
            case records.RotateRoot():
                self._check_signature(placed, signed, record.new_root, call.possession)
            case _:
                pass
        if isinstance(placed.recorded.event, (*AGENCY_EVENTS, *POST_EVENTS)):
            self.authorities.check_root(record.agency, signer, before=before)
            return bytes(record.agency)
        return self.authorities.check_post(record.post, signer, any_of=roles_of(call.record), before=before, time=time)

    def _check_signature(self, placed: PlacedEvent, signed: bytes, signer: bytes, signature: bytes) -> None:
        try:
            recovered = recover(signed, signature)
        except VerificationError:
            recovered = b""
        if recovered == signer:
            self._found.signatures += 1
            self._found.keys.add(signer)
        elif self._state.account(signer).code_hash != NO_CODE:
            self._found.by_chain_only += 1
            self._found.contract_signers.add(signer)
        else:
            raise _refused(placed, f"the signature is not that of the signer {signer.hex()}")

    def _match(self, placed: PlacedEvent, call: Call, agency: bytes) -> None:
        """Check that an event says what the record says."""
        event: Any = placed.recorded.event
        rule = SAME.get((type(event), type(call.record)))
        if rule is None:
            raise _refused(placed, f"a {type(call.record).__name__} does not bring it about")
        for item in rule.split():
            self._same(placed, call.record, item)
        match event:
            case events.PostRegistered():
                registered: Any = call.record
                holds = event.agency == agency and event.post == post_id_of(agency, registered.code)
            case events.KeyBound() | events.KeyRetired() | events.PostRolesSet() | events.PostRetired():
                before = (placed.recorded.block, placed.recorded.tx_index << 32)
                post = self.authorities.post(event.post, before)
                holds = post is not None and post.agency == agency
            case events.AgreementProposed():
                terms = event.terms
                stated = (terms.agreement, terms.version, struct_hash(terms))
                holds = bool((event.agreement, event.version, event.terms_hash) == stated)
            case events.AgreementSigned():
                record: Any = call.record
                terms_hash = self._terms.get((event.agreement, event.version))
                signed = (agency, call.signer, terms_hash)
                holds = bool((event.party, event.signer, record.terms_hash) == signed)
            case events.ResponsibilityAccepted():
                accepted: Any = call.record
                holds = self._assigned.get(event.assignment) == accepted.content
            case events.DisposalCertified():
                holds = event.party == agency
            case events.CaseOpened():
                holds = call.filing == event.filing and _respondent(call) == event.respondent
            case _:
                holds = True
        if not holds:
            raise _refused(placed, "it does not say what was signed")

    @staticmethod
    def _same(placed: PlacedEvent, record: Record, item: str) -> None:
        names, _, default = item.partition("?")
        own, _, other = names.partition("=")
        stated = getattr(record, other or own)
        if default and stated == 0:
            stated = placed.recorded.timestamp if default == "now" else OPEN_END
        if getattr(placed.recorded.event, own) != stated:
            raise _refused(placed, f"its {own} is not what was signed")


def roles_of(record: Record) -> PostRole:
    """Return the roles, one of which the signer of a record needs."""
    if not isinstance(record, records.Advance):
        return ROLES[type(record)]
    if record.step in _RESPONSES:
        return _INVESTIGATING | _OFFICE_HEADS | R.DEPT_HEAD
    if record.step in _REVIEWS:
        return R.REVIEWER
    return _INVESTIGATING if record.step <= CaseStep.FACTS_TOLD or record.step == CaseStep.REOPENED else _AUTHORITY


def _respondent(call: Call) -> bytes | None:
    """Return the agency that a notice opened out of the filing's commitment."""
    if call.opening is None:
        return None
    respondent = verify_openings(call.filing, [call.opening]).get("respondent")
    return agency_id(respondent) if isinstance(respondent, str) else None


def _is_signed_call(contract: str, data: bytes) -> bool:
    try:
        decode_call(contract, data)
    except VerificationError:
        return False
    return True


def _refused(placed: PlacedEvent, reason: str) -> VerificationError:
    block, transaction, _ = placed.place
    name = type(placed.recorded.event).__name__
    return VerificationError(_STEP, f"{name} in block {block}, transaction {transaction}: {reason}")
