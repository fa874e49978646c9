"""Witnesses and logs that are not ours: a published log cosigned by our witness, and our log by Go's litewitness.

The programs are found by a variable or on PATH, once Go has installed them:
QUANZE_LITEWITNESS     go install filippo.io/torchwood/cmd/litewitness@v0.9.0
QUANZE_POSIX_ONESHOT   go install github.com/transparency-dev/tessera/cmd/examples/posix-oneshot@v1.0.4
"""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import httpx
import pytest

from ledger.log.checkpoint import open_checkpoint
from ledger.log.cosignature import CosignatureVerifier, Cosigner
from ledger.log.note import add_signatures, keys_that_signed, parse_note, parse_signature_lines
from ledger.log.plain_key import print_plain_key
from ledger.log.policy import parse_policy
from ledger.log.storage import FolderFetcher, FolderLog
from ledger.log.tiles import TileReader
from ledger.log.tree import consistency_proof
from ledger.log.witness import SIZE_TYPE, AddCheckpoint
from ledger.service.witnesses import Problem
from ledger.witnessing.client import Witnesses, WitnessesUnmetError
from tests.external.litewitness import litewitness
from tests.external.test_tlog_tiles import KEY as PUBLISHED_KEY
from tests.external.test_tlog_tiles import SIZE
from tests.witnessing.growing import LOG, LOG_KEY, GrowingLog
from tests.witnessing.running import our_witness

if TYPE_CHECKING:
    from pathlib import Path

LITEWITNESS = os.environ.get("QUANZE_LITEWITNESS") or shutil.which("litewitness")
POSIX_ONESHOT = os.environ.get("QUANZE_POSIX_ONESHOT") or shutil.which("posix-oneshot")
needs_litewitness = pytest.mark.skipif(
    LITEWITNESS is None,
    reason="NOT CHECKED against a witness that is not ours: litewitness is neither in QUANZE_LITEWITNESS nor on PATH",
)


@pytest.mark.external
def test_our_witness_cosigns_a_published_log_as_it_grew(external: Path, tmp_path: Path) -> None:
    folder = external / "vectors" / "tlog-tiles" / "testdata" / "log"
    reader = TileReader(FolderFetcher(folder), SIZE)
    ours = Cosigner.from_seed("witness.example/ours", bytes([4]) * 32, lambda: 0)
    key = CosignatureVerifier.from_vkey(ours.vkey)
    logs = {PUBLISHED_KEY.name: (PUBLISHED_KEY,)}
    with our_witness(tmp_path / "w", ours, logs) as address, httpx.Client(base_url=address) as client:
        old = 0
        for size in (1, 2, 3, 7, 8, 13, SIZE):
            note = (folder / f"checkpoint.{size}").read_bytes()
            proof = consistency_proof(reader, old, size) if old else []
            answer = client.post("/add-checkpoint", content=AddCheckpoint(old, tuple(proof), note).print())
            assert answer.status_code == 200, answer.text
            both = add_signatures(note, parse_signature_lines(answer.content))
            assert len(keys_that_signed(parse_note(both), [PUBLISHED_KEY, key])) == 2
            old = size
        shorter = AddCheckpoint(3, (), (folder / "checkpoint.3").read_bytes())
        refused = client.post("/add-checkpoint", content=shorter.print())
        assert (refused.status_code, refused.content) == (409, b"15\n")


@needs_litewitness
def test_gos_litewitness_cosigns_our_log_and_refuses_a_fork(tmp_path: Path) -> None:
    name = "witness.example/lite"
    with litewitness(str(LITEWITNESS), tmp_path, name, [LOG.vkey]) as (address, vkey):
        policy = parse_policy(f"log {LOG.vkey}\nwitness lite {vkey} {address}\nquorum lite\n".encode())
        witnesses = Witnesses(policy, timeout_s=30)
        own = Cosigner.from_seed(LOG.name, bytes(range(32)), lambda: 1_700_000_000)
        log = FolderLog.open(tmp_path / "log", signer=LOG, origin=LOG.name, cosigners=[own], endorser=witnesses)
        try:
            for count in (1, 1, 5, 300, 1_000):
                log.append([f"entry {count} {place}".encode() for place in range(count)])
                note = log.publish_checkpoint()
                known = [LOG_KEY, CosignatureVerifier.from_vkey(own.vkey), CosignatureVerifier.from_vkey(vkey)]
                assert len(keys_that_signed(parse_note(note), known)) == 3
                assert open_checkpoint(note, LOG_KEY).size == log.size()
        finally:
            log.close()
            witnesses.close()
        for forked, problem in ((GrowingLog(2_000), Problem.FORKED), (GrowingLog(3), Problem.AHEAD)):
            again = Witnesses(policy, timeout_s=30)
            note = forked.note(len(forked.leaves))
            with pytest.raises(WitnessesUnmetError):
                again.endorse(note, open_checkpoint(note, LOG_KEY), forked)
            assert [one.problem for one in again.standings()] == [problem]
            again.close()


@needs_litewitness
def test_gos_litewitness_and_ours_answer_alike(tmp_path: Path) -> None:
    """Status and told size of each request, in one order.

    C2SP demands 409 for another root of the size that was signed; litewitness 0.9.0 answers 422. Logs take both alike.
    """
    honest, forked = GrowingLog(20), GrowingLog(20, fork="other", shared=4)
    stranger = GrowingLog(3, signer=type(LOG)("example.org/else", bytes(32)))
    another_root = forked.request(9, 9)
    impostor = GrowingLog(3, signer=type(LOG)(LOG.name, bytes(32)))
    requests = [
        stranger.request(0, 3), impostor.request(0, 3), honest.request(0, 3), honest.request(0, 5),
        honest.request(3, 3), honest.request(3, 9), honest.request(3, 9), forked.request(9, 12), another_root,
        honest.request(9, 4), honest.request(9, 20), honest.request(20, 20),
        AddCheckpoint(20, (bytes(32),), honest.note(20)),
    ]  # fmt: skip
    bodies = [request.print() for request in requests] + [b"", b"old x\n\n", b"old 20\nzz\n\nx"]
    ours = Cosigner.from_seed("witness.example/ours", bytes([4]) * 32, lambda: 0)
    with (
        litewitness(str(LITEWITNESS), tmp_path, "witness.example/lite", [LOG.vkey]) as (theirs, _),
        our_witness(tmp_path / "w", ours) as mine,
        httpx.Client() as client,
    ):
        found = []
        for address in (theirs, mine):
            answers = [client.post(f"{address}/add-checkpoint", content=body) for body in bodies]
            found.append([
                (one.status_code, one.content if one.headers["content-type"] == SIZE_TYPE else b"") for one in answers
            ])  # fmt: skip
    place = requests.index(another_root)
    assert (found[0][place], found[1][place]) == ((422, b""), (409, b"9\n"))
    del found[0][place], found[1][place]
    assert found[0] == found[1]


@pytest.mark.skipif(
    POSIX_ONESHOT is None,
    reason="NOT CHECKED with a log that is not ours: posix-oneshot is neither in QUANZE_POSIX_ONESHOT nor on PATH",
)
def test_our_witness_serves_tesseras_own_log_under_its_policy(tmp_path: Path) -> None:
    ours = Cosigner.from_seed("witness.example/ours", bytes([4]) * 32, lambda: 0)
    key = CosignatureVerifier.from_vkey(ours.vkey)
    private, policy, folder = tmp_path / "key", tmp_path / "policy", tmp_path / "tessera"
    private.write_text(print_plain_key(LOG.name, bytes(range(32))).strip())
    with our_witness(tmp_path / "w", ours) as address:
        policy.write_text(f"witness ours {ours.vkey} {address}\nquorum ours\n")
        for turn in range(3):
            entry = tmp_path / f"entry{turn}"
            entry.write_text(f"entry {turn}")
            command = [str(POSIX_ONESHOT), "--storage_dir", str(folder), "--entries", str(entry)]
            command += ["--private_key", str(private), "--witness_policy_file", str(policy)]
            subprocess.run(command, check=True, capture_output=True, timeout=60)
            note = (folder / "checkpoint").read_bytes()
            assert len(keys_that_signed(parse_note(note), [LOG_KEY, key])) == 2
            assert open_checkpoint(note, LOG_KEY).size == turn + 1
