"""What the command's exit code says, and which error gives which.

====  ==================================================
Code  Meaning
====  ==================================================
0     done
1     a check failed
2     partly done: some records were rejected
3     wrong usage, or input that cannot be read
4     refused by the ledger
5     the service or the engine is unavailable
====  ==================================================
"""

from __future__ import annotations

from typing import Final

from ledger.domain.errors import (
    ConflictError,
    IntegrityError,
    InvalidInputError,
    LedgerError,
    NotFoundError,
    RefusedError,
    UnauthorizedError,
    UnavailableError,
    VerificationError,
)

DONE: Final = 0
CHECK_FAILED: Final = 1
PARTLY_DONE: Final = 2
WRONG_USAGE: Final = 3
REFUSED: Final = 4
UNAVAILABLE: Final = 5

_BY_BRANCH: Final[tuple[tuple[type[LedgerError], int], ...]] = (
    (VerificationError, CHECK_FAILED),
    (IntegrityError, CHECK_FAILED),
    (InvalidInputError, WRONG_USAGE),
    (NotFoundError, WRONG_USAGE),
    (UnauthorizedError, REFUSED),
    (ConflictError, REFUSED),
    (RefusedError, REFUSED),
    (UnavailableError, UNAVAILABLE),
)


class RemoteError(Exception):
    """An error that another process of ours reported, as it described it."""

    def __init__(self, code: str, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.exit_code = exit_code


def exit_code_of(error: LedgerError | RemoteError) -> int:
    """Return the exit code that stands for an error."""
    if isinstance(error, RemoteError):
        return error.exit_code
    return next((code for branch, code in _BY_BRANCH if isinstance(error, branch)), UNAVAILABLE)
