"""Single entries read over HTTP and proved under a signed checkpoint, from servers that may lie."""

from __future__ import annotations

import contextlib
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from ledger.domain.errors import InvalidInputError, UnavailableError, VerificationError
from ledger.log.errors import MissingFileError
from ledger.log.http_fetcher import HTTPFetcher
from ledger.log.note import Ed25519Signer, Ed25519Verifier
from ledger.log.storage import FolderFetcher, FolderLog
from ledger.log.verified_reader import VerifiedReader

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

SIGNER = Ed25519Signer("read.example/log", bytes(range(32)))
VERIFIER = Ed25519Verifier.from_vkey(SIGNER.vkey)
SIZE = 256 * 256 + 256 * 3 + 17


def entry(index: int) -> bytes:
    return b"entry %d" % index


class Files:
    """Files of a folder, counted, some of them replaced."""

    def __init__(self, folder: Path) -> None:
        self.fetcher = FolderFetcher(folder)
        self.replaced: dict[str, bytes | None] = {}
        self.asked: list[str] = []
        self.trips = 0

    def read_many(self, paths: Sequence[str], /) -> list[bytes | None]:
        self.trips += 1
        return [self.read(path) for path in paths]

    def read(self, path: str) -> bytes | None:
        self.asked.append(path)
        if path in self.replaced:
            return self.replaced[path]
        try:
            return self.fetcher.read(path)
        except MissingFileError:
            return None


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("log")
    log = FolderLog.open(path, signer=SIGNER, origin=SIGNER.name)
    log.append([entry(index) for index in range(SIZE)])
    log.publish_checkpoint()
    log.close()
    return path


@pytest.fixture
def files(folder: Path) -> Files:
    return Files(folder)


def test_every_kind_of_place_is_read_and_proved(files: Files) -> None:
    reader = VerifiedReader(files, VERIFIER)
    for index in (0, 255, 256, 65_535, 65_536, SIZE - 18, SIZE - 17, SIZE - 1):
        assert reader.read(index) == entry(index)
    assert reader.checkpoint.size == SIZE


def test_later_read_of_a_bundle_is_one_trip_for_checkpoint_and_entries(files: Files) -> None:
    reader = VerifiedReader(files, VERIFIER)
    reader.read(1000)
    files.asked, files.trips = [], 0
    assert reader.read(1001) == entry(1001)
    assert (files.trips, files.asked) == (1, ["checkpoint", "tile/entries/003"])


def test_tiles_that_are_not_kept_are_asked_for_again(files: Files) -> None:
    reader = VerifiedReader(files, VERIFIER, kept_tiles=2)
    for index in (0, 300, 600, 900, 0):
        assert reader.read(index) == entry(index)
    assert files.asked.count("tile/0/000") == 2


@pytest.mark.parametrize(
    ("path", "index"),
    [
        ("tile/entries/003", 3 * 256),
        ("tile/0/003", 3 * 256),
        ("tile/1/000", 3 * 256),
        ("tile/entries/259.p/17", SIZE - 17),
        ("tile/0/259.p/17", SIZE - 17),
        ("tile/1/001.p/3", SIZE - 18),
        ("tile/2/000.p/1", 0),
    ],
)
@pytest.mark.parametrize("position", [0, -1])
def test_altered_file_is_refused(files: Files, path: str, index: int, position: int) -> None:
    good = files.read(path)
    assert good is not None
    altered = bytearray(good)
    altered[position] ^= 1
    files.replaced[path] = bytes(altered)
    if position == -1 and "entries" in path:
        index += 16 if ".p/" in path else 255
    with pytest.raises(VerificationError):
        VerifiedReader(files, VERIFIER).read(index)


def test_checkpoint_of_another_key_is_refused(files: Files) -> None:
    other = Ed25519Signer(SIGNER.name, bytes(32))
    with pytest.raises(VerificationError):
        VerifiedReader(files, Ed25519Verifier.from_vkey(other.vkey)).read(0)


def test_missing_file_is_named_and_an_index_beyond_the_log_refused(files: Files) -> None:
    reader = VerifiedReader(files, VERIFIER)
    for index in (SIZE, -1):
        with pytest.raises(InvalidInputError):
            reader.read(index)
    files.replaced["tile/entries/001"] = None
    with pytest.raises(MissingFileError, match="tile/entries/001"):
        reader.read(256)


def test_growing_log_is_followed_and_a_fork_of_it_refused(tmp_path: Path) -> None:
    one, two = (FolderLog.open(tmp_path / name, signer=SIGNER, origin=SIGNER.name) for name in ("one", "two"))
    with contextlib.closing(one), contextlib.closing(two):
        files = Files(tmp_path / "one")
        reader = VerifiedReader(files, VERIFIER)
        shrunk = b""
        for size in (1, 200, 256, 300, 70_000):
            first = one.size()
            for log in (one, two):
                log.append([entry(index) for index in range(first, size)])
                log.publish_checkpoint()
            assert reader.read(size - 1) == entry(size - 1)
            assert reader.read(0) == entry(0)
            shrunk = shrunk or one.checkpoint()
        files.replaced["checkpoint"] = shrunk
        with pytest.raises(VerificationError, match="shrank"):
            reader.refresh()
        one.append([b"one"])
        one.publish_checkpoint()
        two.append([b"two", b"more"])
        two.publish_checkpoint()
        files.replaced.clear()
        reader.refresh()
        files.fetcher = FolderFetcher(tmp_path / "two")
        with pytest.raises(VerificationError, match="those of before"):
            reader.refresh()
        assert reader.checkpoint.size == 70_001


def test_partial_files_that_gave_way_to_full_ones_are_read_from_these(tmp_path: Path) -> None:
    log = FolderLog.open(tmp_path, signer=SIGNER, origin=SIGNER.name)
    with contextlib.closing(log):
        log.append([entry(index) for index in range(300)])
        note = log.publish_checkpoint()
        log.append([entry(index) for index in range(300, 600)])
        log.publish_checkpoint()
        files = Files(tmp_path)
        files.replaced = {"checkpoint": note, "tile/0/001.p/44": None, "tile/entries/001.p/44": None}
        assert VerifiedReader(files, VERIFIER).read(299) == entry(299)


def test_log_is_read_over_http_with_several_files_a_trip(folder: Path) -> None:
    with serving(folder) as url, contextlib.closing(HTTPFetcher(url)) as fetcher:
        reader = VerifiedReader(fetcher, VERIFIER)
        for index in (0, 40_000, SIZE - 1):
            assert reader.read(index) == entry(index)
        assert fetcher.read_many(["tile/9/000"] * 70 + ["checkpoint"])[-2:] == [None, fetcher.read("checkpoint")]
        with pytest.raises(MissingFileError):
            fetcher.read("tile/9/000")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"nonsense\r\n\r\n", "no HTTP"),
        (b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n", "500"),
        (b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n", "302"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", "closed"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 40000000\r\n\r\n" + bytes(17_000_000), "longer than any file"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 3_000_000, "head of its answer is too long"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi" * 2, "what was not asked"),
        (b"", "closed"),
    ],
)
def test_server_that_answers_wrongly_is_unavailable(answer: bytes, reason: str) -> None:
    with answering(answer) as url, pytest.raises(UnavailableError) as refused:
        HTTPFetcher(url, timeout_s=10).read("checkpoint")
    assert reason in refused.value.reason


def test_server_that_closes_after_each_answer_is_asked_again() -> None:
    with answering(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi") as url:
        fetcher = HTTPFetcher(url)
        assert fetcher.read_many(["a", "b", "c"]) == [b"hi", b"hi", b"hi"]
        fetcher.close()


def test_server_that_is_not_there_is_unavailable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(UnavailableError):
        HTTPFetcher(f"http://127.0.0.1:{port}").read("checkpoint")


def test_file_that_is_gone_is_missing() -> None:
    gone = b"HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n"
    with (
        answering(gone) as url,
        contextlib.closing(HTTPFetcher(url, timeout_s=10)) as fetcher,
        pytest.raises(MissingFileError),
    ):
        fetcher.read("checkpoint")


@pytest.mark.parametrize(
    "url",
    [
        *("ftp://x/", "127.0.0.1:80", "http://", "http://x/?q=1", "http://x/#f", "http://x:99999/", "http://[x/"),
        *("http://x/a b", "http://x/é", "http://é/"),
    ],
)
def test_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(InvalidInputError):
        HTTPFetcher(url)


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Serve a folder's files as any web server might, but only to who lets no cache answer instead."""
    fetcher = FolderFetcher(folder)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if self.headers["Cache-Control"] != "no-cache":
                self.send_error(400)
                return
            try:
                content = fetcher.read(self.path.removeprefix("/some/place/"))
            except MissingFileError:
                self.send_response(404)
                content = b"none"
            else:
                self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            """Keep the test's output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/some/place"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextlib.contextmanager
def answering(answer: bytes) -> Iterator[str]:
    """Give every connection the same bytes after its first request, then close it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def run() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection, contextlib.suppress(OSError):
                    connection.recv(65_536)
                    connection.sendall(answer)
                    connection.shutdown(socket.SHUT_WR)
                    while connection.recv(65_536):
                        pass

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
