"""A plain log is killed again and again while clients write: what was answered is there, at its index."""

from __future__ import annotations

import random
import threading
from typing import TYPE_CHECKING

from ledger.log.client import check_extends
from ledger.log.storage import FolderFetcher, check_folder
from ledger.log.tiles import TILE_WIDTH, read_bundle, tile_width
from tests.opaque.client import Reader, checkpoint_over, post
from tests.opaque.server import running

if TYPE_CHECKING:
    from pathlib import Path

    from ledger.log.checkpoint import Checkpoint
    from tests.opaque.server import Running

LIVES = 6
CLIENTS = 8
PIPELINED = 16


def test_every_answered_entry_is_at_its_index_after_kills(tmp_path: Path) -> None:
    home = tmp_path / "home"
    chance = random.Random(20_261_124)
    answered: dict[int, bytes] = {}
    published: Checkpoint | None = None
    for life in range(LIVES):
        with running(home) as server:
            goal = len(answered) + chance.randrange(300, 1500)
            threads = [
                threading.Thread(target=write, args=(server, f"{life}-{client}", answered)) for client in range(CLIENTS)
            ]
            for thread in threads:
                thread.start()
            while len(answered) < goal:
                checkpoint = checkpoint_over(server, 0)
                if published is not None:
                    assert checkpoint.size >= published.size
                published = checkpoint
            server.kill()
            for thread in threads:
                thread.join()
    with running(home) as server:
        assert server.size >= max(answered) + 1
        last = checkpoint_over(server, server.size)
        fetcher = FolderFetcher(home / "log")
        assert published is not None
        check_extends(fetcher, published, last)
    *_, checked = check_folder(home / "log", server.vkey)
    assert checked.entries == last.size
    entries: list[bytes] = []
    for bundle in range(-(-last.size // TILE_WIDTH)):
        entries += read_bundle(fetcher, bundle, tile_width(0, bundle, last.size))
    assert {index: entries[index] for index in answered} == answered
    assert len(set(entries)) == len(entries)


def write(server: Running, name: str, answered: dict[int, bytes]) -> None:
    """Send different entries, some at a time, until the server is gone; note each answer."""
    number = 0
    try:
        with server.connect() as connection:
            reader = Reader(connection)
            while True:
                entries = [f"{name}-{number + offset}".encode() for offset in range(PIPELINED)]
                number += PIPELINED
                connection.sendall(b"".join(map(post, entries)))
                for entry in entries:
                    answer = reader.answer()
                    assert answer.status == 200
                    index = int(answer.body)
                    assert index not in answered
                    answered[index] = entry
    except OSError:
        return
