"""Moving the published log to another place while it grows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ledger.service.requests import Request

if TYPE_CHECKING:
    from collections.abc import Callable

    from ledger.service.services import Services


class MoveLog(Request, frozen=True, kw_only=True):
    """Arguments of ``log.migrate``: the new place, and the S3 service where it is not Amazon's."""

    to: str
    endpoint: str = ""


def move_log(services: Services, request: MoveLog, progress: Callable[[str, int, int], None]) -> dict[str, Any]:
    """Copy the log to another store, verify it there, and publish there from now on.

    Raises:
        InvalidInputError: No such place, or it holds something else.
        UnavailableError: A store does not answer; the old place is in use, and the next call goes on.
        IntegrityError: What is there differs from the log; the old place is in use.
    """
    before = services.published.address
    size = services.published.move(request.to, request.endpoint, progress)
    return {"from": before, "to": services.published.address, "size": size}
