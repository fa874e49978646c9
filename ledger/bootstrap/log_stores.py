"""Where a home publishes its log: the record of that, and the store that it names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ledger.domain.errors import IntegrityError, InvalidInputError
from ledger.home import read_record, write_record
from ledger.log.storage.published import OWN_FOLDER, Published, check_store

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ledger.home import Home
    from ledger.log.ports import NoteVerifier
    from ledger.log.storage.folder import FolderLog
    from ledger.log.storage.layered import LayeredFetcher
    from ledger.settings import Settings

_FIELDS: Final = frozenset({"store", "endpoint"})


def choose_store(settings: Settings, home: Home) -> None:
    """Write down where a new home publishes its log, once that place was found to be of use.

    Raises:
        InvalidInputError: The address is no store's, or the store replaces what it may not.
        UnavailableError: The store does not answer or refuses.
    """
    if settings.log_store != OWN_FOLDER:
        check_store(settings.log_store, settings.s3_endpoint)
        keep_store(home, settings.log_store, settings.s3_endpoint)


def keep_store(home: Home, address: str, endpoint: str) -> None:
    """Write down where a home publishes its log: after a crash the record says the old place or the new one."""
    write_record(home.log_store, {"store": address, "endpoint": endpoint})


def read_store(settings: Settings, home: Home) -> tuple[str, str]:
    """Return the address and endpoint of a home's store; an endpoint in the settings goes before the recorded one.

    Raises:
        InvalidInputError: The settings name another store than the home's.
        IntegrityError: The record is damaged.
    """
    address, endpoint = OWN_FOLDER, ""
    if home.log_store.exists():
        record = read_record(home.log_store, "log")
        if record.keys() != _FIELDS:
            raise IntegrityError("log", "the record of its store has other fields", file=home.log_store.name)
        address, endpoint = str(record["store"]), str(record["endpoint"])
    if settings.log_store not in {OWN_FOLDER, address}:
        raise InvalidInputError(
            "QUANZE_LOG_STORE",
            settings.log_store,
            f"{address or 'empty'}, as the home says; `quanze log migrate` moves the log",
        )
    return address, settings.s3_endpoint or endpoint


def open_published(
    settings: Settings, home: Home, log: FolderLog, files: LayeredFetcher, keys: Sequence[NoteVerifier]
) -> Published:
    """Return where an open log is published.

    Raises:
        InvalidInputError: The settings name another store than the home's.
        IntegrityError: The record is damaged.
        UnavailableError: The store's settings are of no use.
    """
    address, endpoint = read_store(settings, home)
    return Published(
        home.log,
        log,
        files,
        keys=keys,
        address=address,
        endpoint=endpoint,
        keep=lambda address, endpoint: keep_store(home, address, endpoint),
    )
