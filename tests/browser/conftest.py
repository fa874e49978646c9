"""A real ledger, served over HTTP, and a real browser to look at it."""

from __future__ import annotations

import contextlib
import socket
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx
import pytest
import uvicorn
from playwright.sync_api import sync_playwright

from api.app import create_app
from tests.browser import sample_ledger

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from ledger.service.services import Services
    from tests.browser.sample_ledger import SampleLedger


@dataclass(frozen=True, slots=True)
class Site:
    """A served ledger."""

    address: str
    ledger: SampleLedger
    paths: tuple[str, ...]

    @property
    def looks(self) -> tuple[str, ...]:
        """One path of each kind of page: those whose like stands before them are left out."""
        alike = ("/agencies/", "/log/18", "/ask/right", "/ask/responsible", "/responsibility?object=uscc")
        return tuple(
            path
            for place, path in enumerate(self.paths)
            if not any(path.startswith(kind) and any(p.startswith(kind) for p in self.paths[:place]) for kind in alike)
        )

    def url(self, path: str, language: str = "") -> str:
        """Return the address of a page, in a language if one is asked for."""
        joined = f"{self.address}{path}"
        return f"{joined}{'&' if '?' in path else '?'}lang={language}" if language else joined


@contextlib.contextmanager
def serving(services: Services) -> Iterator[str]:
    """Serve a home on a free port of this machine."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(create_app(services), log_config=None, access_log=False, lifespan="off")
        server = uvicorn.Server(config)
        server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign]
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        try:
            # The socket listens already: the first answer comes when the server is ready for it.
            assert httpx.get(f"{address}/health", timeout=30).status_code == httpx.codes.OK
            yield address
        finally:
            server.should_exit = True
            thread.join(30)


@pytest.fixture(scope="session")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SampleLedger]:
    """The sample ledger, made once."""
    made = sample_ledger.make(tmp_path_factory.mktemp("sample"))
    yield made
    made.services.close()


@pytest.fixture(scope="session")
def site(ledger: SampleLedger) -> Iterator[Site]:
    """The sample ledger, served."""
    with serving(ledger.services) as address:
        ids = [agency.hex() for agency in ledger.services.state.ids("agency")]
        dataset = sample_ledger.DATASET.replace("#", "%23")
        paths = (
            "/",
            "/agencies",
            f"/agencies/{ids[0]}",
            f"/agencies/{ids[3]}",
            "/sharing",
            f"/sharing?provider={ids[0]}&recipient={ids[1]}",
            f"/sharing?provider={ids[1]}&recipient={ids[0]}",
            "/agreements",
            f"/agreements/{ledger.agreement}",
            "/responsibility",
            f"/responsibility?object={ledger.agreement}",
            f"/responsibility?object={dataset}",
            "/notices",
            f"/notices/{ledger.fixed_case}",
            f"/notices/{ledger.withdrawn_case}",
            "/log",
            "/log/5",
            "/log/18",
            "/log/21",
            "/ask",
            f"/ask/right?agency={sample_ledger.LABOUR}&dataset={dataset}",
            f"/ask/right?agency={sample_ledger.AUTHORITY}&dataset={dataset}",
            f"/ask/responsible?duty=DELIVER&object={ledger.agreement}",
            f"/ask/responsible?duty=DISPOSE&object={ledger.agreement}",
            "/nothing-here",
        )
        yield Site(address, ledger, paths)


@pytest.fixture(scope="session")
def browser(chromium: Path) -> Iterator[Browser]:
    """Chromium without a window."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page of a new visitor; a fault of a script or of the content policy fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="zh-CN")
    opened = context.new_page()
    faults: list[str] = []
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on("console", lambda said: faults.append(said.text) if "Content Security Policy" in said.text else None)
    yield opened
    context.close()
    assert faults == []
