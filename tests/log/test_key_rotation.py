"""A log whose key is followed by another: both sign for a while, and what either signed stays good."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ledger.domain.errors import IntegrityError, VerificationError
from ledger.log.checkpoint import open_checkpoint, open_checkpoint_of_any
from ledger.log.client import SPAN_ENTRIES, verify_log
from ledger.log.note import Ed25519Signer, Ed25519Verifier, parse_note
from ledger.log.storage import FolderFetcher, FolderLog, check_folder, resume_check
from ledger.log.witness import NOTHING, AddCheckpoint, Agreed, Refused, decide

if TYPE_CHECKING:
    from pathlib import Path

OLD = Ed25519Signer("example.org/log", bytes([1]) * 32)
NEW = Ed25519Signer("example.org/log", bytes([2]) * 32)
OLD_KEY, NEW_KEY = (Ed25519Verifier.from_vkey(signer.vkey) for signer in (OLD, NEW))


def published(path: Path, signers: list[Ed25519Signer], former: list[Ed25519Verifier], grown: int = 1) -> bytes:
    """Open the log with a key and further ones, let it grow, and return what it publishes."""
    log = FolderLog.open(path, signer=signers[0], origin=OLD.name, cosigners=signers[1:], former=former)
    try:
        if grown:
            log.append([b"entry"] * grown)
        return log.publish_checkpoint()
    finally:
        log.close()


def test_the_origin_stays_and_each_checkpoint_is_read_by_the_keys_in_force(tmp_path: Path) -> None:
    alone = published(tmp_path, [OLD], [])
    both = published(tmp_path, [NEW, OLD], [OLD_KEY])
    after = published(tmp_path, [NEW], [OLD_KEY])
    assert [open_checkpoint(note, OLD_KEY).size for note in (alone, both)] == [1, 2]
    assert [open_checkpoint(note, NEW_KEY).size for note in (both, after)] == [2, 3]
    assert {open_checkpoint_of_any(note, [NEW_KEY, OLD_KEY]).origin for note in (alone, both, after)} == {OLD.name}
    for note, key in ((alone, NEW_KEY), (after, OLD_KEY)):
        with pytest.raises(VerificationError, match="not signed by"):
            open_checkpoint(note, key)


def test_a_checkpoint_without_new_entries_is_signed_anew_by_both_keys(tmp_path: Path) -> None:
    alone = published(tmp_path, [OLD], [])
    both = published(tmp_path, [NEW, OLD], [OLD_KEY], grown=0)
    assert parse_note(both).text == parse_note(alone).text
    assert [line.key_id for line in parse_note(both).signatures] == [NEW.key_id, OLD.key_id]


def test_a_log_does_not_open_with_a_key_that_never_signed_it(tmp_path: Path) -> None:
    published(tmp_path, [OLD], [])
    with pytest.raises(IntegrityError, match="not signed by"):
        FolderLog.open(tmp_path, signer=NEW, origin=OLD.name)


def test_a_check_takes_what_a_former_key_signed_and_goes_on_where_it_was(tmp_path: Path) -> None:
    log, state = tmp_path / "log", tmp_path / "check.json"
    published(log, [OLD], [], grown=300)
    *_, last = resume_check(log, OLD.vkey, state)
    assert last.entries == 300
    for former, refused in (((OLD.vkey,), None), ((), VerificationError)):
        for check in (
            verify_log(FolderFetcher(log), NEW_KEY, former=[Ed25519Verifier.from_vkey(vkey) for vkey in former]),
            check_folder(log, NEW.vkey, former),
            resume_check(log, NEW.vkey, state, former),
        ):
            if refused is None:
                assert [progress.entries for progress in check][-1] == 300
            else:
                with pytest.raises((IntegrityError, refused), match=r"not signed by"):
                    list(check)


def test_a_resumed_check_knows_what_the_former_key_vouched_for(tmp_path: Path) -> None:
    log, state = tmp_path / "log", tmp_path / "check.json"
    published(log, [OLD], [], grown=SPAN_ENTRIES + 3)
    list(resume_check(log, OLD.vkey, state))
    published(log, [NEW, OLD], [OLD_KEY])
    first, *_, last = resume_check(log, NEW.vkey, state, [OLD.vkey])
    assert (first.entries, last.entries) == (SPAN_ENTRIES, SPAN_ENTRIES + 4)
    with pytest.raises(IntegrityError, match="another log's"):
        list(resume_check(log, NEW.vkey, state))  # What it knows was vouched for by a key that is not named here.


def test_a_witness_that_knows_either_key_follows_a_rotation_with_an_overlap(tmp_path: Path) -> None:
    notes = {size: published(tmp_path, *how) for size, how in (
        (1, ([OLD], [])), (2, ([NEW, OLD], [OLD_KEY])), (3, ([NEW], [OLD_KEY])),
    )}  # fmt: skip
    for keys, agreed in (((OLD_KEY,), {1, 2}), ((NEW_KEY,), {2, 3}), ((OLD_KEY, NEW_KEY), {1, 2, 3})):
        for size, note in notes.items():
            decision = decide(AddCheckpoint(0, (), note), {OLD.name: keys}, NOTHING)
            assert isinstance(decision, Agreed if size in agreed else Refused)
