"""A reader that hangs, answers nonsense or lies takes nothing into the ledger and stops nobody."""

from __future__ import annotations

import os
import resource
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from ledger.bootstrap import child_process, reader_process
from ledger.bootstrap.reader_process import ReaderProcesses
from ledger.service.ahead_appending import append_ahead
from ledger.service.leaf_making import PythonLeaves
from ledger.service.read_ahead import read_ahead
from ledger.workers.pipes import LENGTH
from tests.api.test_reading_ahead import ndjson
from tests.native.test_leaves import native

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ledger.service.read_ahead import ReadAhead
    from tests.api.world import World


@pytest.fixture
def reader(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[ReaderProcesses]:
    monkeypatch.setattr(child_process, "REST_S", 0.0)
    monkeypatch.setattr(child_process, "_PATIENCE_S", 0.05)
    monkeypatch.setattr(reader_process, "_ANSWERS_WITHIN_S", 5.0)
    made = ReaderProcesses(1)
    yield made
    made.close()


def test_a_reader_that_hangs_is_killed_and_another_is_started(world: World, reader: ReaderProcesses) -> None:
    body = ndjson(world.batch("reporter-p", {}))
    assert reader.read(body) is not None
    child = reader._readers[0]
    process: Any = child._process
    child._limit_s = 0.2
    os.kill(process.pid, signal.SIGSTOP)
    assert reader.read(body) is None
    assert process.returncode == -signal.SIGKILL
    child._limit_s = 60.0
    assert reader.read(body) is not None


def test_a_reader_that_hangs_does_not_hold_up_the_end(world: World, reader: ReaderProcesses) -> None:
    assert reader.read(ndjson(world.batch("reporter-p", {}))) is not None
    process: Any = reader._readers[0]._process
    os.kill(process.pid, signal.SIGSTOP)
    reader.close()
    assert process.returncode == -signal.SIGKILL


def test_a_reader_can_open_nothing_and_knows_no_key(
    world: World, reader: ReaderProcesses, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUANZE_PASSPHRASE_FILE", "/a/file")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a secret")
    assert reader.read(ndjson(world.batch("reporter-p", {}))) is not None
    process: Any = reader._readers[0]._process
    for limit in (resource.RLIMIT_NOFILE, resource.RLIMIT_FSIZE, resource.RLIMIT_NPROC):
        assert resource.prlimit(process.pid, limit) == (0, 0)
    held = Path(f"/proc/{process.pid}/environ").read_bytes().split(b"\0")
    names = {one.partition(b"=")[0] for one in held}
    assert b"PATH" in names
    assert not names & {b"QUANZE_PASSPHRASE_FILE", b"AWS_SECRET_ACCESS_KEY"}


@pytest.mark.parametrize("answer", [b"\xc1", b"\x80", b"\xff" * 40])
def test_an_answer_that_is_none_leaves_the_body_to_others(
    world: World, reader: ReaderProcesses, monkeypatch: pytest.MonkeyPatch, answer: bytes
) -> None:
    monkeypatch.setattr(reader._readers[0], "ask", lambda _talk: answer)
    assert LENGTH.size == 4
    assert reader.read(ndjson(world.batch("reporter-p", {}))) is None


LIES: list[dict[str, Any]] = [
    {"signature": bytes(65)}, {"signer": b"\x09" * 20}, {"deadline": 1_900_000_000},
    {"nonce": "3"}, {"agreement": ""}, {"reporter": "gw@ods:R01"}, {"reporter": "no post"}, {"kinds": [b"{}"]},
    {"digests": bytes(64)},
]  # fmt: skip


@pytest.mark.parametrize("lie", LIES, ids=lambda lie: next(iter(lie)))
@pytest.mark.parametrize("maker", ["python", "compiled"])
def test_what_the_key_did_not_sign_is_not_taken(world: World, lie: dict[str, Any], maker: str) -> None:
    """The ledger checks the signature itself, over the digests that it was told."""
    world.services.leaf_maker = PythonLeaves() if maker == "python" else native()
    size = world.services.log.size()
    read: ReadAhead | None = read_ahead(ndjson(world.batch("reporter-p", {}, {})))
    assert read is not None
    assert append_ahead(world.services, msgspec.structs.replace(read, **lie), idempotency_key="") is None
    assert world.services.log.size() == size
