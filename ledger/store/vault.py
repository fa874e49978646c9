"""The vault: private documents by their commitments, durable before anything that commits to them.

A document is what a 32-byte root on chain or in a leaf stands for: salted groups, kept with their kind,
their visibility tier and what no commitment covers. The vault is written first; a crash may leave a
document that nothing refers to, never a reference without its document.

    vault = SQLiteVault(home / "vault.db")
    vault.put([document])          # durable when it returns; again is harmless
    vault.get(document.commitment)

Must stay true: a stored document is never changed; its groups hash to its commitment.
"""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from ledger.domain import canonical, commitment
from ledger.domain.errors import ConflictError, IntegrityError, InvalidInputError, NotFoundError
from ledger.service.ports import VaultDocument
from ledger.sqlite import copy_database, open_durable, transaction

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from ledger.domain.canonical import Json

_SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (
    sequence INTEGER PRIMARY KEY,
    commitment BLOB NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    body BLOB NOT NULL,
    digest BLOB NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS documents_by_kind ON documents (kind, sequence);
"""
_PAGE = 500
_COLUMNS = "commitment, kind, body, digest"


@dataclass(frozen=True, slots=True)
class VaultDefect:
    """A stored document that is not what it was when it was put."""

    commitment: bytes
    reason: str


class SQLiteVault:
    """The vault in one SQLite file. Threads may share it."""

    def __init__(self, path: Path) -> None:
        """Open or create the file. Raises as `ledger.sqlite.open_durable`."""
        self._connection = open_durable(path)
        self._connection.executescript(_SCHEMA)
        self._lock = threading.RLock()

    def put(self, documents: Sequence[VaultDocument]) -> None:
        """Store documents in one transaction, all or none; on disk when it returns.

        Raises:
            InvalidInputError: groups that do not hash to the commitment, or a value outside canonical JSON.
            ConflictError: another document has this commitment; names both digests.
        """
        rows = [_row_of(document) for document in documents]
        with self._lock, transaction(self._connection):
            for row in rows:
                added = self._connection.execute(
                    f"INSERT INTO documents ({_COLUMNS}) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",  # noqa: S608
                    row,
                )
                if added.rowcount == 0:
                    self._check_same(row)

    def get(self, commitment: bytes) -> VaultDocument:
        """Return the document behind a commitment.

        Raises:
            NotFoundError: the vault has none.
            IntegrityError: it was altered on disk.
        """
        document = self.find(commitment)
        if document is None:
            raise NotFoundError("vault document", commitment)
        return document

    def find(self, commitment: bytes) -> VaultDocument | None:
        """Return the document, or None. Raises IntegrityError as `get`."""
        with self._lock:
            row = self._connection.execute(
                f"SELECT {_COLUMNS} FROM documents WHERE commitment = ?",  # noqa: S608
                (commitment,),
            ).fetchone()
        return None if row is None else _document_of(row)

    def find_many(self, commitments: Sequence[bytes]) -> dict[bytes, VaultDocument]:
        """Return those of the documents that are here, by commitment. Raises IntegrityError as `get`."""
        found: dict[bytes, VaultDocument] = {}
        for first in range(0, len(commitments), _PAGE):
            some = commitments[first : first + _PAGE]
            marks = ",".join("?" * len(some))
            with self._lock:
                rows = self._connection.execute(
                    f"SELECT {_COLUMNS} FROM documents WHERE commitment IN ({marks})",  # noqa: S608
                    tuple(some),
                ).fetchall()
            found.update((row[0], _document_of(row)) for row in rows)
        return found

    def iterate(self, kind: str) -> Iterable[VaultDocument]:
        """Yield the documents of a kind in the order they were first put, a page at a time."""
        for row in self._rows("kind = ?", (kind,)):
            yield _document_of(row)

    def count(self) -> int:
        """Return the number of documents."""
        with self._lock:
            return int(self._connection.execute("SELECT count(*) FROM documents").fetchone()[0])

    def defects(self) -> Iterator[VaultDefect]:
        """Recompute every document and yield those that differ: the vault's part of ``fsck``."""
        for row in self._rows("1", ()):
            try:
                document = _document_of(row)
                root = _root_of(document)
            except (IntegrityError, InvalidInputError) as error:
                yield VaultDefect(row[0], error.explain())
                continue
            if root != document.commitment:
                yield VaultDefect(row[0], f"its groups hash to {root.hex()}")

    def backup(self, target: Path) -> None:
        """Write a consistent copy to a new file."""
        with self._lock:
            copy_database(self._connection, target)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def _rows(self, condition: str, values: tuple[object, ...]) -> Iterator[tuple[Any, ...]]:
        last = 0
        while True:
            with self._lock:
                rows = self._connection.execute(
                    f"SELECT {_COLUMNS}, sequence FROM documents WHERE {condition}"  # noqa: S608 - our own text
                    " AND sequence > ? ORDER BY sequence LIMIT ?",
                    (*values, last, _PAGE),
                ).fetchall()
            if not rows:
                return
            for row in rows:
                yield row[:4]
            last = rows[-1][4]

    def _check_same(self, row: tuple[bytes, str, bytes, bytes]) -> None:
        stored = self._connection.execute("SELECT digest FROM documents WHERE commitment = ?", (row[0],)).fetchone()[0]
        if stored != row[3]:
            raise ConflictError(
                "vault document",
                "the vault holds another document under this commitment",
                commitment=row[0],
                stored=stored,
                given=row[3],
            )


def _root_of(document: VaultDocument) -> bytes:
    groups = {name: (salt, cast("Json", value)) for name, (salt, value) in document.groups.items()}
    return commitment.recommit(groups).root  # It checks every value, whatever the cast says.


def _row_of(document: VaultDocument) -> tuple[bytes, str, bytes, bytes]:
    root = _root_of(document)
    if root != document.commitment:
        raise InvalidInputError("commitment", document.commitment, f"the root of its groups, {root.hex()}")
    extra = dict(document.extra)
    canonical.check([extra, document.kind, document.tier])  # The groups were checked when they were hashed.
    body = canonical.encode_checked(
        {
            "extra": extra,
            "groups": {name: list(group) for name, group in document.groups.items()},
            "kind": document.kind,
            "tier": document.tier,
        }
    )
    return root, document.kind, body, hashlib.sha256(body).digest()


def _document_of(row: tuple[Any, ...]) -> VaultDocument:
    root, kind, body, digest = row
    value: Any = canonical.decode(body) if hashlib.sha256(body).digest() == digest else None
    if value is None or value["kind"] != kind:
        raise IntegrityError("vault", "a document's bytes do not match their digest", commitment=root)
    groups = {name: (salt, content) for name, (salt, content) in value["groups"].items()}
    return VaultDocument(root, kind, value["tier"], groups, value["extra"])
