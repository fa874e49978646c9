"""What no input may do: crash the command, change the ledger, fill the memory, or leave the home."""

from __future__ import annotations

import json
import subprocess
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.command import DATASET, PROVIDER, QUANZE, REQUESTER, Command, draft_of, head, make_world, sign_agreement

if TYPE_CHECKING:
    from collections.abc import Iterator

REPORTER = f"reporter@{REQUESTER}"
EVENT: dict[str, Any] = {
    "kind": "ACCESS",
    "side": "CONSUMER",
    "occurred_at_ms": 1_757_894_400_000,
    "provider": PROVIDER,
    "requester": REQUESTER,
    "dataset": DATASET,
}
AGREEMENT: dict[str, Any] = {
    "reference": "BAD-1",
    "controllers": ["A"],
    "starts": "2024-01-01",
    "access_methods": ["Ongoing"],
    "datasets": ["D"],
}
NFC, NFD = unicodedata.normalize("NFC", "Aleksandrów"), unicodedata.normalize("NFD", "Aleksandrów")


def _event(**changes: Any) -> bytes:
    return json.dumps({**EVENT, **changes}, ensure_ascii=False).encode()


def _draft(**changes: Any) -> bytes:
    return json.dumps(draft_of("BAD", **changes), ensure_ascii=False).encode()


def _grant(**changes: Any) -> bytes:
    return _draft(grants=[{**draft_of("BAD")["grants"][0], **changes}])


EVENTS = {
    "invalid UTF-8": (b'{"kind": "\xff"}', "utf-8"),
    "not JSON": (b"{", "json"),
    "not an object": (b"[1]", "object"),
    "duplicate keys": (_event()[:-1] + b', "kind": "DELIVERY"}', "kind"),
    "NaN": (b'{"size": NaN, ' + _event()[1:], "nan"),
    "infinity": (b'{"size": Infinity, ' + _event()[1:], "infinity"),
    "a fraction": (b'{"size": 1.5, ' + _event()[1:], "1.5"),
    "an integer over 2^53": (_event(size=2**53), "size"),
    "an integer over 2^63": (_event(size=2**63), "size"),
    "an integer over 2^256": (_event(occurred_at_ms=2**256), "occurred_at_ms"),
    "an unknown field": (_event(colour="red"), "colour"),
    "an instant for milliseconds": (_event(occurred_at_ms="2025-01-01T00:00:00"), "occurred_at_ms"),
    "the far future": (_event(occurred_at_ms=4_102_444_800_000), "occurred_at_ms"),
    "a name in NFD": (_event(source={"name": NFD}), "nfc"),
    "an agency in NFD": (_event(provider=f"name:r/PL/{NFD}"), "nfc"),
    "half a character": (b'{"correlation": "\\ud800", ' + _event()[1:], "surrogate"),
    "too deep": (b'{"source": ' + b"[" * 5_000 + b"]" * 5_000 + b"}", "nested"),
    "too long": (_event(correlation="x" * 70_000), "bytes"),
    "another reporter": (_event(reporter=f"reporter@{PROVIDER}"), "reporter"),
    "its own place": (_event(reporter_seq=5), "reporter_seq"),
    "an agreement that is none": (_event(agreement="../../etc/passwd"), "agreement"),
    "a control character": (_event(purpose="dpv:a\x1b[31m"), "purpose"),
}
DRAFTS = {
    "empty": (b"", "draft"),
    "invalid UTF-8": (b"format: \xff", "utf-8"),
    "not JSON": (b"{", "json"),
    "duplicate keys": (b"reference: A\nreference: B\n", "reference"),
    "duplicate keys in JSON": (_draft()[:-1] + b', "reference": "B"}', "reference"),
    "NaN": (b'{"zone": NaN, ' + _draft()[1:], "nan"),
    "an unknown field": (_draft(colour="red"), "colour"),
    "an integer over 2^63": (_grant(version=2**63), "2^53"),
    "an integer over 2^256": (_grant(version=2**256), "2^53"),
    "an instant without an offset": (_grant(starts="2025-01-01T00:00:00"), "starts"),
    "an instant without an offset in YAML": (
        b"format: quanze-agreement-draft-v1\nreference: 2025-01-01T00:00:00\n",
        "missing",
    ),
    "a title in NFD": (_draft(title=NFD), "nfc"),
    "a YAML tag": (b"reference: !!python/object/apply:os.system ['true']\n", "tag"),
    "a YAML bomb": (b"a: &a [x, x]\nb: [*a, *a]\n", "anchor"),
    "another format": (_draft(format="quanze-agreement-draft-v9"), "format"),
    "a window that ends before it starts": (_grant(ends="2024-01-01"), "ends"),
    "a party twice": (_draft(parties=[*draft_of("BAD")["parties"], draft_of("BAD")["parties"][0]]), "parties"),
}
RECORDS = {
    "empty": (b"", 3, "empty"),
    "invalid UTF-8": (b'[{"reference": "\xff"}]', 3, "utf-8"),
    "not JSON": (b"[{]", 3, "json"),
    "no list": (b"7", 3, "list"),
    "one foreign object": (b'{"a": 1}', 3, "an object with a"),
    "one foreign object over lines": (b'{\n "a": 1\n}', 3, "file"),
    "too deep": (b"[" * 100_000, 3, "nested"),
    "NaN": (b'[{"reference": NaN}]', 3, "nan"),
    "duplicate keys": (b'[{"reference": "A", "reference": "B"}]', 2, "reference"),
    "an integer over 2^63": (json.dumps([{**AGREEMENT, "reference": 2**63}]).encode(), 2, "reference"),
    "an integer over 2^256": (json.dumps([{**AGREEMENT, "starts": 2**256}]).encode(), 2, "starts"),
    "path traversal": (json.dumps([{**AGREEMENT, "reference": "../../escape"}]).encode(), 2, "reference"),
    "an instant for a date": (json.dumps([{**AGREEMENT, "starts": "2024-01-01T00:00"}]).encode(), 2, "starts"),
    "a control character": (json.dumps([{**AGREEMENT, "controllers": ["A\u202eB"]}]).encode(), 2, "controllers"),
}


@pytest.fixture(scope="module")
def ledger(world: Command) -> Command:
    """A home that is up, with an agreement in force."""
    sign_agreement(world, "GOOD")
    return world


def _state(command: Command) -> dict[str, Any]:
    status: dict[str, Any] = command.done("status")
    kept = ("agencies", "posts", "datasets", "agreements", "assignments", "cases", "log_size")
    return {name: status[name] for name in kept}


@pytest.mark.parametrize("name", EVENTS)
def test_a_bad_event_is_rejected_by_its_field_and_a_good_one_beside_it_is_not(ledger: Command, name: str) -> None:
    line, told = EVENTS[name]
    before = _state(ledger)
    said = ledger("event", "append", "-", "--as", REPORTER, "--json", stdin=line + b"\n\n")
    assert said.code == 2, said
    assert _state(ledger) == before
    (rejection,) = said.json["rejected"]
    assert rejection["line"] == 1
    assert not rejection["field"].startswith(("$", "event"))
    assert not rejection["reason"].startswith(rejection["field"] + ":"), "the field is named once"
    assert told in (rejection["field"] + " " + rejection["reason"]).lower()
    good = _event(correlation=f"beside {name}")
    beside = ledger("event", "append", "-", "--as", REPORTER, "--no-anchor", "--json", stdin=line + b"\n" + good)
    assert (beside.code, beside.json["appended"]) == (2, 1)
    assert "Traceback" not in said.err + beside.err


@pytest.mark.parametrize("name", DRAFTS)
def test_a_bad_draft_is_refused_by_its_field(ledger: Command, name: str) -> None:
    data, told = DRAFTS[name]
    before = _state(ledger)
    said = ledger("agreement", "draft", "-", "--as", head(PROVIDER), stdin=data)
    assert said.code == 3, said
    assert told in said.err.lower(), said.err
    assert "Traceback" not in said.err
    assert _state(ledger) == before


@pytest.mark.parametrize("verb", ["nhs-dsa", "xroad-opmon", "violation-cases"])
@pytest.mark.parametrize("name", RECORDS)
def test_a_bad_file_of_records_is_refused_or_its_records_rejected(ledger: Command, verb: str, name: str) -> None:
    data, code, told = RECORDS[name]
    before = _state(ledger)
    said = ledger("import", verb, "-", "--demo-keys", "--json", stdin=data)
    assert said.code == code, said
    assert "Traceback" not in said.err
    assert _state(ledger) == before
    if code == 3:
        assert told in said.err.lower()
    else:
        (rejection,) = said.json["rejected"]
        assert rejection["record"] == 1
        assert rejection["field"]
        assert rejection["reason"]
        if verb == "nhs-dsa":
            assert told in rejection["field"]


def test_an_empty_file_of_events_changes_nothing(ledger: Command) -> None:
    before = _state(ledger)
    for data in (b"", b"\n\n \n"):
        assert ledger.done("event", "append", "-", "--as", REPORTER, stdin=data)["appended"] == 0
    assert _state(ledger) == before


def test_names_are_text_whatever_they_look_like(ledger: Command, tmp_path: Path) -> None:
    """HTML and paths are kept as written and shown escaped; one spelling of a name is one body."""
    names = ["<script>alert(1)</script>", "../../../etc/passwd", NFC]
    record = {**AGREEMENT, "reference": "NAMES-1", "controllers": names}
    done = ledger.done("import", "nhs-dsa", "-", "--demo-keys", stdin=json.dumps([record]).encode())
    assert done["items"][0]["status"] == "ACTIVE"
    other = {**AGREEMENT, "reference": "NAMES-2", "controllers": [NFD, f"  {NFC} "]}
    agencies = ledger.done("status")["agencies"]
    done = ledger.done("import", "nhs-dsa", "-", "--demo-keys", stdin=json.dumps([other]).encode())
    assert done["items"][0]["parties"] == 2
    assert ledger.done("status")["agencies"] == agencies
    shown = {row["name_en"] for row in ledger.done("agency", "list")["items"]}
    assert shown >= set(names)
    assert "\x1b" not in ledger("agency", "list").out
    inside = {path for path in ledger.home.parent.rglob("*") if "passwd" in path.name}
    assert not inside, "a name is never a path"


def test_a_name_that_reorders_what_is_read_is_refused(ledger: Command) -> None:
    for name in ("A\u202eB", "A\u0000B", "A\u2028B", "\ue000"):
        assert ledger("agency", "add", "ods:Y99", "--name-en", name).code == 3


def _huge() -> Iterator[bytes]:
    """Yield 200 MB: long events, lines that are too long, one line without an end in sight, and good ones between."""
    filler = {f"field_{number}": "x" * 1_900 for number in range(30)}
    sent = number = 0
    endless = b'{"kind": "' + b"y" * (1 << 20)
    yield endless * 40 + b'"}\n'
    sent += len(endless) * 40
    while sent < 200_000_000:
        number += 1
        line = _event(correlation=f"huge-{number}", source=filler if number % 8 == 0 else {"pad": "z" * 70_000})
        yield line + b"\n"
        sent += len(line) + 1


def test_two_hundred_megabytes_of_events_pass_in_bounded_memory(new_command: Any) -> None:
    command: Command = new_command()
    with command.up() as up:
        make_world(command)
        process = subprocess.Popen(
            [QUANZE, "event", "append", "-", "--as", REPORTER, "--json"],
            env=command.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        lines = 0
        for line in _huge():
            process.stdin.write(line)
            lines += 1
        used_kib = _peak_kib(process.pid)  # The kernel's own sum at the end would count what this process forked from.
        process.stdin.close()
        with process.stdout:
            result = json.loads(process.stdout.read())
        process.wait()
        service_kib = _peak_kib(up["pid"])
    assert process.returncode == 2
    assert result["appended"] == lines // 8
    assert result["appended"] + result["rejected_total"] == lines
    assert used_kib < 200 * 1024, f"the command took {used_kib} KiB"
    assert service_kib < 400 * 1024, f"the service took {service_kib} KiB"


def _peak_kib(pid: int) -> int:
    """Return the most memory that a running process ever held, in KiB."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1])
