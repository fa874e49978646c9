"""Flip one bit in every class of stored thing, thousands of times, and count what the checks tell.

    python -m scripts.tamper_drill                      # 10^4 entries, at least 2,000 flips
    python -m scripts.tamper_drill --entries 1000 --flips 100 --seed 7

A home is made with contracts, agreements and events, and a log that a witness cosigns. Then, one at a time: a byte of a
file (every class of file in the home), a stored value (every column of every table of every database), a byte or a
field of an evidence file. Each flip is looked at by the check that ``quanze fsck`` makes of that store; if that finds
nothing, by a whole ``fsck``; if that finds nothing either, by opening a copy of the home. Then it is put back. What
nobody tells is counted as missed, named at the end, and makes the command fail.

Of a database the values are flipped, not the file's bytes: a page also holds free space, counters and what was there
before, which mean nothing and which no reader is shown.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import shutil
import socket
import sqlite3
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pydantic import SecretStr
from rich.console import Console
from rich.table import Table

from ledger import bootstrap
from ledger.domain import canonical
from ledger.domain.errors import LedgerError
from ledger.evidence import verify
from ledger.log.cosignature import Cosigner
from ledger.log.note import Ed25519Verifier
from ledger.settings import Settings
from ledger.witnessing.serving import serve
from ledger.witnessing.state import WitnessState, make_state
from ledger.witnessing.witness import Witness
from scripts.bench.evidence import fill, report

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ledger.service.services import Services

DATABASES: Final = {"vault": "vault.db", "chain": "chain/journal.db", "outbox": "outbox.db", "index": "index.db"}
"""Store, as ``fsck`` names it, and its database."""

OTHERS: Final = {"chain": ("journal",), "vault": ("numbers",), "index": ("numbers",), "log": ("checkpoint",)}
"""Store → further checks of what is in its database."""

FILES: Final = {
    "log: bundles": ("log", "log/tile/entries/**/*"),
    "log: tiles": ("log", "log/tile/[0-9]*/**/*"),
    "log: checkpoint": ("log", "log/checkpoint"),
    "log: journal": ("log", "log/wal/*.wal"),
    "events: batches": ("events", "events/*.evt"),
    "chain: snapshots": ("chain", "chain/snapshots/*"),
    "keys": ("keys", "keys/*"),
    "config": ("config", "config.json"),
    "witnesses": ("config", "witnesses.json"),
    "dedup index": ("dedup", "told/*"),
}
"""Class of files → the store, and where they are."""


@dataclass
class Tally:
    """What became of a class's flips."""

    flips: int = 0
    told: Counter[str] = field(default_factory=Counter)
    missed: list[str] = field(default_factory=list)


class Drill:
    """A home, its checks, and what was counted."""

    def __init__(self, services: Services, settings: Settings, seed: int) -> None:
        self.services, self.settings = services, settings
        self.home = Path(settings.home)
        self.random = random.Random(seed)  # noqa: S311 - Places to flip, no secret.
        self.tallies: dict[str, Tally] = {}
        self.checks = {check.what: check for check in services.store_checks}

    # What a flip is looked at by.

    def told_by(self, store: str) -> tuple[str, str]:
        """Return which check told of the flip, and its words; two empty texts if none did."""
        checks: tuple[tuple[str, Callable[[], str]], ...] = (
            ("the store's check", partial(self.own, store)),
            ("fsck", self.whole),
            ("opening", self.opened),
        )
        for name, check in checks:
            try:
                found = check()
            except LedgerError as error:
                found = error.explain()
            except (OSError, ValueError, sqlite3.DatabaseError) as error:  # Told, though by no name of ours.
                found = f"{type(error).__name__}: {error}"
            if found:
                return name, found
        return "", ""

    def own(self, store: str) -> str:
        """Return what the store's own check tells first."""
        for name in (store, *OTHERS.get(store, ())):
            if name in self.checks:
                _, found = self.checks[name].run(lambda _what, _done, _total: None)
                if found:
                    return f"{found[0].what} {found[0].entry}: {found[0].reason}"
        return ""

    def whole(self) -> str:
        """Return what a whole fsck tells first."""
        found = self.services.dispatch("fsck", {})["defects"]
        return f"{found[0]['what']} {found[0]['entry']}: {found[0]['reason']}" if found else ""

    def opened(self) -> str:
        """Return what opening a copy of the home tells."""
        with tempfile.TemporaryDirectory(dir=self.home.parent) as folder:
            copy = Path(folder) / "home"
            shutil.copytree(self.home, copy, ignore=shutil.ignore_patterns("*.sock"))
            bootstrap.open_home(self.settings.model_copy(update={"home": copy})).close()
            # An index with another schema is set aside with a warning, and made anew.
            return "the index was set aside" if (copy / "index.db.damaged").exists() else ""

    def count(self, name: str, store: str, what: str) -> None:
        """Look at a flip that was made, and count it."""
        tally = self.tallies.setdefault(name, Tally())
        tally.flips += 1
        teller, _ = self.told_by(store)
        if teller:
            tally.told[teller] += 1
        else:
            tally.missed.append(what)

    # Flips.

    def flip_file(self, name: str, store: str, path: Path) -> None:
        """Flip a bit of a file, look, and put it back."""
        kept = path.read_bytes()
        if not kept:
            return
        position, bit = self.random.randrange(len(kept)), self.random.randrange(8)
        altered = bytearray(kept)
        altered[position] ^= 1 << bit
        path.write_bytes(altered)
        try:
            self.count(name, store, f"{path.relative_to(self.home)} byte {position} bit {bit}")
        finally:
            path.write_bytes(kept)

    def flip_value(self, store: str, table: str, column: str) -> bool:
        """Flip a bit of a random value of a column, look, and put it back; False if there is no value."""
        path = self.home / DATABASES[store]
        with contextlib.closing(sqlite3.connect(path, isolation_level=None, timeout=30)) as connection:
            connection.execute("PRAGMA ignore_check_constraints = ON")
            key = _key_of(connection, table)
            names = ", ".join(f'"{part}"' for part in key)
            rows = connection.execute(
                f'SELECT {names}, "{column}" FROM "{table}" WHERE "{column}" IS NOT NULL AND length("{column}") > 0'  # noqa: S608
            ).fetchall()
            if not rows:
                return False
            *place, value = self.random.choice(rows)
            where = " AND ".join(f'"{part}" IS ?' for part in key)
            flipped = self.altered(value)
            update = f'UPDATE "{table}" SET "{column}" = ? WHERE {where}'  # noqa: S608
            after = [flipped if part == column else old for part, old in zip(key, place, strict=True)]
            try:
                connection.execute(update, (flipped, *place))
            except sqlite3.IntegrityError:
                return True  # The database itself refuses the value, so none can store it.
            try:
                self.count(f"{store}: {table}", store, f"{table}.{column} of {place}: {value!r} to {flipped!r}"[:300])
            finally:
                connection.execute(update, (value, *after))
        return True

    def altered(self, value: Any) -> Any:
        """Return a stored value with one bit flipped."""
        match value:
            case int():
                return value ^ (1 << self.random.randrange(max(1, value.bit_length())))
            case bytes():
                position = self.random.randrange(len(value))
                return (
                    value[:position] + bytes((value[position] ^ 1 << self.random.randrange(8),)) + value[position + 1 :]
                )
            case _:
                position = self.random.randrange(len(value))
                return value[:position] + chr(ord(value[position]) ^ 1) + value[position + 1 :]

    def flip_evidence(self, name: str, content: bytes, root: bytes, flips: int, fields: int) -> None:
        """Flip so many bits of an evidence file, and of so many of its fields."""
        for _ in range(flips):
            position, bit = self.random.randrange(len(content)), self.random.randrange(8)
            altered = content[:position] + bytes((content[position] ^ 1 << bit,)) + content[position + 1 :]
            self._count_evidence(f"evidence: {name}, bytes", altered, root, f"byte {position} bit {bit}")
        every = list(_fields(json.loads(content)))
        for path in self.random.sample(every, min(fields, len(every))):
            value: Any = json.loads(content)
            *way, last = path
            holder = value
            for step in way:
                holder = holder[step]
            holder[last] = self.altered(holder[last]) if holder[last] not in ("", None, True, False) else "x"
            with contextlib.suppress(LedgerError):
                self._count_evidence(f"evidence: {name}, fields", canonical.encode(value), root, str(path))

    def _count_evidence(self, name: str, altered: bytes, root: bytes, what: str) -> None:
        tally = self.tallies.setdefault(name, Tally())
        tally.flips += 1
        failed = verify(altered, root).failed
        if failed is None:
            tally.missed.append(what)
        else:
            tally.told["verify"] += 1


def main() -> int:
    """Make a home, flip, and print what was told."""
    parser = argparse.ArgumentParser(prog="python -m scripts.tamper_drill", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--entries", type=int, default=10_000)
    parser.add_argument("--flips", type=int, default=2_000, help="at least so many of what is stored")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    began = time.perf_counter()
    console = Console(width=150)
    with made_home(options.entries) as drill:
        size = drill.services.log.size()
        drill.random.seed(options.seed)
        if drill.whole():
            raise SystemExit(f"the home has a defect before any flip: {drill.whole()}")
        run(drill, options.flips)
    table = Table(
        "class", "flips", "told by", "missed", title=f"Flips in a home of {size:,} entries, seed {options.seed}"
    )
    for name, tally in sorted(drill.tallies.items()):
        told = ", ".join(f"{teller} {count}" for teller, count in tally.told.most_common())
        table.add_row(name, str(tally.flips), told, str(len(tally.missed)))
    console.print(table)
    flips, missed = (
        sum(values) for values in zip(*((t.flips, len(t.missed)) for t in drill.tallies.values()), strict=True)
    )
    for name, tally in drill.tallies.items():
        for what in tally.missed[:5]:
            console.print(f"MISSED {name}: {what}", markup=False)
    console.print(f"{flips:,} flips in {len(drill.tallies)} classes, {flips - missed:,} told, {missed} missed; "
                  f"{time.perf_counter() - began:.0f} s")  # fmt: skip
    return 1 if missed else 0


def run(drill: Drill, flips: int, fields: int = 1 << 30) -> None:
    """Flip at least so many bits, spread over every class, and of so many fields of each evidence file."""
    columns = list(_columns(drill.home))
    for store, table, column in columns:
        drill.flip_value(store, table, column)
    evidence = evidence_files(drill.services)
    root = evidence.pop("trust root")
    for name, content in evidence.items():
        drill.flip_evidence(name, content, root, max(1, flips // 10), fields)
    classes = [
        (name, store, sorted(p for p in drill.home.glob(where) if p.is_file()))
        for name, (store, where) in FILES.items()
    ]
    present = [(name, store, paths) for name, store, paths in classes if paths]
    while True:
        for name, store, paths in present:
            for _ in range(4 if store in {"log", "events"} else 1):
                drill.flip_file(name, store, drill.random.choice(paths))
        for store, table, column in drill.random.sample(
            [one for one in columns if one[0] in {"vault", "chain", "outbox"}], 6
        ):
            drill.flip_value(store, table, column)
        if sum(tally.flips for name, tally in drill.tallies.items() if not name.startswith("evidence")) >= flips:
            return


class made_home:  # noqa: N801 - It is used as a function.
    """A home with a log of so many entries, open; removed afterwards."""

    def __init__(self, entries: int) -> None:
        self._entries = entries
        Path("build").mkdir(exist_ok=True)
        self._folder = tempfile.TemporaryDirectory(dir="build")

    def __enter__(self) -> Drill:
        folder = Path(self._folder.name)
        settings = Settings(
            home=folder / "home",
            passphrase=SecretStr("drill"),
            keystore_scrypt_n=2,
            block_time_lead_max_s=3600,
            witnesses=folder / "policy",
        )
        with contextlib.ExitStack() as opened:
            bootstrap.init_home(settings)
            log_key = json.loads((settings.home / "config.json").read_bytes())["log_vkey"]
            vkey, address = opened.enter_context(_witness(folder, log_key))
            (folder / "policy").write_text(f"witness w {vkey} {address}\nquorum w\n")
            self._services = bootstrap.open_home(settings)
            opened.callback(self._services.close)
            agreement, _ = fill(self._do)
            for _ in range(0, self._entries, 1_000):
                report(self._do, agreement, min(1_000, self._entries))
                self._services.dispatch("anchor", {})
            self._services.intake.seal()
            self._services.indexing.catch_up()
            self._opened = opened.pop_all()
        return Drill(self._services, settings, 0)

    def _do(self, verb: str, **arguments: object) -> Any:
        return self._services.dispatch(verb, arguments)

    def __exit__(self, *_: object) -> None:
        self._opened.close()
        self._folder.cleanup()


@contextlib.contextmanager
def _witness(folder: Path, log_key: str) -> Iterator[tuple[str, str]]:
    """Serve a witness of the log; yield its key and its address."""
    key = Ed25519Verifier.from_vkey(log_key)
    cosigner = Cosigner.from_seed("witness.example/drill", bytes(32), lambda: 0)
    make_state(folder / "witness")
    stop = threading.Event()
    with (
        contextlib.closing(WitnessState.open(folder / "witness")) as state,
        socket.create_server(("127.0.0.1", 0)) as listener,
    ):
        serving = threading.Thread(target=serve, args=(Witness(state, cosigner, {key.name: (key,)}), listener, stop))
        serving.start()
        try:
            yield cosigner.vkey, f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            stop.set()
            serving.join()


def evidence_files(services: Services) -> dict[str, bytes]:
    """Return an evidence file of each kind, and the trust root."""

    def made(verb: str, **arguments: object) -> bytes:
        content: str = services.dispatch(verb, arguments)["content"]
        return content.encode()

    (agreement,) = services.state.ids("agreement")
    reporter = services.index.fact(3)
    assert reporter is not None
    return {
        "trust root": made("trust-root.export"),
        "event": made("evidence.export", kind="event", id="3"),
        "agreement": made("evidence.export", kind="agreement", id=agreement.hex()),
        "events": made("evidence.events", entries="3..22"),
        "stream": made("evidence.stream", reporter=reporter.reporter, agreement=agreement.hex(), first=2, last=11),
    }


def _columns(home: Path) -> Iterator[tuple[str, str, str]]:
    for store, name in DATABASES.items():
        with contextlib.closing(sqlite3.connect(home / name)) as connection:
            tables = connection.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
            )
            for (table,) in tables.fetchall():
                for column in connection.execute(f"PRAGMA table_info('{table}')").fetchall():
                    yield store, table, column[1]


def _key_of(connection: sqlite3.Connection, table: str) -> list[str]:
    columns = connection.execute(f"PRAGMA table_info('{table}')").fetchall()
    return [column[1] for column in columns if column[5]] or ["rowid"]


def _fields(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the way to each value that is not an object or a list."""
    if isinstance(value, dict):
        for name, part in value.items():
            yield from _fields(part, (*path, name))
    elif isinstance(value, list):
        for place, part in enumerate(value):
            yield from _fields(part, (*path, place))
    else:
        yield path


if __name__ == "__main__":
    raise SystemExit(main())
