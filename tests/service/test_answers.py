"""The ids of answers hold their questions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.errors import NotFoundError
from ledger.service.answers import answer_id, question_of
from ledger.service.times import iso, iso_ms


@given(st.dictionaries(st.sampled_from(["ask", "agency", "dataset", "at"]), st.sampled_from(["", "right", "统一"])))
def test_an_answers_id_gives_its_question_back(question: dict[str, str]) -> None:
    assert question_of(answer_id(question)) == question


@pytest.mark.parametrize("text", ["", "!", "AAAA", "W10", "eyJhIjoxfQ", "é"])
def test_any_other_text_is_no_answer(text: str) -> None:
    with pytest.raises(NotFoundError):
        question_of(text)


def test_times_are_shown_in_utc_and_an_open_end_as_nothing() -> None:
    assert iso(0) == "1970-01-01T00:00:00Z"
    assert iso(2**64 - 1) == ""
    assert iso_ms(1772326800123) == "2026-03-01T01:00:00.123Z"
