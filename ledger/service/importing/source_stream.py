"""Reads an import file piece by piece: one record a line has no limit, a JSON document as a whole has one."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, BinaryIO, Final

from ledger.domain.errors import InvalidInputError
from ledger.service.importing.source_file import Rejection, parse_line, read_records

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from ledger.service.importing.source_file import Record

MAX_DOCUMENT_BYTES: Final = 32 << 20
"""A document is held in memory as a whole, several times its size."""

MAX_LINE_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Numbered:
    """A record, or why it is none, with its number in the file and the bytes of its line (0 in a document)."""

    number: int
    item: Record | Rejection
    size: int


def stream_records(file: BinaryIO, member: str, fields: Collection[str] = ()) -> Iterator[Numbered]:
    """Yield each record, counted from 1; blank lines between records count for nothing.

    Args:
        file: The bytes, read once.
        member: The key under which an outer object holds the list, as ``agreements``.
        fields: What every record has; a file that is one object without any of them is no file of records.

    Raises:
        InvalidInputError: As ``read_records``, a document of more than ``MAX_DOCUMENT_BYTES``, or one object that
            has nothing of a record.
    """
    head = _next_line(file)
    if not head.strip() or not _is_record(head, member):
        data = head + file.read(MAX_DOCUMENT_BYTES - len(head) + 1)
        if len(data) > MAX_DOCUMENT_BYTES:
            allowed = f"a document of at most {MAX_DOCUMENT_BYTES} bytes, or one record a line, which has no limit"
            raise InvalidInputError("file", f"more than {MAX_DOCUMENT_BYTES} bytes", allowed)
        for number, record in enumerate(read_records(data, member), start=1):
            yield Numbered(number, record, 0)
        return
    lines = _lines(head, file)
    first, second = next(lines), next(lines, None)
    if second is None:
        _check_not_foreign(first, member, fields)
    for number, line in enumerate(chain([first], [] if second is None else [second], lines), start=1):
        yield Numbered(number, _parse(number, line), len(line))


def _next_line(file: BinaryIO) -> bytes:
    """Return the next line that is not blank; of one that is too long only as much as shows that it is."""
    while line := file.readline(MAX_LINE_BYTES + 1):
        if line.strip():
            return line
    return b""


def _lines(head: bytes, file: BinaryIO) -> Iterator[bytes]:
    """Yield the first line and those that follow; the rest of one that is too long is passed over."""
    line = head
    while line:
        yield line
        while not line.endswith(b"\n") and len(line) > MAX_LINE_BYTES:
            line = file.readline(MAX_LINE_BYTES + 1)
        line = _next_line(file)


def _is_record(head: bytes, member: str) -> bool:
    """Say whether the first line is a record by itself, and not the document that holds the list."""
    if len(head) > MAX_LINE_BYTES or not head.lstrip(b"\xef\xbb\xbf \t").startswith(b"{"):
        return False
    record = _parse(1, head)
    return member not in record if isinstance(record, dict) else not record.reason.startswith("not JSON")


def _check_not_foreign(line: bytes, member: str, fields: Collection[str]) -> None:
    """Refuse a file whose only object has nothing in common with a record."""
    record = _parse(1, line)
    if fields and isinstance(record, dict) and not any(name in record for name in fields):
        allowed = f"a list of records, an object with {member!r}, or records with {', '.join(fields)}"
        raise InvalidInputError("file", "an object with " + (", ".join(list(record)[:10]) or "nothing"), allowed)


def _parse(number: int, line: bytes) -> Record | Rejection:
    if len(line) > MAX_LINE_BYTES:
        return Rejection(number, "line", f"more than {MAX_LINE_BYTES} bytes")
    try:
        text = line.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        return Rejection(number, f"byte {error.start}", f"not UTF-8: {line[error.start : error.start + 4].hex()}")
    return parse_line(number, text.rstrip("\r\n"))
