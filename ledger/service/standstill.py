"""Taking no events while witnesses contradict the log, and saying so.

A receipt of a log that was restored from an older copy, or rewritten, would be lost once the operator goes back to the
right one. So a home that cannot meet its policy without witnesses who know another log takes no events until they
cosign again: the reporters, who have no receipt, keep them. Opening looks too (`ledger.service.older_copy`); this is
for what a witness says later. A witness that is silent stops nothing: its checkpoint waits, and events are taken in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from ledger.domain.errors import UnavailableError
from ledger.service.witnesses import WHAT_TO_DO, Problem, barring, contradicting, said_by

if TYPE_CHECKING:
    from ledger.service.services import Services

_LOG = structlog.get_logger("witnesses")


class WitnessesContradictError(UnavailableError):
    """Witnesses cosigned another log than this one, and without them no checkpoint meets the policy."""

    code = "witnesses_contradict"
    meaning = (
        "Witnesses say that they cosigned a later size or another root of this log, and without them no checkpoint can "
        "be published; nothing was recorded."
    )
    remedy = WHAT_TO_DO


def check_uncontradicted(services: Services) -> None:
    """Return if events may be taken in, as far as the log's witnesses know.

    Raises:
        WitnessesContradictError: Those without whom the policy cannot be met know another log.
    """
    if services.witnesses is not None and (against := barring(services.witnesses, services.log.size())):
        raise WitnessesContradictError("log", f"witnesses contradict it ({said_by(against)})")


def check_newest_by_witnesses(services: Services) -> None:
    """Return if decisions may be sent: an older copy's chain may be as old as its log.

    Raises:
        WitnessesContradictError: As `check_uncontradicted`, where one of the witnesses knows a later size.
    """
    if services.witnesses is not None and not services.settings.read_only:  # Else its outbox refuses anyway.
        against = barring(services.witnesses, services.log.size())
        if any(one.problem is Problem.AHEAD for one in against):
            raise WitnessesContradictError("home", f"witnesses know a later size of its log ({said_by(against)})")


class WitnessWatch:
    """Says in the service's log when witnesses begin or cease to contradict, and when events are refused for it."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._against: dict[str, Problem] = {}
        self._refuses = False

    def look(self) -> None:
        """Tell what has changed since the last look."""
        witnessed = self._services.witnesses
        if witnessed is None:
            return
        size = self._services.log.size()
        against = {one.name: one for one in contradicting(witnessed, size)}
        for name, one in against.items():
            if self._against.get(name) is not one.problem:
                _LOG.error("witness_contradicts", witness=name, problem=one.problem.value, detail=one.detail)
        for name in self._against.keys() - against.keys():
            _LOG.warning("witness_contradicts_no_more", witness=name)
        self._against = {name: one.problem for name, one in against.items()}
        refuses = bool(barring(witnessed, size))
        if refuses and not self._refuses:
            _LOG.critical("events_refused", reason=said_by(list(against.values())), remedy=WHAT_TO_DO)
        if self._refuses and not refuses:
            _LOG.warning("events_taken_again")
        self._refuses = refuses
