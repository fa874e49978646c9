"""The agreement on trial: what becomes of exchanges before, during a suspension, after a review, and at the end.

Each state is shown by an exchange that happens in it, so these records are made while the story runs. Their files
are kept: a second run imports them again, and nothing changes.
"""

from __future__ import annotations

import datetime
import time
from typing import TYPE_CHECKING, Any, Final

import yaml

from ledger.domain.codes import Mismatch
from scripts.demo.stage import SAMPLE, StepError
from scripts.sample.make_opmon import live_record

if TYPE_CHECKING:
    from scripts.demo.stage import Stage

_REFERENCE: Final = "SAMPLE-DSA-002"
_POSTS: Final = ("head@xroad:SAMPLE/GOV/10000001", "head@xroad:SAMPLE/GOV/10000002")
_REVIEW_S: Final = 20
"""Long enough for both signatures, which the chain refuses once the review has expired."""


def begin_trial(stage: Stage) -> list[str]:
    """Propose, sign and suspend; an exchange before the signatures and one during the suspension."""
    status = _status(stage)
    if status == "":
        draft: Any = yaml.safe_load((SAMPLE / "short-agreement.yaml").read_text(encoding="utf-8"))
        until = datetime.datetime.now(datetime.UTC).replace(microsecond=0) + datetime.timedelta(seconds=_REVIEW_S)
        draft["security_review"]["valid_until"] = until.isoformat()
        path = stage.write("trial-agreement.json", draft)
        stage.quanze("agreement", "draft", str(path), "--as", _POSTS[0])
    lines = [_exchange(stage, "NOT_IN_FORCE", f"{_REFERENCE} is proposed")]
    if status in {"", "PROPOSED"}:
        for post in _POSTS:
            stage.quanze("agreement", "sign", _REFERENCE, "--as", post, "--yes")
        stage.quanze("agreement", "suspend", _REFERENCE, "--as", _POSTS[0], "--reason", "decree809:27")
    lines.append(_exchange(stage, "SUSPENDED", "signed by both, then suspended"))
    if _status(stage) == "SUSPENDED":
        stage.quanze("agreement", "resume", _REFERENCE, "--as", _POSTS[0])
    return lines


def end_trial(stage: Stage) -> list[str]:
    """Let the review expire and end the agreement, with an exchange after each."""
    draft = stage.read("trial-agreement.json")
    until = datetime.datetime.fromisoformat(draft["security_review"]["valid_until"]).timestamp()
    time.sleep(max(0.0, until - time.time()))
    lines = [_exchange(stage, "REVIEW_EXPIRED", "in force again, but its security review has expired")]
    if _status(stage) == "ACTIVE":
        stage.quanze("agreement", "terminate", _REFERENCE, "--as", _POSTS[1], "--reason", "sample:trial-over")
    lines.append(_exchange(stage, "TERMINATED", "terminated by the requester"))
    return [*lines, _kinds_shown(stage)]


def _kinds_shown(stage: Stage) -> str:
    """Check that every kind of mismatch was shown by some exchange of the story."""
    shown: set[str] = set()
    after: list[str] = []
    while True:
        page = stage.quanze("event", "list", "--verdict", "MISMATCH", "--limit", "1000", *after)
        shown |= {code for row in page["items"] for code in row["mismatches"]}
        if not page["next"]:
            break
        after = ["--after", page["next"]]
    if missing := [code.value for code in Mismatch if code.value not in shown]:
        raise StepError(f"no exchange shows {', '.join(missing)}")
    return f"every one of the {len(Mismatch)} kinds of mismatch has been shown"


def _status(stage: Stage) -> str:
    rows = stage.quanze("agreement", "list")["items"]
    return next((str(row["status"]) for row in rows if row["reference"] == _REFERENCE), "")


def _exchange(stage: Stage, code: str, when: str) -> str:
    """Import an exchange of this moment, or the one of an earlier run, and check what was found."""
    name = f"live-{code.lower().replace('_', '-')}.json"
    if stage.read(name) is None:
        stage.write(name, [live_record(code, time.time_ns() // 1_000_000)])
    done = stage.quanze(
        *("import", "xroad-opmon", str(stage.folder / name), "--demo-keys"),
        *("--mapping", str(SAMPLE / "short-mapping.yaml")),
    )
    if done["unchanged"]:
        return f"{when}: an exchange is in the ledger already"
    found = done["items"][0]["mismatches"] if done["items"] else done["rejected"]
    if code not in found:
        raise StepError(f"an exchange while {when} was found to be {found}, not {code}")
    return f"{when}: an exchange is {', '.join(found)}"
