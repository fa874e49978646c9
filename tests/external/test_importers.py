"""The importers on the published records themselves, and on others of their shape that they have not seen."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.command import Command, make_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.external

NHS, XROAD, CASES = "nhs_dsa.json", "xroad_opmon_raw.json", "violation_cases.json"
CLIENT = "xroad:PLAYGROUND/ORG/2908758-4"


@pytest.fixture(scope="module")
def quanze(tmp_path_factory: pytest.TempPathFactory, external: Path) -> Iterator[Command]:
    """The command over a home that is up and empty."""
    folder = tmp_path_factory.mktemp("importers")
    command = Command(folder / "home", make_settings(folder))
    command.done("init")
    with command.up():
        yield command


def _load(external: Path, name: str) -> Any:
    return json.loads((external / name).read_bytes())


def _import(quanze: Command, verb: str, records: object, *more: str) -> Any:
    said = quanze("import", verb, "-", "--demo-keys", "--json", *more, stdin=json.dumps(records).encode())
    assert said.code == (2 if said.json["rejected"] else 0), said
    return said.json


def _counts(found: dict[str, Any]) -> tuple[int, int, list[tuple[int, str]]]:
    return found["imported"], found["unchanged"], [(row["record"], row["field"]) for row in found["rejected"]]


def test_ten_agreements_are_signed_by_all_and_a_second_time_change_nothing(quanze: Command, external: Path) -> None:
    file = str(external / NHS)
    done = quanze.done("import", "nhs-dsa", file, "--demo-keys")
    assert _counts(done) == (10, 0, [])
    assert {item["status"] for item in done["items"]} == {"ACTIVE"}
    before = quanze.done("status")
    again = quanze.done("import", "nhs-dsa", file, "--demo-keys")
    assert _counts(again) == (0, 10, [])
    assert "nothing was changed" in quanze("import", "nhs-dsa", file, "--demo-keys").out
    after = quanze.done("status")
    assert {name: after[name] for name in ("agencies", "posts", "datasets", "agreements", "block")} == {
        name: before[name] for name in ("agencies", "posts", "datasets", "agreements", "block")
    }
    for source in _load(external, NHS)["agreements"]:
        shown = quanze.done("agreement", "show", source["reference"])
        assert shown["demonstration"] is True
        assert "demonstration" in shown["versions"][0]["text"]
        names = {party["name_en"] for party in shown["versions"][0]["parties"]}
        assert names >= {*source["controllers"], *source["recipients"]}
        assert {grant["dataset"].partition("#")[2] for grant in shown["versions"][0]["grants"]} == set(
            source["datasets"]
        )


def test_agreements_of_the_same_shape_that_were_never_seen(quanze: Command, external: Path) -> None:
    base = _load(external, NHS)["agreements"][0]

    def like(reference: str, **changes: Any) -> dict[str, Any]:
        return {**copy.deepcopy(base), "reference": reference, **changes}

    bare = {name: base[name] for name in ("controllers", "starts", "access_methods", "datasets")}
    records = [
        {**bare, "reference": "NEW-BARE"},
        like("NEW-SEVERAL", controllers=["One", "Two", "Three"], recipients=["Four", "One"]),
        like("NEW-OPEN", ends=None),
        {name: value for name, value in like("NEW-NO-END").items() if name != "ends"},
        like("NEW-PAST", starts="1999-01-01", ends="2000-01-01"),
        like("NEW-FUTURE", starts="2040-01-01", ends="2041-01-01"),
        like("NEW-ALL", access_methods=["One-Off", "Ongoing", "System Access"]),
        like("NEW-NULLS", recipients=None, processors=None, title=None, sublicensing=None),
        like("NEW-ONE-NAME", controllers="Just One"),
        like("NEW-CHINESE", controllers=["上海市数据局"], datasets=["<b>人口</b>", "../死亡"]),
        like("NEW-SELF", controllers=["NHS England"], recipients=["NHS England"]),
        like("NEW-BACKWARDS", starts="2020-01-01", ends="2019-01-01"),
        like("NEW-NO-DATA", datasets=[]),
        like("NEW-PIGEON", access_methods=["Carrier pigeon"]),
        like("NEW-PAST", starts="1999-01-01", ends="2001-01-01"),
        like("NEW-PAST", starts="1999-01-01", ends="2000-01-01"),
        {"title": "nothing else"},
        ["not a record"],
    ]
    done = _import(quanze, "nhs-dsa", records)
    assert _counts(done) == (
        10,
        1,
        [
            (11, "parties"),
            (12, "ends"),
            (13, "datasets"),
            (14, "access_methods[0]"),
            (15, "grants"),
            (17, "reference"),
            (18, "record"),
        ],
    )
    assert {item["status"] for item in done["items"]} == {"ACTIVE"}
    assert _import(quanze, "nhs-dsa", records)["unchanged"] == 11
    several = quanze.done("agreement", "show", "NEW-SEVERAL")
    assert [party["name_en"] for party in several["versions"][0]["parties"]] == [
        "NHS England",
        "One",
        "Two",
        "Three",
        "Four",
    ]
    assert {grant["valid_to"] for grant in quanze.done("agreement", "show", "NEW-NO-END")["versions"][0]["grants"]} == {
        ""
    }
    summer = quanze.done("agreement", "show", "NEW-SEVERAL")["versions"][0]["grants"][0]
    assert summer["valid_from"].endswith(("T00:00:00Z", "T23:00:00Z")), "legal dates are London's"


def test_every_exchange_that_names_a_member_is_an_event(quanze: Command, external: Path) -> None:
    file = str(external / XROAD)
    records = _load(external, XROAD)
    said = quanze("import", "xroad-opmon", file, "--demo-keys", "--json")
    assert said.code == 2
    assert _counts(said.json) == (15, 0, [(14, "clientMemberCode"), (15, "clientMemberCode")])
    assert said.json["verdicts"] == {"NO_AGREEMENT": 15}
    assert {item["reporter"].partition("@")[0] for item in said.json["items"]} == {"opmon-client", "opmon-producer"}
    again = quanze("import", "xroad-opmon", file, "--demo-keys", "--json")
    assert _counts(again.json)[:2] == (0, 15)
    # Said whose server they come from, the two that name nobody are events as well.
    importer = f"opmon-client@{CLIENT}"
    whole = quanze.done("import", "xroad-opmon", file, "--demo-keys", "--as", importer)
    assert _counts(whole) == (2, 15, [])
    unnamed = quanze.done("event", "show", whole["items"][0]["event"])["event"]
    assert (unnamed["requester"], unnamed["provider"], unnamed["outcome"]) == ("", "", "FAILED")
    assert all(row["demonstration"] for row in quanze.done("event", "list", "--limit", "1000")["items"])
    pairs: dict[str, set[str]] = {}
    for item in [*said.json["items"]]:
        event = quanze.done("event", "show", item["event"])["event"]
        pairs.setdefault(event["correlation"], set()).add(event["side"])
        assert event["source"]["messageId"] == records[item["record"] - 1]["messageId"]
    assert sum(sides == {"PROVIDER", "CONSUMER"} for sides in pairs.values()) == 5, "xRequestId pairs both sides"


def test_exchanges_of_the_same_shape_that_were_never_seen(quanze: Command, external: Path) -> None:
    base = _load(external, XROAD)[0]

    def like(number: int, **changes: Any) -> dict[str, Any]:
        record = {**base, "xRequestId": f"new-{number}", **changes}
        return {name: value for name, value in record.items() if value is not ...}

    records = [
        like(1, serviceCode=...),
        like(2, succeeded=False, faultCode="Server.X", faultString="y" * 5_000, responseSize=...),
        like(3, xRequestId=..., messageId="test"),
        like(4, xRequestId=..., messageId="test", requestInTs=base["requestInTs"] + 1),
        like(5, clientSubsystemCode=..., serviceSubsystemCode="SUB"),
        like(6, serviceXRoadInstance=..., serviceMemberClass=..., serviceMemberCode=..., serviceCode=...),
        like(7, insertTime=..., serviceType=..., statusCode=200, responseMimeSize=None),
        like(8, securityServerType="Proxy"),
        like(9, requestInTs=...),
        like(10, succeeded=...),
        like(11, clientMemberClass=...),
        like(12, requestInTs=33_000_000_000_000),
        like(13, responseSize=-1),
        like(1, serviceCode=..., responseSize=7),
    ]
    done = _import(quanze, "xroad-opmon", records)
    assert _counts(done) == (
        7,
        0,
        [
            (8, "securityServerType"),
            (9, "requestInTs"),
            (10, "succeeded"),
            (11, "clientMemberClass"),
            (12, "occurred_at_ms"),
            (13, "responseSize"),
            (14, "correlation"),
        ],
    )
    assert _import(quanze, "xroad-opmon", records)["unchanged"] == 7
    lines = b"\n".join(json.dumps(record).encode() for record in records)
    said = quanze("import", "xroad-opmon", "-", "--demo-keys", "--json", stdin=lines)
    assert (said.json["unchanged"], said.json["rejected_total"]) == (7, 7), "one record a line is the same file"


def test_a_mapping_says_what_exchanges_cannot(quanze: Command, external: Path, tmp_path: Path) -> None:
    rule = {
        "client": "*",
        "provider": CLIENT,
        "service": "*",
        "agreement": "nowhere",
        "version": 1,
        "purpose": "dpv:X",
        "delivery": "INTERFACE",
    }
    mapping = tmp_path / "mapping.json"
    mapping.write_text(json.dumps({"format": "quanze-xroad-mapping-v1", "rules": [rule]}), encoding="utf-8")
    file = str(external / XROAD)
    said = quanze("import", "xroad-opmon", file, "--demo-keys", "--mapping", str(mapping))
    assert said.code == 3
    assert "rules[0].agreement" in said.err
    first = _load(external, NHS)["agreements"][0]["reference"]
    if first not in {row["reference"] for row in quanze.done("agreement", "list")["items"]}:
        quanze.done("import", "nhs-dsa", str(external / NHS), "--demo-keys")
    rules = [{**rule, "agreement": first}]
    mapping.write_text(json.dumps({"format": "quanze-xroad-mapping-v1", "rules": rules}), encoding="utf-8")
    record = {**_load(external, XROAD)[0], "xRequestId": "mapped"}
    done = _import(quanze, "xroad-opmon", [record], "--mapping", str(mapping))
    assert "PROVIDER_MISMATCH" in done["items"][0]["mismatches"]
    assert quanze.done("event", "show", done["items"][0]["event"])["binding"]["flags"] == [
        "RECORDED_LATER",
        "NO_SECURITY_REVIEW",
        "DEMONSTRATION",
    ]


def test_decisions_are_sealed_leads_by_their_authorities(quanze: Command, external: Path) -> None:
    file = str(external / CASES)
    done = quanze.done("import", "violation-cases", file, "--demo-keys")
    assert _counts(done) == (9, 0, [])
    assert quanze.done("case", "list")["items"] == []
    assert len(quanze.done("case", "list", "--sealed")["items"]) == 9
    again = quanze.done("import", "violation-cases", file, "--demo-keys")
    assert _counts(again) == (0, 9, [])
    shown = quanze.done("case", "show", done["items"][0]["reference"])
    assert (shown["step"], shown["sealed"], shown["respondent"]) == ("LEAD", True, "")
    assert shown["demonstration"] is True


def test_decisions_of_the_same_shape_that_were_never_seen(quanze: Command, external: Path) -> None:
    base = _load(external, CASES)["cases"][0]

    def like(number: Any, **changes: Any) -> dict[str, Any]:
        return {**base, "id": number, **changes}

    bare = {name: base[name] for name in ("country", "authority", "respondent", "articles")}
    records = [
        {**bare, "id": 901},
        like(902, fine_eur=0, decided=None, facts=None),
        like(903, articles="Art. 5 (1) c) GDPR, Art. 32 GDPR"),
        like("A-904", respondent="Merchant"),
        like(905, country="Atlantis"),
        like(906, articles=[]),
        like(907, articles=["the golden rule"]),
        like(908, decided="soon"),
        like(909, fine_eur=-1),
        like(None),
        like(901, facts="other facts"),
    ]
    done = _import(quanze, "violation-cases", records)
    imported, unchanged, rejected = _counts(done)
    assert (imported, unchanged) == (4, 0)
    assert [field for _, field in rejected] == [
        "country",
        "articles",
        "articles[0]",
        "decided",
        "fine_eur",
        "id",
        rejected[-1][1],
    ]
    assert _import(quanze, "violation-cases", records)["unchanged"] == 4


def test_without_demonstration_keys_only_the_importing_post_signs(quanze: Command, external: Path) -> None:
    for verb, name in (("nhs-dsa", NHS), ("xroad-opmon", XROAD), ("violation-cases", CASES)):
        said = quanze("import", verb, str(external / name))
        assert said.code == 3
        assert "--demo-keys" in said.err
    provider = "name:nhs-dars/GB/Registry of Wrecks"
    quanze.done("agency", "add", provider, "--name-en", "Registry of Wrecks")
    post = f"head@{provider}"
    quanze.done("post", "add", post, "--roles", "PROVIDER_OFFICE_HEAD,DEPT_HEAD", "--key", "wrecks")
    quanze.done("agency", "add", "name:nhs-dars/GB/Divers", "--name-en", "Divers")
    quanze.done("catalogue", "add", f"{provider}#Wrecks", "--as", post, "--name-en", "Wrecks")
    base = _load(external, NHS)["agreements"][0]
    record = {
        **base,
        "reference": "WRECKS-1",
        "provider": "Registry of Wrecks",
        "controllers": ["Divers"],
        "recipients": ["Divers"],
        "datasets": ["Wrecks"],
    }
    records = json.dumps([record, {**record, "reference": "WRECKS-2", "provider": "Somebody Else"}]).encode()
    said = quanze("import", "nhs-dsa", "-", "--as", post, "--json", stdin=records)
    assert said.code == 2
    assert [item["status"] for item in said.json["items"]] == ["PROPOSED"]
    assert [row["record"] for row in said.json["rejected"]] == [2]
    shown = quanze.done("agreement", "show", "WRECKS-1")
    assert shown["demonstration"] is False
    assert not any(party["signed_by"] for party in shown["versions"][0]["parties"])
    # A body with keys of its own is never signed for.
    foreign = json.dumps([{**record, "reference": "WRECKS-3"}]).encode()
    said = quanze("import", "nhs-dsa", "-", "--demo-keys", "--json", stdin=foreign)
    assert (said.code, said.json["rejected"][0]["field"]) == (2, "provider")
