"""What every test may use: where things are, the tools of the environment, and published records kept outside."""

from __future__ import annotations

import os
import shutil
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import structlog
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parent.parent
EXTERNAL = ROOT.parent / "shared" / "data"

settings.register_profile("project", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", parent=settings.get_profile("project"), derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "project")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Let no test's log depend on which tests ran before it: the command configures the log of its process."""
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def root() -> Path:
    """The root folder of the project."""
    return ROOT


@pytest.fixture(scope="session")
def node() -> Path:
    """The Node of this environment."""
    path = Path(sys.prefix) / "bin" / "node"
    assert path.exists(), "run `make setup`: the environment has no Node"
    return path


@pytest.fixture(scope="session")
def anvil() -> Path:
    """The anvil program itself, not npm's wrapper of it."""
    found = sorted((ROOT / "node_modules" / "@foundry-rs").glob("anvil-*/bin/anvil"))
    assert found, "run `make setup`: node_modules has no anvil"
    return found[0]


@pytest.fixture(scope="session")
def chromium() -> Path:
    """The system's Chromium."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert found, "Chromium is missing. On Debian: apt-get install chromium"
    return Path(found)


@pytest.fixture(scope="session")
def external() -> Path:
    """The folder of published records kept beside the project: needed where CI is set, else the test is skipped."""
    if not EXTERNAL.is_dir():
        missing = f"NOT RUN: the published records are not beside this project ({EXTERNAL.name} folder is missing)"
        if os.environ.get("CI"):
            pytest.fail(missing, pytrace=False)
        pytest.skip(missing)
    return EXTERNAL


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Tell a count that the run closes with, as how many transactions were compared."""

    def tell(text: str) -> None:
        request.node.user_properties.append(("figure", text))

    return tell


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say loudly which tests did not run because what they need is not here."""
    reasons = Counter(
        str(report.longrepr[-1]) if isinstance(report.longrepr, tuple) else str(report.longrepr)
        for report in terminalreporter.stats.get("skipped", [])
        if "NOT RUN" in str(report.longrepr)
    )
    for reason, count in reasons.items():
        terminalreporter.write_line(f"{count} tests: {reason.removeprefix('Skipped: ')}", yellow=True, bold=True)
    for report in terminalreporter.stats.get("passed", []):
        for name, text in report.user_properties:
            if name == "figure":
                terminalreporter.write_line(f"{report.nodeid.rpartition('::')[2]}: {text}")
