"""Every verb does what it says, and refuses what it should with the exit code that says so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.command import AUTHORITY, DATASET, PROVIDER, REQUESTER, Command, draft_of, head, sign_agreement

INSPECTOR, DIRECTOR, REVIEWER = (f"{code}@{AUTHORITY}" for code in ("inspector", "director", "reviewer"))
REPORTER = f"reporter@{REQUESTER}"


def test_status_counts_what_the_home_holds(world: Command) -> None:
    status = world.done("status")
    assert (status["agencies"], status["posts"], status["datasets"]) == (3, 7, 1)
    assert status["up"] is True
    assert set(status["contracts"]) >= {"AgencyRegistry", "CheckpointAnchor"}
    assert "agencies" in world("status").out


def test_lists_and_shows(world: Command) -> None:
    assert {row["agency"] for row in world.done("agency", "list")["items"]} == {PROVIDER, REQUESTER, AUTHORITY}
    assert world.done("agency", "show", AUTHORITY)["capacities"] == ["SHARING_AUTHORITY", "INSPECTOR", "REVIEWER"]
    assert {row["post"] for row in world.done("post", "list", "--agency", REQUESTER)["items"]} == {
        head(REQUESTER),
        REPORTER,
    }
    assert len(world.done("post", "show", REPORTER)["keys"]) == 1
    assert [row["dataset"] for row in world.done("catalogue", "list", "--agency", PROVIDER)["items"]] == [DATASET]
    assert world.done("catalogue", "show", DATASET)["versions"][0]["attribute"] == "CONDITIONAL"
    assert "key-head-0135" in {row["name"] for row in world.done("key", "list")["items"]}
    assert world("version").out.startswith("quanze ")


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("agency", "show", "uscc:119900000000A0048P"), 3, "119900000000A0048P"),
        (("agency", "add", "uscc:119900000000A00136", "--name-en", "x"), 3, "119900000000A00136"),
        (("agency", "add", "iso:1", "--name-en", "x"), 3, "scheme"),
        (("agency", "add", PROVIDER, "--name-en", "x"), 4, PROVIDER),
        (("agency", "add", "ods:X26", "--name-en", "x", "--capacities", "KING"), 3, "KING"),
        (("agency", "add", "ods:X26"), 3, "name"),
        (("post", "add", f"x@{PROVIDER}", "--roles", "REVIEWER"), 4, "Roles"),
        (("post", "add", f"x@{PROVIDER}", "--roles", "CLERK"), 3, "CLERK"),
        (("post", "add", head(PROVIDER), "--roles", "DEPT_HEAD"), 4, "exists"),
        (("post", "add", "x@uscc:119900000000A0048P", "--roles", "DEPT_HEAD"), 3, "119900000000A0048P"),
        (("key", "new", "../../escape"), 3, "key name"),
        (("key", "new", "registrar"), 4, "registrar"),
        (("key", "bind", "key-head-0135", "--post", REPORTER), 4, "KeyOfAnotherAgency"),
        (("key", "bind", "key-head-0210", "--post", REPORTER), 4, "KeyAlreadyBound"),
        (("catalogue", "add", f"{PROVIDER}#S", "--as", head(PROVIDER), "--attribute", "NOT_SHARED"), 4, "Law"),
        (("catalogue", "add", f"{PROVIDER}#S", "--as", head(REQUESTER)), 3, REQUESTER),
        (("catalogue", "add", "nothing", "--as", head(PROVIDER)), 3, "AGENCY#CODE"),
        (("agreement", "show", "nowhere"), 3, "nowhere"),
        (("agreement", "draft", "/nonexistent.yaml"), 3, "/nonexistent.yaml"),
        (("agreement", "sign", "nowhere", "--as", head(PROVIDER), "--yes"), 3, "nowhere"),
        (("agreement", "list", "--status", "SLEEPING"), 3, "SLEEPING"),
        (("responsibility", "who", "SING", "platform"), 3, "SING"),
        (("responsibility", "accept", "0123456789"), 3, "0123456789"),
        (("event", "show", "nothing"), 3, "nothing"),
        (("event", "append", "/nonexistent", "--as", REPORTER), 3, "/nonexistent"),
        (("event", "list", "--limit", "0"), 3, "limit"),
        (("case", "show", "nothing"), 3, "nothing"),
        (("case", "file", "--as", INSPECTOR, "--respondent", REQUESTER), 3, "violation"),
        (("case", "file", "--as", INSPECTOR, "--respondent", "x", "--violation", "decree809:R6"), 3, "respondent"),
        (("case", "file", "--as", REPORTER, "--respondent", PROVIDER, "--violation", "decree809:R6"), 4, "MissingRole"),
        (("ask", "right", "--agency", "x", "--dataset", DATASET), 3, "agency"),
        (("ask", "right", "--agency", REQUESTER, "--dataset", DATASET, "--at", "2026-01-01T00:00"), 3, "offset"),
        (("ask", "prove", "nothing"), 3, "nothing"),
        (("evidence", "export", "song", "x", "-o", "/tmp/never"), 3, "kind"),
        (("evidence", "export", "event", "nothing", "-o", "/tmp/never"), 3, "nothing"),
        (("verify", "/nonexistent", "--trust-root", "/nonexistent"), 3, "/nonexistent"),
        (("import", "nhs-dsa", "/nonexistent"), 3, "/nonexistent"),
        (("sing",), 3, "sing"),
        (("agency", "add"), 3, "ID"),
        (("status", "--speed", "9"), 3, "speed"),
    ],
)
def test_what_cannot_be_done_is_told_with_its_code(
    world: Command, arguments: tuple[str, ...], code: int, told: str
) -> None:
    said = world(*arguments)
    assert said.code == code, said
    assert told.lower() in said.err.lower()
    assert not said.out
    assert "Traceback" not in said.err
    assert "must never be shown" not in said.err


def test_an_error_is_one_json_document_where_asked(world: Command) -> None:
    said = world("agency", "show", "uscc:119900000000A0048P", "--json")
    assert said.error["code"] == "not_found"
    assert "119900000000A0048P" in said.error["message"]


def test_wrong_usage_is_one_json_document_where_asked(world: Command) -> None:
    for arguments in (("sing", "--json"), ("agency", "add", "--json"), ("--json", "event", "list", "--limit", "x")):
        said = world(*arguments)
        assert (said.code, said.error["code"], said.out) == (3, "wrong_usage", "")


def test_of_several_reporters_one_must_be_named(world: Command) -> None:
    said = world("event", "append", "-", stdin=b"{}")
    assert said.code == 3
    assert f"reporter@{PROVIDER}, reporter@{REQUESTER}" in said.err


def test_home_is_taken_before_and_after_the_verb(world: Command, tmp_path: Path) -> None:
    elsewhere = Command(tmp_path / "none", world.settings)
    for arguments in (
        ("--home", str(world.home), "--json", "status"),
        ("status", "--home", str(world.home), "--json"),
        ("agency", "--help"),
    ):
        assert elsewhere(*arguments).code == 0
    missing = elsewhere("status")
    assert missing.code == 3
    assert "quanze init" in missing.err


def test_a_variable_that_is_empty_counts_as_not_set(world: Command) -> None:
    empty = dict.fromkeys(
        ("QUANZE_PORT", "QUANZE_ANVIL", "QUANZE_CHAIN_URL", "QUANZE_PASSPHRASE", "QUANZE_LANGUAGE"), ""
    )
    beside = Command(world.home, {**world.settings, **empty, "QUANZE_KEYSTORE_SCRYPT_N": ""})
    assert beside.done("status")["up"] is True
    assert beside.done("key", "list") == world.done("key", "list")


def test_a_key_is_bound_rotated_and_ends(world: Command) -> None:
    world.done("key", "new", "one")
    world.done("post", "add", f"clerk@{PROVIDER}", "--roles", "REPORTER")
    assert world.done("key", "bind", "one", "--post", f"clerk@{PROVIDER}")["valid_to"] == ""
    rotated = world.done("key", "rotate", "two", "--post", f"clerk@{PROVIDER}")
    keys = {row["key"]: row for row in world.done("post", "show", f"clerk@{PROVIDER}")["keys"]}
    assert keys[rotated["replaces"]]["valid_to"]
    assert keys[rotated["address"]]["valid_to"] == ""


@pytest.mark.parametrize("verb", ["bind", "rotate"])
def test_a_refused_key_is_not_kept_and_a_post_that_is_none_is_named(world: Command, verb: str) -> None:
    before = world.done("key", "list")
    nowhere = world("key", verb, "never-kept", "--post", f"nobody@{PROVIDER}", "--json")
    assert (nowhere.code, nowhere.error["code"]) == (3, "not_found")
    assert f"nobody@{PROVIDER}" in nowhere.error["message"]
    post, key, wanted = {
        "bind": (f"x@{PROVIDER}", ("--until", "2020-01-01"), 4),
        "rotate": (REPORTER, ("--old", "key-head-0210"), 4),
    }[verb]
    world("post", "add", f"x@{PROVIDER}", "--roles", "REPORTER", "--json")
    refused = world("key", verb, "never-kept", "--post", post, *key, "--json")
    assert (refused.code, refused.error["code"]) == (wanted, "refused"), refused
    assert world.done("key", "list") == before


def test_an_agreement_from_draft_to_disposal(world: Command, tmp_path: Path) -> None:
    agreement = sign_agreement(world, "LIFE")
    assert world("agreement", "draft", "-", stdin=json.dumps(draft_of("LIFE")).encode()).code == 4
    assert world("agreement", "sign", "LIFE", "--as", head(PROVIDER), "--yes").code == 4, "nothing waits"
    assert world("agreement", "suspend", "LIFE", "--as", head(REQUESTER), "--reason", "x").code == 4
    suspended = world.done("agreement", "suspend", "LIFE", "--as", head(PROVIDER), "--reason", "decree809:27")
    assert suspended["status"] == "SUSPENDED"
    assert world.done("agreement", "resume", "LIFE", "--as", head(PROVIDER))["status"] == "ACTIVE"

    amended = json.dumps(draft_of("LIFE", title="Amended")).encode()
    assert world.done("agreement", "amend", "-", "--as", head(PROVIDER), stdin=amended)["version"] == 2
    world.done("agreement", "cancel", agreement[:10], "--as", head(PROVIDER), "--reason", "a slip")
    world.done("agreement", "amend", "-", "--agreement", agreement, "--as", head(PROVIDER), stdin=amended)
    for agency in (PROVIDER, REQUESTER):
        world.done("agreement", "sign", "LIFE", "--as", head(agency), "--yes")
    shown = world.done("agreement", "show", "LIFE")
    assert shown["version_in_force"] == shown["versions"][-1]["version"]
    assert shown["versions"][-1]["text"]["title"] == "Amended"

    certificate = tmp_path / "certificate.txt"
    certificate.write_text("All copies were overwritten.", encoding="utf-8")
    dispose = ("agreement", "dispose", "LIFE", "--as", head(REQUESTER), "--certificate", str(certificate))
    assert world(*dispose).code == 4, "it has not ended"
    ended = world.done("agreement", "terminate", "LIFE", "--as", head(REQUESTER), "--reason", "decree809:28")
    assert ended["status"] == "TERMINATED"
    assert world.done(*dispose)["status"] == "DISPOSED"
    assert "LIFE" in {row["reference"] for row in world.done("agreement", "list", "--status", "DISPOSED")["items"]}


def test_a_duty_is_assigned_accepted_handed_over_and_vacated(world: Command) -> None:
    sign_agreement(world, "DUTY")
    made = world.done(
        *("responsibility", "assign", "DELIVER", "DUTY", "--to", head(PROVIDER), "--as", head(PROVIDER)),
        *("--from", "2025-01-01", "--basis", "order 7"),
    )
    ask = ("responsibility", "who", "DELIVER", "DUTY")
    assert "Nobody" in world.done(*ask)["answer"], "an assignment that nobody accepted does not count"
    assert world("responsibility", "accept", made["assignment"], "--as", head(REQUESTER)).code == 4
    world.done("responsibility", "accept", made["assignment"])
    assert head(PROVIDER) in world.done(*ask, "--at", "2025-06-01")["answer"]
    assert "Nobody" in world.done(*ask, "--at", "2025-06-01", "--known-at", "2025-07-01")["answer"]
    other = f"deputy@{PROVIDER}"
    world.done("post", "add", other, "--roles", "PROVIDER_OFFICE_HEAD", "--key", "deputy")
    handed = world.done("responsibility", "hand-over", made["assignment"], "--to", other, "--as", head(PROVIDER))
    world.done("responsibility", "accept", handed["assignment"])
    assert other in world.done(*ask)["answer"]
    world.done("responsibility", "vacate", handed["assignment"], "--as", other, "--reason", "office dissolved")
    assert "Nobody" in world.done(*ask)["answer"]
    rows = world.done("responsibility", "list", "--object", "DUTY")["items"]
    assert [row["ended_by"] for row in rows] == ["HANDED_OVER", "VACATED"]


def test_a_case_from_filing_to_appeal(world: Command) -> None:
    filed = world.done(
        *("case", "file", "--as", INSPECTOR, "--respondent", REQUESTER, "--violation", "decree809:R6"),
        *("--reference", "C-1", "--text", "Copies left behind."),
    )
    assert filed["sealed"]
    assert world.done("case", "list")["items"] == []
    assert [row["reference"] for row in world.done("case", "list", "--sealed")["items"]] == ["C-1"]
    assert world("case", "decide", "C-1", "--as", DIRECTOR).code == 4, "the facts were not told"
    world.done("case", "tell", "C-1", "--as", INSPECTOR, "--text", "Told; nothing answered.")
    world.done("case", "decide", "C-1", "--as", DIRECTOR, "--measure", "NOTICE", "--text", "Established.")
    opened = world.done("case", "notify", "C-1", "--as", DIRECTOR, "--text", "Notice 1.")
    assert (opened["sealed"], opened["respondent"]) == (False, REQUESTER)
    world.done("case", "rectify", "C-1", "--as", DIRECTOR, "--due", "2027-01-31")
    world.done("case", "appeal", "C-1", "--as", head(REQUESTER), "--text", "Too hard.")
    world.done("case", "rectify", "C-1", "--as", head(REQUESTER), "--evidence", "--text", "Deleted.")
    refused = world("case", "review", "C-1", "--as", INSPECTOR)
    assert refused.code == 4
    assert "ReviewerNotIndependent" in refused.err
    world.done("case", "review", "C-1", "--as", REVIEWER, "--rework", "--text", "Not all.")
    world.done("case", "rectify", "C-1", "--as", head(REQUESTER), "--evidence", "--text", "All deleted.")
    world.done("case", "review", "C-1", "--as", REVIEWER, "--text", "Checked.")
    assert world.done("case", "review", "C-1", "--as", REVIEWER, "--appeal", "UPHELD")["appeal"] == "APPEAL_UPHELD"
    assert world.done("case", "close", "C-1", "--as", DIRECTOR)["step"] == "CLOSED"
    assert world.done("case", "reopen", "C-1", "--as", INSPECTOR, "--text", "Again.")["step"] == "REOPENED"
    assert world.done("case", "withdraw", "C-1", "--as", DIRECTOR, "--text", "Mistaken.")["step"] == "WITHDRAWN"
    assert "WITHDRAWN" in world.done("ask", "history", "--case", "C-1")["answer"]
    for typed in (filed["case"], filed["case"][:8].upper(), "C-1"):
        assert world.done("ask", "history", "--case", typed)["answer"].startswith("Case C-1 against ")


def test_a_case_without_a_reference_is_named_by_its_whole_id(world: Command) -> None:
    filed = world.done(
        "case", "file", "--as", INSPECTOR, "--respondent", REQUESTER, "--violation", "decree809:R6", "--lead"
    )
    answer = world.done("ask", "history", "--case", filed["case"][:8])["answer"]
    assert answer.startswith(f"Case {filed['case']} against ")


def test_a_lead_is_filed_as_it_says_or_ends_without_action(world: Command) -> None:
    lead = ("case", "file", "--as", INSPECTOR, "--respondent", PROVIDER, "--violation", "decree809:P4", "--lead")
    world.done(*lead, "--reference", "L-1", "--text", "A tip.")
    filed = world.done("case", "file", "--case", "L-1", "--as", INSPECTOR)
    assert filed["steps"][-1]["opened"]["respondent"] == PROVIDER
    assert filed["steps"][-1]["opened"]["violations"] == ["decree809:P4"]
    world.done(*lead, "--reference", "L-2")
    ended = world.done("case", "decide", "L-2", "--as", DIRECTOR, "--no-action", "--text", "Nothing in it.")
    assert ended["step"] == "NO_ACTION"


def test_an_authority_never_closes_its_own_case(world: Command) -> None:
    world.done(
        *("case", "file", "--as", INSPECTOR, "--respondent", AUTHORITY, "--violation", "decree809:A3"),
        *("--reference", "OWN"),
    )
    world.done("case", "tell", "OWN", "--as", INSPECTOR)
    world.done("case", "decide", "OWN", "--as", DIRECTOR)
    for verb in ("notify", "close"):
        refused = world("case", verb, "OWN", "--as", DIRECTOR)
        assert refused.code == 4
        assert "OwnCase" in refused.err


def test_events_are_appended_bound_anchored_and_proved(world: Command, tmp_path: Path) -> None:
    agreement = sign_agreement(world, "EVENTS")
    duty = ("responsibility", "assign", "USE_WITHIN_SCOPE", "EVENTS", "--to", head(REQUESTER), "--as", head(REQUESTER))
    world.done("responsibility", "accept", world.done(*duty, "--from", "2025-01-01")["assignment"])
    event = {
        "kind": "ACCESS",
        "side": "CONSUMER",
        "occurred_at_ms": 1_757_894_400_000,
        "provider": PROVIDER,
        "requester": REQUESTER,
        "agreement": "EVENTS",
        "dataset": DATASET,
        "purpose": "dpv:PublicHealth",
        "delivery": "INTERFACE",
        "outcome": "SUCCEEDED",
    }
    lines = [
        {**event, "correlation": "a"},
        {**event, "correlation": "b", "purpose": "dpv:Marketing"},
        {**event, "correlation": "c", "side": "SIDEWAYS"},
        {**event, "correlation": "d", "provider": REQUESTER, "requester": PROVIDER},
    ]
    file = tmp_path / "events.ndjson"
    file.write_text("\n".join(json.dumps(line) for line in lines) + "\n", encoding="utf-8")
    said = world("event", "append", str(file), "--as", REPORTER, "--json")
    assert said.code == 2
    assert (said.json["appended"], said.json["rejected_total"]) == (2, 2)
    assert [rejection["line"] for rejection in said.json["rejected"]] == [3, 4]
    assert said.json["verdicts"] == {"PURPOSE_NOT_GRANTED": 1, "WITHIN_SCOPE": 1}
    assert said.json["anchor"]["size"] >= 2
    again = world("event", "append", str(file), "--as", REPORTER, "--json")
    assert (again.json["appended"], again.json["repeated"]) == (0, 2)

    rows = world.done("event", "list", "--agreement", "EVENTS")["items"]
    assert [row["mismatches"] for row in rows] == [[], ["PURPOSE_NOT_GRANTED"]]
    shown = world.done("event", "show", rows[0]["id"])
    assert shown["binding"]["agreement"] == agreement
    assert shown["anchored"]["block"] > 0
    assert world.done("event", "last", "--as", REPORTER, "--agreement", "EVENTS")["next_seq"] == 2
    assert world.done("anchor")["repeated"] is True

    proven = world.done("ask", "prove", rows[0]["id"])
    assert "anchored" in proven["answer"]
    right = world.done("ask", "right", "--agency", REQUESTER, "--dataset", DATASET, "--at", "2025-09-15")
    assert right["held"] is True
    assert right["sources"]
    none = world.done("ask", "right", "--agency", REQUESTER, "--dataset", f"{PROVIDER}#OTHER")
    assert none["held"] is False
    lead = world.done("ask", "responsible", "--duty", "USE_WITHIN_SCOPE", "--object", "EVENTS", "--at", "2025-09-15")
    assert head(REQUESTER) in lead["answer"]

    root = tmp_path / "root.json"
    world.done("trust-root", "export", "-o", str(root))
    for kind, identifier in (
        ("event", rows[0]["id"]),
        ("event", rows[1]["id"]),
        ("agreement", "EVENTS"),
        ("answer", right["id"]),
        ("answer", none["id"]),
        ("answer", lead["id"]),
    ):
        file = tmp_path / f"{kind}-{identifier[:8]}.json"
        world.done("evidence", "export", kind, identifier, "-o", str(file))
        checked = world("verify", str(file), "--trust-root", str(root), "--json")
        assert checked.code == 0, (kind, checked)
        assert checked.json["assurance"].startswith("OPERATOR_ONLY")

    first, last = (str(row["index"]) for row in rows)
    for verb, asked in (("events", (f"{first}..{last}",)), ("stream", (REPORTER, "--agreement", "EVENTS"))):
        for disclose, not_shown in (("", ""), ("exchange, binding", " (not shown: steps 7)")):
            file = tmp_path / f"{verb}-{len(disclose)}.json"
            world.done("evidence", verb, *asked, "-o", str(file), "--disclose", disclose)
            checked = world.done("verify", str(file), "--trust-root", str(root))
            assert checked["assurance"] == f"OPERATOR_ONLY{not_shown}"
            assert (b'"correlation"' in file.read_bytes()) == (not disclose)
    said = world("evidence", "events", first, "-o", str(file), "--disclose", "song")
    assert said.code == 3
    assert "binding, detail, exchange" in said.err


def test_nothing_secret_is_ever_said(world: Command) -> None:
    wrong = Command(world.home, {**world.settings, "QUANZE_PASSPHRASE": "hunter2-secret", "QUANZE_PORT": "frog"})
    said = wrong("status")
    assert said.code == 3
    assert "QUANZE_PORT" in said.err
    assert "hunter2" not in said.err + said.out


def test_fsck_and_rebuild_agree(world: Command) -> None:
    report = world.done("fsck")
    assert report["defects"] == []
    assert {check["what"] for check in report["checks"]} >= {"chain", "log", "vault"}
    assert world.done("rebuild")["block"] > 0
    assert world.done("fsck")["defects"] == []
