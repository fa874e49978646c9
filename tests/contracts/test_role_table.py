"""Every cell of the tables in contracts/README.md: an act succeeds if and only if its row says so.

Nothing is mined for a cell: the deployed contract is asked what it would do with the signed request.
"""

from __future__ import annotations

import re
import secrets
from pathlib import Path

import pytest

from ledger.domain.codes import ALL_ROLES, PostRole
from ledger.domain.records import AdmitAgency, BindKey, RotateKey, RotateRoot
from ledger.domain.scalars import ZERO32
from ledger.service.call_data import call_data, tuple_type
from tests.contracts.deployed import FAR, DeployedLedger, Post, fresh_nonce
from tests.contracts.role_acts import ASKED, PREPARED_BY_THE_POST, root_acts
from tests.contracts.role_cast import REASON, Cast, answer, asked, make_cast

README = (Path(__file__).parents[2] / "contracts/README.md").read_text()
SYSTEM = ("admin", "registrar", "operator", "relayer")


def rows(heading: str) -> dict[str, str]:
    """Return the first two columns of the table under a heading."""
    section = README.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    found = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line[:1] == "|"]
    return {cells[0].replace("`", ""): cells[1] for cells in found[2:]}


ACTS = {
    act: ALL_ROLES if named == "any" else PostRole(sum(PostRole[name.strip()] for name in named.split(",")))
    for act, named in rows("What a post signs").items()
}
CALLERS = rows("What the system's accounts call")


@pytest.fixture(scope="module")
def cast(ledger: DeployedLedger) -> Cast:
    return make_cast(ledger)


def test_the_table_lists_every_act() -> None:
    assert set(ASKED) == set(ACTS)


@pytest.mark.parametrize("role", list(PostRole), ids=lambda role: role.name)
@pytest.mark.parametrize("act", list(ASKED))
def test_an_act_succeeds_if_and_only_if_the_post_holds_the_role(cast: Cast, act: str, role: PostRole) -> None:
    assert ASKED[act](cast, role) == ("" if role & ACTS[act] else "MissingRole")


@pytest.mark.parametrize("act", [act for act in ASKED if act not in PREPARED_BY_THE_POST])
def test_no_act_succeeds_with_another_posts_key(cast: Cast, act: str) -> None:
    role = next(role for role in PostRole if role & ACTS[act])
    posts = cast.recipient_posts if act == "disposeBySig" else cast.provider_posts
    mine = posts[role]
    posts[role] = Post(mine.id, mine.agency, cast.provider.head.key)
    try:
        found = ASKED[act](cast, role)
    finally:
        posts[role] = mine
    assert found == "UnauthorisedSigner"


@pytest.mark.parametrize("sender", SYSTEM)
@pytest.mark.parametrize("function", list(CALLERS))
def test_a_system_function_succeeds_if_and_only_if_its_caller_sends_it(
    ledger: DeployedLedger, cast: Cast, function: str, sender: str
) -> None:
    agency, other = cast.provider.agency, cast.recipient.agency
    key = ledger.keyring.signer("role-table:new")
    admission = AdmitAgency(
        agency=secrets.token_bytes(32),
        scheme=REASON,
        root_key=key.address,
        capacities=0,
        profile=ZERO32,
        nonce=fresh_nonce(),
        deadline=FAR,
    )
    suspended = ledger.agency(secrets.token_bytes(32))
    ledger.send(
        "AgencyRegistry", call_data("suspendAgency", [("bytes32", suspended), ("bytes32", REASON)]), sender="registrar"
    )
    arguments: dict[str, list[tuple[str, object]]] = {
        "admitAgency": [(tuple_type(AdmitAgency), admission), ("bytes", ledger.signature(key, admission))],
        "setCapacities": [("bytes32", agency), ("uint32", 1)],
        "suspendAgency": [("bytes32", agency), ("bytes32", REASON)],
        "reinstateAgency": [("bytes32", suspended)],
        "announceRootReplacement": [("bytes32", agency), ("address", key.address)],
        "executeRootReplacement": [("bytes32", agency)],
        "linkSuccessor": [("bytes32", agency), ("bytes32", other), ("uint64", 1)],
        "setOperator": [("address", key.address)],
        "anchor": [("uint64", 1), ("bytes32", REASON), ("bytes32", REASON), ("bytes32[]", ())],
        "rotateLogKey": [("bytes32", REASON), ("bytes32", bytes(31) + b"\x01")],
    }
    contract = "CheckpointAnchor" if function in {"setOperator", "anchor", "rotateLogKey"} else "AgencyRegistry"
    found = asked(ledger, contract, call_data(function, arguments[function]), sender)
    # Nothing is announced, and that is said only to who may ask.
    taken = "NoRootReplacement" if function == "executeRootReplacement" else ""
    refused = "AnchorNotOperator" if function in {"anchor", "rotateLogKey"} else "AccessManagedUnauthorized"
    assert found == (taken if sender == CALLERS[function] else refused)


@pytest.mark.parametrize("signer", ["root", "another agency's root", "post", "registrar", "admin"])
def test_an_agencys_affairs_are_its_root_keys_alone(ledger: DeployedLedger, cast: Cast, signer: str) -> None:
    agency, new = cast.provider.agency, ledger.keyring.signer("role-table:new")
    key = {
        "root": ledger.root(agency),
        "another agency's root": ledger.root(cast.recipient.agency),
        "post": cast.provider.head.key,
    }.get(signer) or ledger.keyring.signer(signer)
    listed = set(re.findall(r"`(\w+BySig)`", README.partition("root key signs\n")[2].partition("\n## ")[0]))
    acts = root_acts(ledger, cast, agency)
    assert set(acts) == listed
    for record, taken in acts.values():
        possession = new if isinstance(record, BindKey | RotateKey | RotateRoot) else None
        found = answer(ledger, record, key, possession=possession)
        assert found == (taken if signer == "root" else "NotRootKey"), record


def test_a_key_is_bound_only_with_its_own_signature(ledger: DeployedLedger, cast: Cast) -> None:
    root = ledger.root(cast.provider.agency)
    for record, _ in root_acts(ledger, cast, cast.provider.agency).values():
        if isinstance(record, BindKey | RotateKey | RotateRoot):
            assert answer(ledger, record, root, possession=root) == "InvalidSignature"
