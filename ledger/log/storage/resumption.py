"""What a check of a log's folder remembers, so that the next need not read again what did not change since.

The file is one line of JSON: for each full span in order its root and its **identity**, a hash of the inode number,
size and times (of the last change of content and of status) of each of its 513 files; and a digest over all that. A
span is taken as known only while its identity is what it was: a file written, replaced, restored or touched since
makes its span be read again, as does any change of this file itself. The time of a status change is the kernel's: no
program sets it. What is known is still bound to the signed root, which covers it.

A resumed check does not read what it knows: bytes that a failing disk changes without a write are found by a full
check only. Whoever can write this file can make a check skip spans, so it is kept out of the public folder, for its
owner alone.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from ledger.domain.errors import IntegrityError
from ledger.log.client import SPAN_ENTRIES
from ledger.log.storage.files import sync_folder
from ledger.log.tiles import TILE_WIDTH, entries_path, tile_path

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_FORMAT: Final = "quanze-log-check-1"
_HEX32: Final = 64


@dataclass(frozen=True, slots=True)
class KnownSpan:
    """A span that was checked: the root over it, and what its files were then."""

    root: bytes
    identity: str


def span_identities(root: Path, size: int) -> list[str]:
    """Return the identity of each full span of a log of ``size`` entries, empty for one that lacks a file."""
    return [_identity(root, span) for span in range(size // SPAN_ENTRIES)]


def read_known(path: Path, vkeys: Sequence[str]) -> list[KnownSpan]:
    """Return what the last check of the log with one of its keys knew; nothing if there is no such file.

    Raises:
        IntegrityError: the file was altered, or is of another log.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return []
    try:
        stated = json.loads(data)
        spans = [KnownSpan(bytes.fromhex(span[0]), span[1]) for span in stated["spans"]]
        again = _encode(stated["vkey"], spans)
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise IntegrityError(path.name, "it is no state of a check; remove it to check everything") from error
    if again != data or stated["vkey"] not in vkeys:
        raise IntegrityError(path.name, "it was altered or is another log's; remove it to check everything")
    return spans


def write_known(path: Path, vkey: str, spans: Sequence[KnownSpan]) -> None:
    """Replace the file, durably: after any crash it is the old one or the new one."""
    aside = path.with_name(f".{path.name}.tmp")
    handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(_encode(vkey, spans))
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)
    sync_folder(path.parent)


def _encode(vkey: str, spans: Sequence[KnownSpan]) -> bytes:
    body = {"format": _FORMAT, "spans": [[span.root.hex(), span.identity] for span in spans], "vkey": vkey}
    if any(len(value) != _HEX32 for span in body["spans"] for value in span):
        raise ValueError("a root and an identity are 32 bytes")
    digest = sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    return json.dumps({**body, "digest": digest}, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def _identity(root: Path, span: int) -> str:
    digest = sha256()
    base = f"{root}/"
    first = span * TILE_WIDTH
    try:
        for path in (
            tile_path(1, span),
            *(entries_path(bundle) for bundle in range(first, first + TILE_WIDTH)),
            *(tile_path(0, tile) for tile in range(first, first + TILE_WIDTH)),
        ):
            found = os.stat(base + path)  # noqa: PTH116 - A path object for each of 80,000 files costs as much as the rest.
            digest.update(b"%d %d %d %d\n" % (found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns))
    except OSError:
        return ""
    return digest.hexdigest()
