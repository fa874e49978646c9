"""The plain log over real sockets: what it takes, in which order it answers, and what it refuses."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from ledger.log.client import read_entry, verify_log
from ledger.log.cosignature import CosignatureVerifier
from ledger.log.note import Ed25519Verifier, keys_that_signed, parse_note
from ledger.log.tiles import entries_path
from tests.opaque.client import HTTPFetcher, Reader, add, ask, checkpoint_over, get, post
from tests.opaque.server import QUANZE, environment, running, running_with

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.opaque.server import Running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("plain") / "home") as found:
        yield found


def test_entry_is_answered_with_its_index_and_read_back_under_a_signed_checkpoint(server: Running) -> None:
    index = add(server, b"an entry")
    checkpoint = checkpoint_over(server, index + 1)
    assert read_entry(HTTPFetcher(server), index, checkpoint) == b"an entry"


def test_entry_sent_twice_is_two_entries(server: Running) -> None:
    first, second = add(server, b"twice"), add(server, b"twice")
    assert second > first
    checkpoint = checkpoint_over(server, second + 1)
    assert {read_entry(HTTPFetcher(server), index, checkpoint) for index in (first, second)} == {b"twice"}


def test_entries_of_one_connection_keep_their_order_and_so_do_the_answers(server: Running) -> None:
    with server.connect() as connection:
        connection.sendall(b"".join(post(b"ordered %d" % number) for number in range(600)))
        reader = Reader(connection)
        found = [int(reader.answer().body) for _ in range(600)]
    assert found == sorted(set(found))
    checkpoint = checkpoint_over(server, found[-1] + 1)
    for number in (0, 1, 299, 599):
        assert read_entry(HTTPFetcher(server), found[number], checkpoint) == b"ordered %d" % number


def test_answers_to_pipelined_reads_and_writes_come_in_the_order_of_the_requests(server: Running) -> None:
    with server.connect() as connection:
        connection.sendall(post(b"one") + get("/checkpoint") + get("/nothing") + post(b"") + post(b"two"))
        reader = Reader(connection)
        answers = [reader.answer() for _ in range(5)]
    assert [answer.status for answer in answers] == [200, 200, 404, 400, 200]
    assert int(answers[4].body) > int(answers[0].body)


def test_request_may_come_byte_by_byte_or_in_chunks(server: Running) -> None:
    with server.connect() as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in post(b"slow"):
            connection.sendall(bytes([byte]))
        reader = Reader(connection)
        index = int(reader.answer().body)
        head = b"POST /add HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n"
        connection.sendall(head + b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
        following = int(reader.answer().body)
    checkpoint = checkpoint_over(server, following + 1)
    assert read_entry(HTTPFetcher(server), index, checkpoint) == b"slow"
    assert read_entry(HTTPFetcher(server), following, checkpoint) == b"abcde"


def test_longest_entry_is_taken_and_a_longer_one_refused(server: Running) -> None:
    longest = bytes(range(256)) * 256
    index = add(server, longest[:65_535])
    assert read_entry(HTTPFetcher(server), index, checkpoint_over(server, index + 1)) == longest[:65_535]
    assert ask(server, post(longest)).status == 413
    with server.connect() as connection:
        connection.sendall(b"POST /add HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n")
        connection.sendall(b"8000\r\n" + bytes(0x8000) + b"\r\n8000\r\n" + bytes(0x8000) + b"\r\n0\r\n\r\n")
        reader = Reader(connection)
        assert reader.answer().status == 413
        assert reader.is_at_end()


def test_client_that_waits_for_leave_to_send_gets_it(server: Running) -> None:
    with server.connect() as connection:
        connection.sendall(b"POST /add HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        reader = Reader(connection)
        assert reader.answer(has_body=False).status == 100
        connection.sendall(b"hi")
        assert reader.answer().status == 200


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (post(b""), 400),
        (b"nonsense\r\n\r\n", 400),
        (b"POST /add HTTP/1.1\r\nContent-Length: 1\r\n\r\nx", 400),
        (b"POST /add HTTP/1.1\r\nHost: t\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\nx", 400),
        (b"POST /add HTTP/1.1\r\nHost: t\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxy", 400),
        (b"POST /add HTTP/1.1\r\nHost: t\r\nContent-Length: -1\r\n\r\nx", 400),
        (b"POST /add HTTP/1.1\r\nHost: t\r\nX: " + b"x" * 20_000 + b"\r\n\r\n", 431),
        (b"GET /" + b"x" * 3000 + b" HTTP/1.1\r\nHost: t\r\n\r\n", 414),
        (get("/add"), 405),
        (post(b"x", "/checkpoint"), 405),
        (get("/checkpoint", "DELETE"), 405),
        (get("/"), 404),
        (get("/tile/0/999"), 404),
        (get("/tile/../wal/lock"), 404),
        (get("/wal/lock"), 404),
        (get("/tile/entries/000.p/0"), 404),
        (get("/tile/%2e%2e/keys/log.private"), 404),
    ],
)
def test_what_is_no_proper_request_is_refused(server: Running, data: bytes, status: int) -> None:
    found = ask(server, data)
    assert found.status == status, found
    assert found.headers["cache-control"] == "no-store"


def test_method_that_is_not_allowed_is_told_which_are(server: Running) -> None:
    assert ask(server, get("/add")).headers["allow"] == "POST"
    assert ask(server, get("/checkpoint", "PUT")).headers["allow"] == "GET, HEAD"


def test_files_say_what_they_are_and_how_long_to_keep_them(server: Running) -> None:
    with server.connect() as connection:
        connection.sendall(b"".join(post(b"filler") for _ in range(256)))
        reader = Reader(connection)
        last = max(int(reader.answer().body) for _ in range(256))
    checkpoint_over(server, last + 1)
    checkpoint = ask(server, get("/checkpoint"))
    assert checkpoint.headers["content-type"] == "text/plain; charset=utf-8"
    assert "no-cache" in checkpoint.headers["cache-control"]
    for path in (entries_path(0), "tile/0/000"):
        found = ask(server, get(f"/{path}"))
        assert found.headers["content-type"] == "application/octet-stream"
        assert found.headers["cache-control"] == "public, max-age=31536000, immutable"
        head = ask(server, get(f"/{path}", "HEAD"), has_body=False)
        assert head.headers["content-length"] == str(len(found.body))


def test_whole_log_is_recomputed_over_http(server: Running) -> None:
    index = add(server, b"last")
    checkpoint_over(server, index + 1)
    *_, last = verify_log(HTTPFetcher(server), Ed25519Verifier.from_vkey(server.vkey))
    assert last.entries == last.size > index


def test_each_checkpoint_bears_the_logs_own_timestamped_cosignature(server: Running) -> None:
    index = add(server, b"when")
    checkpoint_over(server, index + 1)
    note = parse_note(ask(server, get("/checkpoint")).body)
    key = Ed25519Verifier.from_vkey(server.vkey)
    own = CosignatureVerifier(key.name, key.public_key)
    assert list(keys_that_signed(note, [key, own])) == [(key.name, key.key_id), (own.name, own.key_id)]
    assert len(note.signatures) == 2


def test_entries_beyond_what_may_wait_are_told_to_come_again(tmp_path: Path) -> None:
    with running_with(tmp_path / "home", entries=3) as server, server.connect() as connection:
        connection.sendall(b"".join(post(b"%d" % number) for number in range(50)))
        reader = Reader(connection)
        answers = [reader.answer() for _ in range(50)]
        assert {answer.status for answer in answers} == {200, 429}
        assert all(answer.headers["retry-after"] == "1" for answer in answers if answer.status == 429)
        taken = [number for number, answer in enumerate(answers) if answer.status == 200]
        checkpoint = checkpoint_over(server, len(taken))
        assert checkpoint.size == len(taken)
        fetcher = HTTPFetcher(server)
        assert [read_entry(fetcher, index, checkpoint) for index in range(len(taken))] == [b"%d" % n for n in taken]


def test_request_that_does_not_end_is_ended(tmp_path: Path) -> None:
    with running_with(tmp_path / "home", busy_s=1.0) as server, server.connect() as connection:
        connection.sendall(b"POST /add HTTP/1.1\r\nHost: t\r\nContent-Len")
        reader = Reader(connection)
        assert reader.answer().status == 408
        assert reader.is_at_end()


def test_connection_that_asks_nothing_is_closed(tmp_path: Path) -> None:
    with running_with(tmp_path / "home", busy_s=0.5, idle_s=1.0) as server, server.connect() as connection:
        assert connection.recv(1) == b""


def test_connection_beyond_the_limit_is_refused(tmp_path: Path) -> None:
    with running_with(tmp_path / "home", connections=2) as server:
        held = [server.connect() for _ in range(2)]
        for connection in held:
            connection.sendall(post(b"held"))
            assert Reader(connection).answer().status == 200
        with server.connect() as third:
            assert Reader(third).answer().status == 503
        for connection in held:
            connection.close()


def test_file_that_cannot_grow_costs_only_what_was_refused_meanwhile(tmp_path: Path) -> None:
    with running(tmp_path / "home") as server:
        first = add(server, b"before")
        server.limit_files(512)
        refused = ask(server, post(b"x" * 2000))
        assert refused.status == 503
        assert refused.headers["retry-after"] == "1"
        assert b"too large" in refused.body
        server.limit_files(1 << 30)
        deadline = time.monotonic() + 30
        while (found := ask(server, post(b"after"))).status == 503:
            assert time.monotonic() < deadline, found
        assert found.status == 200, found
        checkpoint = checkpoint_over(server, int(found.body) + 1)
        fetcher = HTTPFetcher(server)
        assert read_entry(fetcher, first, checkpoint) == b"before"
        assert read_entry(fetcher, int(found.body), checkpoint) == b"after"


def test_stopped_server_has_published_what_it_answered_and_goes_on_from_there(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with running(home) as server, server.connect() as connection:
        connection.sendall(post(b"x"))
        assert Reader(connection).answer().body == b"0"
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(30) == 0
    with running(home) as again:
        assert (again.vkey, again.size) == (server.vkey, 1)
        assert checkpoint_over(again, 0).size == 1
        assert add(again, b"y") == 1


def test_second_server_on_a_home_refuses(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with running(home):
        second = subprocess.run(
            [QUANZE, "log", "serve", "--opaque"], env=environment(home), capture_output=True, check=False
        )
    assert second.returncode == 5
    assert b"in use by another process" in second.stderr
