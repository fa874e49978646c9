"""Two agencies sign an agreement on chain, each command a process of its own, and keep receipts that verify."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml

from tests.cli.command import DATASET, PROVIDER, REQUESTER, Command, draft_of, head


def test_two_parties_sign_from_the_command_line(quanze: Command, tmp_path: Path) -> None:
    def done(*arguments: str) -> Any:
        found = quanze.program(*arguments, "--json")
        assert found.returncode == 0, found.stderr
        return json.loads(found.stdout)

    for agency, name in ((PROVIDER, "Civil Registry"), (REQUESTER, "Health Commission")):
        assert done("agency", "add", agency, "--name-en", name)["agency"] == agency
    done("key", "new", "spare")
    done("post", "add", head(PROVIDER), "--roles", "PROVIDER_OFFICE_HEAD,DEPT_HEAD", "--key", "spare")
    done("post", "add", head(REQUESTER), "--roles", "REQUESTER_OFFICE_HEAD", "--key", "theirs")
    done("catalogue", "add", DATASET, "--as", head(PROVIDER), "--name-en", "Persons")
    draft = tmp_path / "draft.yaml"
    (grant,) = draft_of("DSA-1")["grants"]
    stated = draft_of("DSA-1", grants=[{**grant, "ends": "2026-12-31"}], texts={"use": "为公共卫生 <b>only</b>"})
    draft.write_text(yaml.safe_dump(stated), encoding="utf-8")
    made = done("agreement", "draft", str(draft))
    assert set(made["to_sign"]) == {PROVIDER, REQUESTER}

    first = done("agreement", "sign", "DSA-1", "--as", head(PROVIDER), "--yes")
    assert first["status"] == "PROPOSED"
    shown = quanze.program("--lang", "zh", "agreement", "sign", "DSA-1", "--as", head(REQUESTER), stdin=b"n\n")
    assert shown.returncode == 3
    assert "共享协议 DSA-1" in shown.stdout
    assert "签署上述条款" in shown.stderr
    assert "2025-01-01 至 2026-12-31 (Asia/Shanghai)" in shown.stdout
    assert "标题: Persons for public health" in shown.stdout
    assert "title" not in shown.stdout
    assert not re.search(r"^id:", shown.stdout, re.MULTILINE)
    assert done("agreement", "show", "DSA-1")["status"] == "PROPOSED", "an answer of no signs nothing"
    signed = quanze.program("--lang", "zh", "agreement", "sign", "DSA-1", "--as", head(REQUESTER), stdin=b"y\n")
    assert signed.returncode == 0, signed.stderr
    told = signed.stdout.partition("所签摘要")[2]
    assert re.search(
        r"^状态: 生效 \(ACTIVE\)\n签署岗位: .*\n交易: .*\n区块: \d+\n回执文件: .*\.json$", told, re.MULTILINE
    )
    agreement = done("agreement", "show", "DSA-1")
    assert agreement["status"] == "ACTIVE"
    assert [party["signed_by"] for party in agreement["versions"][0]["parties"]] == [head(PROVIDER), head(REQUESTER)]

    done("post", "add", f"reporter@{REQUESTER}", "--roles", "REPORTER", "--key", "reporter")
    line = {"kind": "ACCESS", "side": "CONSUMER", "occurred_at_ms": 1_757_894_400_000, "requester": REQUESTER}
    events = tmp_path / "events.ndjson"
    events.write_text(json.dumps({**line, "provider": PROVIDER, "agreement": "DSA-1"}) + "\n", encoding="utf-8")
    assert done("event", "append", str(events))["appended"] == 1, "the only reporter here signs"

    root = tmp_path / "trust-root.json"
    assert done("trust-root", "export", "-o", str(root))["fingerprint"]
    receipts = sorted((quanze.home / "receipts").glob("*.json"))
    assert len(receipts) == 2
    elsewhere = Command(tmp_path / "no-home")
    for receipt in receipts:
        checked = elsewhere.program("verify", str(receipt), "--trust-root", str(root), "--json")
        assert checked.returncode == 0, checked.stdout + checked.stderr
        assert json.loads(checked.stdout)["holds"]
    assert not (tmp_path / "no-home").exists()

    altered = tmp_path / "altered.json"
    altered.write_bytes(receipts[0].read_bytes().replace(b"PublicHealth", b"PublicWealth"))
    refused = elsewhere.program("verify", str(altered), "--trust-root", str(root), "--json")
    assert refused.returncode == 1
    assert [step["status"] for step in json.loads(refused.stdout)["steps"]].count("FAILED") == 1
