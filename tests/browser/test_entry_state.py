"""The page of an entry says how far it has come, in both languages, and never more than is known."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

import httpx
import pytest

from api.explorer.messages.proofs import PROOFS

if TYPE_CHECKING:
    from tests.browser.conftest import Site


def facts(page: str) -> dict[str, str]:
    """Return a page's facts by their names, without markup."""
    pairs = re.findall(r"<div><dt>(.*?)</dt><dd[^>]*>(.*?)</dd></div>", page, flags=re.DOTALL)
    return {html.unescape(name): re.sub(r"<[^>]+>", "", text).strip() for name, text in pairs}


@pytest.mark.parametrize(("language", "place"), [("en", 0), ("zh", 1)])
def test_an_anchored_entry_is_final_and_says_when(site: Site, language: str, place: int) -> None:
    told = facts(httpx.get(site.url("/log/0", language)).text)
    for state in ("accepted", "included", "anchored", "final"):
        assert told[PROOFS[f"entry.state.{state}"][place]] not in {"", PROOFS["entry.state.notyet"][place]}


@pytest.mark.parametrize(("language", "place"), [("en", 0), ("zh", 1)])
def test_an_entry_that_is_not_anchored_says_not_yet(site: Site, language: str, place: int) -> None:
    services = site.ledger.services
    anchored, size = services.state.anchors()[-1].event.size, services.log.size()
    assert anchored < size, "the sample has an entry that is not anchored"
    told = facts(httpx.get(site.url(f"/log/{size - 1}", language)).text)
    assert told[PROOFS["entry.state.accepted"][place]]
    for state in ("anchored", "final"):
        assert told[PROOFS[f"entry.state.{state}"][place]] == PROOFS["entry.state.notyet"][place]
