"""What a witness has signed, through kills, races, altered records and a clock that goes back."""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import IO, TYPE_CHECKING

import pytest

from ledger.domain.errors import IntegrityError, UnavailableError
from ledger.log.checkpoint import parse_checkpoint
from ledger.log.cosignature import time_of
from ledger.log.note import add_signatures, keys_that_signed, parse_note, parse_signature_lines
from ledger.log.witness import AddCheckpoint
from ledger.witnessing.state import WitnessState, make_state
from ledger.witnessing.witness import Witness
from tests.witnessing.growing import LOG, LOGS, WITNESS, WITNESS_KEY, GrowingLog

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
STEPS = ["decided", "written", "kept", "signed", "answered"]
HONEST = GrowingLog(64)
FORKED = GrowingLog(64, fork="other", shared=5)


def size_in(folder: Path) -> int:
    """Return the size that a witness's record says was agreed to last; 0 if none was."""
    with closing(sqlite3.connect(folder / "state.db")) as connection:
        found = connection.execute("SELECT size FROM signed WHERE origin = ?", (LOG.name,)).fetchone()
    return int(found[0]) if found else 0


class Cosigned:
    """Every cosignature that a witness ever sent, and whether they can all be true."""

    def __init__(self) -> None:
        self.roots: dict[int, bytes] = {}
        self.last_size = 0
        self.last_time = 0

    def add(self, request: AddCheckpoint, body: bytes) -> None:
        note = add_signatures(request.note, parse_signature_lines(body))
        value = keys_that_signed(parse_note(note), [WITNESS_KEY])[WITNESS.name, WITNESS.key_id]
        checkpoint = parse_checkpoint(parse_note(note).text)
        assert self.roots.setdefault(checkpoint.size, checkpoint.root) == checkpoint.root, "two roots of one size"
        assert checkpoint.size >= self.last_size, "a smaller size than before"
        assert time_of(value) >= self.last_time, "an earlier time than before"
        self.last_size, self.last_time = checkpoint.size, time_of(value)

    def check_one_log(self) -> None:
        grown = [log for log in (HONEST, FORKED) if all(self._is_of(log, size) for size in self.roots)]
        assert grown, "the cosignatures are of no one log"

    def _is_of(self, log: GrowingLog, size: int) -> bool:
        return parse_checkpoint(parse_note(log.note(size)).text).root == self.roots[size]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_state(tmp_path)
    return tmp_path


@pytest.fixture
def state(folder: Path) -> Iterator[WitnessState]:
    opened = WitnessState.open(folder)
    yield opened
    opened.close()


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("count", [1, 2, 3])
def test_killed_at_any_step_it_never_signs_backwards(folder: Path, step: str, count: int) -> None:
    chance = random.Random(f"{step} {count}")
    cosigned = Cosigned()
    for life in range(6):
        arguments = [str(folder), step, str(count)] if life % 2 == 0 else [str(folder)]
        with subprocess.Popen(
            [sys.executable, "-m", "tests.witnessing.witness_under_kill", *arguments],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        ) as process:  # fmt: skip
            assert process.stdin is not None
            assert process.stdout is not None
            _talk(process.stdin, process.stdout, cosigned, chance)
            process.stdin.close()
            process.wait()
    cosigned.check_one_log()
    assert cosigned.roots, "something was signed"


def _talk(stdin: IO[bytes], stdout: IO[bytes], cosigned: Cosigned, chance: random.Random) -> None:
    """Send honest and dishonest requests from the sizes that the witness tells, until it dies or has had enough."""
    known = 0
    for _ in range(12):
        log = chance.choice([HONEST, HONEST, FORKED])
        size = min(64, known + chance.choice([0, 1, 3]) or 1)
        request = log.request(min(known, chance.choice([known, known, known + 1, 0])), size)
        try:
            stdin.write(request.print().hex().encode() + b"\n")
        except BrokenPipeError:
            return
        answer = stdout.readline().decode()
        if not answer.endswith("\n"):
            return
        status, body = answer.split(" ")
        if status == "200":
            cosigned.add(request, bytes.fromhex(body))
            known = size
        elif status == "409":
            known = int(bytes.fromhex(body))


def test_requests_at_the_same_time_are_decided_one_after_another(state: WitnessState, folder: Path) -> None:
    witness = Witness(state, WITNESS, LOGS)
    order = threading.Lock()
    cosigned: list[tuple[AddCheckpoint, bytes]] = []

    def push(seed: int) -> None:
        chance = random.Random(seed)
        log = HONEST if seed % 2 else FORKED
        known = 0
        for _ in range(30):
            request = log.request(known, min(64, known + chance.randint(0, 2)) or 1)
            status, _, body = witness.answer(request.print())
            if status == 200:
                with order:
                    cosigned.append((request, body))
                known = parse_checkpoint(parse_note(request.note).text).size
            elif status == 409:
                known = int(body)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(push, range(8)))
    assert cosigned
    all_signed = Cosigned()
    for request, body in sorted(cosigned, key=lambda one: parse_checkpoint(parse_note(one[0].note).text).size):
        all_signed.add(request, body)
    all_signed.check_one_log()
    assert size_in(folder) == all_signed.last_size


def test_a_clock_that_goes_back_makes_no_earlier_statement(state: WitnessState) -> None:
    now = iter([1_000, 400, 1_001])
    witness = Witness(state, WITNESS, LOGS, now_s=lambda: next(now))
    times = []
    for old, size in ((0, 3), (3, 5), (5, 9)):
        status, _, body = witness.answer(HONEST.request(old, size).print())
        assert status == 200
        times.append(time_of(parse_signature_lines(body)[0].value))
    assert times == [1_000, 1_000, 1_001]


def test_a_second_witness_on_the_same_folder_is_refused(state: WitnessState, folder: Path) -> None:
    assert size_in(folder) == 0
    with pytest.raises(UnavailableError, match="in use by another process"):
        WitnessState.open(folder)


def test_a_witness_without_its_record_does_not_begin_anew(tmp_path: Path) -> None:
    with pytest.raises(IntegrityError, match="missing"):
        WitnessState.open(tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE signed SET size = 2",
        "UPDATE signed SET root = zeroblob(32)",
        "UPDATE signed SET origin = 'example.org/else'",
        "UPDATE signed SET note = CAST(replace(CAST(note AS TEXT), char(10) || '3', char(10) || '2') AS BLOB)",
        "UPDATE signed SET note = x'00'",
    ],
)
def test_an_altered_record_stops_the_witness(folder: Path, change: str) -> None:
    state = WitnessState.open(folder)
    assert Witness(state, WITNESS, LOGS).answer(HONEST.request(0, 3).print())[0] == 200
    state.close()
    with sqlite3.connect(folder / "state.db") as connection:
        connection.execute(change)
    connection.close()
    with pytest.raises(IntegrityError, match="witness"):
        WitnessState.open(folder)


def test_a_record_altered_while_the_witness_runs_stops_it(folder: Path, state: WitnessState) -> None:
    witness = Witness(state, WITNESS, LOGS)
    assert witness.answer(HONEST.request(0, 3).print())[0] == 200
    with sqlite3.connect(folder / "state.db") as connection:
        connection.execute("UPDATE signed SET size = 0, root = zeroblob(32)")
    connection.close()
    assert witness.answer(HONEST.request(0, 2).print())[0] == 500


def test_a_record_that_cannot_be_written_lets_nothing_be_signed(folder: Path) -> None:
    state = WitnessState.open(folder)
    with sqlite3.connect(folder / "state.db") as connection:
        connection.execute("CREATE TRIGGER full BEFORE INSERT ON signed BEGIN SELECT RAISE(ABORT, 'disk full'); END")
    connection.close()
    assert Witness(state, WITNESS, LOGS).answer(HONEST.request(0, 3).print())[0] == 503
    assert size_in(folder) == 0
    state.close()
