"""A deployment on the embedded chain, and what its people do there: admit agencies, set up posts, sign, relay.

ledger.agency(A, capacities=PostRole.INSPECTOR)
post = ledger.post(A, b"inspector", PostRole.INSPECTOR)
ledger.act(post, Advance, case_id=..., step=..., commitment=..., aux=bytes(32))   # mined, or RefusedError
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from ledger.chain.artifacts import load_abis
from ledger.chain.contract_errors import ContractErrors
from ledger.chain.deploy import deploy_contracts
from ledger.chain.raw_transaction import sign_transaction
from ledger.domain.codes import PostRole
from ledger.domain.identifiers import post_id_of
from ledger.domain.keccak import keccak256_text
from ledger.domain.records import CONTRACTS, AdmitAgency, BindKey, RegisterPost
from ledger.domain.scalars import OPEN_END
from ledger.domain.typed_data import Domain, digest
from ledger.home import Home
from ledger.service.call_data import call_data, tuple_type
from ledger.service.submission import FUNCTIONS
from ledger.signing.signers import LocalSigner

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from ledger.chain.engine import EmbeddedChain
    from ledger.domain.record import Record
    from ledger.service.deployment import DeployedContract
    from ledger.service.ports import ChainReceipt

R = TypeVar("R", bound="Record")
FAR = 2**40
GAS = 20_000_000


class MemoryKeyring:
    """The port ``Keyring`` without files; the same seed gives the same keys."""

    def __init__(self, seed: str = "keys") -> None:
        self._seed = seed
        self._signers: dict[str, LocalSigner] = {}

    def create(self, name: str, check: Callable[[LocalSigner], None] | None = None) -> LocalSigner:
        if check is not None:
            check(LocalSigner(keccak256_text(f"{self._seed}:{name}")))
        self._signers[name] = LocalSigner(keccak256_text(f"{self._seed}:{name}"))
        return self._signers[name]

    def signer(self, name: str) -> LocalSigner:
        return self._signers.get(name) or self.create(name)

    def names(self) -> list[str]:
        return sorted(self._signers)

    def address(self, name: str) -> bytes:
        return self.signer(name).address


@dataclass(frozen=True, slots=True)
class Post:
    """A post and the key that speaks for it."""

    id: bytes
    agency: bytes
    key: LocalSigner


class DeployedLedger:
    """All contracts on one chain."""

    def __init__(self, chain: EmbeddedChain, folder: Path, keyring: MemoryKeyring | None = None) -> None:
        self.chain = chain
        self.keyring = keyring or MemoryKeyring()
        self.contracts: Mapping[str, DeployedContract] = deploy_contracts(
            Home(folder), chain, self.keyring, lambda _what, _done, _total: None
        )
        self.chain_id = chain.chain_id()
        self.errors = ContractErrors(load_abis())
        self._names = {contract.address: name for name, contract in self.contracts.items()}

    def address(self, contract: str) -> bytes:
        return self.contracts[contract].address

    def agency(self, agency: bytes, capacities: int = 0) -> bytes:
        """Admit an agency; its root key is named after it."""
        root = self.root(agency)
        record = AdmitAgency(
            agency=agency,
            scheme=keccak256_text("name"),
            root_key=root.address,
            capacities=int(capacities),
            profile=bytes(32),
            nonce=fresh_nonce(),
            deadline=FAR,
        )
        arguments = [(tuple_type(AdmitAgency), record), ("bytes", self.signature(root, record))]
        self.send("AgencyRegistry", call_data("admitAgency", arguments), sender="registrar")
        return agency

    def root(self, agency: bytes) -> LocalSigner:
        return self.keyring.signer("root:" + agency.hex())

    def post(self, agency: bytes, name: str, roles: int) -> Post:
        """Register a post of an admitted agency, with a key of its own."""
        code, root = keccak256_text(name), self.root(agency)
        post = post_id_of(agency, code)
        key = self.keyring.signer("post:" + post.hex())
        self.relay(
            RegisterPost(
                agency=agency, code=code, roles=int(roles), profile=bytes(32), nonce=fresh_nonce(), deadline=FAR
            ),
            root,
        )
        binding = BindKey(
            agency=agency,
            post=post,
            key=key.address,
            valid_from=0,
            valid_to=OPEN_END,
            nonce=fresh_nonce(),
            deadline=FAR,
        )
        self.relay(binding, root, possession=key)
        return Post(post, agency, key)

    def act(self, post: Post, record: type[R], **fields: Any) -> ChainReceipt:
        """Sign a record as a post and relay it. Raises RefusedError as the contract names it."""
        return self.relay(record(post=post.id, nonce=fresh_nonce(), deadline=FAR, **fields), post.key)

    def relay(
        self,
        record: Record,
        signer: LocalSigner,
        *,
        possession: LocalSigner | None = None,
        function: str = "",
        extra: Sequence[tuple[str, object]] = (),
    ) -> ChainReceipt:
        contract = CONTRACTS[type(record)]
        arguments: list[tuple[str, object]] = [
            (tuple_type(type(record)), record),
            *extra,
            ("address", signer.address),
            ("bytes", self.signature(signer, record)),
        ]
        if possession is not None:
            arguments.append(("bytes", self.signature(possession, record)))
        return self.send(contract, call_data(function or FUNCTIONS[type(record)].function, arguments))

    def signature(self, signer: LocalSigner, record: Record) -> bytes:
        domain = Domain(self.chain_id, self.address(CONTRACTS[type(record)]))
        return signer.sign_digest(digest(domain, record))

    def send(self, contract: str, data: bytes, *, sender: str = "relayer") -> ChainReceipt:
        """Try a call, then have it mined. Raises RefusedError."""
        signer, to = self.keyring.signer(sender), self.address(contract)
        trial = self.chain.simulate(signer.address, to, data)
        if trial.revert is not None:
            raise self.errors.refusal(trial.revert, contract)
        raw = sign_transaction(
            signer, chain_id=self.chain_id, nonce=self.chain.nonce(signer.address), to=to, data=data, gas=GAS
        )
        receipt = self.chain.wait_receipt(self.chain.submit(raw.raw), 30)
        assert receipt.status == 1, self.errors.refusal(receipt.revert, contract)
        return receipt

    def call(self, contract: str, data: bytes) -> bytes:
        return self.chain.call(self.address(contract), data)


def fresh_nonce() -> int:
    return secrets.randbits(192) << 64


EVERY_CAPACITY = PostRole.SHARING_AUTHORITY | PostRole.SUPERIOR | PostRole.INSPECTOR | PostRole.REVIEWER
