"""The chapters of the story, each told in a few lines; a chapter done by an earlier run is only looked at again."""

from __future__ import annotations

import datetime
import zoneinfo
from typing import TYPE_CHECKING, Any, Final

import yaml

from scripts.demo.answers import ask, prove
from scripts.demo.stage import SAMPLE, Stage, StepError
from scripts.demo.trial import begin_trial, end_trial
from scripts.demo.violations import take_case

if TYPE_CHECKING:
    from collections.abc import Callable

PROVIDER: Final = "xroad:SAMPLE/GOV/10000001"
REQUESTER: Final = "xroad:SAMPLE/GOV/10000002"
AGREEMENT: Final = "SAMPLE-DSA-001"
_ZONE: Final = zoneinfo.ZoneInfo("Asia/Shanghai")
_HEADS: Final = {
    PROVIDER: ("Vehicle Registry (sample)", "PROVIDER_OFFICE_HEAD,DEPT_HEAD"),
    REQUESTER: ("Roadside Inspection (sample)", "REQUESTER_OFFICE_HEAD,DEPT_HEAD"),
}
_DATASETS: Final = {
    "VEHICLES/vehicleByPlate": ("Vehicle by number plate", "CONDITIONAL", ""),
    "VEHICLES/inspectionStatus": ("State of inspection", "UNCONDITIONAL", ""),
    "VEHICLES/ownerHistory": ("Former owners of a vehicle", "NOT_SHARED", "sample:privacy-act-7"),
    "ALERTS/stolenVehicle": ("Alerts on stolen vehicles", "CONDITIONAL", ""),
}
_DUTIES: Final = (
    ("DELIVER", PROVIDER, "2025-01-01", "2025-06-30"),
    ("DELIVER", PROVIDER, "2025-08-01", ""),
    ("USE_WITHIN_SCOPE", REQUESTER, "2025-01-01", ""),
)


def prepare(stage: Stage) -> list[str]:
    """Make the home, unless an earlier run did."""
    if (stage.home / "config.json").exists():
        return [f"taken up from the last run: {stage.home}"]
    made = stage.quanze("init", "--demonstration", "--origin", "quanze.example/demo")
    return [
        f"chain {made['chain_id']}, its engine on this machine, {len(made['contracts'])} contracts",
        f"log {made['log_origin']}",
    ]


def register(stage: Stage) -> list[str]:
    """Import the register's agreements, and look at one of them."""
    done = stage.quanze("import", "nhs-dsa", str(SAMPLE / "nhs-dsa.json"), "--demo-keys")
    rows = [row for row in stage.quanze("agreement", "list")["items"] if row["reference"].startswith("DARS-")]
    shown = stage.quanze("agreement", "show", rows[0]["reference"])
    version = shown["versions"][-1]
    in_force, grants = sum(row["status"] == "ACTIVE" for row in rows), sum(row["grants"] for row in rows)
    return [
        _counts(done),
        f"{in_force} of {len(rows)} signed by all parties and in force on chain, {grants} grants",
        f"for example {shown['reference']}: {version['text']['title'][:90]}",
        *(f"  signed by {party['signed_by']} at {party['signed_at']}" for party in version["parties"]),
    ]


def agree(stage: Stage) -> list[str]:
    """Let two agencies publish, draft and sign from the command line, and see what the chain refuses."""
    known = {row["agency"] for row in stage.quanze("agency", "list")["items"]}
    posts = {row["post"] for row in stage.quanze("post", "list")["items"]}
    for agency, (name, roles) in _HEADS.items():
        if agency not in known:
            stage.quanze("agency", "add", agency, "--name-en", name)
        if _head(agency) not in posts:
            key = f"head-{agency[-8:]}"
            stage.quanze("post", "add", _head(agency), "--roles", roles, "--name-en", "Head of office", "--key", key)
    entries = {row["dataset"] for row in stage.quanze("catalogue", "list")["items"]}
    for code, (name, attribute, law) in _DATASETS.items():
        if f"{PROVIDER}#{code}" not in entries:
            more = ["--law", law] if law else []
            stage.quanze(
                *("catalogue", "add", f"{PROVIDER}#{code}", "--as", _head(PROVIDER)),
                *("--name-en", name, "--attribute", attribute, *more),
            )
    lines = []
    if AGREEMENT not in {row["reference"] for row in stage.quanze("agreement", "list")["items"]}:
        stage.quanze("agreement", "draft", str(SAMPLE / "sample-agreement.yaml"), "--as", _head(PROVIDER))
        for agency in _HEADS:
            signed = stage.quanze("agreement", "sign", AGREEMENT, "--as", _head(agency), "--yes")
            lines.append(f"signed by {signed['post']} in block {signed['block']}: {signed['status']}")
        lines.append(f"receipt for the last signature: {signed['receipt']}")
    shown = stage.quanze("agreement", "show", AGREEMENT)
    if shown["status"] != "ACTIVE":
        raise StepError(f"{AGREEMENT} is {shown['status']}")
    return [f"{AGREEMENT}: {shown['versions'][-1]['text']['title']}", *lines, _refusal(stage)]


def answer_for(stage: Stage) -> list[str]:
    """Assign duties, accept them, and leave a gap in between that everybody sees."""
    held = stage.quanze("responsibility", "list", "--object", AGREEMENT)["items"]
    if not held:
        for duty, agency, since, until in _DUTIES:
            bounds = ["--from", since, *(["--to-time", until] if until else [])]
            made = stage.quanze(
                *("responsibility", "assign", duty, AGREEMENT, "--to", _head(agency), "--as", _head(agency)), *bounds
            )
            stage.quanze("responsibility", "accept", made["assignment"])
        held = stage.quanze("responsibility", "list", "--object", AGREEMENT)["items"]
    return [
        *(f"{row['duty']}: {row['post']}, {row['role']} {_days(row['valid_from'], row['valid_to'])}" for row in held),
        "nobody answered for DELIVER in July 2025: a gap that the explorer draws",
    ]


def exchange(stage: Stage) -> list[str]:
    """Import exchange records, each bound to what was agreed, with a verdict."""
    done = stage.quanze(
        *("import", "xroad-opmon", str(SAMPLE / "xroad-opmon.json"), "--demo-keys"),
        *("--mapping", str(SAMPLE / "xroad-mapping.yaml"), "--as", f"opmon-client@{REQUESTER}"),
    )
    return [_counts(done), *(f"  {code}: {count}" for code, count in done.get("verdicts", {}).items())]


def anchor(stage: Stage) -> list[str]:
    """Put the log's root on chain, where the contract checks that nothing was rewritten."""
    made = stage.quanze("anchor")
    return [f"{made['size']} events under one root in block {made['block']}: {made['root']}"]


CHAPTERS: Final[tuple[tuple[str, Callable[[Stage], list[str]]], ...]] = (
    ("Ten agreements of NHS England's register", register),
    ("Two agencies agree, from the command line", agree),
    ("Who answers for it", answer_for),
    ("Exchange records, bound to what was agreed", exchange),
    ("An agreement on trial: before, while suspended", begin_trial),
    ("A violation, from lead to closing", take_case),
    ("The trial ends: review expired, then terminated", end_trial),
    ("The log is anchored", anchor),
    ("By what right, and who answered for it?", ask),
    ("Proof that needs nobody's word", prove),
)


def _days(since: str, until: str) -> str:
    """Return an interval in legal dates, its last day included."""
    first = datetime.datetime.fromisoformat(since).astimezone(_ZONE).date()
    if not until:
        return f"from {first}"
    last = (datetime.datetime.fromisoformat(until) - datetime.timedelta(seconds=1)).astimezone(_ZONE).date()
    return f"from {first} to {last}"


def _head(agency: str) -> str:
    return f"head@{agency}"


def _refusal(stage: Stage) -> str:
    """Try to share what the catalogue's negative list forbids."""
    draft: Any = yaml.safe_load((SAMPLE / "sample-agreement.yaml").read_text(encoding="utf-8"))
    draft["reference"] = "SAMPLE-DSA-REFUSED"
    draft["grants"] = [{**draft["grants"][0], "dataset": f"{PROVIDER}#VEHICLES/ownerHistory"}]
    path = stage.write("refused-agreement.json", draft)
    told = stage.quanze("agreement", "draft", str(path), "--as", _head(PROVIDER), codes=(4,))
    return f"an agreement over ownerHistory, which is not shared, is refused on chain: {told['error']['message']}"


def _counts(done: dict[str, Any]) -> str:
    return f"{done['records']} records: {done['imported']} imported, {done['unchanged']} in the ledger already"
