"""A refused filing leaves nothing that stands in the way of the one that follows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ledger.domain.errors import RefusedError
from tests.api.world import POSTS, REQUESTER, make_world

if TYPE_CHECKING:
    from pathlib import Path


def test_a_refused_filings_reference_names_the_case_that_is_filed_after_it(tmp_path: Path) -> None:
    world = make_world(tmp_path / "home")
    try:
        filing = {"respondent": REQUESTER, "violations": ["decree809:R6"], "reference": "C-9", "text": "x"}
        with pytest.raises(RefusedError, match="MissingRole"):
            world.do("case.file", post=POSTS["head-p"][0], **filing)
        filed = world.do("case.file", post=POSTS["inspector"][0], **filing)
        assert world.do("case.show", case="C-9")["case"] == filed["case"]
        world.do("case.tell", case="C-9", post=POSTS["inspector"][0], text="told")
        world.do("case.decide", case="C-9", post=POSTS["authority"][0], measures=["NOTICE"], text="decided")
        shown = world.do("case.notify", case="C-9", post=POSTS["authority"][0], text="notice")
        assert (shown["case"], shown["respondent"]) == (filed["case"], REQUESTER)
        again = world.do("case.withdraw", case="C-9", post=POSTS["authority"][0], text="withdrawn")
        assert again["step"] == "WITHDRAWN"
    finally:
        world.services.close()
