"""What the pages say, what they must never say, and the proof that a browser recomputes."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from ledger.service.pages.agencies import AgenciesPage, agencies_page
from ledger.service.pages.agreements import AgreementsPage, agreements_page
from ledger.service.pages.notices import NoticesPage, notices_page
from tests.browser import sample_ledger

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser, Page, Route

    from tests.browser.conftest import Site

pytestmark = pytest.mark.browser

PROOF = "**/v1/log/proofs/inclusion*"


def verify(page: Page) -> str:
    """Press the button and return how the result is marked."""
    page.click("#verify-form button")
    page.wait_for_selector("#verify-result.good, #verify-result.bad")
    return str(page.get_attribute("#verify-result", "class")).split()[-1]


@pytest.mark.parametrize("index", [0, 5, 16, 20, 21])
def test_the_browser_verifies_every_kind_of_entry(site: Site, page: Page, index: int) -> None:
    """First, middle and last leaves have paths of different shapes; the newest is under a checkpoint alone."""
    site.ledger.services.log.publish_checkpoint()
    page.goto(site.url(f"/log/{index}", "en"))
    assert verify(page) == "good"
    assert page.locator("td.agrees").count() == page.locator("#path [data-value]").count() > 0
    assert page.locator("td.differs").count() == 0


def alter_leaf(proof: dict[str, Any]) -> None:
    """Change one digit of the entry."""
    proof["leaf"] = proof["leaf"].replace('"seq":5', '"seq":6')


def alter_neighbour(proof: dict[str, Any]) -> None:
    """Change one digit of a hash on the path."""
    first = proof["path"][0]
    proof["path"][0] = ("0" if first[0] != "0" else "1") + first[1:]


def shorten(proof: dict[str, Any]) -> None:
    """Leave the last step out."""
    proof["path"].pop()


def lengthen(proof: dict[str, Any]) -> None:
    """Add a step."""
    proof["path"].append("00" * 32)


def swap(proof: dict[str, Any]) -> None:
    """Give two neighbours in each other's place."""
    proof["path"][0], proof["path"][1] = proof["path"][1], proof["path"][0]


def other_entry(proof: dict[str, Any]) -> None:
    """Answer with a proof of another entry, whole in itself."""
    proof |= httpx.get(f"{proof['address']}/v1/log/proofs/inclusion?index=6&size={proof['size']}").json()


def garble(proof: dict[str, Any]) -> None:
    """Answer with something that is no hash."""
    proof["path"][0] = "not hex"


@pytest.mark.parametrize("tamper", [alter_leaf, alter_neighbour, shorten, lengthen, swap, other_entry, garble])
def test_the_browser_refuses_a_tampered_proof(site: Site, page: Page, tamper: Callable[[dict[str, Any]], None]) -> None:
    """Whatever the server gives, only the entry's own proof leads to the root."""

    def answer(route: Route) -> None:
        proof = route.fetch().json() | {"address": site.address}
        tamper(proof)
        route.fulfill(status=200, content_type="application/json", body=json.dumps(proof))

    page.route(PROOF, answer)
    page.goto(site.url("/log/5", "zh"))
    assert verify(page) == "bad"
    assert "核验失败" in page.inner_text("#verify-result")


def test_the_browser_refuses_a_root_that_the_reader_holds_and_the_log_does_not(site: Site, page: Page) -> None:
    """The reader's own root decides, not the page's."""
    page.goto(site.url("/log/5", "en"))
    page.fill("#held-root", "00" * 32)
    assert verify(page) == "bad"
    assert "Refused" in page.inner_text("#verify-result")


def test_a_proof_that_cannot_be_fetched_is_not_called_refused(site: Site, page: Page) -> None:
    """A failure of the network is no statement about the log."""
    page.route(PROOF, lambda route: route.abort())
    page.goto(site.url("/log/5", "en"))
    assert verify(page) == "bad"
    assert "could not be fetched" in page.inner_text("#verify-result")


def test_a_sealed_case_is_nowhere(site: Site) -> None:
    """No page holds its id, respondent, reference or facts, and asking for it is like asking for nothing."""
    sealed = site.ledger.sealed_case
    secrets = (sealed, sample_ledger.SEALED_RESPONDENT, "Sealed Respondent", sample_ledger.SEALED_REFERENCE)
    with httpx.Client(base_url=site.address) as client:
        for path in site.paths:
            text = client.get(path).text
            assert not any(secret in text for secret in secrets), path
            assert sample_ledger.FACTS not in text
        unknown = client.get(f"/notices/{'0' * 64}", params={"lang": "en"})
        for asked in (sealed, sealed[:12], sample_ledger.SEALED_REFERENCE):
            answer = client.get(f"/notices/{asked}", params={"lang": "en"})
            assert answer.status_code == unknown.status_code == 404
            assert answer.text.replace(asked, "0" * 64) == unknown.text
        for path in ("/agreements/", "/responsibility?object="):
            nothing = client.get(path + "0" * 64)
            for asked in (sealed, sample_ledger.SEALED_REFERENCE):
                answer = client.get(path + asked)
                assert answer.status_code == nothing.status_code == 404
                assert answer.text.replace(asked, "0" * 64) == nothing.text
        overview = client.get("/", params={"lang": "en"}).text
        assert '<span translate="no">1</span> <span class="whole" translate="no">/ 2</span>' in overview


def test_notices_say_whether_they_are_fixed_or_withdrawn(site: Site, page: Page) -> None:
    """A withdrawn notice keeps its place and loses its text at once."""
    page.goto(site.url("/notices", "en"))
    rows = page.locator("tbody tr")
    assert rows.count() == 2
    assert "Fixed and closed" in rows.nth(0).inner_text()
    assert "Withdrawn" in rows.nth(1).inner_text()
    page.goto(site.url(f"/notices/{site.ledger.fixed_case}", "en"))
    assert "beyond the agreed purpose" in page.inner_text("blockquote")
    page.goto(site.url(f"/notices/{site.ledger.withdrawn_case}", "en"))
    assert sample_ledger.HIDDEN_TEXT not in page.content()
    assert "Withdrawn. The text is no longer shown" in page.inner_text("main")


def test_mark_up_in_a_name_is_only_text(site: Site, page: Page) -> None:
    """A name may hold tags and quotes: it is shown as written, and nothing of it is obeyed."""
    name = '<b>"Bold" & Co</b><script>alert(1)</script>'
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: dialogs.append(dialog.message))
    for path in ("/", "/agencies", "/sharing", "/notices", f"/notices/{site.ledger.withdrawn_case}", "/ask"):
        page.goto(site.url(path, "en"))
        assert name in (page.text_content("body") or ""), path
        assert page.locator("main b, main script").count() == 0, path
    assert dialogs == []


def test_what_is_asked_for_is_only_text(site: Site, page: Page) -> None:
    """An address may hold tags too."""
    for path in ("/responsibility?object=", "/ask/responsible?duty=DELIVER&object=", "/nothing/"):
        page.goto(site.url(path + "%22%3E%3Cscript%3Ealert(1)%3C/script%3E", "zh"))
        assert page.locator("main script").count() == 0
    page.goto(site.url("/agencies?after=%22%3E%3Cscript%3E", "zh"))
    assert page.locator("h1").inner_text() == "无法理解"


def test_pages_work_without_scripts(site: Site, browser: Browser) -> None:
    """Everything but the renewing of figures and the verifying in the browser is plain HTML, and says so."""
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(site.url("/", "en"))
    assert page.locator("button[data-live]").is_hidden()
    page.goto(site.url("/", "en"))
    page.select_option("#provider", index=1)
    page.select_option("#recipient", index=2)
    page.click("main form button")
    assert "Shared at present" in page.inner_text("main")
    page.goto(site.url("/log/5", "en"))
    assert page.locator("#verify-form").is_hidden()
    assert "needs JavaScript" in page.inner_text("noscript")
    context.close()


def test_figures_renew_themselves_until_they_are_paused(site: Site, page: Page) -> None:
    """The overview takes new figures by itself, and stops when its reader says so (WCAG 2.2.2)."""
    page.clock.install()
    page.goto(site.url("/", "en"))
    with page.expect_response("**/overview/counters*"):
        page.clock.run_for(5_100)
    page.wait_for_selector("#counters .counters")
    page.click("[data-live]")
    assert page.inner_text("[data-live]") == "Resume updates"
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.clock.run_for(20_000)
    assert asked == []


def test_demonstration_signatures_are_marked_wherever_they_are_shown(site: Site, page: Page) -> None:
    """Nobody takes a generated key for an agency's."""
    page.goto(site.url(f"/agreements/{site.ledger.agreement}", "en"))
    signatures = page.locator("section.card").first.locator("table").nth(1).locator("tbody tr")
    assert signatures.count() == 2
    assert all("demonstration signature" in signatures.nth(place).inner_text() for place in range(2))
    with httpx.Client(base_url=site.address) as client:
        assert all("Demonstration ledger." in client.get(site.url(path, "en")).text for path in site.paths)


def test_responsibility_is_drawn_with_its_gaps_and_told_in_words(site: Site, page: Page) -> None:
    """Each vacancy of the picture stands in a list too, and what nobody accepted does not fill one."""
    page.goto(site.url(f"/responsibility?object={site.ledger.agreement}", "en"))
    assert page.locator("svg.timeline rect.bar.gap").count() == 2
    assert page.locator("svg.timeline rect.bar.lead").count() == 3
    assert page.locator("svg.timeline rect.bar.proposed").count() == 1
    text = page.inner_text("main")
    assert "2026-03-01 00:00 Asia/Shanghai – 2026-05-01 00:00 Asia/Shanghai" in text
    assert "2026-01-01 00:00 Asia/Shanghai – now" in text
    assert "Nobody was ever assigned: Disposal" in text


def test_a_question_without_a_right_is_answered_with_its_sources(site: Site, page: Page) -> None:
    """ "No" is an answer like any other; a question that cannot be read names its field."""
    dataset = sample_ledger.DATASET.replace("#", "%23")
    page.goto(site.url(f"/ask/right?agency={sample_ledger.AUTHORITY}&dataset={dataset}", "en"))
    assert "No right existed" in page.inner_text(".answer")
    page.goto(site.url(f"/ask/right?agency={sample_ledger.LABOUR}&dataset={dataset}&at=2024-01-01", "en"))
    assert "outside the period" in page.inner_text(".answer")
    page.goto(site.url(f"/ask/right?agency={sample_ledger.LABOUR}&dataset={dataset}&at=yesterday", "zh"))
    assert page.inner_text("[role=alert]").endswith("时点（留空为当前）。")


def test_refusals_are_pages_here_and_problem_documents_there(site: Site) -> None:
    """The interface's paths keep the interface's refusals; all others have the pages' look in both languages."""
    with httpx.Client(base_url=site.address) as client:
        for path, title in (
            ("/nope?lang=en", "Not found"),
            ("/nope?lang=zh", "未找到"),
            ("/log/999?lang=en", "Not found"),
        ):
            answer = client.get(path)
            assert answer.status_code == 404
            assert f"<h1>{title}</h1>" in answer.text
        elsewhere = client.get(f"{site.address}//elsewhere.example/page").text
        assert 'href="/elsewhere.example/page?lang=zh"' in elsewhere
        assert 'href="//' not in elsewhere
        assert client.post("/agencies").status_code == 405
        assert client.get("/agencies?after=%00").status_code == 422
        assert client.get(f"/responsibility?object={'x' * 900}").status_code == 422
        problem = client.get("/v1/nope")
        assert problem.status_code == 404
        assert problem.headers["content-type"].startswith("application/problem+json")


def test_nothing_comes_from_elsewhere_and_styles_are_kept(site: Site, page: Page) -> None:
    """All requests go to the ledger's own server, under a policy that allows nothing else."""
    hosts: set[str] = set()
    page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
    for path in ("/", "/log/5", f"/responsibility?object={site.ledger.agreement}"):
        page.goto(site.url(path, "en"))
    assert hosts == {site.address.removeprefix("http://")}
    with httpx.Client(base_url=site.address) as client:
        for path in site.paths:
            policy = client.get(path).headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
        style = page.get_attribute("link[rel=stylesheet]", "href") or ""
        assert "immutable" in client.get(style).headers["cache-control"]
        assert client.get("/static/quanze.css").headers["cache-control"] == "no-cache"
        assert client.get("/static/../app.py").status_code == 404


def test_lists_go_on_where_the_page_before_ended(site: Site) -> None:
    """A cursor of one page gives the rest, with the way back to the first; the log's pages reach its beginning."""
    services = site.ledger.services
    with httpx.Client(base_url=site.address, params={"lang": "en"}) as client:
        for path, after, rest in (
            ("/agencies", agencies_page(services, AgenciesPage(limit=3)).next, 1),
            ("/agreements", agreements_page(services, AgreementsPage(limit=1)).next, 1),
            ("/notices", notices_page(services, NoticesPage(limit=1)).next, 1),
        ):
            text = client.get(path, params={"after": after}).text
            assert text.count('<th scope="row">') == rest, path
            assert "First page" in text
            assert "Next page" not in text
        first = client.get("/log").text
        (before,) = re.findall(r'href="/log\?before=(\d+)', first)
        older = client.get("/log", params={"before": before}).text
        assert 'href="/log/0?' in older
        assert "Next page" not in older
