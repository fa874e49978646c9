"""Errors: stable codes, typed fields, explanations that neither fail nor flood."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.errors import (
    ConflictError,
    IntegrityError,
    InvalidInputError,
    LedgerError,
    NotFoundError,
    RefusedError,
    UnauthorizedError,
    UnavailableError,
    VerificationError,
    registered_errors,
)

EXAMPLES: list[tuple[LedgerError, str]] = [
    (InvalidInputError("size", -1, "0 or more"), "size: -1 is not allowed; wanted: 0 or more."),
    (UnauthorizedError("the deadline has passed", deadline=5), "Not authorised: the deadline has passed (deadline=5)."),
    (ConflictError("agreement", "version 2 exists"), "Conflict over agreement: version 2 exists."),
    (NotFoundError("agency", "ods:X26"), "No agency 'ods:X26' is known here."),
    (VerificationError(4, "the receipt is another's"), "Verification failed at step 4: the receipt is another's."),
    (IntegrityError("journal", "a hash differs", block=7), "Integrity broken in journal: a hash differs (block=7)."),
    (UnavailableError("chain", "no answer"), "chain is unavailable: no answer."),
    (RefusedError("OwnCase", {"agency": b"\x01"}, "CaseLedger"), "Refused by CaseLedger: OwnCase(agency=0x01)."),
]


@pytest.mark.parametrize(("error", "told"), EXAMPLES)
def test_explain_names_the_values(error: LedgerError, told: str) -> None:
    assert error.explain() == told
    assert str(error) == told


@pytest.mark.parametrize("error", [error for error, _ in EXAMPLES])
def test_errors_cross_process_borders_with_their_fields(error: LedgerError) -> None:
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert copy.fields == error.fields
    assert copy.explain() == error.explain()


def test_only_unavailable_is_worth_the_same_call_again() -> None:
    assert {type(error) for error, _ in EXAMPLES if error.retryable} == {UnavailableError}


def test_every_code_states_meaning_and_remedy() -> None:
    for code, kind in registered_errors().items():
        assert code == kind.code
        assert kind.meaning.endswith(".")
        assert kind.remedy.endswith(".")


def test_a_class_without_its_own_code_is_refused() -> None:
    with pytest.raises(TypeError, match="must state its own code, meaning, remedy"):
        type("Nameless", (ConflictError,), {})


def test_a_code_that_is_taken_is_refused() -> None:
    body = {"code": "conflict", "meaning": "Another.", "remedy": "None."}
    with pytest.raises(TypeError, match="uses the code 'conflict' of ConflictError"):
        type("Second", (LedgerError,), body)


@given(
    st.one_of(st.binary(), st.text(), st.integers(), st.just(10**5000), st.just("x" * 10**6), st.lists(st.integers()))
)
def test_explanations_of_hostile_values_stay_short(value: object) -> None:
    assert len(InvalidInputError("field", value, "something else").explain()) < 300
