"""A home that is opened for reading alone: the log takes no entry and the outbox sends nothing.

Everything that would write a record goes through one of the two, so no use-case needs to know.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn, cast

from ledger.domain.errors import ConflictError

if TYPE_CHECKING:
    from ledger.service.ports import EventLog, Outbox


class ReadOnlyHomeError(ConflictError):
    """The home was opened for reading alone."""

    code = "home_read_only"
    meaning = "The home was opened for reading alone, so nothing is recorded."
    remedy = "Send it to the ledger that writes. If this is to be the one, open the home without `--read-only`."


class _Reading:
    """Answers as another object does, but for the calls that subclasses refuse."""

    def __init__(self, inner: object) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:  # Whatever the inner object has.
        return getattr(self._inner, name)


class _ReadOnlyLog(_Reading):
    def append(self, *_arguments: object, **_named: object) -> NoReturn:
        """Refuse the entries.

        Raises:
            ReadOnlyHomeError: Always.
        """
        raise ReadOnlyHomeError("home", "it was opened for reading alone")

    append_encoded = append

    def publish_checkpoint(self) -> bytes:
        """Return what is published: nothing new may be."""
        note: bytes = self._inner.checkpoint()  # type: ignore[attr-defined]  # An event log's.
        return note


class _ReadOnlyOutbox(_Reading):
    def send(self, *_arguments: object, **_named: object) -> NoReturn:
        """Refuse the write.

        Raises:
            ReadOnlyHomeError: Always.
        """
        raise ReadOnlyHomeError("home", "it was opened for reading alone")

    def pump(self) -> int:
        """Send nothing, and say that nothing is waited for."""
        return 0


def read_only_log(log: EventLog) -> EventLog:
    """Return the log without the right to grow."""
    return cast("EventLog", _ReadOnlyLog(log))


def read_only_outbox(outbox: Outbox) -> Outbox:
    """Return the outbox without the right to send."""
    return cast("Outbox", _ReadOnlyOutbox(outbox))
