"""What no file of the project may hold, and what every one of a kind must."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

# Written in pieces, so that this file does not hold what it forbids.
FORBIDDEN = {
    "a path of one machine": re.compile(r"/(home|Users|root)/\w" + r"|(?<![\w.])/work" + "/" + r"|/tmp" + "/quanze"),
    "a private key in PEM form": re.compile("-----BEGIN " + r"[A-Z ]*PRIVATE KEY"),
    "a URL with a password": re.compile(r"https?://[^/\s:@\"']+:[^/\s:@\"'{}$]+@"),
    "a merge conflict": re.compile(r"^(<{7}|>{7}) ", re.MULTILINE),
    "an unfinished thought": re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X)\b"),
}
NOT_TEXT = {".png", ".jpg", ".ico", ".woff2", ".gz", ".db"}
MADE_ELSEWHERE = ("uv.lock", "package-lock.json")


def _files(root: Path) -> list[Path]:
    listed = subprocess.run(
        ["git", "-C", str(root), "ls-files", "-z"], capture_output=True, text=True, timeout=60, check=False
    )
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    paths = [root / name for name in listed.stdout.split("\0") if name]
    return [p for p in paths if p.is_file() and p.suffix not in NOT_TEXT and p.name not in MADE_ELSEWHERE]


def test_no_file_holds_what_is_forbidden(root: Path) -> None:
    found = []
    for path in _files(root):
        text = path.read_text(encoding="utf-8", errors="replace")
        found += [f"{path.relative_to(root)}: {what}" for what, pattern in FORBIDDEN.items() if pattern.search(text)]
    assert found == []


def test_modules_are_named_for_an_idea(root: Path) -> None:
    vague = {"utils", "util", "helpers", "helper", "manager", "managers", "common", "misc"}
    named = [p for p in _files(root) if p.suffix == ".py" and p.stem in vague]
    assert named == []


def test_solidity_files_state_licence_and_exact_compiler(root: Path) -> None:
    wrong = []
    for path in (p for p in _files(root) if p.suffix == ".sol"):
        text = path.read_text(encoding="utf-8")
        if not text.startswith("// SPDX-License-Identifier: Apache-2.0\n") or "pragma solidity 0.8.30;" not in text:
            wrong.append(path.name)
    assert wrong == []
