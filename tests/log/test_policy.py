from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.errors import InvalidInputError
from ledger.log.cosignature import Cosigner
from ledger.log.note import Ed25519Signer
from ledger.log.policy import parse_logs, parse_policy

LOG = Ed25519Signer("example.org/log", bytes(32))
OTHER = Ed25519Signer("example.org/other", bytes([9]) * 32)
COSIGNERS = {
    name: Cosigner.from_seed(f"witness.example/{name}", bytes([place]) * 32, lambda: 1)
    for place, name in enumerate(("x1", "x2", "x3", "y1", "y2", "y3"), 1)
}
LINES = "".join(f"witness {name} {key.vkey} https://{name}.example/\n" for name, key in COSIGNERS.items())
EXAMPLE = f"""# The example of C2SP tlog-policy.
log {LOG.vkey}

{LINES}
group X-witnesses 2 x1 x2 x3
\tgroup  Y-witnesses any  y1 y2 y3
group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
"""


def test_nested_groups_are_met_as_the_spec_says() -> None:
    policy = parse_policy(EXAMPLE.encode())
    for count in range(7):
        for names in combinations(COSIGNERS, count):
            xs, ys = (sum(name.startswith(side) for name in names) for side in "xy")
            assert policy.is_met_by(frozenset(names)) == (xs >= 2 and ys >= 1)
    assert policy.fewest() == 3
    assert [witness.name for witness in policy.counted()] == list(COSIGNERS)
    assert [log.key.name for log in policy.logs] == [LOG.name]


def test_a_single_witness_or_nobody_may_be_the_quorum() -> None:
    one = parse_policy(f"{LINES}quorum x2\n".encode())
    assert one.is_met_by(frozenset({"x2"}))
    assert not one.is_met_by(frozenset({"x1"}))
    assert (one.fewest(), [witness.name for witness in one.counted()]) == (1, ["x2"])
    nobody = parse_policy(b"quorum none\n")
    assert nobody.is_met_by(frozenset())
    assert nobody.fewest() == 0


X1 = f"witness x1 {COSIGNERS['x1'].vkey}\n"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "quorum"),
        (X1, "quorum"),
        ("quorum x1\n", "line 1"),
        ("quorum none", "newline"),
        ("quorum none\nquorum none\n", "line 2"),
        (f"{X1}quorum x1 x1\n", "line 2"),
        (f"{X1}{X1}quorum x1\n", "line 2"),
        (f"{X1}witness again {COSIGNERS['x1'].vkey}\nquorum x1\n", "line 2"),
        (f"witness none {COSIGNERS['x1'].vkey}\nquorum none\n", "line 1"),
        (f"witness x1 {LOG.vkey}\nquorum x1\n", "line 1"),
        (f"log {COSIGNERS['x1'].vkey}\nquorum none\n", "line 1"),
        (f"log {LOG.vkey}\nlog {LOG.vkey}\nquorum none\n", "line 2"),
        (f"log {LOG.vkey} a b\nquorum none\n", "line 1"),
        (f"{X1}group g 0 x1\nquorum g\n", "line 2"),
        (f"{X1}group g 01 x1\nquorum g\n", "line 2"),
        (f"{X1}group g 2 x1\nquorum g\n", "line 2"),
        (f"{X1}group g all\nquorum g\n", "line 2"),
        (f"{X1}group g all x2\nquorum g\n", "line 2"),
        (f"{X1}group g all none\nquorum g\n", "line 2"),
        (f"{X1}group g all g\nquorum g\n", "line 2"),
        (f"{X1}group g all x1\ngroup h all x1\nquorum h\n", "line 3"),
        (f"{X1}group g all x1 x1\nquorum g\n", "line 2"),
        ("qorum none\n", "line 1"),
        ("quorum none\r\n", "control"),
        ("quorum\x0bnone\n", "control"),
    ],
)
def test_what_the_format_does_not_allow_is_refused(text: str, reason: str) -> None:
    with pytest.raises(InvalidInputError, match=reason):
        parse_policy(text.encode())


@given(st.binary(max_size=200))
def test_any_bytes_are_a_policy_or_refused(data: bytes) -> None:
    try:
        policy = parse_policy(data)
    except InvalidInputError:
        return
    assert policy.quorum


def test_keys_of_one_origin_are_one_log() -> None:
    newer = Ed25519Signer(LOG.name, bytes([7]) * 32)
    found = parse_logs(f"# ours\nlog {LOG.vkey} https://a/\nlog {newer.vkey}\nlog {OTHER.vkey}\n".encode())
    assert {origin: [key.vkey for key in keys] for origin, keys in found.items()} == {
        LOG.name: [LOG.vkey, newer.vkey],
        OTHER.name: [OTHER.vkey],
    }


@pytest.mark.parametrize("text", ["", "# none\n", "quorum none\n", f"{X1}", f"{LOG.vkey}\n"])
def test_a_list_of_logs_holds_logs_alone(text: str) -> None:
    with pytest.raises(InvalidInputError, match="logs"):
        parse_logs(text.encode())
