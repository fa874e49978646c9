"""A log whose files are published in S3-compatible storage: outages, crashes, other logs, and moves."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ledger.domain.errors import IntegrityError, InvalidInputError, UnavailableError
from ledger.log.client import verify_log
from ledger.log.note import Ed25519Signer, Ed25519Verifier
from ledger.log.storage import FolderFetcher, FolderLog, check_folder
from ledger.log.storage.bucket import Bucket
from ledger.log.storage.layered import LayeredFetcher
from ledger.log.storage.published import Published
from ledger.log.tree import leaf_hash, root_of
from tests.log.conftest import numbered
from tests.log.moving_writer import SIGNER
from tests.log.s3 import BUCKET, CREDENTIALS, s3_server

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
STEPS = [
    "full files shipped", "partial files shipped", "checkpoint shipped", "files verified", "rest verified",
    "store switched", "folder trimmed",
]  # fmt: skip


class StoppedError(Exception):
    """The process ends here."""


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with s3_server(tmp_path_factory.mktemp("s3") / "log") as address:
        yield address


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)


class Home:
    """A log, where it is published, and the record of that: what a home holds."""

    def __init__(self, folder: Path, signer: Ed25519Signer) -> None:
        self.folder = folder
        self.record = ("", "")
        self.stop_at = ""
        self.key = Ed25519Verifier.from_vkey(signer.vkey)
        self._signer = signer
        self.open()

    def open(self) -> None:
        self.files = LayeredFetcher(FolderFetcher(self.folder))
        self.log = FolderLog.open(self.folder, signer=self._signer, origin=self._signer.name, archive=self.files)
        address, endpoint = self.record
        self.published = Published(
            self.folder, self.log, self.files, keys=[self.key], address=address, endpoint=endpoint,
            keep=self._keep, at_step=self._at_step,
        )  # fmt: skip

    def reopen(self) -> None:
        self.log.close()
        self.open()

    def grow(self, count: int) -> None:
        self.log.append(numbered(self.log.size(), count))
        self.log.publish_checkpoint()

    def check(self) -> None:
        """Check that the log has every entry and proves it, wherever the files are."""
        size = self.log.size()
        assert list(self.log.leaves(0, size)) == numbered(0, size)
        assert self.log.root(size) == root_of(map(leaf_hash, numbered(0, size)))
        for index in (0, size // 2, size - 1):
            self.log.inclusion_proof(index, size)
        self.log.consistency_proof(size // 3 + 1, size)

    def _keep(self, address: str, endpoint: str) -> None:
        self.record = (address, endpoint)

    def _at_step(self, name: str) -> None:
        if name == self.stop_at:
            raise StoppedError(name)


@pytest.fixture
def home(tmp_path: Path, signer: Ed25519Signer) -> Iterator[Home]:
    made = Home(tmp_path / "log", signer)
    yield made
    made.log.close()


@pytest.fixture
def address(tmp_path: Path) -> str:
    return f"s3://{BUCKET}/{tmp_path.name}"


def size_in(home: Home, address: str, s3: str) -> int:
    """Recompute the log that readers of the store get; return its size."""
    *_, last = verify_log(Bucket(address, s3), home.key)
    return last.entries


@pytest.mark.parametrize("sizes", [[1], [255, 1, 1], [256], [600, 40], [66_000, 300]])
def test_log_in_a_store_is_the_log_in_the_folder(home: Home, address: str, s3: str, sizes: list[int]) -> None:
    home.grow(3)
    home.published.move(address, s3)
    for size in sizes:
        home.grow(size)
        assert home.published.ship() == home.log.size()
        assert size_in(home, address, s3) == home.log.size()
    home.check()
    home.reopen()
    home.check()
    home.grow(1)
    home.published.ship()
    assert size_in(home, address, s3) == home.log.size()


def test_folder_keeps_only_what_opening_reads(home: Home, address: str, s3: str) -> None:
    home.grow(66_000)
    home.published.move(address, s3)
    home.reopen()  # Closing shortened the journal, so that everything before it may go.
    home.grow(300)
    home.published.ship()
    assert not (home.folder / "tile" / "entries" / "000").exists()
    assert not (home.folder / "tile" / "0" / "255").exists()
    assert (home.folder / "tile" / "0" / "256").exists()
    assert (home.folder / "tile" / "1" / "000").exists()
    home.reopen()
    home.check()


def test_partial_files_that_full_ones_replaced_go_from_the_store(home: Home, address: str, s3: str) -> None:
    home.grow(200)
    home.published.move(address, s3)
    store = Bucket(address, s3)
    home.grow(100)
    home.published.ship()
    assert store.exists("tile/0/000.p/200")
    home.grow(1)
    home.published.ship()
    assert sorted(store.names("tile/0")) == ["tile/0/000", "tile/0/001.p/44", "tile/0/001.p/45"]
    store.put("tile/0/000.p/7", b"left by a crash")
    (home.folder / "wal" / "shipped-partials").unlink()
    home.reopen()
    home.published.ship()
    assert not store.exists("tile/0/000.p/7")


def test_store_that_is_down_stops_nothing_and_gets_the_rest_by_itself(home: Home, address: str, tmp_path: Path) -> None:
    with s3_server(tmp_path / "server") as first:
        home.published.move(address, first)
        home.grow(300)
        home.published.ship()
    for _ in range(3):
        home.grow(1000)
        with pytest.raises(UnavailableError):
            home.published.ship()
    home.check()
    home.reopen()
    home.check()
    # moto forgets what it had, so the next one is an empty store at the same address: everything is brought again.
    with s3_server(tmp_path / "server", int(first.rsplit(":", 1)[1])):
        assert home.published.ship() == 3300
        assert size_in(home, address, first) == 3300


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("to_folder", [False, True])
def test_move_that_is_stopped_at_any_step_goes_on(
    home: Home, address: str, s3: str, tmp_path: Path, step: str, *, to_folder: bool
) -> None:
    to, endpoint = (str(tmp_path / "public"), "") if to_folder else (address, s3)
    home.grow(17_000)
    home.reopen()
    home.stop_at = step
    with pytest.raises(StoppedError):
        home.published.move(to, endpoint)
    home.stop_at = ""
    assert home.record == ((to, endpoint) if step in {"store switched", "folder trimmed"} else ("", ""))
    home.grow(300)
    home.reopen()
    home.published.ship()
    home.check()
    home.grow(10)
    assert home.published.move(to, endpoint) == 17_310
    assert home.record == (to, endpoint)
    store = FolderFetcher(tmp_path / "public") if to_folder else Bucket(address, s3)
    *_, last = verify_log(store, home.key)
    assert last.entries == 17_310
    home.check()


def test_log_comes_back_from_a_store_to_its_own_folder(
    home: Home, address: str, s3: str, signer: Ed25519Signer
) -> None:
    home.grow(1000)
    home.published.move(address, s3)
    home.reopen()
    home.grow(1000)
    home.published.ship()
    assert not (home.folder / "tile" / "entries" / "000").exists()
    home.stop_at = "files verified"
    with pytest.raises(StoppedError):
        home.published.move(str(home.folder))
    home.stop_at = ""
    home.reopen()
    home.grow(300)
    assert home.published.move(str(home.folder)) == 2300
    assert home.record == ("", "")
    *_, last = check_folder(home.folder, signer.vkey)
    assert last.entries == 2300
    home.reopen()
    home.grow(300)
    assert home.published.ship() == 2600
    assert size_in(home, address, s3) == 2000


def test_log_moves_from_one_store_to_another(home: Home, address: str, s3: str) -> None:
    home.grow(700)
    home.published.move(address, s3)
    home.reopen()
    home.grow(300)
    home.published.ship()
    assert home.published.move(f"{address}-2", s3) == 1000
    home.grow(300)
    home.published.ship()
    assert size_in(home, f"{address}-2", s3) == 1300
    home.check()


def test_store_of_another_log_is_refused_and_stays(home: Home, address: str, s3: str) -> None:
    home.grow(10)
    store = Bucket(address, s3)
    store.put("checkpoint", b"another log's\n")
    with pytest.raises(InvalidInputError, match="holds this log"):
        home.published.move(address, s3)
    assert home.record == ("", "")
    assert store.read("checkpoint") == b"another log's\n"


def test_store_that_knows_a_later_state_stops_an_older_copy(
    home: Home, address: str, s3: str, tmp_path: Path, signer: Ed25519Signer
) -> None:
    home.grow(10)
    home.published.move(address, s3)
    home.log.close()
    shutil.copytree(home.folder, tmp_path / "older")
    home.open()
    home.grow(600)
    home.published.ship()
    older = Home(tmp_path / "older", signer)
    older.record = home.record
    older.reopen()
    with closing(older.log):
        with pytest.raises(IntegrityError, match="later checkpoint"):
            older.published.ship()
        older.log.append([b"another entry"] * 700)
        older.log.publish_checkpoint()
        with pytest.raises(IntegrityError, match="another history"):
            older.published.ship()
    assert size_in(home, address, s3) == 610


@pytest.mark.parametrize("path", ["tile/0/000", "tile/entries/001", "tile/entries/002.p/88"])
def test_move_finds_what_another_store_altered(home: Home, address: str, s3: str, path: str) -> None:
    home.grow(600)
    home.stop_at = "checkpoint shipped"
    with pytest.raises(StoppedError):
        home.published.move(address, s3)
    home.stop_at = ""
    store = Bucket(address, s3)
    data = bytearray(store.read(path))
    data[-1] ^= 1
    store.put(path, bytes(data))
    with pytest.raises(Exception, match=path) as noticed:
        home.published.move(address, s3)
    assert noticed.type.__name__ in {"BadEntryError", "BadTileError", "IntegrityError"}
    assert home.record == ("", "")


def test_entries_go_on_while_the_log_moves(home: Home, address: str, s3: str) -> None:
    home.grow(30_000)
    grown: list[str] = []

    def told(what: str, _done: int, _total: int) -> None:
        if len(grown) < 20:
            home.grow(100)
            grown.append(what)

    assert home.published.move(address, s3, told) >= 30_000 + 100 * len(grown)
    assert {"copied", "verified"} == set(grown)
    home.published.ship()
    assert size_in(home, address, s3) == home.log.size()
    home.check()


@pytest.mark.slow
def test_move_that_is_killed_at_each_step_loses_nothing_and_goes_on(s3: str, tmp_path: Path) -> None:
    folder, record = tmp_path / "log", tmp_path / "store.json"
    bucket = f"s3://{BUCKET}/{tmp_path.name}"
    sizes = [0]

    def run(to: str, endpoint: str, step: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, str(ROOT / "tests" / "log" / "moving_writer.py"), folder, record, to, endpoint, step],
            capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip

    for to, endpoint in ((bucket, s3), (str(folder), "")):
        for step in STEPS:
            killed = run(to, endpoint, step)
            assert killed.returncode in {-signal.SIGKILL, 0}, killed.stderr
        done = run(to, endpoint, "-")
        assert done.returncode == 0, done.stderr
        sizes.append(int(done.stdout))
        assert sizes[-1] > sizes[-2]
        files = Bucket(to, endpoint) if endpoint else FolderFetcher(Path(to))
        *_, last = verify_log(files, Ed25519Verifier.from_vkey(SIGNER.vkey))
        assert last.entries == sizes[-1]
    print(f"{2 * len(STEPS)} runs, 2 moves, {sizes[-1]} entries compared")
