"""Ask Python, Solidity and Go the same questions about RFC 6962 proofs, and stop at the first on which they differ.

    (cd scripts/differential/go && go build -o /tmp/merkle .)
    python -m scripts.differential --count 1000000 --seed 6962 --go /tmp/merkle

Without ``--go`` the two of ours are compared, and the summary says so.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from scripts.differential.judges import ROOT, go, in_python, solidity
from scripts.differential.questions import INCLUSION, Question, questions

if TYPE_CHECKING:
    from collections.abc import Mapping

_CHUNK: Final = 1_000


class DifferentError(Exception):
    """Two verifiers answer a question differently."""


def main() -> int:
    """Run; return 1 if a question was answered in two ways."""
    parser = argparse.ArgumentParser(
        prog="python -m scripts.differential", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=20_000, help="how many questions")
    parser.add_argument("--seed", type=int, default=6962, help="what they are drawn from")
    parser.add_argument("--go", type=Path, help="the built program of scripts/differential/go")
    options = parser.parse_args()
    anvil = next((ROOT / "node_modules" / "@foundry-rs").glob("anvil-*/bin/anvil"))
    try:
        summary = compare(options.count, options.seed, anvil, options.go, is_told=True)
    except DifferentError as error:
        print(error)
        return 1
    print(json.dumps(summary, indent=1))
    return 0


def compare(count: int, seed: int, anvil: Path, program: Path | None, *, is_told: bool = False) -> Mapping[str, Any]:
    """Put ``count`` questions to every verifier there is, and return what was asked and answered.

    Raises:
        DifferentError: Names the first question on which two differ.
    """
    began = time.monotonic()
    asked: Counter[str] = Counter()
    held: Counter[str] = Counter()
    largest = 0
    drawn = questions(seed)
    with contextlib.ExitStack() as opened:
        contract = opened.enter_context(solidity(anvil))
        others = opened.enter_context(go(program)) if program is not None else None
        for first in range(0, count, _CHUNK):
            chunk = list(itertools.islice(drawn, min(_CHUNK, count - first)))
            wire = b"".join([question.encode() for question in chunk])
            answers = {"Python": in_python(chunk), "Solidity": contract.answer(wire)}
            if others is not None:
                answers["Go"] = others.answer(wire, len(chunk))
            if len(set(answers.values())) != 1:
                raise DifferentError(_difference(chunk, answers, first, seed))
            for question, answer in zip(chunk, answers["Python"], strict=True):
                kind = f"{'inclusion' if question.kind == INCLUSION else 'consistency'}: {question.made}"
                asked[kind] += 1
                held[kind] += answer
                largest = max(largest, question.second)
            if is_told:
                took = time.monotonic() - began
                print(f"\r{first + len(chunk):,} of {count:,} in {took:.0f} s", end="", file=sys.stderr, flush=True)
    if is_told:
        print(file=sys.stderr)
    return {
        "questions": sum(asked.values()),
        "seed": seed,
        "answered_by": list(answers),
        "differences": 0,
        "accepted": sum(held.values()),
        "refused": sum(asked.values()) - sum(held.values()),
        "largest_size": largest,
        "by_kind": {kind: {"asked": asked[kind], "accepted": held[kind]} for kind in sorted(asked)},
        "seconds": round(time.monotonic() - began),
    }


def _difference(chunk: list[Question], answers: Mapping[str, bytes], first: int, seed: int) -> str:
    for place, question in enumerate(chunk):
        given = {who: bool(answer[place]) for who, answer in answers.items() if place < len(answer)}
        if len(set(given.values())) != 1 or len(given) != len(answers):
            return f"question {first + place} of seed {seed} is answered differently: {given}\n{question}"
    return f"of seed {seed}, questions from {first} were answered in different numbers"


if __name__ == "__main__":
    sys.exit(main())
