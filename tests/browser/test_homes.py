"""The pages of other homes than the sample's: one that is empty, and one that was not made for a demonstration."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from tests.browser import sample_ledger
from tests.browser.conftest import serving

pytestmark = pytest.mark.browser

PRIVATE = ("dpv:EstablishEntitlement", "dpv:Marketing", sample_ledger.DATASET, "x-5", "exchange@")


def test_an_empty_ledger_says_what_to_do(tmp_path: Path) -> None:
    """Every page of a new home is whole, and names the command that fills it."""
    services = sample_ledger.open_empty(tmp_path, demonstration=False)
    try:
        with serving(services) as address, httpx.Client(base_url=address) as client:
            for path, said in (
                ("/", "none yet"),
                ("/agencies", "quanze agency add"),
                ("/sharing", "quanze agency add"),
                ("/agreements", "quanze agreement draft"),
                ("/responsibility", "quanze responsibility assign"),
                ("/notices", "No notice has been issued"),
                ("/log", "quanze event append"),
                ("/ask", "By what right"),
            ):
                for language in ("en", "zh"):
                    answer = client.get(path, params={"lang": language})
                    assert answer.status_code == 200, path
                    assert "Demonstration" not in answer.text
                    assert "演示" not in answer.text
                    if language == "en":
                        assert said in answer.text, path
            assert client.get("/log/0").status_code == 404
    finally:
        services.close()


def test_outside_a_demonstration_an_entry_says_nothing_of_its_event(tmp_path: Path) -> None:
    """Only the leaf and its proof are public; agreements signed with generated keys stay marked."""
    ledger = sample_ledger.make(tmp_path, demonstration=False)
    try:
        with serving(ledger.services) as address, httpx.Client(base_url=address) as client:
            for index in range(ledger.services.log.size()):
                text = client.get(f"/log/{index}", params={"lang": "en"}).text
                assert not any(private in text for private in PRIVATE), index
                assert "The event (demonstration)" not in text
            log = client.get("/log", params={"lang": "en"}).text
            assert not any(private in log for private in PRIVATE)
            agreement = client.get(f"/agreements/{ledger.agreement}", params={"lang": "en"}).text
            assert agreement.count("demonstration signature") == 2
            assert "Demonstration ledger." not in agreement
    finally:
        ledger.services.close()


def test_a_fault_of_ours_is_a_page_and_tells_nothing(tmp_path: Path) -> None:
    """A store that is gone shows neither half a page nor what went wrong; what does not need it is shown as ever."""
    ledger = sample_ledger.make(tmp_path)
    try:
        with serving(ledger.services) as address, httpx.Client(base_url=address) as client:
            assert client.get("/log/5").status_code == 200
            ledger.services.events.recover(ledger.services.log.size())  # What was read is in memory no more.
            (ledger.services.home.events / f"{0:020d}.evt").unlink()
            for language, title in (("en", "Something is wrong here"), ("zh", "本站出错")):
                answer = client.get("/log/5", params={"lang": language})
                assert answer.status_code == 500
                assert f"<h1>{title}</h1>" in answer.text
                assert not any(told in answer.text for told in (".evt", "Errno", str(tmp_path)))
            assert client.get("/log").status_code == 200
    finally:
        ledger.services.close()


def test_a_chain_that_does_not_answer_is_a_page_too(tmp_path: Path) -> None:
    """Nothing old is shown as present; the refusal needs no chain itself."""
    services = sample_ledger.open_empty(tmp_path, demonstration=False)
    try:
        with serving(services) as address, httpx.Client(base_url=address) as client:
            assert client.get("/").status_code == 200
            services.chain.close()
            for language, title in (("en", "Not available now"), ("zh", "暂不可用")):
                answer = client.get("/", params={"lang": language})
                assert answer.status_code == 503
                assert f"<h1>{title}</h1>" in answer.text
            assert client.get("/static/quanze.css").status_code == 200
    finally:
        services.close()
