"""The life of an entry is told in the order and with the numbers of the code."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

from ledger.domain.event_groups import GROUPS
from ledger.domain.reporting import EVENT_DEADLINE_MAX_S
from ledger.service import event_appending, event_checks
from ledger.service.group_appender import GroupAppender
from ledger.settings import Settings

PAGE = (Path(__file__).parents[2] / "docs/life-of-an-entry.md").read_text()


def listed_checks() -> list[str]:
    section = PAGE.split("## 2. ")[1].split("## 3. ")[0]
    return re.findall(r"^(\d)\. ", section, flags=re.MULTILINE)


def test_the_checks_have_the_numbers_of_the_code() -> None:
    stated = [
        doc[0]
        for _, check in inspect.getmembers(event_checks, inspect.isfunction)
        if check.__module__ == event_checks.__name__ and (doc := inspect.getdoc(check) or "") and doc[0].isdigit()
    ]
    assert sorted(stated) == listed_checks()


def test_events_and_log_are_written_in_the_order_told() -> None:
    source = inspect.getsource(GroupAppender._write)
    steps = [source.index(step) for step in ("events.append(", "log.append_encoded(", "frontiers.accepted(")]
    assert steps == sorted(steps)
    answering = inspect.getsource(event_appending.append_batch)
    assert answering.index("appender.finish(") < answering.index("_receipts(")
    told = PAGE.split("## 4. ")[1]
    assert told.index("| memory |") < told.index("| events |") < told.index("| log |")


def test_the_page_names_the_groups_and_limits_that_the_code_has() -> None:
    assert all(f"`{group}`" in PAGE for group in GROUPS)
    limit = Settings.model_fields["binding_age_max_s"].default
    assert f"at most {limit} seconds after the bound block" in PAGE
    assert f"at most {limit // 2} seconds old" in PAGE
    assert f"at most {EVENT_DEADLINE_MAX_S:,} seconds after the bound block" in PAGE


def test_every_setting_that_the_page_names_exists() -> None:
    named = re.findall(r"QUANZE_([A-Z_]+)", PAGE)
    assert named
    assert {name.lower() for name in named} <= set(Settings.model_fields)
