"""Every byte of a home's record counts: opening refuses another one, or fsck names what is another."""

from __future__ import annotations

import contextlib
import json
import re
import sqlite3
from typing import TYPE_CHECKING

import pytest

from ledger import bootstrap
from ledger.domain.errors import IntegrityError, LedgerError
from ledger.home import read_record, write_record
from tests.api.world import make_world

if TYPE_CHECKING:
    from pathlib import Path

    from ledger.settings import Settings


def told(settings: Settings) -> bool:
    """Say whether opening refuses the home, or its checks find something."""
    try:
        services = bootstrap.open_home(settings)
    except LedgerError:
        return True
    try:
        return bool(services.dispatch("fsck", {})["defects"])
    finally:
        services.close()


def test_every_number_and_name_of_the_record_is_told_when_it_is_another(tmp_path: Path) -> None:
    world = make_world(tmp_path / "home")
    world.append("reporter-p", {})
    settings, record = world.services.settings, tmp_path / "home" / "config.json"
    world.services.close()
    assert not told(settings)
    whole = record.read_text()
    altered = [
        *(_with_another_block(whole, name) for name in ("AccessManager", "AgreementLedger", "CheckpointAnchor")),
        whole.replace("AccessManager", "AccessManagdr", 1),
        whole.replace('"demonstration": false', '"demonstration": true', 1),
        whole.replace('"genesis_time": 1', '"genesis_time": 2', 1),
        whole.replace('"engine": "embedded"', '"engine": "embeddee"', 1),
        _with_a_capital(whole),
    ]
    for text in altered:
        assert text != whole
        record.write_text(text)
        assert told(settings), text
    record.write_text(whole)
    assert not told(settings)


def _with_another_block(text: str, contract: str) -> str:
    found = re.search(rf'"{contract}": \{{[^}}]*"block": (\d+)', text)
    assert found is not None
    return text[: found.start(1)] + str(int(found[1]) ^ 1) + text[found.end(1) :]


def _with_a_capital(text: str) -> str:
    """Return the text with a letter of the genesis hash as a capital, which means the same."""
    start = text.index("genesis_hash") + len('genesis_hash": "')
    place = next(at for at in range(start, start + 64) if text[at].isalpha())
    return text[:place] + text[place].upper() + text[place + 1 :]


def test_a_record_with_a_digest_is_refused_with_any_bit_flipped(tmp_path: Path) -> None:
    path = tmp_path / "witnesses.json"
    value = {"eras": [{"since": 1, "keys": ["w1+0011"], "threshold": 1}], "place": "é"}
    write_record(path, value)
    whole = path.read_bytes()
    assert read_record(path, "witnesses") == value
    for position in range(len(whole)):
        for bit in range(8):
            path.write_bytes(whole[:position] + bytes((whole[position] ^ 1 << bit,)) + whole[position + 1 :])
            with pytest.raises(IntegrityError, match="altered or is damaged"):
                read_record(path, "witnesses")
    for other in (whole[:-1], whole + b"\n", b"[]", b"", b"[" * 100_000, json.dumps(value).encode()):
        path.write_bytes(other)
        with pytest.raises(IntegrityError, match=r"witnesses\.json"):
            read_record(path, "witnesses")


def test_the_order_of_transactions_and_the_form_of_the_logs_key_are_told(tmp_path: Path) -> None:
    world = make_world(tmp_path / "home")
    settings, home = world.services.settings, world.services.home
    world.services.close()
    for last in (False, True):
        with contextlib.closing(sqlite3.connect(home.chain / "journal.db")) as plain, plain:
            number = plain.execute(f"SELECT {'max' if last else 'min'}(seq) FROM transactions").fetchone()[0]
            plain.execute("UPDATE transactions SET seq = 0 WHERE seq = ?", (number,))
        assert told(settings)
        with contextlib.closing(sqlite3.connect(home.chain / "journal.db")) as plain, plain:
            plain.execute("UPDATE transactions SET seq = ? WHERE seq = 0", (number,))
    key = home.keys / "log.ed25519"
    whole = key.read_bytes()
    key.write_bytes(whole.replace(b"quanze-log-key-v1", b"quanze-log-key-v3"))
    assert told(settings)
    key.write_bytes(whole)
    assert not told(settings)
