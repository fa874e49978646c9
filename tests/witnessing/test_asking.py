"""What a log gets from its witnesses, honest and not, and what it makes of a policy that is not met."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING

import httpx
import pytest

from ledger.domain.errors import InvalidInputError
from ledger.log.checkpoint import open_checkpoint
from ledger.log.cosignature import Cosigner
from ledger.log.note import Signature, keys_that_signed, parse_note, print_signature_line
from ledger.log.policy import parse_policy
from ledger.log.storage import FolderLog
from ledger.log.witness import MAX_REQUEST_BYTES, SIZE_TYPE, parse_request
from ledger.service.witnesses import Problem
from ledger.witnessing.client import Witnesses, WitnessesUnmetError
from tests.witnessing.growing import LOG, LOG_KEY, LOGS, GrowingLog
from tests.witnessing.running import our_witness, told_witness

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COSIGNERS = [Cosigner.from_seed(f"witness.example/w{place}", bytes([place]) * 32, lambda: 5) for place in range(1, 4)]
GROWN = GrowingLog(40)
LONG_S = 30.0


def policy_of(addresses: list[str], needed: str) -> bytes:
    lines = [
        f"witness w{place} {cosigner.vkey} {address}\n"
        for place, (cosigner, address) in enumerate(zip(COSIGNERS, addresses, strict=False), 1)
    ]
    names = " ".join(f"w{place}" for place in range(1, len(addresses) + 1))
    return "".join([*lines, f"group all-of-them {needed} {names}\n", "quorum all-of-them\n"]).encode()


@contextlib.contextmanager
def asking(addresses: list[str], needed: str = "all", timeout_s: float = LONG_S) -> Iterator[Witnesses]:
    witnesses = Witnesses(parse_policy(policy_of(addresses, needed)), timeout_s=timeout_s)
    try:
        yield witnesses
    finally:
        witnesses.close()


def endorse(witnesses: Witnesses, size: int, log: GrowingLog = GROWN) -> bytes:
    note = log.note(size)
    return witnesses.endorse(note, open_checkpoint(note, LOG_KEY), log)


def signers(witnesses: Witnesses, note: bytes) -> set[str]:
    """Return the policy's names of the witnesses that cosigned a note."""
    known = witnesses.policy.witnesses
    signed = keys_that_signed(parse_note(note), [one.key for one in known])
    return {one.name for one in known if (one.key.name, one.key.key_id) in signed}


def closed_address() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    return f"http://127.0.0.1:{port}"


def line(cosigner: Cosigner, body: bytes) -> bytes:
    text = parse_request(body).note.partition(b"\n\n")[0] + b"\n"
    return print_signature_line(Signature(cosigner.name, cosigner.key_id, cosigner.sign_at(text, 5))).encode()


def test_every_witness_of_the_policy_cosigns_a_growing_log(tmp_path: Path) -> None:
    with contextlib.ExitStack() as running:
        addresses = [
            running.enter_context(our_witness(tmp_path / cosigner.name.rpartition("/")[2], cosigner))
            for cosigner in COSIGNERS
        ]
        witnesses = running.enter_context(asking(addresses))
        for size in (1, 7, 7, 40):
            assert signers(witnesses, endorse(witnesses, size)) == {"w1", "w2", "w3"}
        assert [(one.size, one.problem) for one in witnesses.standings()] == [(40, Problem.NONE)] * 3
        again = running.enter_context(asking(addresses))  # It knows no sizes, and is told them.
        assert signers(again, endorse(again, 40)) == {"w1", "w2", "w3"}
        assert witnesses.unmet_for_s() == 0


def test_a_witness_that_is_down_does_not_matter_while_the_others_suffice(tmp_path: Path) -> None:
    with (
        our_witness(tmp_path / "w1", COSIGNERS[0]) as first,
        our_witness(tmp_path / "w2", COSIGNERS[1]) as second,
        asking([first, second, closed_address()], needed="2") as witnesses,
    ):
        assert signers(witnesses, endorse(witnesses, 3)) == {"w1", "w2"}


def test_a_witness_that_never_answers_costs_only_the_grace_while_the_others_suffice(tmp_path: Path) -> None:
    with (
        our_witness(tmp_path / "w1", COSIGNERS[0]) as first,
        socket.create_server(("127.0.0.1", 0)) as silent,
        asking([first, f"http://127.0.0.1:{silent.getsockname()[1]}"], needed="1") as witnesses,
    ):
        assert signers(witnesses, endorse(witnesses, 3)) == {"w1"}
        assert signers(witnesses, endorse(witnesses, 4)) == {"w1"}, "it is not asked twice at once"


def test_a_policy_that_is_not_met_refuses_the_checkpoint_until_it_is(tmp_path: Path) -> None:
    wanted = closed_address()
    with our_witness(tmp_path / "w1", COSIGNERS[0]) as first, asking([first, wanted], timeout_s=LONG_S) as witnesses:
        with pytest.raises(WitnessesUnmetError, match=r"too few .* size 3 \(w2: UNREACHABLE\)"):
            endorse(witnesses, 3)
        assert witnesses.unmet_for_s() > 0
        assert [one.problem for one in witnesses.standings()] == [Problem.NONE, Problem.UNREACHABLE]


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ((404, "text/plain", b"who?\n"), Problem.UNKNOWN_LOG),
        ((403, "text/plain", b"no\n"), Problem.KEY_REFUSED),
        ((422, "text/plain", b"fork\n"), Problem.FORKED),
        ((409, SIZE_TYPE, b"41\n"), Problem.AHEAD),
        ((409, SIZE_TYPE, b"0\n"), Problem.FORKED),
        ((409, SIZE_TYPE, b"01\n"), Problem.BAD_ANSWER),
        ((409, SIZE_TYPE, b"99999999999999999999999\n"), Problem.BAD_ANSWER),
        ((409, "text/plain", b"3\n"), Problem.BAD_ANSWER),
        ((500, "text/plain", b""), Problem.BAD_ANSWER),
        ((302, "text/plain", b""), Problem.BAD_ANSWER),
        ((200, "text/plain", b""), Problem.BAD_ANSWER),
        ((200, "text/plain", b"hello\n"), Problem.BAD_ANSWER),
        ((200, "text/plain", b"x" * 200_000), Problem.BAD_ANSWER),
        ((200, "text/plain", b"\xff\xfe\n"), Problem.BAD_ANSWER),
    ],
)
def test_whatever_a_witness_answers_it_is_named_and_not_counted(
    answer: tuple[int, str, bytes], problem: Problem
) -> None:
    with told_witness(lambda _body: answer) as address, asking([address]) as witnesses:
        with pytest.raises(WitnessesUnmetError):
            endorse(witnesses, 40)
        assert [one.problem for one in witnesses.standings()] == [problem]


def test_only_the_witnesses_own_good_line_is_taken() -> None:
    def with_others(body: bytes) -> tuple[int, str, bytes]:
        return 200, "text/plain", line(COSIGNERS[2], body) + line(COSIGNERS[0], body)

    def of_another(body: bytes) -> tuple[int, str, bytes]:
        return 200, "text/plain", line(COSIGNERS[2], body)

    def of_another_text(body: bytes) -> tuple[int, str, bytes]:
        return 200, "text/plain", line(COSIGNERS[0], body.replace(b"\n3\n", b"\n4\n"))

    with told_witness(with_others) as address, asking([address]) as witnesses:
        note = endorse(witnesses, 3)
        assert note.count("— ".encode()) == 2
    for answer in (of_another, of_another_text):
        with told_witness(answer) as address, asking([address]) as witnesses:
            with pytest.raises(WitnessesUnmetError):
                endorse(witnesses, 3)
            assert [one.problem for one in witnesses.standings()] == [Problem.BAD_ANSWER]


def test_a_forked_log_is_told_from_what_its_witness_signed(tmp_path: Path) -> None:
    forked = GrowingLog(40, fork="other", shared=5)
    with our_witness(tmp_path / "w1", COSIGNERS[0]) as address:
        with asking([address]) as witnesses:
            endorse(witnesses, 20)
        for size, problem in ((30, Problem.FORKED), (20, Problem.FORKED), (19, Problem.AHEAD)):
            with asking([address]) as witnesses:
                with pytest.raises(WitnessesUnmetError):
                    endorse(witnesses, size, forked)
                assert [one.problem for one in witnesses.standings()] == [problem]


@pytest.mark.parametrize("url", ["", "ftp://x/", "http://", "http://x/?a=1", "x"])
def test_a_witness_that_counts_needs_an_address(url: str) -> None:
    with pytest.raises(InvalidInputError, match="witness w1"):
        Witnesses(parse_policy(policy_of([url], "all")), timeout_s=1)


def test_a_log_publishes_only_what_its_policy_allows_and_takes_entries_meanwhile(tmp_path: Path) -> None:
    let = threading.Event()

    def sometimes(body: bytes) -> tuple[int, str, bytes]:
        return (200, "text/plain", line(COSIGNERS[0], body)) if let.is_set() else (500, "text/plain", b"")

    now = [0.0]
    with told_witness(sometimes) as address:
        witnesses = Witnesses(parse_policy(policy_of([address], "all")), timeout_s=LONG_S, clock=lambda: now[0])
        log = FolderLog.open(tmp_path, signer=LOG, origin=LOG.name, endorser=witnesses)
        try:
            first = log.checkpoint()
            assert log.append([b"one", b"two"]) == 0
            with pytest.raises(WitnessesUnmetError):
                log.publish_checkpoint()
            assert log.append([b"three"]) == 2
            assert log.checkpoint() == first
            assert (tmp_path / "checkpoint").read_bytes() == first
            let.set()
            now[0] += 60  # It is asked again only after a while.
            note = log.publish_checkpoint()
            assert open_checkpoint(note, LOG_KEY).size == 3
            assert signers(witnesses, (tmp_path / "checkpoint").read_bytes()) == {"w1"}
            assert witnesses.unmet_for_s() == 0
        finally:
            log.close()
            witnesses.close()


def test_a_witness_refuses_other_paths_methods_and_long_bodies(tmp_path: Path) -> None:
    with our_witness(tmp_path / "w1", COSIGNERS[0]) as address, httpx.Client(base_url=address) as client:
        assert client.get("/add-checkpoint").status_code == 405
        assert client.post("/").status_code == 404
        assert client.post("/add-checkpoint", content=b"x").status_code == 400
        assert client.post("/add-checkpoint", content=b"x" * (MAX_REQUEST_BYTES + 1)).status_code == 413
        assert client.post("/prefix/add-checkpoint", content=GROWN.request(0, 3).print()).status_code == 200
        stale = client.post("/add-checkpoint", content=GROWN.request(0, 5).print())
        assert (stale.status_code, stale.headers["content-type"], stale.content) == (409, SIZE_TYPE, b"3\n")
        unknown = GrowingLog(3, signer=type(LOG)("example.org/else", bytes(32))).request(0, 3)
        assert client.post("/add-checkpoint", content=unknown.print()).status_code == 404
    assert LOGS
