"""A check that is divided among processes and resumed: it finds what a plain one finds, and names it."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from ledger.domain.errors import IntegrityError
from ledger.domain.leaf import check_successor, parse_leaf
from ledger.log.client import SPAN_ENTRIES
from ledger.log.storage import FolderLog, check_folder, resume_check
from ledger.log.storage import spans as spans_module
from ledger.log.storage.resumption import KnownSpan, read_known, write_known
from ledger.log.tiles import TILE_WIDTH, entries_path, tile_path
from scripts.big_log import SIGNER, STREAMS, leaves, make_log

if TYPE_CHECKING:
    from pathlib import Path

SIZE = 3 * SPAN_ENTRIES + 300


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("spans") / "log"
    make_log(folder, SIZE)
    return folder


@pytest.fixture
def log(written: Path, tmp_path: Path) -> Path:
    """A copy whose files may be replaced: it shares the bytes of all others."""
    shutil.copytree(written, tmp_path / "log", copy_function=os.link)
    return tmp_path / "log"


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "check.json"


def flip(path: Path, position: int) -> None:
    data = bytearray(path.read_bytes())
    data[position] ^= 4
    path.unlink()
    path.write_bytes(data)


def counts(log: Path, state: Path) -> list[int]:
    return [progress.entries for progress in resume_check(log, SIGNER.vkey, state)]


def test_a_made_log_opens_and_holds_chained_leaves(log: Path) -> None:
    made = [parse_leaf(entry) for entry in leaves(3 * STREAMS)]
    for leaf, following in zip(made[:STREAMS], made[STREAMS : 2 * STREAMS], strict=True):
        check_successor(leaf, None)
        check_successor(following, leaf)
    opened = FolderLog.open(log, signer=SIGNER, origin=SIGNER.name)
    assert (opened.size(), opened.leaf(3)) == (SIZE, made[3].encode())
    assert len(opened.inclusion_proof(SIZE - 1, SIZE)) > 0
    opened.close()


def test_spans_by_processes_and_by_none_give_the_same(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    apart = [progress.entries for progress in check_folder(log, SIGNER.vkey)]
    monkeypatch.setattr(spans_module, "_MOST", 1)
    assert [progress.entries for progress in check_folder(log, SIGNER.vkey)] == apart
    assert apart == [0, SPAN_ENTRIES, 2 * SPAN_ENTRIES, 3 * SPAN_ENTRIES, SIZE - 44, SIZE]


@pytest.mark.parametrize(
    ("path", "position", "entry"),
    [
        (entries_path(2 * TILE_WIDTH + 9), 700, 2 * SPAN_ENTRIES + 9 * TILE_WIDTH + 1),
        (entries_path(0), 2, 0),
        (tile_path(0, TILE_WIDTH), 0, None),
        (tile_path(1, 1), 8191, None),
        (tile_path(2, 0, 3), 33, None),
        (tile_path(0, 3 * TILE_WIDTH + 1, 44), 1, None),
    ],
)
def test_a_flipped_byte_is_named_whoever_reads_it(log: Path, state: Path, path: str, position: int, entry: int) -> None:
    counts(log, state)
    flip(log / path, position)
    for check in (check_folder(log, SIGNER.vkey), resume_check(log, SIGNER.vkey, state)):
        with pytest.raises(IntegrityError) as caught:
            list(check)
        assert caught.value.fields["file"] == path
        assert caught.value.fields.get("entry") == entry


def test_a_missing_file_is_named(log: Path) -> None:
    (log / entries_path(300)).unlink()
    with pytest.raises(IntegrityError, match="missing") as caught:
        list(check_folder(log, SIGNER.vkey))
    assert caught.value.fields["file"] == entries_path(300)


def test_a_second_check_reads_only_what_changed(log: Path, state: Path) -> None:
    assert counts(log, state)[0] == 0
    assert counts(log, state)[0] == 3 * SPAN_ENTRIES
    touched = log / tile_path(0, TILE_WIDTH + 5)
    data = touched.read_bytes()
    touched.unlink()
    touched.write_bytes(data)
    assert counts(log, state)[0] == SPAN_ENTRIES
    assert counts(log, state)[0] == 3 * SPAN_ENTRIES


def test_a_check_stopped_half_way_goes_on_from_there(log: Path, state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ledger.log.storage.check._SAVE_EACH_S", -1.0)
    check = resume_check(log, SIGNER.vkey, state)
    while next(check).entries < 2 * SPAN_ENTRIES:
        pass
    check.close()
    assert counts(log, state)[0] in {SPAN_ENTRIES, 2 * SPAN_ENTRIES}


def test_a_state_with_any_byte_altered_is_refused(log: Path, state: Path) -> None:
    counts(log, state)
    kept = state.read_bytes()
    assert state.stat().st_mode & 0o777 == 0o600
    for position in range(len(kept)):
        altered = bytearray(kept)
        altered[position] ^= 1
        state.write_bytes(altered)
        with pytest.raises(IntegrityError, match="remove it"):
            next(resume_check(log, SIGNER.vkey, state))


def test_a_state_that_knows_other_roots_is_never_believed(log: Path, state: Path) -> None:
    counts(log, state)
    known = read_known(state, [SIGNER.vkey])
    write_known(state, SIGNER.vkey, [KnownSpan(bytes(32), known[0].identity), *known[1:]])
    with pytest.raises(IntegrityError, match="not what the log holds"):
        counts(log, state)


def test_a_state_of_another_log_is_refused(log: Path, state: Path) -> None:
    counts(log, state)
    text = state.read_text()
    with pytest.raises(IntegrityError, match="remove it"):
        list(resume_check(log, "example.org/other+00000000+AAAA", state))
    assert state.read_text() == text
