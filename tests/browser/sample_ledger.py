"""A small ledger that has everything the pages can show: made through the use-cases alone, on the real engine.

Nobody in it exists. One agency's name holds mark-up, and three cases are open, withdrawn and sealed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ledger import bootstrap
from ledger.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

    from ledger.service.services import Services

POLICE: Final = "uscc:119900000000A00135"
LABOUR: Final = "uscc:119900000000A00210"
AUTHORITY: Final = "uscc:119900000000A003XP"
HOSTILE: Final = 'name:sample/CN/<b>"Bold" & Co</b><script>alert(1)</script>'
DATASET: Final = f"{POLICE}#household-register"
SEALED_RESPONDENT: Final = "name:sample/CN/Sealed Respondent Never Shown"
SEALED_REFERENCE: Final = "SEALED-REFERENCE-NEVER-SHOWN"
HIDDEN_TEXT: Final = "This text was withdrawn and must not be shown."
FACTS: Final = "Facts that only the inspectors may read."
REFERENCE: Final = "DEMO-2026-001"


@dataclass(frozen=True, slots=True)
class SampleLedger:
    """The open services, and the ids that a test looks for."""

    services: Services
    agreement: str
    fixed_case: str
    withdrawn_case: str
    sealed_case: str


def make(folder: Path, *, demonstration: bool = True) -> SampleLedger:
    """Make the ledger in a new home below ``folder``, and leave it open."""
    services = open_empty(folder, demonstration=demonstration)
    try:
        return _fill(services)
    except BaseException:
        services.close()
        raise


def open_empty(folder: Path, *, demonstration: bool) -> Services:
    """Make a home that holds nothing yet, and open it."""
    passphrase = folder / "passphrase"
    passphrase.write_text("a sample's passphrase\n", encoding="ascii")
    settings = Settings(
        home=folder / "home", passphrase_file=passphrase, keystore_scrypt_n=2, block_time_lead_max_s=3600
    )
    bootstrap.init_home(settings, demonstration=demonstration)
    return bootstrap.open_home(settings)


def _fill(services: Services) -> SampleLedger:
    def do(verb: str, **arguments: Any) -> Any:
        return services.dispatch(verb, arguments)

    _agencies(do)
    _catalogue(do)
    agreement = _agreement(do)
    _responsibilities(do, agreement)
    _events(do, services, agreement)
    fixed, withdrawn, sealed = _cases(do)
    do("anchor")
    _events_not_anchored(do)
    services.indexing.catch_up()
    return SampleLedger(services, agreement, fixed, withdrawn, sealed)


def _agencies(do: Any) -> None:
    do("agency.add", agency=POLICE, name_zh="示范市公安局", name_en="Demo City Public Security Bureau")
    do(
        "agency.add",
        agency=LABOUR,
        name_zh="示范市人力资源和社会保障局",
        name_en="Demo City Labour and Social Security Bureau",
    )
    do(
        "agency.add",
        agency=AUTHORITY,
        name_zh="示范市政务数据管理局",
        name_en="Demo City Data Administration",
        capacities=["SHARING_AUTHORITY", "INSPECTOR", "REVIEWER"],
    )
    do("agency.add", agency=HOSTILE, name_en='<b>"Bold" & Co</b><script>alert(1)</script>')
    posts = (
        ("office-head", POLICE, ["PROVIDER_OFFICE_HEAD"], "共享办公室负责人", "Head of the sharing office"),
        ("registry-head", POLICE, ["DEPT_HEAD"], "户籍部门负责人", "Head of the registry"),
        ("registry-deputy", POLICE, ["DEPT_HEAD"], "户籍部门副职", "Deputy head of the registry"),
        ("exchange", POLICE, ["REPORTER"], "交换平台岗", "Exchange desk"),
        ("office-head", LABOUR, ["REQUESTER_OFFICE_HEAD"], "共享办公室负责人", "Head of the sharing office"),
        ("benefits-head", LABOUR, ["DEPT_HEAD"], "社保业务负责人", "Head of benefits"),
        ("exchange", LABOUR, ["REPORTER"], "交换平台岗", "Exchange desk"),
        ("supervision", AUTHORITY, ["SHARING_AUTHORITY"], "监督处", "Supervision division"),
        ("inspection", AUTHORITY, ["INSPECTOR"], "督查处", "Inspection division"),
        ("review", AUTHORITY, ["REVIEWER"], "复核处", "Review division"),
    )
    for code, agency, roles, chinese, english in posts:
        post = f"{code}@{agency}"
        do("post.add", post=post, roles=roles, name_zh=chinese, name_en=english, key=_key(post))


def _key(post: str) -> str:
    return post.replace("@uscc:", "-").lower()


def _catalogue(do: Any) -> None:
    head = f"registry-head@{POLICE}"
    do("catalogue.add", dataset=DATASET, post=head, name_zh="户籍登记信息", name_en="Household register")
    do(
        "catalogue.add",
        dataset=f"{POLICE}#informants",
        post=head,
        name_zh="举报人信息",
        name_en="Informants",
        attribute="NOT_SHARED",
        grade="CORE",
        law="law:data-security-21",
    )


def _draft(reference: str, starts: str, ends: str | None) -> str:
    return json.dumps(
        {
            "format": "quanze-agreement-draft-v1",
            "reference": reference,
            "title": "户籍信息用于养老金资格核验 / Household register for pension eligibility",
            "provider": POLICE,
            "parties": [{"agency": POLICE, "role": "PROVIDER"}, {"agency": LABOUR, "role": "REQUESTER"}],
            "zone": "Asia/Shanghai",
            "legal_bases": ["decree809:20", "law:social-insurance-74"],
            "grants": [
                {
                    "dataset": DATASET,
                    "version": 1,
                    "recipient": LABOUR,
                    "purpose": "dpv:EstablishEntitlement",
                    "delivery": "INTERFACE",
                    "starts": starts,
                    "ends": ends,
                }
            ],
            "security_review": None,
            "texts": {"prohibited": "No onward disclosure."},
        }
    )


def _agreement(do: Any) -> str:
    provider, requester = f"office-head@{POLICE}", f"office-head@{LABOUR}"
    agreement: str = do("agreement.draft", text=_draft(REFERENCE, "2025-08-01", "2030-07-31"), demonstration=True)[
        "agreement"
    ]
    for post in (provider, requester):
        do("agreement.sign", agreement=agreement, post=post)
    waiting = do("agreement.draft", text=_draft("DEMO-2026-002", "2026-01-01", None), demonstration=True)["agreement"]
    do("agreement.sign", agreement=waiting, post=provider)
    return agreement


def _responsibilities(do: Any, agreement: str) -> None:
    def assign(duty: str, assignee: str, by: str, *, accept: bool = True, **terms: Any) -> None:
        made = do("responsibility.assign", duty=duty, object=agreement, assignee=assignee, post=by, **terms)
        if accept:
            do("responsibility.accept", assignment=made["assignment"])

    provider, requester = f"office-head@{POLICE}", f"office-head@{LABOUR}"
    head, deputy = f"registry-head@{POLICE}", f"registry-deputy@{POLICE}"
    assign("DELIVER", head, provider, valid_from="2025-08-01", valid_to="2026-02-28")
    assign("DELIVER", deputy, provider, valid_from="2026-05-01", basis="order:2026-17")
    assign("DELIVER", f"exchange@{POLICE}", provider, role="SUPPORT", valid_from="2025-10-01")
    assign("USE_WITHIN_SCOPE", f"benefits-head@{LABOUR}", requester, valid_from="2025-09-01")
    assign("PROTECT", f"benefits-head@{LABOUR}", requester, valid_from="2026-01-01", accept=False)


def _line(agreement: str, number: int, **other: Any) -> bytes:
    stated = {
        "kind": "DELIVERY",
        "side": "PROVIDER",
        "occurred_at_ms": 1_780_000_000_000 + number * 3_600_000,
        "provider": POLICE,
        "requester": LABOUR,
        "agreement": agreement,
        "version": 1 if agreement else 0,
        "dataset": DATASET,
        "purpose": "dpv:EstablishEntitlement",
        "delivery": "INTERFACE",
        "recipient": LABOUR,
        "outcome": "SUCCEEDED",
        "correlation": f"x-{number}",
        **other,
    }
    return json.dumps(stated).encode()


def _events(do: Any, services: Services, agreement: str) -> None:
    lines = [_line(agreement, number) for number in range(18)]
    lines.append(_line(agreement, 18, purpose="dpv:Marketing"))
    lines.append(_line("", 19))
    lines.append(_line(agreement, 20, outcome="FAILED"))
    done = do("event.append-lines", lines=lines, post=f"exchange@{POLICE}")
    assert done["rejected"] == [], done
    assert services.log.size() == len(lines)


def _events_not_anchored(do: Any) -> None:
    done = do("event.append-lines", lines=[_line("", 30)], post=f"exchange@{POLICE}")
    assert done["rejected"] == [], done


def _cases(do: Any) -> tuple[str, str, str]:
    inspector, authority = f"inspection@{AUTHORITY}", f"supervision@{AUTHORITY}"

    def decided(respondent: str, reference: str) -> str:
        filed: str = do(
            "case.file",
            respondent=respondent,
            post=inspector,
            violations=["decree809:R2"],
            reference=reference,
            text=FACTS,
        )["case"]
        do("case.tell", case=filed, post=inspector, text=FACTS)
        do("case.decide", case=filed, post=authority, measures=["ORDER_TO_CORRECT"], text=FACTS)
        return filed

    fixed = decided(LABOUR, "CASE-1")
    text = "Household data was used beyond the agreed purpose. Correct within 15 working days."
    do("case.notify", case=fixed, post=authority, text=text)
    do("case.rectify", case=fixed, post=authority, text="Correct.", due="2026-12-31")
    do("case.rectify", case=fixed, post=f"office-head@{LABOUR}", evidence=True, text="Corrected.")
    do("case.review", case=fixed, post=f"review@{AUTHORITY}", text="Checked.")
    do("case.close", case=fixed, post=authority, text="Done.")
    withdrawn = decided(HOSTILE, "CASE-2")
    do("case.notify", case=withdrawn, post=authority, text=HIDDEN_TEXT)
    do("case.withdraw", case=withdrawn, post=authority, text="Issued in error.")
    sealed = decided(SEALED_RESPONDENT, SEALED_REFERENCE)
    return fixed, withdrawn, sealed
