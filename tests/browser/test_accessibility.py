"""Every page in both languages: no violation that axe finds, no text in the other language, no need of a mouse."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.browser import sample_ledger

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from tests.browser.conftest import Site

pytestmark = pytest.mark.browser

LANGUAGES = {"zh": "zh-Hans", "en": "en"}
AXE = """
axe.run(document, {
  resultTypes: ["violations"],
  runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
})
"""
FIXED_TEXT = """
() => {
  const copy = document.body.cloneNode(true);
  const records = "[translate=no], [lang], time, script, noscript, code, g.node";
  copy.querySelectorAll(records).forEach((part) => part.remove());
  const isNamed = document.querySelector("main h1[translate=no], main h1 [translate=no]");
  const said = [copy.textContent, isNamed ? "" : document.title];
  copy.querySelectorAll("*").forEach((part) => {
    for (const name of ["aria-label", "alt", "title", "placeholder"]) said.push(part.getAttribute(name) ?? "");
  });
  return said.join("\\n");
}
"""
NAMES = ("UTC", "DEMO-2026-001", "DEMO-2026-002", sample_ledger.DATASET, "platform", "JavaScript", "HTTPS")
"""What stands in Latin letters in a Chinese text too."""


@pytest.mark.parametrize("language", LANGUAGES)
def test_axe_finds_nothing_on_any_page(site: Site, page: Page, root: Path, language: str) -> None:
    """WCAG 2.2 A and AA, and the best practices that axe knows; narrow screens too."""
    page.add_init_script(path=root / "node_modules" / "axe-core" / "axe.min.js")
    for place, path in enumerate(site.looks):
        page.set_viewport_size({"width": 390 if place % 2 else 1280, "height": 900})
        page.goto(site.url(path, language))
        found: dict[str, Any] = page.evaluate(AXE)
        told = [(rule["id"], node["html"]) for rule in found["violations"] for node in rule["nodes"]]
        assert told == [], (path, language, told)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_page_is_wider_than_its_screen(site: Site, page: Page, language: str) -> None:
    """Wide tables and pictures scroll by themselves; the page never does (WCAG 1.4.10)."""
    page.set_viewport_size({"width": 320, "height": 700})
    for path in site.paths:
        page.goto(site.url(path, language))
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, (path, language)


def test_fixed_texts_of_chinese_pages_hold_no_english(site: Site, page: Page) -> None:
    """Records keep their own language and say so; everything else is Chinese."""
    for path in site.paths:
        page.goto(site.url(path, "zh"))
        assert page.get_attribute("html", "lang") == "zh-Hans"
        text = page.evaluate(FIXED_TEXT)
        for name in NAMES:
            text = text.replace(name, "")
        words = re.findall(r"[A-Za-z]{2,}", text)
        assert words == [], (path, words)


def test_fixed_texts_of_english_pages_hold_no_chinese(site: Site, page: Page) -> None:
    """And the other way round."""
    for path in site.paths:
        page.goto(site.url(path, "en"))
        assert page.get_attribute("html", "lang") == "en"
        signs = re.findall(r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]+", page.evaluate(FIXED_TEXT))
        assert signs == [], (path, signs)


def test_links_keep_the_language_that_was_asked_for(site: Site, page: Page) -> None:
    """Whoever asked for English stays in English, and the other language is one link away on the same page."""
    with httpx.Client(base_url=site.address) as client:
        for path in site.paths:
            links = re.findall(r'<a [^>]*href="(/[^"]*)"(?! download)', client.get(site.url(path, "en")).text)
            assert len(links) > len(LANGUAGES)
            assert all("lang=" in link for link in links), (path, links)
    for path in site.paths[5:8]:
        page.goto(site.url(path, "en"))
        page.click(".languages a[hreflang='zh-Hans']")
        assert page.get_attribute("html", "lang") == "zh-Hans"
        assert page.url == site.url(path, "zh")


def test_without_an_asked_language_the_browser_decides(site: Site, browser: Browser) -> None:
    """No cookie and no redirect: the same address is read in the reader's language."""
    for locale, language in (("zh-CN", "zh-Hans"), ("en-GB", "en"), ("fr-FR", "zh-Hans")):
        context = browser.new_context(locale=locale)
        opened = context.new_page()
        opened.goto(site.url("/agreements"))
        assert opened.get_attribute("html", "lang") == language
        assert context.cookies() == []
        assert not any("lang=" in link.get_attribute("href") for link in opened.query_selector_all("nav a"))
        context.close()


def focused(page: Page) -> dict[str, Any]:
    """Return what has the focus, and whether that can be seen."""
    found: dict[str, Any] = page.evaluate(
        """() => {
          const at = document.activeElement;
          const style = getComputedStyle(at);
          const box = at.getBoundingClientRect();
          return {tag: at.tagName, id: at.id, text: at.textContent.trim().slice(0, 60), href: at.getAttribute("href"),
                  outlined: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
                  visible: box.width > 0 && box.height > 0 && box.right > 0};
        }"""
    )
    return found


def test_the_first_key_reaches_a_link_that_skips_to_the_content(site: Site, page: Page) -> None:
    """One Tab and Enter pass the navigation."""
    page.goto(site.url("/agencies", "en"))
    page.keyboard.press("Tab")
    at = focused(page)
    assert at["href"] == "#content"
    assert at["visible"]
    page.keyboard.press("Enter")
    assert focused(page)["id"] == "content"
    page.keyboard.press("Tab")
    assert page.evaluate("document.querySelector('main').contains(document.activeElement)")


@pytest.mark.parametrize("path", ["/", "/log/5", "/ask"])
def test_every_control_is_reached_by_keyboard_and_seen(site: Site, page: Page, path: str) -> None:
    """Tab visits each control once, with a visible focus, and leaves the page again: no trap."""
    page.goto(site.url(path, "en"))
    wanted = page.evaluate(
        """() => Array.from(document.querySelectorAll("a[href], button, input, select, summary, [tabindex='0']"))
              .filter((part) => part.type !== "hidden" && part.checkVisibility()).length"""
    )
    visited = []
    for _ in range(wanted):
        page.keyboard.press("Tab")
        at = focused(page)
        assert at["outlined"], at
        assert at["visible"], at
        visited.append(page.evaluate("Array.from(document.querySelectorAll('*')).indexOf(document.activeElement)"))
    assert len(set(visited)) == wanted
    page.keyboard.press("Tab")
    assert focused(page)["tag"] == "BODY"


def test_a_question_is_asked_and_an_entry_verified_by_keyboard_alone(site: Site, page: Page) -> None:
    """From the overview to a verified entry without a mouse."""
    page.goto(site.url("/", "en"))
    page.focus("#provider")
    page.keyboard.type("Demo City Pub")
    page.keyboard.press("Tab")
    page.keyboard.type("Demo City Lab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector("#result")
    assert "Household register" in page.inner_text("main")
    page.goto(site.url("/log", "en"))
    page.focus("#index")
    page.keyboard.type("7")
    page.keyboard.press("Enter")
    page.wait_for_selector("#verify-form:not([hidden])")
    page.focus("#held-root")
    page.keyboard.press("Enter")
    page.wait_for_selector("#verify-result.good")
