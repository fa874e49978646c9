"""What agencies, posts and the registrar do on a made chain, signed as the product signs and called as it calls.

The events are those that the contracts would emit. Whoever wants a lie forges a part of an act, or lets events stand
that nobody signed.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from ledger.domain import events, records
from ledger.domain.codes import CaseStep, Delivery, Duty, EndCause, PostRole
from ledger.domain.commitment import Commitment, commit
from ledger.domain.heads import event_digest
from ledger.domain.identifiers import agency_id, code_id, dataset_id, parse_post, post_id
from ledger.domain.keccak import keccak256_text
from ledger.domain.scalars import OPEN_END, ZERO32
from ledger.domain.typed_data import Domain, struct_hash
from ledger.domain.typed_data import digest as signing_digest
from ledger.evidence.calls import FUNCTIONS, OPEN_NOTICE
from ledger.log.cosignature import Cosigner
from ledger.log.note import Ed25519Signer
from ledger.service.call_data import call_data, tuple_type
from ledger.service.deployment import DeployedContract, Deployment
from ledger.service.ledger_state import LedgerState
from scripts.evidence_vectors.chain import GENESIS_TIME, Key, MadeChain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ledger.domain.canonical import Json
    from ledger.domain.event_log import Event
    from ledger.domain.record import Record
    from ledger.service.ports import BlockRef

from scripts.evidence_vectors.names import (
    AUTHORITY,
    DATASET,
    GATEWAY,
    INSPECTOR,
    OFFICE,
    ORIGIN,
    PROVIDER,
    PURPOSE,
    REQUESTER,
    WANTING,
)

_HEADS: Final = PostRole.PROVIDER_OFFICE_HEAD | PostRole.REQUESTER_OFFICE_HEAD


class Acts:
    """The deployment, and whoever acts in it on chain."""

    def __init__(self, *, chain_id: int = 4_815_162_342_108, validators: int = 1, witnesses: int = 0) -> None:
        """Make the chain and admit the agencies with their posts."""
        self.chain = MadeChain(chain_id, [Key(f"sealer {number}") for number in range(validators)])
        self.log_key = Ed25519Signer(ORIGIN, sha256(b"quanze vectors: log").digest())
        self.log_cosigner = Cosigner.from_seed(ORIGIN, sha256(b"quanze vectors: log").digest(), self.cosigned_at)
        self.witness_keys = [
            Cosigner.from_seed(
                f"witness{number}.example", sha256(b"quanze vectors: witness %d" % number).digest(), self.cosigned_at
            )
            for number in range(witnesses)
        ]
        self.deployment = Deployment(
            chain_id=chain_id,
            genesis_hash=self.chain.genesis_hash,
            contracts={
                name: DeployedContract(address, self.chain.code_hashes[name], 1)
                for name, address in self.chain.addresses.items()
            },
            validators=tuple(sealer.address for sealer in self.chain.sealers),
            log_origin=ORIGIN,
            log_vkey=self.log_key.vkey,
            demonstration=False,
        )
        self.state = LedgerState(self.chain, self.deployment)  # type: ignore[arg-type]  # It gives the reads that this needs.
        self.keys: dict[str, Key] = {}
        self.roots: dict[str, Key] = {}
        self._nonce = 0
        self.admit(PROVIDER)
        self.admit(REQUESTER)
        self.register(OFFICE, _HEADS)
        self.register(WANTING, _HEADS)
        self.register(GATEWAY, PostRole.REPORTER)

    def cosigned_at(self) -> int:
        """Return the time that cosignatures bear: that of the newest block."""
        return self.chain.final_block().timestamp

    # Acts.

    def act(
        self,
        record: Record,
        key: Key,
        emitted: Sequence[Event],
        *,
        possession: Key | None = None,
        opening: tuple[bytes, Any] | None = None,
        mine: bool = True,
        **forged: Any,
    ) -> bytes:
        """Sign a record, call its contract, and let the call emit events; returns the call's data.

        ``forged`` may name another ``signer``, ``signature``, ``possession_bytes``, ``chain_id`` or ``function``.
        """
        contract = records.CONTRACTS[type(record)]
        signed = signing_digest(
            Domain(forged.get("chain_id", self.deployment.chain_id), self.chain.addresses[contract]), record
        )
        arguments: list[tuple[str, object]] = [(tuple_type(type(record)), record)]
        if opening is not None:
            filing, opened = opening
            arguments.append(
                (
                    "(bytes32,bytes,uint64,uint64,bytes32[])",
                    (filing, opened.leaf, opened.index, opened.size, opened.path),
                )
            )
        if not isinstance(record, records.AdmitAgency):
            arguments.append(("address", forged.get("signer", key.address)))
        arguments.append(("bytes", forged.get("signature", key.sign_digest(signed))))
        if possession is not None:
            arguments.append(("bytes", forged.get("possession_bytes", possession.sign_digest(signed))))
        function = forged.get("function", OPEN_NOTICE if opening is not None else FUNCTIONS[type(record)])
        data = call_data(function, arguments)
        self.chain.add(contract, data, emitted)
        if mine:
            self.mine()
        return data

    def by_registrar(self, event: Event) -> None:
        """Let the registrar act alone."""
        self.chain.add("AgencyRegistry", keccak256_text(type(event).__name__)[:4], [event])
        self.mine()

    def mine(self) -> BlockRef:
        """Make a block and read it."""
        made = self.chain.mine()
        self.state.refresh()
        return made

    @property
    def next_time(self) -> int:
        """The time of the block that is made next."""
        return self.chain.time + 10

    def signed_tail(self) -> dict[str, Any]:
        """Return a fresh nonce, and a deadline an hour away."""
        self._nonce += 1
        return {"nonce": self._nonce << 64, "deadline": self.next_time + 3600}

    def admit(self, agency: str, capacities: int = 0) -> None:
        """Admit an agency under a root key of its own."""
        root = self.roots[agency] = Key(f"root of {agency}")
        fields: dict[str, Any] = {
            "agency": agency_id(agency),
            "scheme": keccak256_text(agency.partition(":")[0]),
            "root_key": root.address,
            "capacities": capacities,
            "profile": keccak256_text(f"profile of {agency}"),
        }
        record = records.AdmitAgency(**fields, **self.signed_tail())
        self.act(record, root, [events.AgencyAdmitted(**fields)])

    def register(self, post: str, roles: int) -> None:
        """Set up a post of an agency, and bind a key to it."""
        agency = post.partition("@")[2]
        ref = parse_post(post)
        fields: dict[str, Any] = {"agency": ref.agency.id, "roles": roles, "profile": ZERO32}
        self.act(
            records.RegisterPost(code=ref.code_hash, **fields, **self.signed_tail()),
            self.roots[agency],
            [events.PostRegistered(post=ref.id, **fields)],
        )
        self.bind_key(post, Key(f"key of {post}"))

    def bind_key(self, post: str, key: Key) -> None:
        """Bind a key to a post from now on."""
        agency = post.partition("@")[2]
        self.keys[post] = key
        record = records.BindKey(
            agency=agency_id(agency),
            post=post_id(post),
            key=key.address,
            valid_from=0,
            valid_to=0,
            **self.signed_tail(),
        )
        bound = events.KeyBound(post=post_id(post), key=key.address, valid_from=self.next_time, valid_to=OPEN_END)
        self.act(record, self.roots[agency], [bound], possession=key)

    def rotate_key(self, post: str, key: Key, *, possession: bytes = b"") -> None:
        """Replace a post's key; ``possession`` is what a contract account gives in place of a signature."""
        agency, old = post.partition("@")[2], self.keys[post]
        record = records.RotateKey(
            agency=agency_id(agency),
            post=post_id(post),
            old_key=old.address,
            new_key=key.address,
            valid_to=0,
            **self.signed_tail(),
        )
        now = self.next_time
        emitted = [
            events.KeyRetired(post=post_id(post), key=old.address, at=now, reason=ZERO32),
            events.KeyBound(post=post_id(post), key=key.address, valid_from=now, valid_to=OPEN_END),
        ]
        forged: dict[str, Any] = {"possession_bytes": possession} if possession else {}
        self.act(record, self.roots[agency], emitted, possession=key, **forged)
        self.keys[post] = key

    def rotate_root(self, agency: str, key: Key) -> None:
        """Replace an agency's root key by a signature of the present one."""
        old = self.roots[agency]
        record = records.RotateRoot(agency=agency_id(agency), new_root=key.address, **self.signed_tail())
        changed = events.RootKeyChanged(agency=agency_id(agency), old_root=old.address, new_root=key.address)
        self.act(record, old, [changed], possession=key)
        self.roots[agency] = key

    # Agreements and duties.

    def terms(self, agreement: bytes, version: int = 1, text: bytes = ZERO32) -> records.Terms:
        """Return terms with one grant."""
        provider, requester = agency_id(PROVIDER), agency_id(REQUESTER)
        grant = records.Grant(
            dataset=dataset_id(DATASET),
            dataset_version=1,
            recipient=requester,
            purpose=code_id(PURPOSE),
            delivery=Delivery.INTERFACE.value,
            valid_from=GENESIS_TIME,
            valid_to=GENESIS_TIME + 10**8,
        )
        return records.Terms(
            agreement=agreement,
            version=version,
            provider=provider,
            parties=(provider, requester),
            text=text,
            review=keccak256_text("review"),
            review_valid_until=GENESIS_TIME + 10**8,
            grants=(grant,),
        )

    def propose(self, agreement: bytes, text: bytes = ZERO32) -> records.Terms:
        """Propose version 1 of an agreement."""
        terms = self.terms(agreement, text=text)
        proposed = events.AgreementProposed(
            agreement=agreement, version=1, post=post_id(OFFICE), terms_hash=struct_hash(terms), terms=terms
        )
        self.act(
            records.Propose(post=post_id(OFFICE), terms=terms, **self.signed_tail()), self.keys[OFFICE], [proposed]
        )
        return terms

    def sign(self, terms: records.Terms, post: str, *, last: bool = False, **forged: Any) -> None:
        """Sign terms for a post's agency."""
        record = records.Sign(
            post=post_id(post),
            agreement=terms.agreement,
            version=terms.version,
            terms_hash=struct_hash(terms),
            **self.signed_tail(),
        )
        key = self.keys[post]
        emitted: list[Event] = [
            events.AgreementSigned(
                agreement=terms.agreement,
                version=terms.version,
                post=post_id(post),
                party=agency_id(post.partition("@")[2]),
                signer=forged.get("signer", key.address),
            )
        ]
        if last:
            emitted.append(events.AgreementActivated(agreement=terms.agreement, version=terms.version))
        self.act(record, key, emitted, **forged)

    def agree(self, word: str = "agreement", text: bytes = ZERO32) -> bytes:
        """Bring an agreement into force, with a LEAD for its delivery, and return its id."""
        agreement = keccak256_text(word)
        terms = self.propose(agreement, text)
        self.sign(terms, OFFICE)
        self.sign(terms, WANTING, last=True)
        self.assign(agreement, word)
        return agreement

    def suspend(self, agreement: bytes) -> None:
        """Suspend an agreement."""
        reason = code_id("decree809:R2")
        record = records.Suspend(post=post_id(OFFICE), agreement=agreement, reason=reason, **self.signed_tail())
        suspended = events.AgreementSuspended(
            agreement=agreement, post=post_id(OFFICE), reason=reason, by_authority=False
        )
        self.act(record, self.keys[OFFICE], [suspended])

    def assign(
        self, agreement: bytes, word: str, *, duty: Duty = Duty.DELIVER, assignee: str = OFFICE, role: int = 1
    ) -> bytes:
        """Let the provider's office head assign a duty, and the assignee take it: the LEAD for delivery as a rule."""
        post, taker, assignment = post_id(OFFICE), post_id(assignee), keccak256_text(f"assignment {word}")
        fields: dict[str, Any] = {
            "assignment": assignment,
            "object": agreement,
            "duty": duty.value,
            "object_kind": 2,
            "assignee": taker,
            "role": role,
            "share_bps": 0,
            "valid_from": GENESIS_TIME,
            "valid_to": 0,
            "basis": ZERO32,
        }
        made = events.ResponsibilityAssigned(**fields, by_post=post, predecessor=ZERO32)
        self.act(records.Assign(post=post, **fields, **self.signed_tail()), self.keys[OFFICE], [made])
        taken = events.ResponsibilityAccepted(assignment=assignment, object=agreement, duty=duty.value, post=taker)
        content = event_digest(*made.to_log())
        accepted = records.Accept(post=taker, assignment=assignment, content=content, **self.signed_tail())
        self.act(accepted, self.keys[assignee], [taken])
        return assignment

    def vacate(self, agreement: bytes, assignment: bytes) -> None:
        """End an assignment now."""
        post, reason = post_id(OFFICE), code_id("decree809:P9")
        ended = events.ResponsibilityEnded(
            assignment=assignment,
            object=agreement,
            duty=Duty.DELIVER.value,
            by_post=post,
            at=self.next_time,
            cause=EndCause.VACATED.value,
            reason=reason,
        )
        record = records.Vacate(post=post, assignment=assignment, at=0, reason=reason, **self.signed_tail())
        self.act(record, self.keys[OFFICE], [ended])

    # Cases.

    def step(self, case: bytes, step: CaseStep, commitment: bytes, post: str = INSPECTOR) -> None:
        """Take a case one step further."""
        fields: dict[str, Any] = {
            "post": post_id(post), "case_id": case, "step": step.value, "commitment": commitment, "aux": ZERO32,
        }  # fmt: skip
        self.act(records.Advance(**fields, **self.signed_tail()), self.keys[post], [events.CaseAdvanced(**fields)])

    def notice(self, case: bytes, filing: Commitment, commitment: bytes) -> None:
        """Issue a notice that opens the filing's respondent."""
        (opening,) = filing.disclose(["respondent"])
        fields: dict[str, Any] = {
            "post": post_id(INSPECTOR), "case_id": case, "step": CaseStep.NOTICE_ISSUED.value,
            "commitment": commitment, "aux": ZERO32,
        }  # fmt: skip
        opened = events.CaseOpened(case_id=case, respondent=agency_id(REQUESTER), filing=filing.root)
        self.act(
            records.Advance(**fields, **self.signed_tail()),
            self.keys[INSPECTOR],
            [events.CaseAdvanced(**fields), opened],
            opening=(filing.root, opening),
        )

    def file_case(self, word: str = "case") -> tuple[bytes, Commitment]:
        """Admit the authority, file a case against the requester, tell the facts and decide."""
        self.admit(AUTHORITY, PostRole.INSPECTOR | PostRole.SHARING_AUTHORITY | PostRole.REVIEWER)
        self.register(INSPECTOR, PostRole.INSPECTOR | PostRole.SHARING_AUTHORITY)
        filing = self.commitment(word, {"respondent": REQUESTER, "facts": "told", "step": "FILED"})
        case = keccak256_text(word)
        self.step(case, CaseStep.FILED, filing.root)
        self.step(case, CaseStep.FACTS_TOLD, keccak256_text("told"))
        self.step(case, CaseStep.DECIDED, keccak256_text("decided"))
        return case, filing

    @staticmethod
    def commitment(word: str, values: Mapping[str, Json]) -> Commitment:
        """Return a commitment with salts that follow from words."""
        return commit(values, {name: sha256(f"salt {word} {name}".encode()).digest() for name in values})
