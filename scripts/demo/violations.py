"""Published decisions as leads, and one of them taken to its closing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scripts.demo.stage import SAMPLE, StepError

if TYPE_CHECKING:
    from scripts.demo.stage import Stage

_CASE: Final = "gdpr/RO/ANSPDCP/5"
_AUTHORITY: Final = "name:gdpr/RO/ANSPDCP"
_POSTS: Final = {"director": "SHARING_AUTHORITY", "reviewer": "REVIEWER"}
_STEPS: Final = (
    ("FILED", "inspector", ("file", "--case", _CASE)),
    ("FACTS_TOLD", "inspector", ("tell", _CASE, "--text", "Facts and articles sent; thirty days to answer.")),
    (
        "DECIDED",
        "director",
        ("decide", _CASE, "--measure", "ORDER_TO_CORRECT", "--measure", "NOTICE", "--text", "Art. 32 infringed."),
    ),
    ("NOTICE_ISSUED", "director", ("notify", _CASE, "--text", "Personal data left the agreed channel.")),
    (
        "RECTIFYING",
        "director",
        ("rectify", _CASE, "--due", "2027-03-31", "--text", "Exchange over the agreed interface."),
    ),
    ("EVIDENCE_FILED", "inspector", ("rectify", _CASE, "--evidence", "--text", "Configuration and training records.")),
    ("VERIFIED", "reviewer", ("review", _CASE, "--text", "Checked on site; the old channel is closed.")),
    ("CLOSED", "director", ("close", _CASE, "--text", "Rectified and reviewed.")),
)


def take_case(stage: Stage) -> list[str]:
    """Import the decisions as leads, then take one through every step, each signed by the post that may."""
    done = stage.quanze("import", "violation-cases", str(SAMPLE / "violation-cases.json"), "--demo-keys")
    known = {row["post"] for row in stage.quanze("post", "list", "--agency", _AUTHORITY)["items"]}
    for code, roles in _POSTS.items():
        if f"{code}@{_AUTHORITY}" not in known:
            stage.quanze("post", "add", f"{code}@{_AUTHORITY}", "--roles", roles, "--key", f"demo-{code}")
    taken = {step["step"] for step in stage.quanze("case", "show", _CASE)["steps"]}
    lines = [
        f"{done['records']} decisions: {done['imported']} became sealed leads, {done['unchanged']} were there already"
    ]
    if "FILED" not in taken:
        lines.append(_sealed(stage))
    for step, post, arguments in _STEPS:
        if step not in taken:
            shown = stage.quanze("case", *arguments, "--as", f"{post}@{_AUTHORITY}")
            if shown["step"] != step:
                raise StepError(f"the case is {shown['step']}, not {step}")
            if step == "EVIDENCE_FILED":
                lines.append(_own_review(stage))
    return lines + _told(stage)


def _sealed(stage: Stage) -> str:
    """See that nothing of a lead can be read before its notice."""
    public = stage.quanze("case", "list")["items"]
    return f"before the notice the public sees {len(public)} of them"


def _own_review(stage: Stage) -> str:
    """Let the one who investigated try to review."""
    told = stage.quanze(*("case", "review", _CASE, "--text", "Fine.", "--as", f"inspector@{_AUTHORITY}"), codes=(4,))
    return f"the inspector may not review its own case: {told['error']['message']}"


def _told(stage: Stage) -> list[str]:
    shown = stage.quanze("case", "show", _CASE)
    if shown["step"] != "CLOSED":
        raise StepError(f"the case is {shown['step']}")
    steps = [f"  {step['step']} by {step['post'].partition('@')[0]} at {step['at']}" for step in shown["steps"]]
    return [f"case {shown['reference']} against {shown['respondent']}:", *steps]
