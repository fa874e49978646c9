"""What an import is asked and what it answers: the same shape for every kind of file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from ledger.domain.errors import InvalidInputError
from ledger.service.importing.source_file import Accepted, Rejection
from ledger.service.requests import Request

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ledger.domain.errors import LedgerError
    from ledger.service.importing.source_file import Record

Parsed = TypeVar("Parsed")


class SourceRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One record of a file, with its number there."""

    record: int
    value: dict[str, Any]


class ImportRecords(Request, frozen=True, kw_only=True):
    """Arguments of the imports: some of a file's records, and who signs what is made of them.

    ``post`` is the importing post. With ``demo_keys`` the bodies named sign with generated keys instead, and all
    that they sign is marked as a demonstration.
    """

    records: list[SourceRecord]
    post: str = ""
    key: str = ""
    demo_keys: bool = False


class ImportExchanges(ImportRecords, frozen=True, kw_only=True):
    """Arguments of ``import xroad-opmon``; ``mapping`` is the mapping file's text."""

    mapping: str = ""


@dataclass(slots=True)
class Tally:
    """What became of each record."""

    items: list[dict[str, Any]] = field(default_factory=list)
    unchanged: int = 0
    rejected: list[Rejection] = field(default_factory=list)

    def reject(self, record: int, reason: str, *, field_name: str = "record") -> None:
        """Note that a record was not imported."""
        self.rejected.append(Rejection(record, field_name, reason))

    def refuse(self, record: int, error: LedgerError, *, field_name: str) -> None:
        """Note that a record was not imported, by the error; its own field is named where it has one."""
        if isinstance(error, InvalidInputError):
            self.rejected.append(Rejection(record, error.field, error.reason()))
        else:
            self.rejected.append(Rejection(record, field_name, error.explain()))

    def result(self, request: ImportRecords, **more: object) -> dict[str, Any]:
        """Return the answer of an import."""
        rejected = sorted(self.rejected, key=lambda rejection: rejection.record)
        return {
            "records": len(request.records),
            "imported": len(self.items),
            "unchanged": self.unchanged,
            "rejected": [msgspec.to_builtins(rejection) for rejection in rejected],
            "items": sorted(self.items, key=lambda item: int(item["record"])),
            "demonstration": request.demo_keys,
            **more,
        }


def parse_all(
    records: Sequence[SourceRecord], parse: Callable[[Record], Parsed], tally: Tally
) -> list[Accepted[Parsed]]:
    """Return the records that can be read; the others are rejected, each alone."""
    accepted: list[Accepted[Parsed]] = []
    for source in records:
        try:
            accepted.append(Accepted(source.record, parse(source.value)))
        except InvalidInputError as error:
            tally.refuse(source.record, error, field_name="record")
    return accepted


def check_signers(request: ImportRecords) -> None:
    """Check that somebody signs.

    Raises:
        InvalidInputError: Neither an importing post nor demonstration keys.
    """
    if not request.post and not request.demo_keys:
        raise InvalidInputError("as", "", "the importing post, CODE@AGENCY; or --demo-keys for a demonstration")
