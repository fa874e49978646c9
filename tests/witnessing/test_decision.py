from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.errors import VerificationError
from ledger.log.checkpoint import Checkpoint, sign_checkpoint
from ledger.log.note import Ed25519Signer, Ed25519Verifier, Note, Signature, parse_note
from ledger.log.tree import EMPTY_ROOT
from ledger.log.witness import MAX_PROOF_LINES, NOTHING, AddCheckpoint, Agreed, Refused, Signed, decide, parse_request
from tests.witnessing.growing import LOG, LOG_KEY, LOGS, GrowingLog, root_of

GROWN = GrowingLog(40)
FORKED = GrowingLog(40, fork="other", shared=9)
HASH_LINE = "PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw="


def signed(size: int) -> Signed:
    return Signed(size, root_of(GROWN.leaves[:size])) if size else NOTHING


@given(st.integers(0, 40), st.integers(1, 40))
def test_exactly_a_growing_log_is_agreed_to(old: int, size: int) -> None:
    decision = decide(GROWN.request(old, size), LOGS, signed(old))
    if old <= size:
        assert decision == Agreed(
            Checkpoint(LOG.name, size, root_of(GROWN.leaves[:size])), parse_note(GROWN.note(size)).text
        )
    else:
        assert isinstance(decision, Refused)
        assert decision.status == 400


@given(st.integers(0, 40), st.integers(0, 40), st.integers(1, 40))
def test_another_old_size_is_told_the_right_one(old: int, last: int, size: int) -> None:
    decision = decide(GROWN.request(old, size), LOGS, signed(last))
    if old != last and old <= size:
        assert isinstance(decision, Refused)
        assert (decision.status, decision.size) == (409, last)


@given(st.integers(10, 40), st.integers(10, 40))
def test_a_fork_is_never_agreed_to(last: int, size: int) -> None:
    decision = decide(FORKED.request(last, size), LOGS, signed(last))
    assert isinstance(decision, Refused)
    assert decision.status == (409 if size == last else 400 if size < last else 422)


def test_a_proof_from_nothing_is_refused() -> None:
    request = AddCheckpoint(0, (bytes(32),), GROWN.note(3))
    assert decide(request, LOGS, NOTHING) == Refused(422, "a proof from size 0 has no lines")


def test_size_0_may_be_signed_once_more_and_grown_from() -> None:
    note = sign_checkpoint(Checkpoint(LOG.name, 0, EMPTY_ROOT), [LOG])
    assert isinstance(decide(AddCheckpoint(0, (), note), LOGS, NOTHING), Agreed)


def test_an_unknown_origin_is_404_and_a_wrong_key_403() -> None:
    other = Ed25519Signer("example.org/other", bytes(32))
    impostor = Ed25519Signer(LOG.name, bytes(32))
    for signer, status in ((other, 404), (impostor, 403)):
        request = GrowingLog(3, signer=signer).request(0, 3)
        decision = decide(request, LOGS, NOTHING)
        assert isinstance(decision, Refused)
        assert decision.status == status


def test_a_known_keys_wrong_line_is_403_even_beside_a_good_one() -> None:
    newer = Ed25519Signer(LOG.name, bytes([3]) * 32)
    note = parse_note(GROWN.note(3))
    wrong = Note(note.text, (*note.signatures, Signature(LOG.name, newer.key_id, bytes(64)))).print()
    keys = {LOG.name: (LOG_KEY, Ed25519Verifier.from_vkey(newer.vkey))}
    decision = decide(AddCheckpoint(0, (), wrong), keys, NOTHING)
    assert isinstance(decision, Refused)
    assert decision.status == 403
    assert isinstance(decide(AddCheckpoint(0, (), wrong), LOGS, NOTHING), Agreed), "an unknown key's line is ignored"


@given(st.integers(0, 40), st.integers(1, 40))
def test_a_request_is_read_back_as_it_was_written(old: int, size: int) -> None:
    request = GROWN.request(old, size)
    assert parse_request(request.print()) == request


@pytest.mark.parametrize(
    "body",
    [
        b"", b"\n\n", b"old 0\n", b"old 00\n\nx", b"old -1\n\nx", b"old 1 \n\nx", b"Old 1\n\nx", b"old 1\r\n\r\nx",
        b"old 9223372036854775808\n\nx", f"old 1\n{HASH_LINE[:-4]}\n\nx".encode(), f"old 1\n {HASH_LINE}\n\nx".encode(),
        b"old 1\nzz\n\nx", "old ١\n\nx".encode(),
        f"old 1\n{(HASH_LINE + chr(10)) * (MAX_PROOF_LINES + 1)}\nx".encode(),
    ],
)  # fmt: skip
def test_what_the_protocol_does_not_allow_is_refused(body: bytes) -> None:
    with pytest.raises(VerificationError):
        parse_request(body)


@given(st.binary(max_size=300))
def test_any_bytes_are_decided_or_refused(noise: bytes) -> None:
    for body in (noise, b"old 0\n\n" + noise):
        try:
            decision = decide(parse_request(body), LOGS, NOTHING)
        except VerificationError:
            continue
        assert isinstance(decision, Refused)
