"""Questions, their answers, and the proof of one: exported, verified elsewhere, and broken by one byte."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from scripts.demo.stage import StepError

if TYPE_CHECKING:
    from pathlib import Path

    from scripts.demo.stage import Stage

_DATASET: Final = "xroad:SAMPLE/GOV/10000001#VEHICLES/vehicleByPlate"
_HOLDER: Final = "xroad:SAMPLE/GOV/10000002"
_OTHER: Final = "xroad:SAMPLE/GOV/10000003"
_AT: Final = "2025-09-15T12:00:00+08:00"
_GAP: Final = "2025-07-15"


def ask(stage: Stage) -> list[str]:
    """Ask by what right and who answered for it, where there was a right and somebody, and where not."""
    held = stage.quanze("ask", "right", "--agency", _HOLDER, "--dataset", _DATASET, "--at", _AT)
    none = stage.quanze("ask", "right", "--agency", _OTHER, "--dataset", _DATASET, "--at", _AT)
    lead = stage.quanze("ask", "responsible", "--duty", "DELIVER", "--object", "SAMPLE-DSA-001", "--at", _AT)
    gap = stage.quanze("ask", "responsible", "--duty", "DELIVER", "--object", "SAMPLE-DSA-001", "--at", _GAP)
    history = stage.quanze("ask", "history", "--case", "gdpr/RO/ANSPDCP/5")
    if not held["held"] or none["held"]:
        raise StepError("the rights are not as agreed")
    source = held["sources"][-1]
    return [
        *(f"{answer['answer']}." for answer in (held, none, lead, gap, history)),
        f"each with its sources, as {source['event']} in block {source['block']}, transaction {source['tx'][:16]}…",
    ]


def prove(stage: Stage) -> list[str]:
    """Prove an event, write its evidence and the trust root, verify them in another process, and flip one byte."""
    event = stage.quanze("event", "list", "--verdict", "WITHIN_SCOPE", "--limit", "1")["items"][0]["id"]
    proven = stage.quanze("ask", "prove", event)
    evidence, root = stage.folder / "evidence.json", stage.folder / "trust-root.json"
    made = stage.quanze("evidence", "export", "event", event, "-o", str(evidence))
    trusted = stage.quanze("trust-root", "export", "-o", str(root))
    code, report = _verify(stage, evidence, root)
    if code != 0:
        raise StepError(f"verify refused sound evidence: {report}")
    flipped = stage.folder / "evidence-flipped.json"
    place = _flip(evidence, flipped)
    refused, against = _verify(stage, flipped, root)
    if refused != 1:
        raise StepError(f"verify ended with {refused} for a flipped byte at {place}")
    failed = next(step for step in against["steps"] if step["status"] == "FAILED")
    return [
        f"{proven['answer']}.",
        f"{made['file']}, {evidence.stat().st_size} bytes; fingerprint of the trust root: {trusted['fingerprint']}",
        "quanze verify, in a process with no home:",
        *(f"  {step['number']}. {step['title']}: {step['status'].replace('_', ' ')}" for step in report["steps"]),
        f"  assurance: {report['assurance']}",
        f"one byte flipped, at {place}: step {failed['number']} refuses: {failed['reason']}",
    ]


def _verify(stage: Stage, evidence: Path, root: Path) -> tuple[int, Any]:
    done = stage.program("verify", str(evidence), "--trust-root", str(root), "--json")
    try:
        return done.returncode, json.loads(done.stdout)
    except ValueError as error:
        raise StepError(f"verify said {done.stdout}{done.stderr}") from error


def _flip(source: Path, target: Path) -> int:
    """Flip the lowest bit of one digit or letter in the middle of a file and return its place."""
    data = bytearray(source.read_bytes())
    place = next(
        at for at in range(len(data) // 2, len(data)) if chr(data[at]).isalnum() and chr(data[at] ^ 1).isalnum()
    )
    data[place] ^= 1
    target.write_bytes(data)
    return place
