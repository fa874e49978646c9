"""Python and Solidity, and Go's transparency-dev/merkle where Go is, answer the same questions about proofs alike.

The long run is ``python -m scripts.differential``; its recorded count and seed are in docs/differential.md.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ledger.log.tree import EMPTY_ROOT
from scripts.differential.__main__ import DifferentError, compare
from scripts.differential.judges import GO_SOURCE, go, in_python, solidity
from scripts.differential.questions import CONSISTENCY, LARGEST, Question, questions

if TYPE_CHECKING:
    from collections.abc import Callable

COUNT = 12_000
SEED = 9162


@pytest.fixture(scope="session")
def go_merkle(root: Path) -> Path:
    """The Go program: named by QUANZE_GO_MERKLE, else built where Go is."""
    named = os.environ.get("QUANZE_GO_MERKLE")
    if named:
        return Path(named)
    compiler = shutil.which("go")
    if compiler is None:
        pytest.skip("NOT RUN: neither Go nor QUANZE_GO_MERKLE is here, so nobody else's verifier was asked")
    program = root / "build" / "go" / "merkle"
    program.parent.mkdir(parents=True, exist_ok=True)
    built = subprocess.run(
        [compiler, "build", "-o", str(program), "."],
        cwd=GO_SOURCE,
        env={**os.environ, "GOFLAGS": "-mod=readonly"},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    if built.returncode:
        pytest.skip(f"NOT RUN: Go could not build the other verifier: {built.stderr[-300:]}")
    return program


def test_python_and_solidity_answer_alike(anvil: Path, figure: Callable[[str], None]) -> None:
    summary = compare(COUNT, SEED, anvil, None)
    assert summary["answered_by"] == ["Python", "Solidity"]
    assert summary["largest_size"] == LARGEST
    kinds = summary["by_kind"]
    assert len(kinds) == 30
    for kind in ("inclusion: good", "consistency: good"):
        assert kinds[kind]["accepted"] == kinds[kind]["asked"] > COUNT // 10
    for made in ("a bit of a hash", "a bit of the root", "a hash dropped", "a hash added"):
        assert kinds[f"inclusion: {made}"]["accepted"] == kinds[f"consistency: {made}"]["accepted"] == 0
    figure(f"{summary['questions']:,} questions, {summary['refused']:,} refused")


def test_go_answers_as_they_do(anvil: Path, go_merkle: Path, figure: Callable[[str], None]) -> None:
    summary = compare(COUNT, SEED + 1, anvil, go_merkle)
    assert summary["answered_by"] == ["Python", "Solidity", "Go"]
    figure(f"{summary['questions']:,} questions to three verifiers")


def test_a_verifier_that_errs_once_is_found(anvil: Path, tmp_path: Path) -> None:
    """A program in Go's place that answers a single question the other way."""
    liar = tmp_path / "liar"
    asked = list(islice(questions(SEED), 40))
    answers = bytearray(in_python(asked))
    answers[17] ^= 1
    (tmp_path / "answers").write_bytes(answers)
    liar.write_text(f"#!/bin/sh\ncat '{tmp_path}/answers'\nexec cat >/dev/null\n")
    liar.chmod(0o755)
    with pytest.raises(DifferentError, match="question 17 of seed 9162"):
        compare(40, SEED, anvil, liar)


@pytest.mark.parametrize("older", [EMPTY_ROOT, bytes(32)])
def test_an_older_size_of_zero_is_refused_where_go_accepts_it(anvil: Path, go_merkle: Path, older: bytes) -> None:
    """By rule: every tree extends the empty one, so such a proof shows nothing. The first anchor is no such case."""
    asked = [Question(CONSISTENCY, 0, size, older, b"\x01" * 32, (), "nothing") for size in (1, 2, 7, LARGEST)]
    asked += [replace(question, proof=(older,)) for question in asked]
    wire = b"".join(question.encode() for question in asked)
    with solidity(anvil) as contract, go(go_merkle) as others:
        assert in_python(asked) == contract.answer(wire) == bytes(8)
        assert others.answer(wire, len(asked)) == bytes([1] * 4 + [0] * 4)
