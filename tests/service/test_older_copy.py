"""A home that was restored from an older copy is recognised by who knows better, does not write, and may be read."""

from __future__ import annotations

import json
import shutil
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from ledger import bootstrap
from ledger.domain.errors import InvalidInputError
from ledger.log.encoded import EncodedEntries
from ledger.service.ledger_time import ClockBackError
from ledger.service.older_copy import Known, LogRewrittenError, RestoredOlderCopyError, check_newest
from ledger.service.read_only import ReadOnlyHomeError
from ledger.settings import Settings
from tests.api.world import World, make_world

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class _Log:
    def size(self) -> int:
        return 5

    def root(self, size: int) -> bytes:
        return bytes([size]) * 32


def test_the_largest_size_that_is_known_decides() -> None:
    check_newest(_Log(), [Known("a", 5), Known("b", 4, bytes([4]) * 32)])
    with pytest.raises(RestoredOlderCopyError) as caught:
        check_newest(_Log(), [Known("a", 6), Known("b", 9), Known("c", 4)])
    assert (caught.value.fields["known_by"], caught.value.fields["known"], caught.value.fields["log"]) == ("b", 9, 5)
    with pytest.raises(LogRewrittenError):
        check_newest(_Log(), [Known("a", 5), Known("b", 4, bytes(32))])


def grow_and_restore(world: World, folder: Path, settings: Settings) -> Settings:
    """Back up, go on, lose the home and restore the backup; return the settings of the restored home."""
    world.append("reporter-p", {}, {})
    world.do("anchor")
    world.do("backup", folder=str(folder / "copy"))
    world.append("reporter-p", {}, {})
    world.do("anchor")
    home = world.services.home.path
    world.services.close()
    shutil.rmtree(home)
    restored = bootstrap.restore_home(settings, folder / "copy")
    assert restored["older_copy"]
    return settings


def check_refuses_and_can_be_read(settings: Settings, known_by: str) -> None:
    with pytest.raises(RestoredOlderCopyError) as caught:
        bootstrap.open_home(settings)
    assert known_by in str(caught.value.fields["known_by"])
    assert (caught.value.fields["log"], caught.value.fields["known"]) == (2, 4)
    world = World(bootstrap.open_home(settings.model_copy(update={"read_only": True})))
    try:
        assert known_by in str(world.do("status")["older_copy"])
        assert world.do("event.show", event="0")["index"] == 0
        with pytest.raises(ReadOnlyHomeError):
            world.do("agency.add", agency="ods:NEW", name_en="New")
        with pytest.raises(ReadOnlyHomeError):
            world.services.log.append_encoded([EncodedEntries.of([b"entry"])])
        assert world.services.log.size() == 2
    finally:
        world.services.close()


def test_the_high_water_record_recognises_an_older_copy(tmp_path: Path) -> None:
    record = tmp_path / "elsewhere" / "high-water"
    record.parent.mkdir()
    world = make_world(tmp_path / "home", high_water_file=record)
    settings = grow_and_restore(world, tmp_path, world.services.settings)
    assert json.loads(record.read_bytes())["size"] == 4
    check_refuses_and_can_be_read(settings, "high-water")


def test_a_high_water_record_that_cannot_be_read_or_is_anothers_is_refused(tmp_path: Path) -> None:
    record = tmp_path / "high-water"
    world = make_world(tmp_path / "home", high_water_file=record)
    world.append("reporter-p", {})
    world.do("anchor")
    settings = world.services.settings
    world.services.close()
    whole = json.loads(record.read_bytes())
    for altered in (b"", b"{}", json.dumps({**whole, "origin": "another"}).encode(), b'{"size":-1}'):
        record.write_bytes(altered)
        with pytest.raises(InvalidInputError, match="HIGH_WATER"):
            bootstrap.open_home(settings)
    record.write_bytes(json.dumps({**whole, "root": "00" * 32}).encode())
    with pytest.raises(LogRewrittenError):
        bootstrap.open_home(settings)
    record.unlink()
    bootstrap.open_home(settings).close()


@contextmanager
def witness(folder: Path, vkey: str) -> Iterator[str]:
    """Serve a witness of the log, and yield its address."""
    settings = Settings(home=folder, passphrase="w", keystore_scrypt_n=2)  # type: ignore[arg-type]
    bootstrap.init_witness(settings, "witness.example.org/w1")
    logs = folder / "logs"
    logs.write_text(f"log {vkey}\n")
    opened = bootstrap.open_witness(settings, logs)
    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=opened.serve, args=(listener,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.close()
        opened.close()


def test_a_witness_recognises_an_older_copy(tmp_path: Path) -> None:
    world = make_world(tmp_path / "home")
    settings = world.services.settings
    vkey = world.services.deployment.log_vkey
    world.services.close()
    with witness(tmp_path / "w", vkey) as address:
        key = bootstrap.witness_key(Settings(home=tmp_path / "w"))
        policy = tmp_path / "policy"
        policy.write_text(f"witness w1 {key} {address}\nquorum w1\n")
        settings = settings.model_copy(update={"witnesses": policy, "witness_timeout_ms": 5000})
        world.services = bootstrap.open_home(settings)
        grow_and_restore(world, tmp_path, settings)
        check_refuses_and_can_be_read(settings, "witness w1")


class _Clock:
    def __init__(self, now_ms: int) -> None:
        self.ms = now_ms

    def now_ms(self) -> int:
        return self.ms


def test_a_clock_that_goes_back_keeps_the_order_and_far_back_takes_no_event(tmp_path: Path) -> None:
    world = make_world(tmp_path / "home")
    try:
        (first,) = world.append("reporter-p", {})
        world.services.clock = _Clock(first["accepted_at_ms"] - 200_000)
        (second,) = world.append("reporter-p", {"occurred_at_ms": first["accepted_at_ms"] - 300_000})
        assert second["accepted_at_ms"] == first["accepted_at_ms"]
        world.services.clock = _Clock(first["accepted_at_ms"] - 400_000)
        with pytest.raises(ClockBackError):
            world.append("reporter-p", {"occurred_at_ms": first["accepted_at_ms"] - 500_000})
        world.services.clock = _Clock(first["accepted_at_ms"] + 5)
        (third,) = world.append("reporter-p", {"occurred_at_ms": first["accepted_at_ms"] - 500_000})
        assert (third["index"], third["accepted_at_ms"]) == (2, first["accepted_at_ms"] + 5)
        assert world.do("fsck")["defects"] == []
    finally:
        world.services.close()


def test_the_store_that_the_log_is_published_in_recognises_an_older_copy(tmp_path: Path) -> None:
    world = make_world(tmp_path / "home")
    settings = world.services.settings
    world.append("reporter-p", {}, {})
    world.do("anchor")
    world.do("log.migrate", to=str(tmp_path / "public"))
    world.do("backup", folder=str(tmp_path / "copy"))
    world.append("reporter-p", {}, {})
    world.do("anchor")
    world.services.published.ship()
    world.services.close()
    shutil.rmtree(settings.home)
    assert bootstrap.restore_home(settings, tmp_path / "copy")["older_copy"]
    check_refuses_and_can_be_read(settings, "store")
