"""Where a verb runs: in the process of ``quanze up`` if one is there, else in this one.

``open_session`` tries the home's socket first. Without an answer it takes the home's lock and opens the
stores itself, so that both ways reach the same use-cases with the same arguments.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Protocol

from ledger import bootstrap
from ledger.cli.commands import COMMON
from ledger.cli.local_socket import SocketSession
from ledger.cli.passphrase import with_passphrase

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ledger.cli.local_socket import Progress
    from ledger.service.services import Services
    from ledger.settings import Settings


class Session(Protocol):
    """Calls verbs, wherever they run."""

    def call(self, verb: str, arguments: Mapping[str, object], progress: Progress) -> Any: ...
    def close(self) -> None: ...


class LocalSession:
    """Calls verbs on stores opened by this process."""

    def __init__(self, services: Services) -> None:
        self.services = services

    def call(self, verb: str, arguments: Mapping[str, object], progress: Progress) -> Any:
        """Run a verb here and return its JSON result."""
        return self.services.dispatch(verb, arguments, progress)

    def close(self) -> None:
        """Close the stores and give the lock back."""
        self.services.close()


def settings() -> Settings:
    """Return the settings of this command line: the environment's, with ``--home`` above them."""
    found = bootstrap.read_settings()
    home = COMMON.get().home
    return found if home is None else found.model_copy(update={"home": home})


@contextlib.contextmanager
def open_session() -> Iterator[Session]:
    """Yield a session on the chosen home and close it afterwards."""
    chosen = settings()
    session: Session | None = None
    with contextlib.suppress(OSError):
        session = SocketSession(chosen.home / "run" / "quanze.sock")
    if session is None:
        session = LocalSession(bootstrap.open_home(with_passphrase(chosen)))
    try:
        yield session
    finally:
        session.close()
